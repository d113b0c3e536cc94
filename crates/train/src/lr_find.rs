//! Looking for a learning rate: the loss while the rate rises from step to step.
//!
//! Smith 2015, "Cyclical learning rates for training neural networks" (arXiv 1506.01186), section 3.3, in the form of
//! fastai's `lr_find`: rates rise exponentially, losses are smoothed, and the sweep ends where they explode. fastai's numbers are
//! for 100 steps; here they are shares of the sweep, so that a short one is not all average and a long one not all noise. With 20
//! steps, fastai's own numbers suggest 3e-7 and 2e-7 for LeNet with Adam, those here 1e-2 and 3e-3.

use std::sync::atomic::Ordering;

use lanes::{Lane, WithLane};
use nn::{Params, UpdateNumbers};

use crate::lesson::Batch;
use crate::trainer::Trainer;
use crate::{Checkpoint, Job, TrainError};

/// Rates of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrRange {
    /// The first, above 0.
    pub start: f64,
    /// The last, above the first.
    pub end: f64,
}

impl Default for LrRange {
    /// fastai's: 1e-7 to 10.
    fn default() -> Self {
        Self { start: 1e-7, end: 10.0 }
    }
}

/// One step of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrPoint {
    /// The step's rate.
    pub learning_rate: f64,
    /// Mean loss of its batch, before its update.
    pub loss: f64,
    /// The losses up to this one, averaged without a bias to 0. The average before has the weight 0.98 in a sweep of 100 steps, and
    /// over the same share of any other sweep the same.
    pub smoothed: f64,
}

/// What a sweep came to.
#[derive(Clone, Debug, PartialEq)]
pub struct LrFind {
    /// The steps, up to the one whose loss exploded or the last.
    pub points: Vec<LrPoint>,
    /// Where the smoothed loss falls most steeply over the logarithm of the rate, on the way to its lowest; `None` where it falls no
    /// lower than batches differ by chance. fastai's `steep`.
    pub steepest: Option<f64>,
    /// A tenth of the rate of the lowest smoothed loss, fastai's `minimum`: mostly a more careful choice. `None` as above.
    pub minimum_tenth: Option<f64>,
}

/// Weight of the smoothed loss before in a sweep of [`USUAL_STEPS`], fastai's.
const SMOOTHING: f64 = 0.98;

/// Steps of a sweep of fastai's.
const USUAL_STEPS: f64 = 100.0;

/// By how many standard errors of the loss at the start of [`middle`] the lowest must be lower to be more than chance.
const STANDARD_ERRORS: f64 = 3.0;

/// A smoothed loss of so many times the lowest ends the sweep, fastai's.
const EXPLODED: f64 = 4.0;

/// Trains a copy of `params` for up to `n_steps` steps at rates that rise from `range.start` to `range.end`; the spec's
/// schedule and average do not count, everything else does. Ends early after [`Job::stop`], which leaves what there is.
pub fn lr_find(
    job: Job<'_>,
    params: &Params<f32>,
    range: LrRange,
    n_steps: usize,
) -> Result<LrFind, TrainError> {
    job.check()?;
    let pool = job.setup.pool()?;
    let points = pool.install(|| job.setup.isa.run(FindTask { job, params, range, n_steps }))?;
    let descent = descent(&points, n_steps);
    let minimum_tenth = descent.last().map(|lowest| lowest.learning_rate / 10.0);
    Ok(LrFind { steepest: steepest(descent), minimum_tenth, points })
}

struct FindTask<'a> {
    job: Job<'a>,
    params: &'a Params<f32>,
    range: LrRange,
    n_steps: usize,
}

impl WithLane for FindTask<'_> {
    type Output = Result<Vec<LrPoint>, TrainError>;
    fn run<V: Lane<Scalar = f32>>(self) -> Self::Output {
        let Self { job, params, range, n_steps } = self;
        let start = Checkpoint::start(job.plan, job.spec, params.clone());
        let mut trainer = Trainer::<V>::new(job, &start)?;
        let mut points: Vec<LrPoint> = Vec::new();
        let weight = smoothing(n_steps);
        for epoch in 1.. {
            let (order, streams) = trainer.begin(epoch);
            for (idx, samples) in order.chunks(trainer.batch_size()).enumerate() {
                let step = points.len();
                if step == n_steps || has_exploded(&points, n_steps) || job.stop.load(Ordering::Relaxed) {
                    return Ok(points);
                }
                let learning_rate = range.rate(step, n_steps);
                let batch = Batch { samples, step: idx, streams: &streams };
                let (_, loss) = trainer.step(batch, UpdateNumbers { step, learning_rate });
                if !loss.is_finite() {
                    return if points.is_empty() {
                        Err(TrainError::NoFirstLoss { loss })
                    } else {
                        Ok(points)
                    };
                }
                points.push(LrPoint { learning_rate, loss, smoothed: smoothed(&points, loss, weight) });
            }
        }
        unreachable!("epochs do not end")
    }
}

