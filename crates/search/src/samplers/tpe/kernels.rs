//! The factors of all kernels in one dimension.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use rand_chacha::ChaCha8Rng;

use crate::axis::{Axis, Ends};
use crate::draw;

/// One factor for each kernel; the last is the prior's.
pub(super) enum Kernels {
    /// Truncated normals.
    Normal {
        normals: Vec<Normal>,
        means: Vec<f64>,
        /// 1 / (√2 deviation).
        rates: Vec<f64>,
    },
    /// Truncated normals of which a value gets what falls into its cell. Many trials have the same value, so the
    /// logarithms, which are slow, are computed once for all kernels with the same normal.
    Stepped {
        normals: Vec<Normal>,
        /// The logarithm of each normal's density at its mean.
        log_heights: Vec<f64>,
        /// Of each kernel its normal.
        normal_of: Vec<usize>,
    },
    /// A kernel's own category weighs 1, and each category, its own too, 1 / number of kernels. The prior's are all equal.
    Categories {
        /// The kernel's own; the prior's is [`NO_CATEGORY`].
        own: Vec<f64>,
        n_choices: usize,
        /// The logarithm of how much more a kernel gives its own category than any other.
        log_ratio: f64,
    },
}

/// A normal distribution between the ends of an axis.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Normal {
    mean: f64,
    deviation: f64,
}

/// A cell narrower than this share of a line is taken for a point: kernels are a hundredth of the line wide or more, so their
/// density hardly changes in it.
const NARROW_CELL: f64 = 1e-3;

/// Below every position of a category.
const NO_CATEGORY: f64 = -1.0;

/// The logarithms of [`Kernels::Stepped`]'s normals at one coordinate.
pub(super) type Table = (f64, Vec<f64>);

impl Kernels {
    /// Kernels at these coordinates, and the prior's. What does not hang on where a factor is asked is added to `log_scale`.
    /// `clip` says how narrow normals may be.
    pub(super) fn new(axis: &Axis, at: Vec<f64>, clip: f64, log_scale: &mut [f64]) -> Self {
        if let Axis::Categories(n_choices) = *axis {
            return Self::categories(n_choices, at, log_scale);
        }
        let ends = axis.ends();
        let normals = normals(axis, &at, clip);
        if !axis.is_stepped() {
            for (log, normal) in log_scale.iter_mut().zip(&normals) {
                *log += normal.log_height() - libm::log(normal.mass(ends));
            }
            let means = normals.iter().map(|normal| normal.mean).collect();
            let rates = normals.iter().map(|normal| FRAC_1_SQRT_2 / normal.deviation).collect();
            return Self::Normal { normals, means, rates };
        }
        let (normals, normal_of) = distinct(&normals);
        let log_masses: Vec<f64> = normals.iter().map(|normal| libm::log(normal.mass(ends))).collect();
        for (log, &normal) in log_scale.iter_mut().zip(&normal_of) {
            *log -= log_masses[normal];
        }
        let log_heights = normals.iter().map(Normal::log_height).collect();
        Self::Stepped { normals, log_heights, normal_of }
    }

    fn categories(n_choices: usize, mut own: Vec<f64>, log_scale: &mut [f64]) -> Self {
        own.push(NO_CATEGORY);
        let any = 1.0 / own.len() as f64;
        let log_any = libm::log(any / (1.0 + n_choices as f64 * any));
        let (prior, others) = log_scale.split_last_mut().expect("the prior is there");
        *prior -= libm::log(n_choices as f64);
        others.iter_mut().for_each(|log| *log += log_any);
        Self::Categories { own, n_choices, log_ratio: libm::log(1.0 + 1.0 / any) }
    }

