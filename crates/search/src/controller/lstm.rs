//! One LSTM layer for one token (Hochreiter & Schmidhuber 1997, with the forget gates of Gers et al. 2000).
//!
//! ```text
//! i, f, o = sigmoid(W [x, h'] + b)     g = tanh(W [x, h'] + b)
//! c = f c' + i g                       h = o tanh(c)
//! ```

use super::layout::Cell;
use super::linear::{add_product, add_product_backward, axpy};

/// Numbers of a state in units of H: the gates i, f, g and o, then c, tanh(c) and h.
pub(super) const STATE: usize = 7;

/// Where in a state something begins, in units of H.
const C: usize = 4;
const TANH_C: usize = 5;
const H: usize = 6;

/// What the layer said: the last part of its state.
pub(super) fn output(state: &[f64], n_hidden: usize) -> &[f64] {
    &state[H * n_hidden..]
}

impl Cell {
    /// The state from the input and the state before.
    pub(super) fn forward(self, params: &[f64], x: &[f64], before: &[f64], state: &mut [f64]) {
        let n = x.len();
        let (gates, rest) = state.split_at_mut(C * n);
        let weights = &params[self.weights..self.weights + 8 * n * n];
        gates.copy_from_slice(&params[self.bias..self.bias + 4 * n]);
        add_product(x, &weights[..4 * n * n], gates);
        add_product(output(before, n), &weights[4 * n * n..], gates);
        let (c_before, (c, rest)) = (&before[C * n..], rest.split_at_mut(n));
        let (tanh_c, h) = rest.split_at_mut(n);
        for unit in 0..n {
            for gate in [0, 1, 3] {
                gates[gate * n + unit] = sigmoid(gates[gate * n + unit]);
            }
            gates[2 * n + unit] = libm::tanh(gates[2 * n + unit]);
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate * n + unit]);
            c[unit] = f * c_before[unit] + i * g;
            tanh_c[unit] = libm::tanh(c[unit]);
            h[unit] = o * tanh_c[unit];
        }
    }

    /// From `dh` and `dc` of a state adds to the gradient and to `dx`, and makes them those of the state
    /// before. `dgates` is scratch, `[4 H]`.
    pub(super) fn backward(
        self,
        params: &[f64],
        (x, before, state): (&[f64], &[f64], &[f64]),
        (dx, dh, dc): (&mut [f64], &mut [f64], &mut [f64]),
        dgates: &mut [f64],
        gradient: &mut [f64],
    ) {
        let n = x.len();
        for unit in 0..n {
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| state[gate * n + unit]);
            let tanh_c = state[TANH_C * n + unit];
            let d = dc[unit] + dh[unit] * o * (1.0 - tanh_c * tanh_c);
            dgates[unit] = d * g * i * (1.0 - i);
            dgates[n + unit] = d * before[C * n + unit] * f * (1.0 - f);
            dgates[2 * n + unit] = d * i * (1.0 - g * g);
            dgates[3 * n + unit] = dh[unit] * tanh_c * o * (1.0 - o);
            dc[unit] = d * f;
        }
        axpy(1.0, dgates, &mut gradient[self.bias..self.bias + 4 * n]);
        let (of_x, of_h) = (self.weights, self.weights + 4 * n * n);
        let end = of_h + 4 * n * n;
        add_product_backward(x, &params[of_x..of_h], dgates, dx, &mut gradient[of_x..of_h]);
        dh.fill(0.0);
        add_product_backward(output(before, n), &params[of_h..end], dgates, dh, &mut gradient[of_h..end]);
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}