impl LrRange {
    fn rate(self, step: usize, n_steps: usize) -> f64 {
        let share = step as f64 / (n_steps.max(2) - 1) as f64;
        // By logarithms: the ratio of both may be more than a number can hold.
        let [start, end] = [self.start, self.end].map(libm::log);
        libm::exp(start + share * (end - start)).clamp(self.start, self.end)
    }
}

/// Weight of the smoothed loss before: over a share of the sweep that of fastai.
fn smoothing(n_steps: usize) -> f64 {
    libm::pow(SMOOTHING, USUAL_STEPS / n_steps.max(1) as f64)
}

/// The average with one more loss, divided by the sum of its weights; `weight` is that of the average before.
fn smoothed(points: &[LrPoint], loss: f64, weight: f64) -> f64 {
    let weights = |n: usize| 1.0 - weight.powi(n as i32);
    let before = points.last().map_or(0.0, |last| last.smoothed * weights(points.len()));
    (weight * before + (1.0 - weight) * loss) / weights(points.len() + 1)
}

/// Whether the loss is far above its lowest since the first tenth of the sweep, whose average has seen too little.
fn has_exploded(points: &[LrPoint], n_steps: usize) -> bool {
    let points = points.get(n_steps / 10..).unwrap_or(&[]);
    let lowest = points.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
    points.last().is_some_and(|last| last.smoothed > EXPLODED * lowest)
}

/// The steps that count: not the first tenth, whose average has seen too little, nor the last twentieth of the sweep, where it
/// explodes (fastai's last five of 100).
fn middle(points: &[LrPoint], n_steps: usize) -> &[LrPoint] {
    let end = points.len().saturating_sub(n_steps.div_ceil(20));
    points.get(points.len() / 10..end).unwrap_or(&[])
}

/// The steps that count, down to that of the lowest smoothed loss; none where it lies no lower than by chance.
fn descent(points: &[LrPoint], n_steps: usize) -> &[LrPoint] {
    let middle = middle(points, n_steps);
    let lowest = middle.iter().enumerate().min_by(|a, b| a.1.smoothed.total_cmp(&b.1.smoothed));
    let (Some((idx, lowest)), Some(first)) = (lowest, middle.first()) else { return &[] };
    // The first is about the mean of all losses up to it.
    let standard_error = noise(points) / ((points.len() / 10 + 1) as f64).sqrt();
    let falls = first.smoothed - lowest.smoothed > STANDARD_ERRORS * standard_error;
    if falls { &middle[..=idx] } else { &[] }
}

/// The standard deviation of a batch's loss, from how neighbors differ: the lower quartile of it, which neither a fall nor an
/// explosion changes much, is 0.45 standard deviations if the losses are normally distributed.
fn noise(points: &[LrPoint]) -> f64 {
    let mut changes: Vec<f64> = points.windows(2).map(|pair| (pair[1].loss - pair[0].loss).abs()).collect();
    changes.sort_by(f64::total_cmp);
    changes.get(changes.len() / 4).map_or(0.0, |quartile| quartile / 0.45)
}

