//! The value of each child, and the mean of the best few so far (Zoph & Le 2016, figure 6).

use serde::Serialize;
use spec::TrialRecord;

use super::decisions::{Child, Decisions, Taken};
use crate::studies::busy::Busy;
use crate::studies::objective::{Objective, eligible_cost, values};
use crate::studies::thinning::{evenly, thinned};

/// How many of the best a curve is the mean of, as in the paper's figure.
pub(crate) const TOPS: [usize; 3] = [1, 5, 15];

/// `GET /api/studies/ID/rewards`: a column for each number.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Rewards<'a> {
    pub(crate) objective: &'a Objective,
    /// Children that have a value, of which `number` has some.
    pub(crate) n: usize,
    /// Different networks among all that were begun.
    pub(crate) n_unique: usize,
    pub(crate) number: Vec<u64>,
    pub(crate) value: Vec<f64>,
    /// In which somebody worked on the search, until the child was done.
    pub(crate) seconds: Vec<f64>,
    pub(crate) kind: Vec<&'static str>,
    pub(crate) tops: Vec<Top>,
    /// The best child.
    pub(crate) best: Option<u64>,
    /// Of the last child.
    pub(crate) last: Option<u64>,
    pub(crate) last_seconds: f64,
}

/// The mean of the best `k` different networks so far, where it changes; from the `k`-th on.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Top {
    pub(crate) k: usize,
    /// By the children's numbers.
    pub(crate) by_number: Curve,
    /// By the time at which they were done, in seconds.
    pub(crate) by_time: Curve,
}

#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Curve {
    pub(crate) x: Vec<f64>,
    pub(crate) value: Vec<f64>,
}

/// At most `points` children and as many points of each curve.
pub(crate) fn rewards<'a>(
    objective: &'a Objective,
    decisions: &Decisions<'_>,
    trials: &[TrialRecord],
    points: usize,
    now_ms: i64,
) -> Rewards<'a> {
    let busy = Busy::new(trials, now_ms);
    let seconds = |trial: &TrialRecord| busy.seconds_until(trial.completed_ms.unwrap_or(now_ms));
    let shown: Vec<&Child<'_>> =
        decisions.children.iter().filter(|child| !values(child.trial).is_empty()).collect();
    let cost = |child: &Child<'_>| eligible_cost(child.trial, 0, objective.direction);
    let ranked = ranking(&shown, cost);
    let kept: Vec<&Child<'_>> =
        thinned(shown.len(), points, ranked.iter().copied()).into_iter().map(|at| shown[at]).collect();
    let best = ranked.first().filter(|&&at| cost(shown[at]).is_some());
    let mut by_time = shown.clone();
    by_time.sort_by_key(|child| (child.trial.completed_ms, child.trial.number));
    let curve = |k: usize, order: &[&Child<'_>], x: &dyn Fn(&TrialRecord) -> f64| {
        let costs = order.iter().filter_map(|child| Some((x(child.trial), cost(child)?, &child.taken[..])));
        top_means(k, costs, points, |cost| objective.direction.cost(cost))
    };
    let tops = TOPS.map(|k| Top {
        k,
        by_number: curve(k, &shown, &|trial| trial.number as f64),
        by_time: curve(k, &by_time, &seconds),
    });
    Rewards {
        objective,
        n: shown.len(),
        n_unique: n_unique(&decisions.children),
        number: kept.iter().map(|child| child.trial.number).collect(),
        value: kept.iter().map(|child| values(child.trial)[0]).collect(),
        seconds: kept.iter().map(|child| seconds(child.trial)).collect(),
        kind: kept.iter().map(|child| kind(child.trial)).collect(),
        tops: tops.into(),
        best: best.map(|&at| shown[at].trial.number),
        last: decisions.children.last().map(|child| child.trial.number),
        last_seconds: busy.seconds(),
    }
}

/// Positions, the best first; those that cannot be best at the end.
fn ranking(shown: &[&Child<'_>], cost: impl Fn(&Child<'_>) -> Option<f64>) -> Vec<usize> {
    let costs: Vec<f64> = shown.iter().map(|child| cost(child).unwrap_or(f64::INFINITY)).collect();
    let mut ranked: Vec<usize> = (0..shown.len()).collect();
    ranked.sort_by(|&a, &b| costs[a].total_cmp(&costs[b]).then(a.cmp(&b)));
    ranked
}

/// How the chart marks a child.
fn kind(trial: &TrialRecord) -> &'static str {
    match trial.state.complete_values() {
        _ if !trial.is_feasible() => "infeasible",
        None => "pruned",
        Some(_) if trial.user_attributes.contains_key(search::DUPLICATE_OF) => "duplicate",
        Some(_) => "complete",
    }
}

