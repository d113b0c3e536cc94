//! From gradients to the next parameters, on all threads.

use lanes::Lane;
use nn::{Chunk, Optimizer, Plan, ShardGradient, UpdateNumbers};
use rayon::prelude::*;
use spec::OptimizerSpec;

/// The parameters in pieces that threads update on their own.
pub(crate) struct Updaters {
    pieces: Vec<Updater>,
    /// Longest gradient over all parameters.
    longest: Option<f64>,
}

/// A piece of the parameters: how its gradient is gathered, room for it, and its optimizer.
struct Updater {
    chunk: Chunk,
    gradient: Vec<f32>,
    optimizer: Optimizer<f32>,
    /// Of the gradient, where there is a longest one.
    sum_of_squares: f64,
}

impl Updaters {
    pub(crate) fn new(plan: &Plan, optimizer: &OptimizerSpec, longest: Option<f64>) -> Self {
        let updater = |chunk: Chunk| {
            let n = chunk.range().len();
            let optimizer = Optimizer::new(optimizer, n);
            Updater { chunk, gradient: vec![0.0; n], optimizer, sum_of_squares: 0.0 }
        };
        Self { pieces: plan.chunks().into_iter().map(updater).collect(), longest }
    }

    /// One update of all parameters, which `params` begins with.
    pub(crate) fn apply<V: Lane<Scalar = f32>>(
        &mut self,
        shards: &[ShardGradient<V>],
        params: &mut [f32],
        numbers: UpdateNumbers,
    ) {
        let n_parameters = self.pieces.last().map_or(0, |last| last.chunk.range().end);
        let gradients = match self.longest {
            None => Gradients::InShards(shards),
            Some(longest) => Gradients::Gathered { scale: self.gather(shards, longest) },
        };
        update(&mut self.pieces, gradients, &mut params[..n_parameters], numbers);
    }

    /// Gathers all gradients; returns what shortens them to `longest`, 1 where they are shorter: the formula of PyTorch's
    /// `clip_grad_norm_`. The squares of a piece are summed in their order, and the pieces' sums in theirs.
    fn gather<V: Lane<Scalar = f32>>(&mut self, shards: &[ShardGradient<V>], longest: f64) -> f32 {
        self.pieces.par_iter_mut().for_each(|piece| {
            piece.chunk.gather(shards, &mut piece.gradient);
            piece.sum_of_squares = piece.gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
        });
        let sum: f64 = self.pieces.iter().map(|piece| piece.sum_of_squares).sum();
        (longest / (sum.sqrt() + 1e-6)).min(1.0) as f32
    }

    /// What the optimizers remember of each parameter, in the parameters' order: one list for each of
    /// [`Optimizer::state_names`].
    pub(crate) fn state(&self) -> Vec<Vec<f32>> {
        let n_lists = self.pieces.first().map_or(0, |piece| piece.optimizer.state().count());
        let mut lists = vec![Vec::new(); n_lists];
        for piece in &self.pieces {
            for (list, values) in lists.iter_mut().zip(piece.optimizer.state()) {
                list.extend_from_slice(values);
            }
        }
        lists
    }

    /// Puts back what [`Updaters::state`] gave.
    pub(crate) fn set_state(&mut self, lists: &[Vec<f32>]) {
        for piece in &mut self.pieces {
            for (values, list) in piece.optimizer.state_mut().zip(lists) {
                values.copy_from_slice(&list[piece.chunk.range()]);
            }
        }
    }
}

/// Where the gradients of a step are.
#[derive(Clone, Copy)]
enum Gradients<'a, V: Lane> {
    /// Yet to be gathered.
    InShards(&'a [ShardGradient<V>]),
    /// In the pieces, and to be multiplied.
    Gathered { scale: f32 },
}

/// Applies the gradient of every piece; `params` are theirs alone.
fn update<V: Lane<Scalar = f32>>(
    pieces: &mut [Updater],
    gradients: Gradients<'_, V>,
    params: &mut [f32],
    numbers: UpdateNumbers,
) {
    match pieces {
        [] => {}
        [piece] => piece.update(gradients, params, numbers),
        _ => {
            let (first, second) = pieces.split_at_mut(pieces.len() / 2);
            let middle = second[0].chunk.range().start - first[0].chunk.range().start;
            let (first_params, second_params) = params.split_at_mut(middle);
            rayon::join(
                || update(first, gradients, first_params, numbers),
                || update(second, gradients, second_params, numbers),
            );
        }
    }
}

impl Updater {
    fn update<V: Lane<Scalar = f32>>(
        &mut self,
        gradients: Gradients<'_, V>,
        params: &mut [f32],
        numbers: UpdateNumbers,
    ) {
        match gradients {
            Gradients::InShards(shards) => self.chunk.gather(shards, &mut self.gradient),
            Gradients::Gathered { scale: 1.0 } => {}
            Gradients::Gathered { scale } => self.gradient.iter_mut().for_each(|g| *g *= scale),
        }
        self.optimizer.update::<V>(params, &self.gradient, numbers);
    }
}
