//! Good trials and bad trials.

use std::cmp::Ordering;

use crate::pareto;
use crate::standing::{Standing, costs, standing};
use crate::{History, Observation};

/// The trials of a history but one, split. Both halves are in the order of their numbers.
pub(super) struct Split<'a> {
    pub(super) good: Vec<&'a Observation>,
    /// Also what failed, and, where asked, what still runs: whoever asks next shall keep away from it (the constant liar).
    pub(super) bad: Vec<&'a Observation>,
    /// Whole and pruned trials.
    pub(super) n_known: usize,
    pub(super) is_single_objective: bool,
}

impl<'a> Split<'a> {
    pub(super) fn new(history: &'a History, asked: u64, constant_liar: bool) -> Self {
        let n_objectives = history.directions().len();
        let mut known = Vec::new();
        let mut bad = Vec::new();
        for trial in history.observations().iter().filter(|trial| trial.number != asked) {
            match standing(trial) {
                Some(Standing::Failed) => bad.push(trial),
                Some(standing) => known.push((standing, trial)),
                None if constant_liar => bad.push(trial),
                None => {}
            }
        }
        let n_known = known.len();
        let n_good = n_good(n_known, n_objectives);
        if n_objectives > 1 {
            put_front_first(&mut known, n_good, n_objectives);
        } else if n_good < n_known {
            known.select_nth_unstable_by(n_good, by_standing);
        }
        let mut good: Vec<_> = known.drain(..n_good).map(|(_, trial)| trial).collect();
        bad.extend(known.into_iter().map(|(_, trial)| trial));
        good.sort_unstable_by_key(|trial| trial.number);
        bad.sort_unstable_by_key(|trial| trial.number);
        Self { good, bad, n_known, is_single_objective: n_objectives <= 1 }
    }
}

/// A tenth is good; of one objective at most 25, so that late trials keep close to the best (Optuna's `default_gamma`).
fn n_good(n: usize, n_objectives: usize) -> usize {
    let tenth = n.div_ceil(10);
    if n_objectives > 1 { tenth } else { tenth.min(25) }
}

fn by_standing(a: &(Standing, &Observation), b: &(Standing, &Observation)) -> Ordering {
    a.0.compare(&b.0).then(a.1.number.cmp(&b.1.number))
}

/// Brings the `n_good` best of several objectives to the front (Ozaki et al. 2020, MOTPE): front after front of those that
/// nothing dominates; of the front that does not fit, those in the emptiest neighborhoods (Deb et al. 2002) instead of those
/// with the largest hypervolume, which takes long for many trials. Then by standing.
fn put_front_first(known: &mut [(Standing, &Observation)], n_good: usize, n_objectives: usize) {
    known.sort_by(by_standing);
    let n_complete = known.partition_point(|(standing, _)| matches!(standing, Standing::Complete(_)));
    let costs: Vec<Vec<f64>> =
        known[..n_complete].iter().map(|(_, trial)| costs(trial, n_objectives)).collect();
    let best = pareto::best_of(&costs, n_good);
    let is_best = |idx: &usize| best.binary_search(idx).is_ok();
    let (mut first, rest): (Vec<_>, Vec<_>) = (0..n_complete).partition(is_best);
    first.extend(rest);
    let sorted: Vec<_> = first.into_iter().map(|idx| known[idx]).collect();
    known[..n_complete].copy_from_slice(&sorted);
}
