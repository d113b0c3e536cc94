//! Adam (Kingma & Ba 2014, algorithm 1; ε is added after the correction) and AdamW (Loshchilov & Hutter 2017).
//!
//! ```text
//! g ← g + λ p                      Adam's weight decay λ
//! p ← p − rate · λ p               AdamW's
//! m ← m + (1 − β₁)(g − m)          v ← β₂ v + (1 − β₂) g²
//! p ← p − rate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
//! ```

use lanes::{Kernel, Lane, Scalar};
use spec::{AdamSpec, AdamwSpec};

use super::UpdateNumbers;

/// The numbers of one update, computed in f64 as PyTorch does, then rounded.
#[derive(Clone, Copy)]
pub(super) struct Constants<S> {
    /// λ; 0 for AdamW
    weight_decay: S,
    /// 1 − rate · λ; 1 for Adam
    weight_keep: S,
    /// 1 − β₁, β₂, 1 − β₂
    mean_share: S,
    square_keep: S,
    square_share: S,
    /// rate / (1 − β₁ᵗ)
    step_size: S,
    /// √(1 − β₂ᵗ)
    square_correction: S,
    epsilon: S,
}

impl<S: Scalar> Constants<S> {
    pub(super) fn adam(spec: &AdamSpec, numbers: UpdateNumbers) -> Self {
        let AdamSpec { beta1, beta2, epsilon, weight_decay, .. } = *spec;
        let weight_decay = S::from_f64(weight_decay);
        Self { weight_decay, ..Self::new(beta1, beta2, epsilon, numbers) }
    }

    pub(super) fn adamw(spec: &AdamwSpec, numbers: UpdateNumbers) -> Self {
        let AdamwSpec { beta1, beta2, epsilon, weight_decay, .. } = *spec;
        let weight_keep = S::from_f64(1.0 - numbers.learning_rate * weight_decay);
        Self { weight_keep, ..Self::new(beta1, beta2, epsilon, numbers) }
    }

    /// Without weight decay.
    fn new(beta1: f64, beta2: f64, epsilon: f64, numbers: UpdateNumbers) -> Self {
        let UpdateNumbers { step, learning_rate } = numbers;
        let t = i32::try_from(step + 1).unwrap_or(i32::MAX);
        Self {
            weight_decay: S::ZERO,
            weight_keep: S::ONE,
            mean_share: S::from_f64(1.0 - beta1),
            square_keep: S::from_f64(beta2),
            square_share: S::from_f64(1.0 - beta2),
            step_size: S::from_f64(learning_rate / (1.0 - beta1.powi(t))),
            square_correction: S::from_f64((1.0 - beta2.powi(t)).sqrt()),
            epsilon: S::from_f64(epsilon),
        }
    }
}

/// `state` is m and v.
pub(super) fn update<V: Lane>(
    constants: Constants<V::Scalar>,
    params: &mut [V::Scalar],
    grads: &[V::Scalar],
    state: &mut [Vec<V::Scalar>],
) {
    let [mean, mean_square] = state else { unreachable!("two numbers for each parameter") };
    V::enter(Adam { constants, params, grads, mean, mean_square });
}

struct Adam<'a, S> {
    constants: Constants<S>,
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
            let p = params[i] * c.weight_keep;
            mean[i] += c.mean_share * (g - mean[i]);
            mean_square[i] = c.square_keep * mean_square[i] + c.square_share * g * g;
            let root = mean_square[i].sqrt() / c.square_correction + c.epsilon;
            params[i] = p - c.step_size * (mean[i] / root);
        }
    }
}
