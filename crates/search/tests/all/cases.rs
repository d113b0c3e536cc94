//! Spaces and histories that every sampler must get along with.

use search::{Condition, Dimension, Grammar, History, Observation, Outcome, Point, Space};
use spec::{Category, Direction, Domain, FloatDomain, IntDomain, Scale, Seed};

use crate::grammar;

/// A space by its name.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) space: Space,
    /// How many points it has, where these are finitely many and few.
    pub(crate) n_points: Option<usize>,
}

pub(crate) fn float(low: f64, high: f64, scale: Scale, step: Option<f64>) -> Domain {
    Domain::Float(FloatDomain { low, high, scale, step })
}

pub(crate) fn int(low: i64, high: i64, scale: Scale, step: i64) -> Domain {
    Domain::Int(IntDomain { low, high, scale, step })
}

pub(crate) fn choices(n: usize) -> Domain {
    Domain::Categorical((0..n).map(|idx| Category::Text(format!("choice {idx}"))).collect())
}

/// Positions of dimensions, and of those of their categories under which something exists.
pub(crate) type Conditions = Vec<(usize, Vec<usize>)>;

pub(crate) fn space(domains: Vec<(Domain, Conditions)>) -> Space {
    let dimensions = domains.into_iter().enumerate().map(|(idx, (domain, conditions))| Dimension {
        conditions: conditions
            .into_iter()
            .map(|(dimension, categories)| Condition { dimension, categories })
            .collect(),
        ..Dimension::new(&format!("x{idx}"), domain)
    });
    Space::new(dimensions.collect()).unwrap()
}

fn flat(domains: Vec<Domain>) -> Space {
    space(domains.into_iter().map(|domain| (domain, vec![])).collect())
}

pub(crate) fn spaces() -> Vec<Case> {
    use Scale::{Linear, Log};
    let case = |name, space, n_points| Case { name, space, n_points };
    vec![
        case("empty", flat(vec![]), Some(1)),
        case("float", flat(vec![float(-5.0, 10.0, Linear, None)]), None),
        case(
            "widest floats",
            flat(vec![float(-8e307, 8e307, Linear, None), float(1e-300, 1e300, Log, None)]),
            None,
        ),
        case("float with step", flat(vec![float(0.0, 0.5, Linear, Some(0.1))]), Some(6)),
        case("float with many steps", flat(vec![float(0.0, 1.0, Linear, Some(0.0001))]), None),
        case("int with step", flat(vec![int(-4, 10, Linear, 7), int(8, 128, Linear, 8)]), Some(3 * 16)),
        case("int on a log scale", flat(vec![int(1, 100, Log, 1), int(16, 1_000_000, Log, 1)]), None),
        case("widest int", flat(vec![int(i64::MIN, i64::MAX, Linear, 1)]), None),
        case("categories", flat(vec![choices(3), choices(2), choices(5)]), Some(30)),
        case(
            "single values",
            flat(vec![
                float(2.0, 2.0, Log, None),
                int(3, 3, Log, 1),
                choices(1),
                float(1.0, 1.0, Linear, Some(0.5)),
            ]),
            Some(1),
        ),
        case(
            "conditions",
            space(vec![
                (choices(3), vec![]),
                (int(1, 4, Linear, 1), vec![(0, vec![0])]),
                (choices(2), vec![(0, vec![1, 2])]),
                (int(1, 5, Log, 1), vec![(0, vec![1, 2]), (2, vec![1])]),
                (int(0, 1, Linear, 1), vec![]),
            ]),
            Some((4 + 2 * (1 + 5)) * 2),
        ),
        case(
            "conditions and floats",
            space(vec![
                (float(1e-5, 1.0, Log, None), vec![]),
                (choices(2), vec![]),
                (float(0.0, 0.99, Linear, None), vec![(1, vec![0])]),
                (float(0.9, 0.999, Linear, None), vec![(1, vec![1])]),
                (int(16, 512, Log, 1), vec![]),
            ]),
            None,
        ),
        case("a grammar with blind alleys", of_grammar(grammar::SHRINKING), Some(28 + 11 * 16)),
        case("a grammar with skips", of_grammar(grammar::SKIPPING), Some(2 * (4 * 2 + 8 * 8))),
    ]
}

fn of_grammar(text: &str) -> Space {
    grammar::space_of(&Grammar::new(&grammar::spec(text)).unwrap())
}

/// Uniform points by the random sampler, which is tested beside the others.
pub(crate) fn random_points(space: &Space, n: u64, seed: Seed) -> Vec<Point> {
    let history = History::new(space.clone(), vec![Direction::Minimize]);
    let sampler = search::sampler(&spec::SamplerSpec::Random);
    let ask = |number| search::Ask { history: &history, seed, number, attempt: 0 };
    (0..n).map(|number| sampler.ask(&ask(number)).point().unwrap()).collect()
}

/// A trial of that number: everything a history may hold in turn, NaN, infinities and strangers included.
pub(crate) fn observation(number: u64, point: Point, n_objectives: usize) -> Observation {
    let cost = |x: f64| (0..n_objectives).map(|idx| x * (idx as f64 + 1.0)).collect::<Vec<_>>();
    let mixed = ((number * 7919) % 101) as f64;
    let intermediate = |costs: &[f64]| (1..).zip(costs.iter().copied()).collect::<Vec<_>>();
    let plain = |outcome| Observation::new(number, point.clone(), outcome);
    match number % 16 {
        0 => plain(Outcome::Complete(cost(f64::NAN))),
        1 => plain(Outcome::Complete(cost(f64::INFINITY))),
        2 => plain(Outcome::Complete(cost(f64::NEG_INFINITY))),
        3 => plain(Outcome::Complete(vec![])),
        4 => plain(Outcome::Failed),
        5 => plain(Outcome::Pending),
        6 => Observation { point: vec![None; point.len()], ..plain(Outcome::Pending) },
        7 => Observation { point: vec![None; point.len()], ..plain(Outcome::Complete(cost(mixed))) },
        8 => Observation { intermediate: intermediate(&[mixed, f64::NAN]), ..plain(Outcome::Pruned(vec![])) },
        9 => plain(Outcome::Pruned(vec![])),
        10 => Observation { violation: mixed, ..plain(Outcome::Complete(cost(mixed))) },
        11 => Observation { violation: f64::INFINITY, ..plain(Outcome::Pruned(vec![])) },
        12 => Observation { intermediate: intermediate(&[mixed]), ..plain(Outcome::Pruned(cost(mixed))) },
        _ => Observation {
            intermediate: intermediate(&[3.0, 2.0, mixed]),
            ..plain(Outcome::Complete(cost(mixed)))
        },
    }
}

/// Trials 0 to `n`, of which `observation` makes something.
pub(crate) fn history(space: &Space, n: u64, n_objectives: usize) -> History {
    let mut history = History::new(space.clone(), vec![Direction::Minimize; n_objectives]);
    for (number, point) in (0..).zip(random_points(space, n, Seed(99))) {
        history.insert(observation(number, point, n_objectives));
    }
    history
}
