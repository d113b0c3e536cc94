//! RMSProp (Tieleman & Hinton 2012), centered as in Graves 2013 (arXiv 1308.0850, equations 38 to 41).
//!
//! ```text
//! g ← g + λ p
//! v ← α v + (1 − α) g²
//! m ← m + (1 − α)(g − m)           centered
//! d = g / (√v + ε)                 centered: g / (√(v − m²) + ε)
//! u ← μ u + d                      with momentum μ
//! p ← p − rate · d                 with momentum: p − rate · u
//! ```

use lanes::{Kernel, Lane, Scalar};
use spec::RmspropSpec;

#[derive(Clone, Copy)]
pub(super) struct Constants<S> {
    learning_rate: S,
    /// α, 1 − α
    keep: S,
    share: S,
    epsilon: S,
    momentum: S,
    weight_decay: S,
}

impl<S: Scalar> Constants<S> {
    pub(super) fn new(spec: &RmspropSpec, learning_rate: f64) -> Self {
        Self {
            learning_rate: S::from_f64(learning_rate),
            keep: S::from_f64(spec.alpha),
            share: S::from_f64(1.0 - spec.alpha),
            epsilon: S::from_f64(spec.epsilon),
            momentum: S::from_f64(spec.momentum),
            weight_decay: S::from_f64(spec.weight_decay),
        }
    }
}

/// `state` is v, then m where centered, then u where there is momentum.
pub(super) fn update<V: Lane>(
    spec: &RmspropSpec,
    constants: Constants<V::Scalar>,
    params: &mut [V::Scalar],
    grads: &[V::Scalar],
    state: &mut [Vec<V::Scalar>],
) {
    match (spec.centered, state) {
        (false, [square]) => {
            let (mean, momentum) = (&mut [][..], &mut [][..]);
            V::enter(Rmsprop::<_, false, false> { constants, params, grads, square, mean, momentum });
        }
        (false, [square, momentum]) => {
            let mean = &mut [][..];
            V::enter(Rmsprop::<_, false, true> { constants, params, grads, square, mean, momentum });
        }
        (true, [square, mean]) => {
            let momentum = &mut [][..];
            V::enter(Rmsprop::<_, true, false> { constants, params, grads, square, mean, momentum });
        }
        (true, [square, mean, momentum]) => {
            V::enter(Rmsprop::<_, true, true> { constants, params, grads, square, mean, momentum });
        }
        _ => unreachable!("the state is made for the same numbers"),
    }
}

/// The slices that are not used are empty.
struct Rmsprop<'a, S, const CENTERED: bool, const MOMENTUM: bool> {
    constants: Constants<S>,
    params: &'a mut [S],
    grads: &'a [S],
    square: &'a mut [S],
    mean: &'a mut [S],
    momentum: &'a mut [S],
}

impl<S: Scalar, const CENTERED: bool, const MOMENTUM: bool> Kernel for Rmsprop<'_, S, CENTERED, MOMENTUM> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let c = self.constants;
        let n = self.params.len();
        let (params, grads, square) = (&mut self.params[..n], &self.grads[..n], &mut self.square[..n]);
        let mean = &mut self.mean[..if CENTERED { n } else { 0 }];
        let momentum = &mut self.momentum[..if MOMENTUM { n } else { 0 }];
        for i in 0..n {
            let g = grads[i] + c.weight_decay * params[i];
            square[i] = c.keep * square[i] + c.share * g * g;
            let mut variance = square[i];
            if CENTERED {
                mean[i] += c.share * (g - mean[i]);
                variance = variance - mean[i] * mean[i];
                // Rounding may take it below 0, where PyTorch's root is NaN.
                variance = if variance > S::ZERO { variance } else { S::ZERO };
            }
            let mut direction = g / (variance.sqrt() + c.epsilon);
            if MOMENTUM {
                momentum[i] = c.momentum * momentum[i] + direction;
                direction = momentum[i];
            }
            params[i] = params[i] - c.learning_rate * direction;
        }
    }
}
