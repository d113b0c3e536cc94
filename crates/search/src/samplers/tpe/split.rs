//! Good trials and bad trials.

use crate::pareto::bring_best_to_front;
use crate::standing::{Standing, standing};
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
        bring_best_to_front(&mut known, n_good, n_objectives);
        let mut good: Vec<_> = known.drain(..n_good).map(|(_, trial)| trial).collect();
        bad.extend(known.into_iter().map(|(_, trial)| trial));
        good.sort_unstable_by_key(|trial| trial.number);
        bad.sort_unstable_by_key(|trial| trial.number);
        Self { good, bad, n_known, is_single_objective: n_objectives <= 1 }
    }
}

/// A tenth is good; of one objective at most 25, so that late trials keep close to the best (Optuna's `default_gamma`). Of
/// several see Ozaki et al. 2020, MOTPE.
fn n_good(n: usize, n_objectives: usize) -> usize {
    let tenth = n.div_ceil(10);
    if n_objectives > 1 { tenth } else { tenth.min(25) }
}
