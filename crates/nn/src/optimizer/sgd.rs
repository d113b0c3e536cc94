//! Stochastic gradient descent, with momentum (Sutskever et al. 2013, in PyTorch's form).
//!
//! ```text
//! g ← g + λ p
//! u ← μ u + g                      with momentum μ
//! p ← p − rate · g                 without momentum
//! p ← p − rate · u                 with momentum
//! p ← p − rate · (g + μ u)         Nesterov's variant
//! ```

use lanes::{Kernel, Lane, Scalar};
use spec::SgdSpec;

#[derive(Clone, Copy)]
pub(super) struct Constants<S> {
    learning_rate: S,
    momentum: S,
    nesterov: bool,
    weight_decay: S,
}

impl<S: Scalar> Constants<S> {
    pub(super) fn new(spec: &SgdSpec, learning_rate: f64) -> Self {
        Self {
            learning_rate: S::from_f64(learning_rate),
            momentum: S::from_f64(spec.momentum),
            nesterov: spec.nesterov,
            weight_decay: S::from_f64(spec.weight_decay),
        }
    }
}

/// `state` is u, or nothing without momentum.
pub(super) fn update<V: Lane>(
    constants: Constants<V::Scalar>,
    params: &mut [V::Scalar],
    grads: &[V::Scalar],
    state: &mut [Vec<V::Scalar>],
) {
    match state {
        [momentum] => V::enter(Momentum { constants, params, grads, momentum }),
        _ => V::enter(Sgd { constants, params, grads }),
    }
}

struct Sgd<'a, S> {
    constants: Constants<S>,
    params: &'a mut [S],
    grads: &'a [S],
}

impl<S: Scalar> Kernel for Sgd<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let c = self.constants;
        for (p, &g) in self.params.iter_mut().zip(self.grads) {
            *p = *p - c.learning_rate * (g + c.weight_decay * *p);
        }
    }
}

struct Momentum<'a, S> {
    constants: Constants<S>,
    params: &'a mut [S],
    grads: &'a [S],
    momentum: &'a mut [S],
}

impl<S: Scalar> Kernel for Momentum<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let c = self.constants;
        for ((p, &g), u) in self.params.iter_mut().zip(self.grads).zip(self.momentum) {
            let g = g + c.weight_decay * *p;
            *u = c.momentum * *u + g;
            let direction = if c.nesterov { g + c.momentum * *u } else { *u };
            *p = *p - c.learning_rate * direction;
        }
    }
}
