//! Tree-structured Parzen estimator (Bergstra et al. 2011; components and defaults as analyzed by Watanabe 2023,
//! arXiv:2304.11127, and as in Optuna 5).
//!
//! The trials are split into few good and many bad ones. From each half a density of the space is made: l of the good, g of
//! the bad. Candidates are drawn from l; the one with the largest l / g is tried. The densities are over several dimensions
//! at once (Falkner et al. 2018): dimensions that exist under the same conditions form a *group*, chosen together from the
//! trials that have it; groups follow one another, so that a group may hang on what was chosen before.
//!
//! Where it departs from Optuna, and what that is worth: docs/design/tpe.md.

mod kernels;
mod mixture;
mod split;
#[cfg(test)]
mod tests;

use rand_chacha::ChaCha8Rng;
use spec::TpeSpec;

use self::mixture::{Mixture, by_age, equal};
use self::split::Split;
use super::sobol::Sobol;
use super::{N_MODEL_ATTEMPTS, random};
use crate::axis::Axis;
use crate::{Answer, Ask, Observation, Point, Sampler, Space, draw};

pub(super) struct Tpe {
    pub(super) spec: TpeSpec,
}

/// Kernels of the few good trials may be four times as narrow as Optuna's, which leave a good region only slowly smaller;
/// those of the many bad ones are as Optuna's.
const CLIP_OF_GOOD: f64 = 4.0;
const CLIP_OF_BAD: f64 = 1.0;

impl Sampler for Tpe {
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let (space, mut rng) = (ask.history.space(), ask.stream());
        let split = Split::new(ask.history, ask.number, self.spec.constant_liar);
        if ask.attempt >= N_MODEL_ATTEMPTS {
            return random::point(space, &mut rng).into();
        }
        if split.n_known < self.spec.n_startup {
            return Sobol.ask(ask);
        }
        let mut chosen: Point = vec![None; space.len()];
        let point = space.fill(|dim, dimension| {
            if chosen[dim].is_none() && !draw::is_single(&dimension.domain) {
                let group = Group::of(space, dim);
                self.choose(&group, &split, ask.attempt, &mut rng, &mut chosen);
            }
            chosen[dim].unwrap_or_else(|| draw::at(&dimension.domain, 0.0))
        });
        point.into()
    }
}

impl Tpe {
    /// Chooses the values of a group. Each refusal halves the candidates: in a small space the best of many is always the
    /// same, which was refused.
    fn choose(
        &self,
        group: &Group,
        split: &Split<'_>,
        attempt: u64,
        rng: &mut ChaCha8Rng,
        chosen: &mut Point,
    ) {
        let weigh_good = if split.is_single_objective { by_age } else { equal };
        let good = group.mixture(&split.good, weigh_good, CLIP_OF_GOOD);
        let bad = group.mixture(&split.bad, by_age, CLIP_OF_BAD);
        let n_candidates = (self.spec.n_candidates >> attempt.min(N_MODEL_ATTEMPTS)).max(1);
        let candidates: Vec<Vec<f64>> = (0..n_candidates).map(|_| good.sample(&group.axes, rng)).collect();
        let ratios = good.log_densities(&group.axes, &candidates).into_iter();
        let ratios = ratios.zip(bad.log_densities(&group.axes, &candidates)).map(|(l, g)| l - g);
        // The first of the best, so that ties do not hang on how they are compared.
        let mut best = (0, f64::NEG_INFINITY);
        for (idx, ratio) in ratios.enumerate() {
            if ratio > best.1 {
                best = (idx, ratio);
            }
        }
        for ((&dim, axis), &coordinate) in group.dims.iter().zip(&group.axes).zip(&candidates[best.0]) {
            chosen[dim] = Some(axis.value(coordinate));
        }
    }
}

/// Dimensions that exist under the same conditions, without those of a single value.
struct Group {
    dims: Vec<usize>,
    axes: Vec<Axis>,
}

impl Group {
    /// The group of a dimension.
    fn of(space: &Space, dim: usize) -> Self {
        let all = space.dimensions();
        let is_of_group =
            |idx: &usize| all[*idx].conditions == all[dim].conditions && !draw::is_single(&all[*idx].domain);
        let dims: Vec<usize> = (0..all.len()).filter(is_of_group).collect();
        let axes = dims.iter().map(|&dim| Axis::new(&all[dim].domain)).collect();
        Self { dims, axes }
    }

    /// The density of the trials that have all values of the group.
    fn mixture(&self, trials: &[&Observation], weigh: fn(usize) -> Vec<f64>, clip: f64) -> Mixture {
        let has_group = |trial: &&&Observation| self.dims.iter().all(|&dim| trial.point[dim].is_some());
        let members: Vec<&Observation> = trials.iter().filter(has_group).copied().collect();
        let columns = self.dims.iter().zip(&self.axes).map(|(&dim, axis)| {
            members.iter().filter_map(|trial| Some(axis.coordinate(trial.point[dim]?))).collect()
        });
        Mixture::new(&self.axes, columns, weigh(members.len()), clip)
    }
}
