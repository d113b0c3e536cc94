//! What learning samplers promise: their answer is a function of the history, the seed, the number and the
//! attempt, whatever they were asked before and whatever they remember.

use search::{Answer, Ask, Condition, Dimension, History, Observation, Outcome, Point, Role, Sampler, Space};
use search::{SamplerError, check_sampler, sampler};
use spec::{Category, ControllerSpec, Direction, Domain, ParamValue, RewardSpec, SamplerSpec, Seed};
use spec::{SoftmaxTableSpec, TpeSpec};

use crate::cases;

mod memories;
mod steps;

const CHILDREN: u64 = 4;

/// Two or three layers with skips and two decisions, and one decision for all.
fn network_space() -> Space {
    let dimension = |name: &str, n: i64, role: Role, deep: bool| {
        let conditions = if deep { vec![Condition { dimension: 0, categories: vec![1] }] } else { vec![] };
        let domain = Domain::Categorical((0..n).map(Category::Int).collect());
        Dimension { role, conditions, ..Dimension::new(name, domain) }
    };
    let mut dimensions = vec![dimension("layers", 2, Role::Depth, false)];
    for layer in 0..3 {
        for from in 0..layer {
            dimensions.push(dimension(
                &format!("{layer}.from.{from}"),
                2,
                Role::Skip { layer, from },
                layer == 2,
            ));
        }
        for (kind, n) in [("a", 3), ("b", 2)] {
            let role = Role::Layer { kind: kind.into(), layer };
            dimensions.push(dimension(&format!("{layer}.{kind}"), n, role, layer == 2));
        }
    }
    dimensions.push(dimension("head", 2, Role::Single, false));
    Space::new(dimensions).unwrap()
}

/// Small controllers and tables with everything off and everything on.
fn specs() -> Vec<(&'static str, SamplerSpec)> {
    let reward = RewardSpec { children: CHILDREN, power: 3.0, ..RewardSpec::default() };
    let plain = ControllerSpec { hidden: 6, learning_rate: 0.05, reward, ..ControllerSpec::default() };
    let all = ControllerSpec {
        temperature: 2.0,
        tanh: Some(2.5),
        entropy_bonus: 0.01,
        skip_penalty: 0.5,
        clip: Some(0.2),
        n_passes: 3,
        ..plain
    };
    let ones = RewardSpec { children: 1, ..reward };
    let table = SoftmaxTableSpec { learning_rate: 0.3, reward, ..SoftmaxTableSpec::default() };
    vec![
        ("plain", SamplerSpec::Controller(plain)),
        ("delay", SamplerSpec::Controller(ControllerSpec { delay: 1, ..plain })),
        ("all", SamplerSpec::Controller(all)),
        ("all, delay", SamplerSpec::Controller(ControllerSpec { delay: 1, ..all })),
        ("grow", SamplerSpec::Controller(ControllerSpec { grow_every: Some(10), ..plain })),
        ("one child a step", SamplerSpec::Controller(ControllerSpec { reward: ones, ..plain })),
        ("table", SamplerSpec::SoftmaxTable(table)),
        ("table, delay", SamplerSpec::SoftmaxTable(SoftmaxTableSpec { delay: 1, ..table })),
    ]
}

fn try_point(sampler: &dyn Sampler, history: &History, number: u64, attempt: u64) -> Option<Point> {
    sampler.ask(&Ask { history, seed: Seed(1), number, attempt }).point()
}

fn fresh(spec: &SamplerSpec, history: &History, number: u64, attempt: u64) -> Option<Point> {
    try_point(&*sampler(spec), history, number, attempt)
}

fn empty() -> History {
    History::new(network_space(), vec![Direction::Maximize])
}

/// An accuracy from 0 to 1 that depends on all of a point.
fn accuracy(point: &Point) -> f64 {
    let sum = point.iter().zip(1..).fold(0, |sum, (value, place)| match value {
        Some(ParamValue::Category(category)) => sum * 7 + place * (category + 1),
        _ => sum * 5 + 1,
    });
    (sum % 97) as f64 / 96.0
}

