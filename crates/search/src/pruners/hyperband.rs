//! Hyperband (Li et al. 2017): several brackets of successive halving, the first with many trials and early rungs, the last
//! with few trials and none, as nobody knows how early a trial shows what it is worth. A trial belongs to one bracket, and
//! only trials of the same bracket are compared, as in Optuna's `HyperbandPruner`.

use spec::{HalvingSpec, HyperbandSpec};

use super::halving::Halving;
use super::rivals;
use crate::draw::mix;
use crate::{History, Pruner};

pub(super) struct Hyperband {
    brackets: Vec<Bracket>,
}

struct Bracket {
    halving: Halving,
    /// How many of all trials it gets, in proportion to the other brackets.
    n_trials: u64,
}

impl Hyperband {
    pub(super) fn new(spec: HyperbandSpec, max_steps: u64) -> Self {
        let (reduction, min_steps) = (spec.reduction.max(2), spec.min_steps.max(1));
        let whole = spec.max_steps.unwrap_or(max_steps);
        let next = |&step: &u64| step.checked_mul(reduction);
        let starts = std::iter::successors(Some(min_steps), next).take_while(|&step| step <= whole);
        let starts: Vec<u64> = starts.collect();
        let bracket = |(idx, &min_steps): (usize, &u64)| Bracket {
            halving: Halving::new(HalvingSpec { min_steps, reduction }, whole.min(max_steps)),
            n_trials: n_trials(starts.len() as u64, (starts.len() - 1 - idx) as u64, reduction),
        };
        Self { brackets: starts.iter().enumerate().map(bracket).collect() }
    }

    /// The bracket of a trial: a fixed hash of its number, weighted.
    fn bracket(&self, number: u64) -> Option<usize> {
        let total: u64 = self.brackets.iter().map(|bracket| bracket.n_trials).sum();
        let mut place = mix(number.wrapping_add(1)).checked_rem(total)?;
        self.brackets.iter().position(|bracket| {
            let is_here = place < bracket.n_trials;
            place = place.wrapping_sub(bracket.n_trials);
            is_here
        })
    }
}

/// Trials of the bracket with `s` rungs among `n_brackets`: algorithm 1's n = ⌈(s_max + 1) r^s / (s + 1)⌉.
fn n_trials(n_brackets: u64, s: u64, reduction: u64) -> u64 {
    let power = (0..s).fold(1u64, |power, _| power.saturating_mul(reduction).min(1 << 40));
    (n_brackets * power).div_ceil(s + 1)
}

impl Pruner for Hyperband {
    fn prune(&self, history: &History, number: u64, step: u64) -> bool {
        let (Some(trial), Some(idx)) = (history.get(number), self.bracket(number)) else { return false };
        let rivals = rivals(history).filter(|rival| self.bracket(rival.number) == Some(idx));
        self.brackets[idx].halving.prune_among(rivals, trial, step)
    }
}
