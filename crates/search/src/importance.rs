//! How much each parameter decides: PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255), for parameters that exist under
//! conditions as in arXiv:2601.20800.
//!
//! Where the best tenth of all trials has a parameter's values, and where all trials have them, are two densities. The more
//! they differ (Pearson's divergence), the more it matters to have the right value. Unlike the variance of the costs it says
//! nothing of how bad the bad ones are, so a few trainings that blew up do not hide everything else.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::axis::Axis;
use crate::pareto::bring_best_to_front;
use crate::standing::{Standing, standing};
use crate::{History, Observation, draw};

/// A number's scale is cut into so many bins, or fewer where it has fewer values.
const MAX_BINS: usize = 50;
/// Fewer trials tell nothing.
const MIN_TRIALS: usize = 10;
/// The paper advises five good ones at least.
const MIN_GOOD: usize = 5;

/// The share of each parameter in what makes trials good, the largest first; they sum to 1. All are 0 where nothing can be
/// told: of fewer than ten trials that are feasible and whole or pruned, or where no parameter varies. Takes about a
/// millisecond for each 10,000 values.
pub fn importance(history: &History) -> Vec<(String, f64)> {
    let trials = history.observations().iter();
    let mut known: Vec<_> = trials.filter_map(|trial| Some((standing(trial)?, trial))).collect();
    known.retain(|(standing, _)| matches!(standing, Standing::Complete(_) | Standing::Pruned { .. }));
    let n_good = known.len().div_ceil(10).max(MIN_GOOD);
    let is_enough = known.len() >= MIN_TRIALS;
    if is_enough {
        bring_best_to_front(&mut known, n_good, history.directions().len());
    }
    let trials: Vec<&Observation> = known.into_iter().map(|(_, trial)| trial).collect();
    let dimensions = history.space().dimensions().iter().enumerate();
    let mut shares: Vec<(String, f64)> = dimensions
        .map(|(dim, dimension)| {
            let tells = is_enough && !draw::is_single(&dimension.domain);
            let divergence = || divergence(&Axis::new(&dimension.domain), dim, &trials, n_good);
            (dimension.name.clone(), if tells { divergence() } else { 0.0 })
        })
        .collect();
    let total: f64 = shares.iter().map(|(_, share)| share).sum();
    for (_, share) in shares.iter_mut().filter(|_| total > 0.0) {
        *share /= total;
    }
    // A stable sort: equals stay in the order of the space.
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

/// How much the first `n_good` trials differ from all in one dimension. Only those that have it are compared; the square of
/// the share that have it among the good, over the share among all, weighs it.
fn divergence(axis: &Axis, dim: usize, trials: &[&Observation], n_good: usize) -> f64 {
    let bins = |trials: &[&Observation]| -> Vec<usize> {
        let values = trials.iter().filter_map(|trial| trial.point[dim]);
        values.map(|value| bin(axis, axis.coordinate(value))).collect()
    };
    let (good, all) = (bins(&trials[..n_good]), bins(trials));
    if good.is_empty() {
        return 0.0;
    }
    let (good_share, share) = (good.len() as f64 / n_good as f64, all.len() as f64 / trials.len() as f64);
    let pairs = density(axis, &good).into_iter().zip(density(axis, &all));
    let divergence: f64 = pairs.map(|(good, all)| (good - all) * (good - all) / all).sum();
    divergence * good_share * good_share / share
}

fn n_bins(axis: &Axis) -> usize {
    axis.n_values().map_or(MAX_BINS, |n| match axis {
        Axis::Categories(n) => *n,
        _ => usize::try_from(n).map_or(MAX_BINS, |n| n.min(MAX_BINS)),
    })
}

fn bin(axis: &Axis, coordinate: f64) -> usize {
    if let Axis::Categories(_) = axis {
        return coordinate as usize;
    }
    let (low, high) = axis.ends();
    let n = n_bins(axis);
    (((coordinate - low) / (high - low) * n as f64) as usize).min(n - 1)
}

/// The probability of each bin: what was counted, smoothed between neighboring bins of a line, and one count spread over
/// everything, so that no bin is impossible.
fn density(axis: &Axis, counted: &[usize]) -> Vec<f64> {
    let n = n_bins(axis);
    let mut counts = vec![0.0; n];
    for &bin in counted {
        counts[bin] += 1.0;
    }
    let total = counted.len() as f64;
    let smoothed = match axis {
        Axis::Categories(_) => counts,
        _ => smooth(&counts, total),
    };
    smoothed.into_iter().map(|count| (count + 1.0 / n as f64) / (total + 1.0)).collect()
}

/// Each count spread as a normal distribution, cut at the ends of the line, over the bins.
fn smooth(counts: &[f64], total: f64) -> Vec<f64> {
    let width = bandwidth(counts, total);
    let below = |x: f64| 0.5 * (1.0 + libm::erf(x * FRAC_1_SQRT_2 / width));
    let mut smoothed = vec![0.0; counts.len()];
    for (center, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        let distance = |bin: usize| bin as f64 - center as f64 - 0.5;
        let whole = below(distance(counts.len())) - below(distance(0));
        for (bin, sum) in smoothed.iter_mut().enumerate() {
            *sum += count * (below(distance(bin + 1)) - below(distance(bin))) / whole;
        }
    }
    smoothed
}

/// Scott's rule (1992) for a normal distribution, in bins: 1.059 n^(-1/5) times the deviation, or the interquartile range in
/// its place where that is smaller. At least as wide as lets 90 % of a count stay in its bin.
fn bandwidth(counts: &[f64], total: f64) -> f64 {
    let bins = || counts.iter().enumerate().map(|(bin, count)| (bin as f64, count));
    let mean = bins().map(|(bin, count)| bin * count).sum::<f64>() / total;
    let squares: f64 = bins().map(|(bin, count)| (bin - mean) * (bin - mean) * count).sum();
    let deviation = (squares / (total - 1.0).max(1.0)).sqrt();
    let quantile = |share: f64| {
        let mut sum = 0.0;
        let is_reached = |(_, count): &(f64, &f64)| {
            sum += **count;
            sum >= share * total
        };
        bins().find(is_reached).map_or(0.0, |(bin, _)| bin)
    };
    let range = (quantile(0.75) - quantile(0.25)) / 1.34;
    (1.059 * range.min(deviation) * libm::pow(total, -0.2)).max(0.5 / 1.64)
}
