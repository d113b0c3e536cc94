//! Looking for a learning rate: the loss while the rate rises from step to step.
//!
//! Smith 2015, "Cyclical learning rates for training neural networks" (arXiv 1506.01186), section 3.3, in the form of
//! fastai's `lr_find`: rates rise exponentially, losses are smoothed, and the sweep ends where they explode.

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
    /// The losses up to this one, averaged with the weight 0.98 for the average before and without its bias to 0.
    pub smoothed: f64,
}

/// What a sweep came to.
#[derive(Clone, Debug, PartialEq)]
pub struct LrFind {
    /// The steps, up to the one whose loss exploded or the last.
    pub points: Vec<LrPoint>,
    /// Where the smoothed loss falls most steeply over the logarithm of the rate; `None` where it never falls. fastai's
    /// `steep`.
    pub steepest: Option<f64>,
    /// A tenth of the rate of the lowest smoothed loss, fastai's `minimum`: a more daring choice.
    pub minimum_tenth: Option<f64>,
}

/// Weight of the smoothed loss before, fastai's.
const SMOOTHING: f64 = 0.98;

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
    Ok(LrFind { steepest: steepest(&points), minimum_tenth: minimum_tenth(&points), points })
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
        for epoch in 1.. {
            let (order, streams) = trainer.begin(epoch);
            for (idx, samples) in order.chunks(trainer.batch_size()).enumerate() {
                let step = points.len();
                if step == n_steps || has_exploded(&points) || job.stop.load(Ordering::Relaxed) {
                    return Ok(points);
                }
                let learning_rate = range.rate(step, n_steps);
                let batch = Batch { samples, step: idx, streams: &streams };
                let (_, loss) = trainer.step(batch, UpdateNumbers { step, learning_rate });
                if !loss.is_finite() {
                    return Ok(points);
                }
                points.push(LrPoint { learning_rate, loss, smoothed: smoothed(&points, loss) });
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

/// The average with one more loss, divided by the sum of its weights.
fn smoothed(points: &[LrPoint], loss: f64) -> f64 {
    let weights = |n: usize| 1.0 - SMOOTHING.powi(n as i32);
    let before = points.last().map_or(0.0, |last| last.smoothed * weights(points.len()));
    (SMOOTHING * before + (1.0 - SMOOTHING) * loss) / weights(points.len() + 1)
}

fn has_exploded(points: &[LrPoint]) -> bool {
    let lowest = points.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
    points.last().is_some_and(|last| last.smoothed > EXPLODED * lowest)
}

/// The steps that count: not the first tenth, whose average has seen too little, nor the last five, where it explodes
/// (fastai's).
fn middle(points: &[LrPoint]) -> &[LrPoint] {
    let end = points.len().saturating_sub(5);
    points.get(points.len() / 10..end).unwrap_or(&[])
}

fn steepest(points: &[LrPoint]) -> Option<f64> {
    let slope = |pair: &[LrPoint]| {
        let rise = pair[1].smoothed - pair[0].smoothed;
        rise / (pair[1].learning_rate / pair[0].learning_rate).ln()
    };
    let slopes = middle(points).windows(2).map(|pair| (slope(pair), pair[0].learning_rate));
    let (slope, rate) = slopes.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (slope < 0.0).then_some(rate)
}

fn minimum_tenth(points: &[LrPoint]) -> Option<f64> {
    let lowest = middle(points).iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed))?;
    Some(lowest.learning_rate / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(losses: impl IntoIterator<Item = f64>) -> Vec<LrPoint> {
        let range = LrRange { start: 1e-4, end: 1.0 };
        let mut points = Vec::new();
        for (step, loss) in losses.into_iter().enumerate() {
            let learning_rate = range.rate(step, 101);
            points.push(LrPoint { learning_rate, loss, smoothed: smoothed(&points, loss) });
        }
        points
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
        let points = points([2.0; 100]);
        assert!(points.iter().all(|point| (point.smoothed - 2.0).abs() < 1e-12));
        assert!(!has_exploded(&points));
        let flat: Vec<LrPoint> = points.iter().map(|&point| LrPoint { smoothed: 2.0, ..point }).collect();
        assert_eq!(steepest(&flat), None);
    }

    #[test]
    fn the_suggestions_lie_before_the_minimum() {
        // Falls from step 40 on, lowest at 70, then explodes.
        let loss = |step: usize| match step {
            0..40 => 2.3,
            40..70 => 2.3 - 0.06 * (step - 39) as f64,
            _ => 0.5 * 1.6f64.powi(step as i32 - 69),
        };
        let points = points((0..90).map(loss));
        let (steepest, minimum) = (steepest(&points).unwrap(), minimum_tenth(&points).unwrap() * 10.0);
        let range = LrRange { start: 1e-4, end: 1.0 };
        assert!(range.rate(40, 101) < steepest && steepest < minimum, "{steepest} {minimum}");
        assert!((range.rate(68, 101)..range.rate(76, 101)).contains(&minimum), "{minimum}");
        assert!(has_exploded(&points));
    }

    #[test]
    fn few_points_suggest_nothing() {
        for n in 0..6 {
            let points = points((0..n).map(|step| 2.0 - 0.1 * step as f64));
            assert_eq!((steepest(&points), minimum_tenth(&points)), (None, None), "{n} points");
        }
    }
}
