//! Gradients of the parameters, from lane groups over shards to the whole batch.
//!
//! A lane group adds the gradients of its convolutions and other small layers to its shard's sums. Its linear layers only
//! leave their inputs and output gradients on a *tape*: the gradient of their weights, most of a small network's parameters, is computed for
//! the whole batch at once, weight by weight. That needs no sums per shard (whose memory traffic costs more than the
//! arithmetic) and is the same for any cut of the batch. [`Plan::chunks`] cuts the parameters into pieces that
//! threads can gather and update on their own.

use std::ops::Range;

use lanes::{Kernel, Lane, Scalar};

use crate::Plan;
use crate::graph::Layer;
use crate::layers::linear::{Linear, TapePlace};
use crate::plan::GradientPlace;
use crate::tiles::TILE;

/// What the lane groups of one shard leave for the gradient of the parameters.
#[derive(Clone, Debug)]
pub struct ShardGradient<V: Lane> {
    /// Sums of all parameters but those of linear layers.
    sums: Vec<V::Scalar>,
    /// One lane group after the other, each with all linear layers.
    tape: Vec<V>,
    group_len: usize,
    /// Lane groups that were announced by [`ShardGradient::reset`].
    n_groups: usize,
}

impl<V: Lane> ShardGradient<V> {
    /// Room for a shard of up to `max_groups` lane groups.
    pub fn new(plan: &Plan, max_groups: usize) -> Self {
        let group_len = plan.tape_len;
        Self {
            sums: vec![V::Scalar::ZERO; plan.n_sums],
            tape: vec![V::zero(); group_len * max_groups],
            group_len,
            n_groups: 0,
        }
    }

    /// Forgets all lane groups and awaits `n_groups` others. Panics if there is no room for so many.
    pub fn reset(&mut self, n_groups: usize) {
        assert!(n_groups * self.group_len <= self.tape.len(), "no room for {n_groups} lane groups");
        self.n_groups = n_groups;
    }

    /// The tape of each lane group.
    #[inline(always)]
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[V]> {
        self.tape.chunks_exact(self.group_len.max(1)).take(self.n_groups)
    }

    /// Sums and tape for lane group `idx`, and whether the sums are to be set or added to: the groups come in order.
    pub(crate) fn group(&mut self, idx: usize) -> GroupGradient<'_, V> {
        assert!(idx < self.n_groups, "lane group {idx} of {}", self.n_groups);
        let sum = if idx == 0 { Sum::Set } else { Sum::Add };
        let start = idx * self.group_len;
        GroupGradient { sums: &mut self.sums, tape: &mut self.tape[start..start + self.group_len], sum }
    }

    /// The sums at `range`, if the shard has had a lane group.
    pub(crate) fn sums(&self, range: Range<usize>) -> Option<&[V::Scalar]> {
        (self.n_groups > 0).then(|| &self.sums[range])
    }
}

/// Where a lane group's gradients go.
pub(crate) struct GroupGradient<'a, V: Lane> {
    pub(crate) sums: &'a mut [V::Scalar],
    pub(crate) tape: &'a mut [V],
    pub(crate) sum: Sum,
}

/// Whether a gradient is set or added to what is there: the first lane group of a shard sets it, which saves
/// clearing it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    Set,
    Add,
}

/// A piece of the parameters whose gradient can be gathered on its own.
#[derive(Clone, Debug)]
pub struct Chunk {
    range: Range<usize>,
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// The shards' sums from `start` on.
    Sums { start: usize },
    /// The tapes of a linear layer: weights from output `first` on.
    Weights { layer: Linear, place: TapePlace, first: usize },
    /// The tapes of a linear layer: biases.
    Biases { place: TapePlace },
}

/// Parameters of one chunk, about: enough chunks for several threads, each long enough to be worth a task.
const CHUNK: usize = 3072;

impl Chunk {
    /// Where the piece lies among all parameters. The chunks of a plan cover them without gaps, in order.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The gradient of the piece over all lane groups of the shards; `to` has its length.
    pub fn gather<V: Lane>(&self, shards: &[ShardGradient<V>], to: &mut [V::Scalar]) {
        match self.source {
            Source::Sums { start } => V::enter(SumShards { shards, start, to }),
            Source::Weights { layer, place, first } => layer.weight_gradient(shards, place, first, to),
            Source::Biases { place } => Linear::bias_gradient(shards, place, to),
        }
    }
}

impl Plan {
    /// The parameters in pieces.
    pub fn chunks(&self) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for planned in &self.ops {
            let (w, b) = (&planned.op.w, &planned.op.b);
            match (&planned.op.layer, &planned.place) {
                (Layer::Linear(layer), GradientPlace::Tape(place)) => {
                    weight_chunks(*layer, *place, w, &mut chunks);
                    if !b.is_empty() {
                        chunks.push(Chunk { range: b.clone(), source: Source::Biases { place: *place } });
                    }
                }
                (_, GradientPlace::Sums(sums)) if w.end == b.start => {
                    sum_chunks(sums.start, w.start..b.end, &mut chunks);
                }
                (_, GradientPlace::Sums(sums)) => {
                    sum_chunks(sums.start, w.clone(), &mut chunks);
                    sum_chunks(sums.start + w.len(), b.clone(), &mut chunks);
                }
                _ => {}
            }
        }
        chunks.sort_by_key(|chunk| chunk.range.start);
        chunks
    }
}

/// Parameters whose sums begin at `start`, as they come.
fn sum_chunks(start: usize, parameters: Range<usize>, chunks: &mut Vec<Chunk>) {
    for offset in (0..parameters.len()).step_by(CHUNK) {
        let first = parameters.start + offset;
        let range = first..parameters.end.min(first + CHUNK);
        chunks.push(Chunk { range, source: Source::Sums { start: start + offset } });
    }
}

/// The weights of a linear layer, by whole register tiles of outputs.
fn weight_chunks(layer: Linear, place: TapePlace, w: &Range<usize>, chunks: &mut Vec<Chunk>) {
    let n_outputs = (CHUNK / layer.in_features / TILE).max(1) * TILE;
    for first in (0..layer.out_features).step_by(n_outputs) {
        let end = layer.out_features.min(first + n_outputs);
        let range = w.start + first * layer.in_features..w.start + end * layer.in_features;
        chunks.push(Chunk { range, source: Source::Weights { layer, place, first } });
    }
}

/// The sum of the shards' sums, always in the order of the shards.
struct SumShards<'a, V: Lane> {
    shards: &'a [ShardGradient<V>],
    start: usize,
    to: &'a mut [V::Scalar],
}

impl<V: Lane> Kernel for SumShards<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.to.fill(V::Scalar::ZERO);
        for shard in self.shards.iter().filter(|shard| shard.n_groups > 0) {
            let from = &shard.sums[self.start..][..self.to.len()];
            for (to, &from) in self.to.iter_mut().zip(from) {
                *to += from;
            }
        }
    }
}