    /// A coordinate drawn from the factor of `kernel`.
    pub(super) fn sample(&self, axis: &Axis, kernel: usize, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Normal { normals, .. } => normals[kernel].sample(axis.ends(), rng),
            Self::Stepped { normals, normal_of, .. } => normals[normal_of[kernel]].sample(axis.ends(), rng),
            Self::Categories { own, n_choices, .. } => {
                let own_share = 1.0 / (1.0 + *n_choices as f64 / own.len() as f64);
                let is_own = draw::uniform(rng) < own_share && own[kernel] != NO_CATEGORY;
                if is_own { own[kernel] } else { draw::below(rng, *n_choices) as f64 }
            }
        }
    }

    /// What [`Kernels::add_logs`] needs at any of `coordinates`.
    pub(super) fn tables(&self, axis: &Axis, coordinates: impl Iterator<Item = f64>) -> Vec<Table> {
        let Self::Stepped { normals, log_heights, .. } = self else { return Vec::new() };
        let mut coordinates: Vec<f64> = coordinates.collect();
        coordinates.sort_unstable_by(f64::total_cmp);
        coordinates.dedup();
        let (low, high) = axis.ends();
        let table = |coordinate: f64| {
            let (left, right) = axis.cell(coordinate);
            if right - left > NARROW_CELL * (high - low) {
                let log_masses = normals.iter().map(|normal| libm::log(normal.mass((left, right))));
                return (coordinate, log_masses.collect());
            }
            // Of huge whole numbers both ends are the same float.
            let log_width = libm::log((right - left).max(f64::EPSILON * (high - low)));
            let log_mass = |(normal, log_height): (&Normal, &f64)| {
                let distance = (coordinate - normal.mean) * FRAC_1_SQRT_2 / normal.deviation;
                log_width + log_height - distance * distance
            };
            (coordinate, normals.iter().zip(log_heights).map(log_mass).collect())
        };
        coordinates.into_iter().map(table).collect()
    }

    /// Adds to `logs` the logarithm of each kernel's factor at a coordinate.
    pub(super) fn add_logs(&self, tables: &[Table], coordinate: f64, logs: &mut [f64]) {
        match self {
            Self::Normal { means, rates, .. } => {
                for ((log, mean), rate) in logs.iter_mut().zip(means).zip(rates) {
                    let distance = (coordinate - mean) * rate;
                    *log -= distance * distance;
                }
            }
            Self::Stepped { normal_of, .. } => {
                let idx = tables.partition_point(|&(at, _)| at < coordinate);
                for (log, &normal) in logs.iter_mut().zip(normal_of) {
                    *log += tables[idx].1[normal];
                }
            }
            Self::Categories { own, log_ratio, .. } => {
                for (log, &own) in logs.iter_mut().zip(own) {
                    *log += if own == coordinate { *log_ratio } else { 0.0 };
                }
            }
        }
    }
}

impl Normal {
    fn log_height(&self) -> f64 {
        -libm::log(self.deviation * (2.0 * PI).sqrt())
    }

    /// The probability of a stretch of the line, before truncation. On either side of the mean it is a difference of small
    /// numbers, which keeps its digits. What is more than 11 deviations off, 10^-28 of everything, is nothing.
    fn mass(&self, (low, high): Ends) -> f64 {
        let scaled = |x: f64| (x - self.mean) * FRAC_1_SQRT_2 / self.deviation;
        let (low, high) = (scaled(low), scaled(high));
        if low > 8.0 || high < -8.0 {
            0.0
        } else if low > 0.0 {
            0.5 * (libm::erfc(low) - libm::erfc(high))
        } else if high < 0.0 {
            0.5 * (libm::erfc(-high) - libm::erfc(-low))
        } else {
            0.5 * (libm::erf(high) - libm::erf(low))
        }
    }

    /// Means lie between the ends and no deviation is larger than their distance, so a third of all draws or more are taken.
    fn sample(&self, (low, high): Ends, rng: &mut ChaCha8Rng) -> f64 {
        loop {
            let x = self.mean + self.deviation * draw::normal(rng);
            if low <= x && x <= high {
                return x;
            }
        }
    }
}

/// A normal at each coordinate, as wide as the larger of the distances to its neighbors (Bergstra et al. 2011), and in the
/// middle of the line one as wide as it. None is narrower than 1/(`clip` (n + 2)) of the line, 1/100 at most (the magic clip),
/// nor than half a step.
fn normals(axis: &Axis, at: &[f64], clip: f64) -> Vec<Normal> {
    let (n, (low, high)) = (at.len(), axis.ends());
    let narrowest = (high - low) / 100f64.min(clip * (n as f64 + 2.0));
    let narrowest = if axis.is_log() { narrowest } else { narrowest.max(axis.step() / 2.0) };
    let mut order: Vec<(f64, usize)> = at.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut normals = vec![Normal { mean: low + (high - low) / 2.0, deviation: high - low }; n + 1];
    for (place, &(mean, idx)) in order.iter().enumerate() {
        let below = place.checked_sub(1).map(|place| mean - order[place].0);
        let above = order.get(place + 1).map(|next| next.0 - mean);
        // The outermost ones look inwards alone: an end of the line is no trial.
        let distance = match (below, above) {
            (Some(below), Some(above)) => below.max(above),
            (Some(distance), None) | (None, Some(distance)) => distance,
            (None, None) => (mean - low).max(high - mean),
        };
        normals[idx] = Normal { mean, deviation: distance.clamp(narrowest, high - low) };
    }
    normals
}

/// Each normal once, and of each kernel which one it has.
fn distinct(normals: &[Normal]) -> (Vec<Normal>, Vec<usize>) {
    let mut order: Vec<usize> = (0..normals.len()).collect();
    let key = |idx: usize| (normals[idx].mean, normals[idx].deviation);
    let compare = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    order.sort_unstable_by(|&a, &b| compare(key(a), key(b)));
    let (mut all, mut normal_of) = (Vec::new(), vec![0; normals.len()]);
    for idx in order {
        if all.last() != Some(&normals[idx]) {
            all.push(normals[idx]);
        }
        normal_of[idx] = all.len() - 1;
    }
    (all, normal_of)
}