/// Different networks.
pub(crate) fn n_unique(children: &[Child<'_>]) -> usize {
    let all: std::collections::HashSet<&[Taken]> = children.iter().map(|child| &child.taken[..]).collect();
    all.len()
}

/// The best `k` of different networks, as costs.
struct Best<'a> {
    k: usize,
    /// In ascending order.
    kept: Vec<(f64, &'a [Taken])>,
}

impl<'a> Best<'a> {
    /// Whether the best are others than before. A network that comes again counts once, with its best value.
    fn add(&mut self, cost: f64, network: &'a [Taken]) -> bool {
        if let Some(same) = self.kept.iter().position(|(_, known)| *known == network) {
            if self.kept[same].0 <= cost {
                return false;
            }
            self.kept.remove(same);
        }
        let place = self.kept.partition_point(|(known, _)| *known <= cost);
        self.kept.insert(place, (cost, network));
        self.kept.truncate(self.k);
        place < self.k
    }

    fn mean(&self) -> Option<f64> {
        let sum: f64 = self.kept.iter().map(|(cost, _)| cost).sum();
        (self.kept.len() == self.k).then(|| sum / self.k as f64)
    }
}

fn top_means<'a>(
    k: usize,
    costs: impl Iterator<Item = (f64, f64, &'a [Taken])>,
    points: usize,
    value: impl Fn(f64) -> f64,
) -> Curve {
    let mut best = Best { k, kept: Vec::with_capacity(k + 1) };
    let mut means = Vec::new();
    for (x, cost, network) in costs {
        if best.add(cost, network) {
            means.extend(best.mean().map(|mean| (x, value(mean))));
        }
    }
    let kept: Vec<(f64, f64)> = evenly(means.len(), points).map(|at| means[at]).collect();
    Curve { x: kept.iter().map(|point| point.0).collect(), value: kept.iter().map(|point| point.1).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use spec::Direction;

    use super::*;
    use crate::studies::grammar::decisions::tests::grammar;
    use crate::studies::made_up::{category, complete, constrained};

    /// Networks tell apart by two decisions of two choices.
    fn child(number: u64, value: f64, (size, filters): (usize, usize)) -> TrialRecord {
        let params = [category("0.size", size, &["1", "3"]), category("0.filters", filters, &["8", "16"])];
        let (started_ms, completed_ms) = (Some(1000 * number as i64), Some(1000 * number as i64 + 500));
        TrialRecord { params: params.into(), started_ms, completed_ms, ..complete(number, &[value]) }
    }

    #[test]
    fn the_top_few_are_of_different_networks() {
        let objective = Objective { name: "accuracy".into(), direction: Direction::Maximize };
        let mut trials = vec![
            child(0, 0.5, (0, 0)),
            child(1, 0.7, (0, 1)),
            child(2, 0.7, (0, 1)),
            child(3, 0.6, (1, 0)),
            child(4, 0.9, (0, 1)),
            child(5, 0.8, (1, 1)),
        ];
        trials[2].user_attributes.insert(search::DUPLICATE_OF.into(), json!(1));
        trials.push(TrialRecord { params: trials[0].params.clone(), ..constrained(6, &[0.99], &[1.0]) });
        let decisions = Decisions::new(&grammar(), &trials);
        let found = rewards(&objective, &decisions, &trials, 100, 10_000);
        assert_eq!((found.n, found.n_unique, found.best, found.last), (7, 4, Some(4), Some(6)));
        assert_eq!((found.kind[2], found.kind[3], found.kind[6]), ("duplicate", "complete", "infeasible"));
        assert_eq!(found.seconds[..3], [0.5, 1.0, 1.5]);
        let first = &found.tops[0];
        assert_eq!(
            (&first.by_number.x[..], &first.by_number.value[..]),
            (&[0., 1., 4.][..], &[0.5, 0.7, 0.9][..])
        );
        assert_eq!(first.by_time.x, [0.5, 1.0, 2.5]);
        assert!(found.tops[1].by_number.x.is_empty(), "there are four networks, no five");
        let costs =
            trials[..6].iter().map(|trial| (trial.number as f64, -trial.state.complete_values().unwrap()[0]));
        let networks = decisions.children.iter().map(|child| &child.taken[..]);
        let costs = costs.zip(networks).map(|((x, cost), network)| (x, cost, network));
        let two = top_means(2, costs, 100, |cost| -cost);
        assert_eq!(two.x, [1.0, 3.0, 4.0, 5.0]);
        let expected = [0.6, 0.65, 0.75, 0.85];
        assert!(two.value.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{:?}", two.value);
        assert!(rewards(&objective, &Decisions::new(&grammar(), &[]), &[], 10, 0).number.is_empty());
    }
}
