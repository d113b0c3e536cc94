//! Adam and SGD on flat slices, element by element, so that a run may cut its parameters anywhere.
//!
//! Formulas, their order and the defaults are those of PyTorch 2.15 (`torch.optim`).

use lanes::{Kernel, Lane, Scalar};
use spec::{AdamSpec, OptimizerSpec, SgdSpec};

/// An optimizer with its state for one slice of the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer<S> {
    spec: OptimizerSpec,
    /// Updates so far.
    n_steps: i32,
    /// Adam: mean of gradients. SGD: momentum. Empty where there is none.
    mean: Vec<S>,
    /// Adam: mean of squared gradients.
    mean_square: Vec<S>,
}

impl<S: Scalar> Optimizer<S> {
    /// A fresh state for `n` parameters.
    pub fn new(spec: &OptimizerSpec, n: usize) -> Self {
        let (n_mean, n_square) = match spec {
            OptimizerSpec::Adam(_) => (n, n),
            OptimizerSpec::Sgd(sgd) => (if sgd.momentum == 0.0 { 0 } else { n }, 0),
        };
        Self { spec: *spec, n_steps: 0, mean: vec![S::ZERO; n_mean], mean_square: vec![S::ZERO; n_square] }
    }

    /// One update of the parameters by their gradient. The slices have the length given to [`Optimizer::new`].
    pub fn update<V: Lane<Scalar = S>>(&mut self, params: &mut [S], grads: &[S]) {
        assert_eq!(params.len(), grads.len(), "one gradient for each parameter");
        self.n_steps += 1;
        match self.spec {
            OptimizerSpec::Adam(spec) => {
                assert_eq!(params.len(), self.mean.len(), "state for each parameter");
                let constants = AdamConstants::new(&spec, self.n_steps);
                let (mean, mean_square) = (&mut self.mean[..], &mut self.mean_square[..]);
                V::enter(Adam { constants, params, grads, mean, mean_square });
            }
            OptimizerSpec::Sgd(spec) => {
                let constants = SgdConstants::new(&spec);
                if self.mean.is_empty() {
                    return V::enter(Sgd { constants, params, grads });
                }
                assert_eq!(params.len(), self.mean.len(), "state for each parameter");
                V::enter(Momentum { constants, params, grads, momentum: &mut self.mean });
            }
        }
    }
}

/// Adam's numbers at one step, computed in f64 as PyTorch does, then rounded.
#[derive(Clone, Copy)]
struct AdamConstants<S> {
    weight_decay: S,
    /// 1 − β₁, β₂, 1 − β₂
    mean_share: S,
    square_keep: S,
    square_share: S,
    /// learning rate / (1 − β₁ᵗ)
    step_size: S,
    /// √(1 − β₂ᵗ)
    square_correction: S,
    epsilon: S,
}

impl<S: Scalar> AdamConstants<S> {
    fn new(spec: &AdamSpec, step: i32) -> Self {
        Self {
            weight_decay: S::from_f64(spec.weight_decay),
            mean_share: S::from_f64(1.0 - spec.beta1),
            square_keep: S::from_f64(spec.beta2),
            square_share: S::from_f64(1.0 - spec.beta2),
            step_size: S::from_f64(spec.learning_rate / (1.0 - spec.beta1.powi(step))),
            square_correction: S::from_f64((1.0 - spec.beta2.powi(step)).sqrt()),
            epsilon: S::from_f64(spec.epsilon),
        }
    }
}

/// m ← m + (1 − β₁)(g − m), v ← β₂ v + (1 − β₂) g², p ← p − step · m / (√v / correction + ε)
/// (Kingma & Ba 2014, algorithm 1; ε is added after the correction).
struct Adam<'a, S> {
    constants: AdamConstants<S>,
    params: &'a mut [S],
    grads: &'a [S],
    mean: &'a mut [S],
    mean_square: &'a mut [S],
}

impl<S: Scalar> Kernel for Adam<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let c = self.constants;
        let n = self.params.len();
        let (params, grads) = (&mut self.params[..n], &self.grads[..n]);
        let (mean, mean_square) = (&mut self.mean[..n], &mut self.mean_square[..n]);
        for i in 0..n {
            let g = grads[i] + c.weight_decay * params[i];
            mean[i] += c.mean_share * (g - mean[i]);
            mean_square[i] = c.square_keep * mean_square[i] + c.square_share * g * g;
            let root = mean_square[i].sqrt() / c.square_correction + c.epsilon;
            params[i] = params[i] - c.step_size * (mean[i] / root);
        }
    }
}

#[derive(Clone, Copy)]
struct SgdConstants<S> {
    learning_rate: S,
    momentum: S,
    nesterov: bool,
    weight_decay: S,
}

impl<S: Scalar> SgdConstants<S> {
    fn new(spec: &SgdSpec) -> Self {
        Self {
            learning_rate: S::from_f64(spec.learning_rate),
            momentum: S::from_f64(spec.momentum),
            nesterov: spec.nesterov,
            weight_decay: S::from_f64(spec.weight_decay),
        }
    }
}

/// p ← p − learning rate · g
struct Sgd<'a, S> {
    constants: SgdConstants<S>,
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

/// u ← μ u + g, p ← p − learning rate · u; Nesterov's variant takes g + μ u in place of u (Sutskever et al.
/// 2013, in PyTorch's form).
struct Momentum<'a, S> {
    constants: SgdConstants<S>,
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
