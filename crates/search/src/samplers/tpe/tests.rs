//! The densities against plain ones, written from the formulas kernel by kernel.

use spec::{Category, Domain, FloatDomain, IntDomain, ParamValue, Scale, Seed};

use super::mixture::{Mixture, by_age, equal};
use super::{Axis, CLIP_OF_GOOD};

fn axes() -> Vec<Axis> {
    let float = |low, high, scale, step| Axis::new(&Domain::Float(FloatDomain { low, high, scale, step }));
    let int = |low, high, scale, step| Axis::new(&Domain::Int(IntDomain { low, high, scale, step }));
    vec![
        float(-1.0, 3.0, Scale::Linear, None),
        float(1e-3, 1.0, Scale::Log, None),
        float(0.0, 0.5, Scale::Linear, Some(0.1)),
        int(4, 28, Scale::Linear, 3),
        int(1, 50, Scale::Log, 1),
        Axis::new(&Domain::Categorical((0..4).map(Category::Int).collect())),
    ]
}

/// Columns of `n` coordinates for each axis, some of them equal.
fn columns(axes: &[Axis], n: usize) -> Vec<Vec<f64>> {
    let value = |axis: &Axis, k: usize| match axis {
        Axis::Categories(n) => ParamValue::Category(k % n),
        _ => {
            let (low, high) = axis.ends();
            axis.value(low + (high - low) * ((k * 37 % 11) as f64 + 0.5) / 11.0)
        }
    };
    axes.iter().map(|axis| (0..n).map(|k| axis.coordinate(value(axis, k))).collect()).collect()
}

/// The probability that a normal distribution has below `x`.
fn below(x: f64, mean: f64, deviation: f64) -> f64 {
    0.5 * libm::erfc((mean - x) / deviation / 2f64.sqrt())
}

/// The factor of kernel `k` of a dimension at a coordinate; kernel n is the prior.
fn factor(axis: &Axis, column: &[f64], k: usize, at: f64, clip: f64) -> f64 {
    let n = column.len();
    if let Axis::Categories(n_choices) = axis {
        let (n_choices, share) = (*n_choices as f64, 1.0 / (n as f64 + 1.0));
        let weight = |own: bool| share + f64::from(u8::from(own));
        return if k == n { 1.0 / n_choices } else { weight(column[k] == at) / (1.0 + n_choices * share) };
    }
    let (low, high) = axis.ends();
    let mut narrowest = (high - low) / f64::min(100.0, clip * (n as f64 + 2.0));
    if !axis.is_log() {
        narrowest = narrowest.max(axis.step() / 2.0);
    }
    let (mean, deviation) = if k == n {
        ((low + high) / 2.0, high - low)
    } else {
        // Equal trials are apart in the order of their numbers.
        let before = |j: usize| (column[j], j) < (column[k], k);
        let apart = |j: usize| (column[j] - column[k]).abs();
        let nearest = |is_before: bool| {
            (0..n).filter(|&j| j != k && before(j) == is_before).map(apart).min_by(f64::total_cmp)
        };
        let distance = match (nearest(true), nearest(false)) {
            (Some(a), Some(b)) => a.max(b),
            (a, b) => a.or(b).unwrap_or((column[k] - low).max(high - column[k])),
        };
        (column[k], distance.clamp(narrowest, high - low))
    };
    let whole = below(high, mean, deviation) - below(low, mean, deviation);
    if axis.is_stepped() {
        let (left, right) = axis.cell(at);
        return (below(right, mean, deviation) - below(left, mean, deviation)) / whole;
    }
    let z = (at - mean) / deviation;
    (-0.5 * z * z).exp() / (deviation * (2.0 * std::f64::consts::PI).sqrt() * whole)
}

/// The largest difference of logarithms, as a share of the plain one's, over several mixtures.
fn largest_error(axes: &[Axis]) -> f64 {
    let mut largest = 0f64;
    for (n, weigh) in
        [(0, equal as fn(usize) -> Vec<f64>), (1, by_age), (7, equal), (40, by_age), (300, by_age)]
    {
        for clip in [1.0, CLIP_OF_GOOD] {
            let columns = columns(axes, n);
            let mixture = Mixture::new(axes, columns.iter().cloned(), weigh(n), clip);
            let mut rng = Seed(1).stream("densities");
            let candidates: Vec<_> = (0..30).map(|_| mixture.sample(axes, &mut rng)).collect();
            let weights: Vec<f64> = weigh(n).into_iter().chain([1.0]).collect();
            for (candidate, ours) in candidates.iter().zip(mixture.log_densities(axes, &candidates)) {
                let kernel = |k: usize| {
                    let each = axes.iter().zip(&columns).zip(candidate);
                    each.map(|((axis, column), &at)| factor(axis, column, k, at, clip)).product::<f64>()
                };
                let sum: f64 = weights.iter().enumerate().map(|(k, weight)| weight * kernel(k)).sum();
                let plain = (sum / weights.iter().sum::<f64>()).ln();
                largest = largest.max((ours - plain).abs() / plain.abs().max(1.0));
            }
        }
    }
    largest
}

#[test]
fn densities_are_those_of_the_formulas() {
    let error = largest_error(&axes());
    assert!(error < 1e-9, "{error}");
}

#[test]
fn narrow_cells_are_nearly_points() {
    let int = |low, high, scale| Axis::new(&Domain::Int(IntDomain { low, high, scale, step: 1 }));
    let error = largest_error(&[int(0, 5000, Scale::Linear), int(1, 1_000_000, Scale::Log)]);
    // Of a logarithm: a thousandth of the density, or less.
    assert!(error > 0.0 && error < 1e-3, "{error}");
}

/// The share of draws in each half of the first axis is what the density says it is.
#[test]
fn draws_follow_the_density() {
    let axes = &axes()[..1];
    let columns = vec![vec![-0.5, 0.0, 0.1]];
    let mixture = Mixture::new(axes, columns.clone().into_iter(), equal(3), 1.0);
    let n_draws = 20_000;
    let mut rng = Seed(2).stream("draws");
    let n_low = (0..n_draws).filter(|_| mixture.sample(axes, &mut rng)[0] < 1.0).count();
    let n_cells = 4000;
    let densities = |idx: usize| {
        let at = -1.0 + 2.0 * (idx as f64 + 0.5) / n_cells as f64;
        (0..4).map(|k| factor(&axes[0], &columns[0], k, at, 1.0) / 4.0).sum::<f64>()
    };
    let expected = (0..n_cells).map(densities).sum::<f64>() * 2.0 / n_cells as f64;
    // Four standard errors.
    let share = n_low as f64 / n_draws as f64;
    assert!((share - expected).abs() < 4.0 * (0.25 / n_draws as f64).sqrt(), "{share} for {expected}");
}

#[test]
fn the_youngest_trials_weigh_most() {
    assert_eq!(by_age(3), [1.0; 3]);
    let weights = by_age(125);
    assert_eq!((weights[0], weights[99], weights[124]), (1.0 / 125.0, 1.0, 1.0));
    assert!(weights.is_sorted());
}
