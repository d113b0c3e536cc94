//! Smooth functions, value by value.
//!
//! ```text
//! sigmoid     y = 1 / (1 + e⁻ˣ)                        dy/dx = y (1 − y)
//! tanh        y = A tanh(S x)                          dy/dx = S (A − y) (1 + y/A)
//! gelu        y = x Φ(x)                               dy/dx = Φ(x) + x φ(x)
//! silu        y = x sigmoid(x)                         dy/dx = σ (1 + x (1 − σ)),  σ = sigmoid(x)
//! hard_swish  y = x min(max(x + 3, 0), 6) / 6          dy/dx = 0 to x = −3, 1 from x = 3, x/3 + ½ between
//! ```
//!
//! The last three are x times a *gate*. Any shape. Φ(x) = ½ (1 + erf(x/√2)) is the normal distribution and φ its density. A tanh(S x) with A = 1.7159 and
//! S = 2/3 is LeNet-5's (LeCun et al. 1998, appendix A). GELU: Hendrycks & Gimpel 2016 (arXiv 1606.08415); SiLU:
//! Elfwing et al. 2017 (arXiv 1702.03118); hard-swish: Howard et al. 2019 (arXiv 1905.02244). Conventions of PyTorch's
//! `nn.Sigmoid`, `nn.Tanh`, `nn.GELU`, `nn.SiLU`, `nn.Hardswish`, at the corners ±3 too.

use lanes::{Kernel, Lane, Scalar};

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    Sigmoid,
    Tanh { amplitude: f64, slope: f64 },
    Gelu,
    Silu,
    HardSwish,
}

impl Activation {
    /// Whether a larger x never gives a smaller y.
    pub(crate) fn is_increasing(self) -> bool {
        match self {
            Self::Sigmoid => true,
            Self::Tanh { amplitude, slope } => amplitude * slope >= 0.0,
            Self::Gelu | Self::Silu | Self::HardSwish => false,
        }
    }

    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V]) {
        match self {
            Self::Sigmoid => V::enter(Forward { f: Sigmoid, x, y }),
            Self::Tanh { amplitude, slope } => V::enter(Forward { f: Tanh { amplitude, slope }, x, y }),
            Self::Gelu => V::enter(Forward { f: Gelu, x, y }),
            Self::Silu => V::enter(Forward { f: Silu, x, y }),
            Self::HardSwish => V::enter(Forward { f: HardSwish, x, y }),
        }
    }

    /// dx (overwritten) from dy and the x and y of the forward pass.
    pub(crate) fn backward<V: Lane>(self, x: &[V], y: &[V], dy: &[V], dx: &mut [V]) {
        match self {
            Self::Sigmoid => V::enter(Backward { f: Sigmoid, x, y, dy, dx }),
            Self::Tanh { amplitude, slope } => {
                V::enter(Backward { f: Tanh { amplitude, slope }, x, y, dy, dx })
            }
            Self::Gelu => V::enter(Backward { f: Gelu, x, y, dy, dx }),
            Self::Silu => V::enter(Backward { f: Silu, x, y, dy, dx }),
            Self::HardSwish => V::enter(Backward { f: HardSwish, x, y, dy, dx }),
        }
    }
}

/// A function of one number and its derivative, which may use either x or y.
trait Function: Copy {
    fn value<V: Lane>(self, x: V) -> V;
    fn derivative<V: Lane>(self, x: V, y: V) -> V;
}

#[inline(always)]
fn constant<V: Lane>(x: f64) -> V {
    V::splat(V::Scalar::from_f64(x))
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn value<V: Lane>(self, x: V) -> V {
        x.sigmoid()
    }
    #[inline(always)]
    fn derivative<V: Lane>(self, _: V, y: V) -> V {
        y * (constant::<V>(1.0) - y)
    }
}

#[derive(Clone, Copy)]
struct Tanh {
    amplitude: f64,
    slope: f64,
}

impl Function for Tanh {
    #[inline(always)]
    fn value<V: Lane>(self, x: V) -> V {
        constant::<V>(self.amplitude) * (constant::<V>(self.slope) * x).tanh()
    }
    #[inline(always)]
    fn derivative<V: Lane>(self, _: V, y: V) -> V {
        // An amplitude of 0 gives 0 and no division by it.
        let is_zero = V::Scalar::from_f64(self.amplitude) == V::Scalar::ZERO;
        let share = y / constant::<V>(if is_zero { 1.0 } else { self.amplitude });
        constant::<V>(self.slope) * (constant::<V>(self.amplitude) - y) * (constant::<V>(1.0) + share)
    }
}

/// x · gate(x) for a gate that rises from 0 to 1: falls to its only minimum, then rises.
pub(super) trait Gated: Copy {
    fn gate<V: Lane>(self, x: V) -> V;
    /// The derivative at x, given the gate there.
    fn slope<V: Lane>(self, x: V, gate: V) -> V;
}

