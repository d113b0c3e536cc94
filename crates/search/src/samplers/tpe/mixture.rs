//! A density of several dimensions: a weighted sum of kernels, one at each trial and a wide one over everything (the prior);
//! a kernel is a product over dimensions of truncated normals, or of weights of categories.

use rand_chacha::ChaCha8Rng;

use super::kernels::Kernels;
use crate::axis::Axis;
use crate::draw;

pub(super) struct Mixture {
    /// The weights summed up to each kernel.
    cumulative: Vec<f64>,
    /// Of each kernel the logarithm of its weight and of everything in it that does not hang on where it is asked.
    log_scale: Vec<f64>,
    /// Of each dimension.
    kernels: Vec<Kernels>,
}

/// Trials that weigh as much as the youngest, in [`by_age`].
const N_YOUNG: usize = 25;

/// Weights of trials in the order of their numbers: the youngest 25 weigh 1, from there down to 1/n for the oldest
/// (Bergstra et al. 2013).
pub(super) fn by_age(n: usize) -> Vec<f64> {
    let n_old = n.saturating_sub(N_YOUNG);
    let oldest = 1.0 / n.max(1) as f64;
    let ramp = |idx: usize| oldest + (1.0 - oldest) * idx as f64 / n_old.saturating_sub(1).max(1) as f64;
    (0..n).map(|idx| if idx < n_old { ramp(idx) } else { 1.0 }).collect()
}

/// All the same.
pub(super) fn equal(n: usize) -> Vec<f64> {
    vec![1.0; n]
}

impl Mixture {
    /// A kernel at each of some points, and the prior, of weight 1. `columns` are the points' coordinates on each axis,
    /// `weights` their kernels', and `clip` says how narrow these may be.
    pub(super) fn new(
        axes: &[Axis],
        columns: impl Iterator<Item = Vec<f64>>,
        mut weights: Vec<f64>,
        clip: f64,
    ) -> Self {
        weights.push(1.0);
        let total: f64 = weights.iter().sum();
        let mut log_scale: Vec<f64> = weights.iter().map(|weight| libm::log(weight / total)).collect();
        let kernels = axes.iter().zip(columns).map(|(axis, at)| Kernels::new(axis, at, clip, &mut log_scale));
        let kernels = kernels.collect();
        let mut sum = 0.0;
        let cumulative = weights.iter().map(|weight| {
            sum += weight;
            sum
        });
        Self { cumulative: cumulative.collect(), log_scale, kernels }
    }

    /// A point of the density, as coordinates of values.
    pub(super) fn sample(&self, axes: &[Axis], rng: &mut ChaCha8Rng) -> Vec<f64> {
        let n = self.cumulative.len();
        let place = draw::uniform(rng) * self.cumulative[n - 1];
        let kernel = self.cumulative.partition_point(|&sum| sum <= place).min(n - 1);
        let draws = axes.iter().zip(&self.kernels).map(|(axis, kernels)| {
            let coordinate = kernels.sample(axis, kernel, rng);
            axis.coordinate(axis.value(coordinate))
        });
        draws.collect()
    }

    /// The logarithm of the density at each candidate.
    pub(super) fn log_densities(&self, axes: &[Axis], candidates: &[Vec<f64>]) -> Vec<f64> {
        let tables = axes.iter().zip(&self.kernels).enumerate().map(|(dim, (axis, kernels))| {
            kernels.tables(axis, candidates.iter().map(|candidate| candidate[dim]))
        });
        let tables: Vec<_> = tables.collect();
        let mut logs = vec![0.0; self.log_scale.len()];
        let log_density = |candidate: &Vec<f64>| {
            logs.copy_from_slice(&self.log_scale);
            for ((kernels, tables), &coordinate) in self.kernels.iter().zip(&tables).zip(candidate) {
                kernels.add_logs(tables, coordinate, &mut logs);
            }
            log_sum_exp(&logs)
        };
        candidates.iter().map(log_density).collect()
    }
}

/// The logarithm of the sum of the exponentials. What is e^40 times smaller than the largest is left out: ten thousand such
/// terms are less than the rounding of the sum.
fn log_sum_exp(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let counted = logs.iter().map(|log| log - largest).filter(|&log| log > -40.0 - f64::EPSILON);
    largest + libm::log(counted.map(libm::exp).sum::<f64>())
}
