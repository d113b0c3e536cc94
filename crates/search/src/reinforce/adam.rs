//! Adam (Kingma & Ba 2015), uphill.

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Moments of the gradient.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Adam {
    pub(super) n_updates: u64,
    pub(super) m: Vec<f64>,
    pub(super) v: Vec<f64>,
}

impl Adam {
    pub(super) fn new(n_params: usize) -> Self {
        Self { n_updates: 0, m: vec![0.0; n_params], v: vec![0.0; n_params] }
    }

    /// Moves `params` in the direction of the gradient.
    pub(super) fn update(&mut self, params: &mut [f64], gradient: &[f64], learning_rate: f64) {
        self.n_updates += 1;
        let correction = |beta| 1.0 - libm::pow(beta, self.n_updates as f64);
        let (correction1, correction2) = (correction(BETA1), correction(BETA2));
        let moments = self.m.iter_mut().zip(&mut self.v);
        for ((param, &g), (m, v)) in params.iter_mut().zip(gradient).zip(moments) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            *param += learning_rate * (*m / correction1) / ((*v / correction2).sqrt() + EPSILON);
        }
    }
}
