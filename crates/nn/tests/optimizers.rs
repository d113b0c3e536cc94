//! Optimizers against their formulas, written out once more for one number.

use nn::Optimizer;
use spec::{AdamSpec, OptimizerSpec, SgdSpec};

/// The path of one parameter under the gradient 2p − 1 + sin(step).
fn path(spec: OptimizerSpec, n_steps: usize) -> Vec<f64> {
    let mut params = [0.7, -0.3];
    let mut optimizer = Optimizer::new(&spec, 2);
    let steps = 0..n_steps;
    steps
        .map(|step| {
            let grads = params.map(|p| gradient(p, step));
            optimizer.update::<f64>(&mut params, &grads);
            params[0]
        })
        .collect()
}

fn gradient(p: f64, step: usize) -> f64 {
    2.0 * p - 1.0 + (step as f64).sin()
}

fn assert_path(spec: OptimizerSpec, want: impl Fn(usize, f64, f64, &mut [f64; 2]) -> f64) {
    let (mut p, mut state) = (0.7, [0.0, 0.0]);
    for (step, got) in path(spec, 20).into_iter().enumerate() {
        p = want(step, p, gradient(p, step), &mut state);
        assert!((got - p).abs() < 1e-14, "{spec:?}, step {step}: {got} and {p}");
    }
}

#[test]
fn adam_is_kingma_and_bas_algorithm_1() {
    let adam = AdamSpec { learning_rate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weight_decay: 0.1 };
    assert_path(OptimizerSpec::Adam(adam), |step, p, g, state| {
        let g = g + 0.1 * p;
        state[0] = 0.8 * state[0] + 0.2 * g;
        state[1] = 0.95 * state[1] + 0.05 * g * g;
        let t = step as i32 + 1;
        let (mean, square) = (state[0] / (1.0 - 0.8f64.powi(t)), state[1] / (1.0 - 0.95f64.powi(t)));
        p - 0.02 * mean / (square.sqrt() + 1e-3)
    });
}

#[test]
fn sgd_with_momentum_nesterov_and_weight_decay() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let sgd = SgdSpec { learning_rate: 0.05, momentum, nesterov, weight_decay: 0.2 };
        assert_path(OptimizerSpec::Sgd(sgd), |_, p, g, state| {
            let g = g + 0.2 * p;
            state[0] = momentum * state[0] + g;
            p - 0.05 * if nesterov { g + momentum * state[0] } else { state[0] }
        });
    }
}
