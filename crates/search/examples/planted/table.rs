//! A table of architectures whose accuracies are made up: what a decision is worth, and what pairs of
//! decisions are worth.

use search::{Dimension, History, Observation, Outcome, Point, Role, Space};
use spec::{Category, Direction, Domain, ParamValue, Seed};

/// Choices of each layer's decisions: 32 layers.
const DECISIONS: [(&str, usize); 5] =
    [("filter_height", 4), ("filter_width", 2), ("stride_height", 2), ("stride_width", 1), ("filters", 2)];
const N_LAYERS: usize = 2;
/// Accuracies of the worst and the best architecture.
const RANGE: (f64, f64) = (0.80, 0.92);

/// 1,024 architectures with an accuracy each, one of which is the best.
pub(crate) struct Planted {
    pub(crate) space: Space,
    /// What each category is worth, by dimension.
    alone: Vec<Vec<f64>>,
    /// What each pair of categories is worth, by pair of dimensions.
    pairs: Vec<Vec<Vec<f64>>>,
    worst: f64,
    best: f64,
}

impl Planted {
    /// `interaction` is what pairs are worth compared with single decisions.
    pub(crate) fn new(seed: u64, interaction: f64) -> Self {
        let dimension = |(idx, (kind, n)): (usize, (&str, usize))| {
            let domain = Domain::Categorical((0..n as i64).map(Category::Int).collect());
            let layer = idx / DECISIONS.len();
            let role = Role::Layer { kind: kind.into(), layer };
            Dimension { role, ..Dimension::new(&format!("{layer}.{kind}"), domain) }
        };
        let all = std::iter::repeat_n(DECISIONS, N_LAYERS).flatten().enumerate();
        let space = Space::new(all.map(dimension).collect()).expect("names differ");
        let mut draws = Draws(Seed(seed).stream("planted"));
        let sizes: Vec<_> = (0..space.len()).map(|dim| DECISIONS[dim % DECISIONS.len()].1).collect();
        let alone = sizes.iter().map(|&n| draws.many(n, 1.0)).collect();
        let weight = interaction / (sizes.len() as f64 - 1.0).sqrt();
        let pairs = (0..sizes.len())
            .map(|a| (0..a).map(|b| draws.many(sizes[a] * sizes[b], weight)).collect())
            .collect();
        let mut planted = Self { space, alone, pairs, worst: 0.0, best: 0.0 };
        let scores: Vec<_> = planted.points().iter().map(|point| planted.score(point)).collect();
        planted.worst = scores.iter().copied().fold(f64::INFINITY, f64::min);
        planted.best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        planted
    }

    pub(crate) fn points(&self) -> Vec<Point> {
        let sizes = self.alone.iter().map(Vec::len);
        sizes.fold(vec![Point::new()], |points, n| {
            let extend = |point: Point| {
                (0..n).map(move |category| {
                    point.iter().copied().chain([Some(ParamValue::Category(category))]).collect()
                })
            };
            points.into_iter().flat_map(extend).collect()
        })
    }

    pub(crate) fn accuracy(&self, point: &Point) -> f64 {
        RANGE.0 + (RANGE.1 - RANGE.0) * (self.score(point) - self.worst) / (self.best - self.worst)
    }

    pub(crate) fn is_best(&self, point: &Point) -> bool {
        self.score(point) == self.best
    }

    fn score(&self, point: &Point) -> f64 {
        let category = |dim: usize| match point[dim] {
            Some(ParamValue::Category(category)) => category,
            other => unreachable!("{other:?} is no category"),
        };
        let mut score = 0.0;
        for (a, alone) in self.alone.iter().enumerate() {
            score += alone[category(a)];
            for (b, pair) in self.pairs[a].iter().enumerate() {
                score += pair[category(a) * self.alone[b].len() + category(b)];
            }
        }
        score
    }

    pub(crate) fn history(&self) -> History {
        History::new(self.space.clone(), vec![Direction::Maximize])
    }

    /// A trial that gave what the table says.
    pub(crate) fn trial(&self, number: u64, point: Point) -> Observation {
        let outcome = Outcome::Complete(vec![-self.accuracy(&point)]);
        Observation { attempt: Some(0), ..Observation::new(number, point, outcome) }
    }
}

/// Normally distributed numbers, as sums of twelve uniform ones.
struct Draws(rand_chacha::ChaCha8Rng);

impl Draws {
    fn many(&mut self, n: usize, deviation: f64) -> Vec<f64> {
        (0..n).map(|_| deviation * self.normal()).collect()
    }

    fn normal(&mut self) -> f64 {
        use rand_core::Rng;
        let mut uniform = || (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}
