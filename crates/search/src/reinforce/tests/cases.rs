//! Small spaces with everything that a space may have, and settings that turn everything on.

use spec::{Category, ControllerSpec, Domain, ParamValue, RewardSpec, Seed};

use crate::controller::Controller;
use crate::reinforce::{Decisions, Learning, Limits, Objective, Policy};
use crate::softmax_table::SoftmaxTable;
use crate::{Condition, Dimension, History, Point, Role, Space};

/// A space, and a mask of its own.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) decisions: Decisions,
}

pub(super) fn dimension(name: &str, n: usize, role: Role, conditions: Vec<(usize, Vec<usize>)>) -> Dimension {
    let domain = Domain::Categorical((0..n as i64).map(Category::Int).collect());
    let conditions = conditions.into_iter();
    let conditions = conditions.map(|(dimension, categories)| Condition { dimension, categories }).collect();
    Dimension { conditions, role, ..Dimension::new(name, domain) }
}

fn layer(kind: &str, layer: usize) -> Role {
    Role::Layer { kind: kind.into(), layer }
}

fn space(dimensions: Vec<Dimension>) -> Space {
    Space::new(dimensions).unwrap()
}

/// Every role: a depth of one to three layers, skips, two kinds of decisions for each layer, one of its own.
/// 2,706 points.
pub(super) fn roles() -> Space {
    let from = |depth: usize| vec![(0, (depth..3).collect())];
    let skip = |layer, from| Role::Skip { layer, from };
    space(vec![
        dimension("layers", 3, Role::Depth, vec![]),
        dimension("0.a", 3, layer("a", 0), vec![]),
        dimension("0.b", 2, layer("b", 0), vec![]),
        dimension("1.from.0", 2, skip(1, 0), from(1)),
        dimension("1.a", 3, layer("a", 1), from(1)),
        dimension("1.b", 2, layer("b", 1), from(1)),
        dimension("2.from.0", 2, skip(2, 0), from(2)),
        dimension("2.from.1", 2, skip(2, 1), from(2)),
        dimension("2.a", 3, layer("a", 2), from(2)),
        dimension("2.b", 2, layer("b", 2), from(2)),
        dimension("head", 2, Role::Single, vec![]),
    ])
}

/// Conditions on conditions, with a single value and a layer that decides less than others. 42 points.
pub(super) fn conditions() -> Space {
    space(vec![
        dimension("x", 3, Role::Single, vec![]),
        dimension("0.a", 2, layer("a", 0), vec![(0, vec![1, 2])]),
        dimension("y", 4, Role::Single, vec![(0, vec![0])]),
        dimension("1.from.0", 2, Role::Skip { layer: 1, from: 0 }, vec![(0, vec![2])]),
        dimension("1.a", 3, layer("a", 1), vec![(0, vec![2]), (1, vec![1])]),
        dimension("2.from.0", 2, Role::Skip { layer: 2, from: 0 }, vec![(0, vec![2])]),
        dimension("2.from.1", 2, Role::Skip { layer: 2, from: 1 }, vec![(0, vec![2])]),
        dimension("one", 1, Role::Single, vec![]),
    ])
}

/// The same decisions for each of two layers. 36 points.
pub(super) fn plain() -> Space {
    let dims = (0..2).flat_map(|idx| {
        [("a", 3), ("b", 2)].map(|(kind, n)| dimension(&format!("{idx}.{kind}"), n, layer(kind, idx), vec![]))
    });
    space(dims.collect())
}

/// No category may follow itself one dimension before, and the third layer reads the first one.
fn mask(dim: usize, prefix: &[Option<ParamValue>]) -> Option<Vec<bool>> {
    match (dim, prefix.last()) {
        (1, _) => None,
        (6, _) => Some(vec![false, true]),
        (2 | 5, Some(Some(ParamValue::Category(last)))) => Some((0..2).map(|idx| idx != *last).collect()),
        _ => None,
    }
}

pub(super) fn cases() -> Vec<Case> {
    let case = |name, space: Space| Case { name, decisions: Decisions::new(&space) };
    let mut masked = case("masked", roles());
    masked.decisions.mask = Some(mask);
    vec![case("plain", plain()), case("conditions", conditions()), case("roles", roles()), masked]
}

pub(super) fn learning(children: u64) -> Learning {
    Learning {
        learning_rate: 0.01,
        reward: RewardSpec { children, baseline_decay: 0.9, power: 1.0, last_epochs: 1 },
        limits: Limits { temperature: 1.0, tanh: None },
        objective: Objective { entropy_bonus: 0.0, skip_penalty: 0.0, skip_rate: 0.4 },
        clip: None,
        n_passes: 1,
        delay: 0,
        grow_every: None,
    }
}

/// A small controller far from the middle, so that nothing is nearly 0 by chance.
pub(super) fn controller(decisions: &Decisions) -> (Box<dyn Policy>, Vec<f64>) {
    let policy =
        Controller::new(decisions, &ControllerSpec { hidden: 5, init: 0.8, ..ControllerSpec::default() });
    let params = policy.init(Seed(5));
    (Box::new(policy), params)
}

pub(super) fn table(decisions: &Decisions) -> (Box<dyn Policy>, Vec<f64>) {
    let policy = SoftmaxTable::new(decisions);
    let n = policy.init(Seed(5)).len();
    (Box::new(policy), (0..n).map(|idx| libm::sin(idx as f64 * 1.7)).collect())
}

pub(super) fn history(space: &Space) -> History {
    History::new(space.clone(), vec![spec::Direction::Maximize])
}

/// All points that no mask forbids.
pub(super) fn points(decisions: &Decisions) -> Vec<Point> {
    let mut points = vec![Point::new()];
    for dim in 0..decisions.len() {
        let extend = |prefix: Point| -> Vec<Point> {
            let extended = |value| prefix.iter().copied().chain([value]).collect::<Point>();
            if !decisions.space().is_active(dim, &prefix) {
                return vec![extended(None)];
            }
            let allowed = decisions.allowed(dim, &prefix);
            let is_allowed = |idx: &usize| allowed.as_ref().is_none_or(|allowed| allowed[*idx]);
            let categories = (0..decisions.n_categories(dim)).filter(is_allowed);
            categories.map(|category| extended(Some(ParamValue::Category(category)))).collect()
        };
        points = points.into_iter().flat_map(extend).collect();
    }
    points
}
