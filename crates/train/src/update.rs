//! From gradients to the next parameters, on all threads.

use lanes::Lane;
use nn::{Chunk, Optimizer, Plan, ShardGradient};
use spec::OptimizerSpec;

/// The parameters in pieces that threads update on their own.
pub(crate) struct Updaters(Vec<Updater>);

/// A piece of the parameters: how its gradient is gathered, room for it, and its optimizer.
struct Updater {
    chunk: Chunk,
    gradient: Vec<f32>,
    optimizer: Optimizer<f32>,
}

impl Updaters {
    pub(crate) fn new(plan: &Plan, optimizer: &OptimizerSpec) -> Self {
        let updater = |chunk: Chunk| {
            let n = chunk.range().len();
            Updater { chunk, gradient: vec![0.0; n], optimizer: Optimizer::new(optimizer, n) }
        };
        Self(plan.chunks().into_iter().map(updater).collect())
    }

    /// One update of all parameters, which `params` begins with.
    pub(crate) fn apply<V: Lane<Scalar = f32>>(&mut self, shards: &[ShardGradient<V>], params: &mut [f32]) {
        let n_parameters = self.0.last().map_or(0, |last| last.chunk.range().end);
        update(&mut self.0, shards, &mut params[..n_parameters]);
    }
}

/// Gathers and applies the gradient of every chunk; `params` are theirs alone.
fn update<V: Lane<Scalar = f32>>(updaters: &mut [Updater], shards: &[ShardGradient<V>], params: &mut [f32]) {
    if let [Updater { chunk, gradient, optimizer }] = updaters {
        chunk.gather(shards, gradient);
        return optimizer.update::<V>(params, gradient);
    }
    let (first, second) = updaters.split_at_mut(updaters.len() / 2);
    let (first_params, second_params) =
        params.split_at_mut(second[0].chunk.range().start - first[0].chunk.range().start);
    rayon::join(|| update(first, shards, first_params), || update(second, shards, second_params));
}