/// A trial that was drawn at that attempt: whole, ended early, failed or outside of a constraint in turn.
fn over(number: u64, point: Point, attempt: Option<u64>) -> Observation {
    let accuracy = accuracy(&point);
    let (outcome, violation) = match number % 11 {
        3 => (Outcome::Failed, 0.0),
        5 => (Outcome::Pruned(vec![-accuracy]), 0.0),
        8 => (Outcome::Complete(vec![-accuracy]), 2.0),
        _ => (Outcome::Complete(vec![-accuracy]), 0.0),
    };
    let intermediate = (1..=number % 4).zip((0..4).map(|epoch| f64::from(epoch) / 10.0 - accuracy)).collect();
    Observation { intermediate, violation, attempt, ..Observation::new(number, point, outcome) }
}

/// Trials 0 to `n` as one long-lived sampler draws them, some of them after refusals, some chosen by a person.
fn study(spec: &SamplerSpec, n: u64) -> (History, Box<dyn Sampler>) {
    let (sampler, mut history) = (sampler(spec), empty());
    for number in 0..n {
        let attempt = if number % 3 == 1 { number % 5 } else { 0 };
        let point = try_point(&*sampler, &history, number, attempt).expect("nobody else is at work");
        let attempt = (number % 7 != 6).then_some(attempt);
        history.insert(over(number, point, attempt));
    }
    (history, sampler)
}

fn prefix(history: &History, n: u64) -> History {
    let mut prefix = empty();
    history
        .observations()
        .iter()
        .filter(|trial| trial.number < n)
        .for_each(|trial| prefix.insert(trial.clone()));
    prefix
}

/// What a sampler remembers that was asked for trial `n`.
fn memory(spec: &SamplerSpec, history: &History, n: u64) -> Option<Vec<u8>> {
    let sampler = sampler(spec);
    try_point(&*sampler, history, n, 0);
    sampler.memory(0).map(|memory| memory.bytes)
}

#[test]
fn policies_need_choices_and_one_objective_that_is_maximized() {
    let choices = Space::new(vec![Dimension::new("x", cases::choices(2))]).unwrap();
    let number = Dimension::new("y", cases::int(1, 3, spec::Scale::Linear, 1));
    let numbers = Space::new(vec![Dimension::new("x", cases::choices(2)), number]).unwrap();
    let up = &[Direction::Maximize][..];
    for spec in [
        SamplerSpec::Controller(ControllerSpec::default()),
        SamplerSpec::SoftmaxTable(SoftmaxTableSpec::default()),
    ] {
        let message = |space, directions| match check_sampler(&spec, space, directions) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(message(&choices, up), "");
        assert!(message(&numbers, up).contains("`y` is a number"), "{}", message(&numbers, up));
        assert!(message(&choices, &[Direction::Minimize]).contains("minimized"));
        assert!(message(&choices, &[Direction::Maximize; 2]).contains("2 objectives"));
        // Asked all the same, there is no answer.
        let history = History::new(numbers.clone(), up.to_vec());
        let answer = sampler(&spec).ask(&Ask { history: &history, seed: Seed(1), number: 0, attempt: 0 });
        assert_eq!(answer, Answer::Exhausted);
    }
    let tpe = SamplerSpec::Tpe(TpeSpec::default());
    assert!(check_sampler(&tpe, &numbers, &[Direction::Minimize; 2]).is_ok());
    let grid = check_sampler(
        &SamplerSpec::Grid,
        &Space::new(vec![Dimension::new("z", cases::float(0.0, 1.0, spec::Scale::Linear, None))]).unwrap(),
        up,
    );
    assert!(matches!(grid, Err(SamplerError::Continuous { .. })));
}

/// Failures, NaN, strangers and absurd attempts included.
#[test]
fn whatever_the_history_holds_points_lie_in_the_space() {
    for (name, spec) in specs() {
        for case in cases::spaces()
            .into_iter()
            .filter(|case| check_sampler(&spec, &case.space, &[Direction::Maximize]).is_ok())
        {
            let mut history = History::new(case.space.clone(), vec![Direction::Maximize]);
            for (number, point) in (0..64).zip(cases::random_points(&case.space, 64, Seed(99))) {
                let trial = cases::observation(number, point, 1);
                let outcome = if trial.outcome == Outcome::Pending { Outcome::Failed } else { trial.outcome };
                let attempt = [None, Some(0), Some(2), Some(u64::MAX)][number as usize / 16];
                history.insert(Observation { outcome, attempt, ..trial });
            }
            let point = fresh(&spec, &history, 64, 0).expect(name);
            assert!(case.space.contains(&point), "{name} {}: {point:?}", case.name);
        }
    }
}
