//! One thread's scratch: the activations and gradients of one lane group.

use lanes::{Lane, Scalar};

use crate::Plan;
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
    pub(crate) scratch: Vec<V::Scalar>,
}

impl<V: Lane> Workspace<V> {
    /// Room for one lane group of that plan.
    pub fn new(plan: &Plan, mode: Mode) -> Self {
        let arena = vec![V::zero(); layout(plan, mode).len];
        Self { mode, arena, scratch: vec![V::Scalar::ZERO; plan.n_scratch()] }
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
