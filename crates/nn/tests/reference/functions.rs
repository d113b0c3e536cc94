//! Functions of one number.

use super::tape::Var;
use super::{Context, Map};

impl Context {
    /// The function of every value.
    pub(super) fn each(&mut self, x: &Map, function: impl Fn(&mut Self, Var) -> Var) -> Map {
        Map { shape: x.shape, values: x.values.iter().map(|&x| function(self, x)).collect() }
    }

    pub(super) fn exp(&mut self, x: Var) -> Var {
        let y = self.tape.value(x).exp();
        self.tape.function(x, y, y)
    }

    /// The square root of x + epsilon.
    pub(super) fn root(&mut self, x: Var, epsilon: f64) -> Var {
        let y = (self.tape.value(x) + epsilon).sqrt();
        self.tape.function(x, y, 0.5 / y)
    }

    pub(super) fn rectifier(&mut self, x: Var, slope: f64) -> Var {
        if self.tape.value(x) > 0.0 { x } else { self.tape.scale(x, slope) }
    }

    /// 1 / (1 + e⁻ˣ)
    pub(super) fn sigmoid(&mut self, x: Var) -> Var {
        let minus = self.tape.scale(x, -1.0);
        let (one, exp) = (self.tape.leaf(1.0), self.exp(minus));
        let sum = self.tape.add(one, exp);
        self.tape.div(one, sum)
    }

    /// amplitude · tanh(slope · x)
    pub(super) fn tanh(&mut self, x: Var, amplitude: f64, slope: f64) -> Var {
        let scaled = self.tape.scale(x, slope);
        let y = self.tape.value(scaled).tanh();
        let y = self.tape.function(scaled, y, 1.0 - y * y);
        self.tape.scale(y, amplitude)
    }

    /// x Φ(x)
    pub(super) fn gelu(&mut self, x: Var) -> Var {
        let value = self.tape.value(x);
        let density = (-0.5 * value * value).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let share = self.tape.function(x, normal_distribution(value), density);
        self.tape.mul(x, share)
    }

    pub(super) fn silu(&mut self, x: Var) -> Var {
        let share = self.sigmoid(x);
        self.tape.mul(x, share)
    }

    /// x (x + 3) / 6 between −3 and 3, 0 below and x above.
    pub(super) fn hard_swish(&mut self, x: Var) -> Var {
        let value = self.tape.value(x);
        match value {
            v if v <= -3.0 => self.tape.scale(x, 0.0),
            v if v >= 3.0 => x,
            v => self.tape.function(x, v * (v + 3.0) / 6.0, v / 3.0 + 0.5),
        }
    }
}

/// Φ(x) by the series of its density, for |x| up to 6.
fn normal_distribution(x: f64) -> f64 {
    let (mut term, mut sum) = (x / (2.0 * std::f64::consts::PI).sqrt(), 0.0);
    for n in 0..150 {
        let n = f64::from(n);
        sum += term / (2.0 * n + 1.0);
        term *= -x * x / (2.0 * (n + 1.0));
    }
    0.5 + sum
}