fn steepest(descent: &[LrPoint]) -> Option<f64> {
    let slope = |pair: &[LrPoint]| {
        let rise = pair[1].smoothed - pair[0].smoothed;
        rise / (pair[1].learning_rate / pair[0].learning_rate).ln()
    };
    let slopes = descent.windows(2).map(|pair| (slope(pair), pair[0].learning_rate));
    slopes.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, rate)| rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: LrRange = LrRange { start: 1e-4, end: 1.0 };

    /// A sweep of `n_steps` that got as far as there are losses.
    fn sweep(n_steps: usize, losses: impl IntoIterator<Item = f64>) -> Vec<LrPoint> {
        let mut points = Vec::new();
        for (step, loss) in losses.into_iter().enumerate() {
            let learning_rate = RANGE.rate(step, n_steps);
            let smoothed = smoothed(&points, loss, smoothing(n_steps));
            points.push(LrPoint { learning_rate, loss, smoothed });
        }
        points
    }

    /// The steepest and the lowest.
    fn suggested(points: &[LrPoint], n_steps: usize) -> Option<[f64; 2]> {
        let descent = descent(points, n_steps);
        Some([steepest(descent)?, descent.last()?.learning_rate])
    }

    /// Numbers of no pattern from -0.01 to 0.01, as losses of batches differ.
    fn chance(step: usize) -> f64 {
        let hash = (step as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        0.02 * ((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / f64::from(1 << 24)
            - 0.01
    }

    #[test]
    fn rates_rise_by_one_factor_from_end_to_end() {
        let range = LrRange { start: 1e-3, end: 10.0 };
        let rates: Vec<f64> = (0..5).map(|step| range.rate(step, 5)).collect();
        for (rate, want) in rates.iter().zip([1e-3, 1e-2, 0.1, 1.0, 10.0]) {
            assert!((rate / want - 1.0).abs() < 1e-12, "{rates:?}");
        }
        assert!((range.rate(0, 1) / 1e-3 - 1.0).abs() < 1e-12);
        let wide = LrRange { start: 1e-300, end: 1e10 };
        assert!((0..5).all(|step| (1e-300..=1e10).contains(&wide.rate(step, 5))));
    }

    #[test]
    fn a_constant_loss_is_its_own_average_and_suggests_nothing() {
        let points = sweep(100, [2.0; 100]);
        assert!(points.iter().all(|point| (point.smoothed - 2.0).abs() < 1e-12));
        assert!(!has_exploded(&points, 100));
        let flat: Vec<LrPoint> = points.iter().map(|&point| LrPoint { smoothed: 2.0, ..point }).collect();
        assert_eq!(suggested(&flat, 100), None);
    }

    #[test]
    fn the_suggestions_lie_before_the_minimum() {
        // Falls from step 40 on, lowest at 70, then explodes.
        let loss = |step: usize| match step {
            0..40 => 2.3,
            40..70 => 2.3 - 0.06 * (step - 39) as f64,
            _ => 0.5 * 1.6f64.powi(step as i32 - 69),
        };
        let points = sweep(101, (0..90).map(loss));
        let [steepest, minimum] = suggested(&points, 101).unwrap();
        assert!(RANGE.rate(40, 101) < steepest && steepest < minimum, "{steepest} {minimum}");
        assert!((RANGE.rate(68, 101)..RANGE.rate(76, 101)).contains(&minimum), "{minimum}");
        assert!(has_exploded(&points, 101));
    }

    /// As [`the_suggestions_lie_before_the_minimum`], for short sweeps and long ones of which each loss has its chance.
    #[test]
    fn a_valley_is_found_and_chance_is_none_with_any_number_of_steps() {
        for n_steps in [20, 25, 30, 50, 100, 300, 1000] {
            let loss = |step: usize| match step as f64 / (n_steps - 1) as f64 {
                share if share < 0.4 => 2.3,
                share if share < 0.7 => 2.3 - 6.0 * (share - 0.4),
                share => 0.5 * libm::exp(47.0 * (share - 0.7)),
            };
            let points = sweep(n_steps, (0..n_steps * 9 / 10).map(|step| loss(step) + chance(step)));
            let [steepest, minimum] = suggested(&points, n_steps).unwrap();
            assert!((0.004..0.1).contains(&steepest), "{n_steps} steps: {steepest}");
            assert!((0.02..0.2).contains(&minimum) && steepest <= minimum, "{n_steps} steps: {minimum}");
            let flat = sweep(n_steps, (0..n_steps).map(|step| 2.3 + chance(step)));
            assert_eq!(suggested(&flat, n_steps), None, "{n_steps} steps");
        }
    }

    #[test]
    fn a_sweep_does_not_end_for_a_batch_that_began_it_well() {
        let losses = |n: usize| std::iter::once(0.28).chain(vec![2.8; n - 1]);
        for n in 2..=100 {
            assert!(!has_exploded(&sweep(100, losses(n)), 100), "{n} points");
        }
    }

    #[test]
    fn few_points_suggest_nothing() {
        for n in 0..6 {
            let points = sweep(101, (0..n).map(|step| 2.0 - 0.1 * step as f64));
            assert_eq!(suggested(&points, 101), None, "{n} points");
        }
    }
}
