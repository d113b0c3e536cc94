//! What the machine can do at best.

use std::time::Instant;

use lanes::{Lane, WithLane, multiply_adds};

use crate::{Setup, TrainError};

/// Measured multiply-add peak of all threads together, in GFLOP/s (a multiply-add counts as two operations):
/// the best of some short runs of nothing but multiply-adds in registers, on every thread at once.
pub fn measure_peak(setup: Setup) -> Result<f64, TrainError> {
    let pool = setup.pool()?;
    Ok(pool.install(|| setup.isa.run(Peak)))
}

pub(crate) struct Peak;

/// The portable type is some hundred times slower than the others, so that a run's length is a time.
const RUN_S: f64 = 0.003;
const N_RUNS: usize = 20;
const FEW_ROUNDS: u64 = 1000;

impl WithLane for Peak {
    type Output = f64;
    fn run<V: Lane<Scalar = f32>>(self) -> f64 {
        best(multiply_adds::<V, 6>).max(best(multiply_adds::<V, 12>))
    }
}

/// The highest rate of some runs.
fn best(run: fn(u64) -> u64) -> f64 {
    run(FEW_ROUNDS);
    let start = Instant::now();
    run(FEW_ROUNDS);
    let rounds = (RUN_S / start.elapsed().as_secs_f64() * FEW_ROUNDS as f64) as u64;
    (0..N_RUNS).map(|_| rate(run, rounds.max(FEW_ROUNDS))).fold(0.0, f64::max)
}

/// GFLOP/s of one run on every thread at once.
fn rate(run: fn(u64) -> u64, rounds: u64) -> f64 {
    let start = Instant::now();
    let n: u64 = rayon::broadcast(|_| run(rounds)).iter().sum();
    n as f64 / start.elapsed().as_secs_f64() / 1e9
}
