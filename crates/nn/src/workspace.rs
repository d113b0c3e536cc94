//! What one lane group needs: its activations and gradients, and scratch while it is worked at.

use lanes::{Lane, Scalar, zeros};
use rand_chacha::ChaCha8Rng;

use crate::Plan;
use crate::layers::winograd_conv2d::{KnownValues, WinogradConv2d};
use crate::layout::Layout;

/// What a workspace is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forward and backward.
    Training,
    /// Forward only; takes less memory.
    Inference,
}

/// Activations of one lane group, allocated once and used for every group.
#[derive(Clone, Debug)]
pub struct Workspace<V: Lane> {
    pub(crate) mode: Mode,
    pub(crate) arena: Vec<V>,
    /// Of a workspace for inference; in training there may be more workspaces than threads, and it comes from outside.
    pub(crate) scratch: Option<OpScratch<V>>,
    /// 1 in lanes with a sample, 0 in the others; and how many have one.
    pub(crate) live: V,
    pub(crate) n_live: usize,
    /// Where the sample of each live lane draws its random numbers from.
    pub(crate) streams: Vec<ChaCha8Rng>,
    /// What the next batch normalization gathers of this lane group.
    pub(crate) moments: Vec<V::Scalar>,
}

/// What a training pass needs while a thread works at one stage of one lane group; one for each thread.
#[derive(Clone, Debug)]
pub struct Scratch<V: Lane> {
    /// Activations and gradients that no other stage reads; see [`crate::arena`].
    pub(crate) passing: Vec<V>,
    pub(crate) operation: OpScratch<V>,
}

impl<V: Lane> Scratch<V> {
    /// Enough for every stage of the plan.
    pub fn new(plan: &Plan) -> Self {
        Self { passing: zeros(plan.training.passing_len), operation: OpScratch::new(plan) }
    }
}

/// What an operation needs while it runs.
#[derive(Clone, Debug)]
pub(crate) struct OpScratch<V: Lane> {
    pub(crate) scalars: Vec<V::Scalar>,
    pub(crate) vectors: Vec<V>,
    pub(crate) known_values: KnownValues<V::Scalar>,
}

impl<V: Lane> OpScratch<V> {
    /// Enough for every operation of the plan.
    fn new(plan: &Plan) -> Self {
        let (n_scalars, n_vectors) = plan.n_scratch();
        Self {
            scalars: vec![V::Scalar::ZERO; n_scalars],
            vectors: zeros(n_vectors),
            known_values: KnownValues::new(plan.tiled_convolutions().flat_map(WinogradConv2d::all_filters)),
        }
    }
}

impl<V: Lane> Workspace<V> {
    /// Room for one lane group of that plan.
    pub fn new(plan: &Plan, mode: Mode) -> Self {
        let arena = zeros(layout(plan, mode).len);
        let n_moments = plan.batch_norms().map(|(_, norm)| 2 * norm.channels).max().unwrap_or(0);
        Self {
            mode,
            arena,
            scratch: (mode == Mode::Inference).then(|| OpScratch::new(plan)),
            live: V::splat(V::Scalar::ONE),
            n_live: V::LANES,
            streams: Vec::with_capacity(V::LANES),
            moments: vec![V::Scalar::ZERO; n_moments],
        }
    }

    /// The first `n` lanes have samples in the next pass; before that all have. Panics if there are fewer lanes.
    pub fn set_live(&mut self, n: usize) {
        assert!(n <= V::LANES, "{n} samples for {} lanes", V::LANES);
        self.n_live = n;
        self.live = V::zero();
        V::as_scalars_mut(std::slice::from_mut(&mut self.live))[..n].fill(V::Scalar::ONE);
    }

    /// The random numbers of the next training pass: those of lane `l` come from stream `samples[l]` of `epoch`, so that
    /// they depend on nothing but the sample.
    pub fn set_streams(&mut self, epoch: &ChaCha8Rng, samples: impl Iterator<Item = u64>) {
        self.streams.clear();
        self.streams.extend(samples.map(|sample| {
            let mut stream = epoch.clone();
            stream.set_stream(sample);
            stream
        }));
    }

    /// The pictures of the group, `[C][H][W]`: to be filled before each pass.
    pub fn input_mut(&mut self, plan: &Plan) -> &mut [V] {
        let range = layout(plan, self.mode).values[0].clone();
        &mut self.arena[range]
    }

    /// The logits that [`crate::forward`] gave, `[classes]`. A training pass reuses their place.
    pub fn logits(&self, plan: &Plan) -> &[V] {
        &self.arena[layout(plan, self.mode).values[plan.logits].clone()]
    }

    /// The picture's gradient, `[C][H][W]`, that the last training pass gave; `None` unless the plan was made with
    /// [`Plan::with_input_gradient`] and the workspace for training.
    pub fn input_gradient(&self, plan: &Plan) -> Option<&[V]> {
        let range = plan.training.gradients[0].clone();
        (self.mode == Mode::Training && !range.is_empty()).then(|| &self.arena[range])
    }
}

pub(crate) fn layout(plan: &Plan, mode: Mode) -> &Layout {
    match mode {
        Mode::Training => &plan.training,
        Mode::Inference => &plan.inference,
    }
}
