//! How fast each layer is alone, and how near it comes to what bounds it.
//!
//! A layer's operations run again and again on the same buffers, the places that they have in their network, so that its
//! figures hold no other layer's time. That is also what they leave out: in a network the inputs were written by
//! the layer before, and may have left the nearest cache since.

mod cases;
mod machine;

use std::time::Instant;

use lanes::{GROUP, Lane, WithLane};
use nn::{NodeRun, Params, Plan, Work};
use spec::{NetworkSpec, Seed};

pub use cases::{LayerCase, layer_cases};

use crate::peak::Peak;
use crate::{Setup, TrainError};

/// One layer's speed on one thread.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSpeed {
    /// The case's or the node's name.
    pub name: String,
    /// As in use after training.
    pub forward: Speed,
    /// Forward in training, with all gradients that its network needs: for a batch of 256 in sixteen lane groups.
    pub training: Speed,
}

/// The time of a layer and what bounds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Nanoseconds for one sample.
    pub ns: f64,
    /// What takes longer at best.
    pub bound: Bound,
    /// The time it would take at best by that of the time it takes. Multiply-adds are dense ones: more than 1 is possible where
    /// a convolution does fewer.
    pub share: f64,
}

/// What a layer cannot be faster than.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Its dense multiply-adds at the measured peak of [`crate::measure_peak`].
    MultiplyAdds,
    /// Its [`nn::Work::n_moved`] bytes, as fast as a simple loop moves them through buffers of the same size.
    Memory,
}

/// Measures every layer of [`layer_cases`], in that order.
pub fn measure_layer_cases(setup: Setup) -> Result<Vec<(LayerCase, LayerSpeed)>, TrainError> {
    let pool = Setup { threads: 1, ..setup }.pool()?;
    pool.install(|| {
        let peak = setup.isa.run(Peak);
        let measured = layer_cases().into_iter().map(|case| {
            let (network, idx) = case.network();
            let plan = Plan::compile(&network).expect("the cases are networks");
            let speed = setup.isa.run(Measure { name: case.name.into(), plan: &plan, idx, peak });
            (case, speed)
        });
        Ok(measured.collect())
    })
}

/// Measures every node of a network that computes anything, in the network's own memory; a rectifier or sum that is part of
/// another node's work has its time there. What the picture's gradient would take is left out, as in training.
pub fn measure_layers(network: &NetworkSpec, setup: Setup) -> Result<Vec<LayerSpeed>, TrainError> {
    let Ok(plan) = Plan::compile(network) else { return Ok(Vec::new()) };
    let pool = Setup { threads: 1, ..setup }.pool()?;
    pool.install(|| {
        let peak = setup.isa.run(Peak);
        let nodes = network.node_names().into_iter().enumerate().filter(|&(idx, _)| plan.has_work(idx));
        Ok(nodes.map(|(idx, name)| setup.isa.run(Measure { name, plan: &plan, idx, peak })).collect())
    })
}

/// The best of so many runs, each long enough for the clock.
const N_RUNS: usize = 15;
const RUN_S: f64 = 0.001;
/// Lane groups of a batch of 256.
const N_GROUPS: usize = 16;

/// Node `idx` of the plan.
struct Measure<'a> {
    name: String,
    plan: &'a Plan,
    idx: usize,
    /// GFLOP/s
    peak: f64,
}

impl WithLane for Measure<'_> {
    type Output = LayerSpeed;
    fn run<V: Lane<Scalar = f32>>(self) -> LayerSpeed {
        let Self { name, plan, idx, peak } = self;
        let params = Params::<f32>::init(plan, Seed(1));
        let mut run = NodeRun::<V>::new(plan, &params.0, idx, N_GROUPS);
        let infer_s = fastest(|| run.infer());
        let forward_s = fastest(|| run.forward());
        let batch_s = fastest(|| {
            (0..N_GROUPS).for_each(|group_idx| run.backward(group_idx));
            run.gather();
        });
        let forward = Least::new::<V>(plan.forward_work::<V>(idx), peak);
        let backward = Least::new::<V>(plan.backward_work::<V>(idx), peak);
        let training_s = forward_s + batch_s / N_GROUPS as f64;
        LayerSpeed {
            name,
            forward: forward.speed(infer_s),
            training: forward.with(backward).speed(training_s),
        }
    }
}

/// Seconds that a lane group takes at least, by bound.
#[derive(Clone, Copy)]
struct Least {
    multiply_adds_s: f64,
    memory_s: f64,
    /// The sum over passes of the larger of both.
    total_s: f64,
}

impl Least {
    fn new<V: Lane<Scalar = f32>>(work: Work, peak: f64) -> Self {
        let multiply_adds_s = (2 * work.multiply_adds * GROUP as u64) as f64 / (peak * 1e9);
        let memory_s = work.n_moved as f64 / machine::bandwidth::<V>(work);
        Self { multiply_adds_s, memory_s, total_s: multiply_adds_s.max(memory_s) }
    }

    /// One pass after the other.
    fn with(self, other: Self) -> Self {
        Self {
            multiply_adds_s: self.multiply_adds_s + other.multiply_adds_s,
            memory_s: self.memory_s + other.memory_s,
            total_s: self.total_s + other.total_s,
        }
    }

    /// Of a lane group that takes `seconds`.
    fn speed(self, seconds: f64) -> Speed {
        let bound = if self.multiply_adds_s > self.memory_s { Bound::MultiplyAdds } else { Bound::Memory };
        Speed { ns: seconds * 1e9 / GROUP as f64, bound, share: self.total_s / seconds }
    }
}

/// Seconds of one call, the least of some runs.
fn fastest(mut run: impl FnMut()) -> f64 {
    let mut seconds = |n: usize| {
        let start = Instant::now();
        (0..n).for_each(|_| run());
        start.elapsed().as_secs_f64() / n as f64
    };
    let once = seconds(1).min(seconds(3));
    let n = (RUN_S / once).ceil().max(1.0) as usize;
    (0..N_RUNS).map(|_| seconds(n)).fold(f64::INFINITY, f64::min)
}
