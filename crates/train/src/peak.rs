//! What the machine can do at best.

use std::time::Instant;

use lanes::{Lane, WithLane, multiply_adds};
use rayon::prelude::*;

use crate::team::pool;
use crate::{Setup, TrainError};

/// Measured multiply-add peak of all threads together, in GFLOP/s (a multiply-add counts as two operations):
/// the best of twenty runs of some milliseconds, nothing but multiply-adds in registers.
pub fn measure_peak(setup: Setup) -> Result<f64, TrainError> {
    let pool = pool(setup.threads)?;
    Ok(pool.install(|| setup.isa.run(Peak { threads: setup.threads })))
}

struct Peak {
    threads: usize,
}

const ROUNDS: u64 = 1_000_000;

impl WithLane for Peak {
    type Output = f64;
    fn run<V: Lane<Scalar = f32>>(self) -> f64 {
        let best = |run: fn(u64) -> u64| (0..20).map(|_| rate(self.threads, run)).fold(0.0, f64::max);
        best(multiply_adds::<V, 6>).max(best(multiply_adds::<V, 12>))
    }
}

/// GFLOP/s of one run on every thread at once.
fn rate(threads: usize, run: fn(u64) -> u64) -> f64 {
    let start = Instant::now();
    let n: u64 = (0..threads).into_par_iter().with_max_len(1).map(|_| run(ROUNDS)).sum();
    n as f64 / start.elapsed().as_secs_f64() / 1e9
}