impl<G: Gated> Function for G {
    #[inline(always)]
    fn value<V: Lane>(self, x: V) -> V {
        x * self.gate(x)
    }
    #[inline(always)]
    fn derivative<V: Lane>(self, x: V, _: V) -> V {
        self.slope(x, self.gate(x))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gelu;

/// 1/√(2π)
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

impl Gated for Gelu {
    #[inline(always)]
    fn gate<V: Lane>(self, x: V) -> V {
        let half = constant::<V>(0.5);
        half.mul_add((x * constant::<V>(std::f64::consts::FRAC_1_SQRT_2)).erf(), half)
    }
    #[inline(always)]
    fn slope<V: Lane>(self, x: V, gate: V) -> V {
        let density = constant::<V>(FRAC_1_SQRT_2PI) * (constant::<V>(-0.5) * x * x).exp();
        x.mul_add(density, gate)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Silu;

impl Gated for Silu {
    #[inline(always)]
    fn gate<V: Lane>(self, x: V) -> V {
        x.sigmoid()
    }
    #[inline(always)]
    fn slope<V: Lane>(self, x: V, gate: V) -> V {
        let one = constant::<V>(1.0);
        gate * x.mul_add(one - gate, one)
    }
}

#[derive(Clone, Copy)]
pub(super) struct HardSwish;

impl Gated for HardSwish {
    #[inline(always)]
    fn gate<V: Lane>(self, x: V) -> V {
        let six = constant::<V>(6.0);
        let ramp = (x + constant::<V>(3.0)).max(V::zero());
        V::select_gt(ramp, six, six, ramp) * constant::<V>(1.0 / 6.0)
    }
    #[inline(always)]
    fn slope<V: Lane>(self, x: V, _: V) -> V {
        let three = constant::<V>(3.0);
        let inside = x.mul_add(constant::<V>(1.0 / 3.0), constant::<V>(0.5));
        let upper = V::select_gt(three, x, inside, constant::<V>(1.0));
        V::select_gt(x, V::zero() - three, upper, V::zero())
    }
}

struct Forward<'a, V, F> {
    f: F,
    x: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane, F: Function> Kernel for Forward<'_, V, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = self.f.value(x);
        }
    }
}

struct Backward<'a, V, F> {
    f: F,
    x: &'a [V],
    y: &'a [V],
    dy: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane, F: Function> Kernel for Backward<'_, V, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.dx.len();
        let (x, y, dy) = (&self.x[..n], &self.y[..n], &self.dy[..n]);
        for i in 0..n {
            self.dx[i] = dy[i] * self.f.derivative(x[i], y[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Activation::{self, Gelu, HardSwish, Sigmoid, Silu, Tanh};
    use crate::layers::conformance::{Subject, check};
    use lanes::Lane;

    impl Subject for Activation {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); x.len()];
            Activation::forward(*self, x, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], w: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let y = Subject::forward(self, x, w);
            let mut dx = vec![V::zero(); x.len()];
            Activation::backward(*self, x, &y, dy, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            x.iter().map(|&x| plain(*self, x)).collect()
        }
    }

    fn plain(activation: Activation, x: f64) -> f64 {
        match activation {
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Tanh { amplitude, slope } => amplitude * (1.0 - 2.0 / ((2.0 * slope * x).exp() + 1.0)),
            Gelu => x * (0.5 + normal_series(x)),
            Silu => x / (1.0 + (-x).exp()),
            HardSwish => match x {
                x if x <= -3.0 => 0.0,
                x if x >= 3.0 => x,
                x => x * (x + 3.0) / 6.0,
            },
        }
    }

    /// Φ(x) − ½ by the Taylor series of the density.
    fn normal_series(x: f64) -> f64 {
        let (mut term, mut sum) = (x / (2.0 * std::f64::consts::PI).sqrt(), 0.0);
        for n in 0..60 {
            let n = f64::from(n);
            sum += term / (2.0 * n + 1.0);
            term *= -x * x / (2.0 * (n + 1.0));
        }
        sum
    }

    fn all() -> [Activation; 8] {
        [
            Sigmoid,
            Tanh { amplitude: 1.0, slope: 1.0 },
            Tanh { amplitude: 1.7159, slope: 2.0 / 3.0 },
            Tanh { amplitude: -0.5, slope: -3.0 },
            Tanh { amplitude: 0.0, slope: 1.0 },
            Gelu,
            Silu,
            HardSwish,
        ]
    }

    #[test]
    fn values_and_gradients() {
        for activation in all() {
            check(&format!("{activation:?}"), &activation, 37, 0);
        }
    }

    #[test]
    fn the_ends_are_flat_and_hard_swish_has_pytorch_s_corners() {
        let slopes =
            |activation: Activation, x: [f32; 4]| Subject::backward(&activation, &x, &[], &[1.0; 4]).0;
        let far = [-200.0, -40.0, 40.0, 200.0];
        assert_eq!(slopes(Sigmoid, far)[0], 0.0);
        assert_eq!(slopes(Tanh { amplitude: 1.7159, slope: 0.5 }, far), [0.0; 4]);
        assert_eq!(slopes(Gelu, far)[2..], [1.0, 1.0]);
        assert_eq!(slopes(Gelu, far)[0].abs(), 0.0);
        assert_eq!(slopes(Silu, far)[3], 1.0);
        assert_eq!(slopes(HardSwish, [-3.5, -3.0, 3.0, 4.0]), [0.0, 0.0, 1.0, 1.0]);
    }
}
