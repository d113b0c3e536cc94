//! Optimizers on flat slices, element by element, so that a run may cut its parameters anywhere.
//!
//! Formulas, their order and the defaults are those of PyTorch 2.15 (`torch.optim`).

use lanes::{Lane, Scalar};
use spec::OptimizerSpec;

mod adam;
mod rmsprop;
mod sgd;

/// An optimizer with its state for one slice of the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer<S> {
    spec: OptimizerSpec,
    /// As [`Optimizer::state_names`].
    state: Vec<Vec<S>>,
}

/// Numbers of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateNumbers {
    /// Updates before this one.
    pub step: usize,
    /// This update's step size, in place of the spec's.
    pub learning_rate: f64,
}

impl<S: Scalar> Optimizer<S> {
    /// A fresh state for `n` parameters.
    pub fn new(spec: &OptimizerSpec, n: usize) -> Self {
        Self { spec: *spec, state: vec![vec![S::ZERO; n]; Self::state_names(spec).len()] }
    }

    /// What an optimizer remembers of each parameter, named as in PyTorch's state.
    pub fn state_names(spec: &OptimizerSpec) -> &'static [&'static str] {
        match spec {
            OptimizerSpec::Adam(_) | OptimizerSpec::Adamw(_) => &["exp_avg", "exp_avg_sq"],
            OptimizerSpec::Sgd(sgd) if sgd.momentum == 0.0 => &[],
            OptimizerSpec::Sgd(_) => &["momentum_buffer"],
            OptimizerSpec::Rmsprop(rmsprop) => match (rmsprop.centered, rmsprop.momentum > 0.0) {
                (false, false) => &["square_avg"],
                (false, true) => &["square_avg", "momentum_buffer"],
                (true, false) => &["square_avg", "grad_avg"],
                (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
            },
        }
    }

    /// The state: for each of [`Optimizer::state_names`] a number for each parameter.
    pub fn state(&self) -> impl Iterator<Item = &[S]> {
        self.state.iter().map(Vec::as_slice)
    }

    /// As [`Optimizer::state`], to put back what it was.
    pub fn state_mut(&mut self) -> impl Iterator<Item = &mut [S]> {
        self.state.iter_mut().map(Vec::as_mut_slice)
    }

    /// One update of the parameters by their gradient. The slices have the length given to [`Optimizer::new`].
    pub fn update<V: Lane<Scalar = S>>(&mut self, params: &mut [S], grads: &[S], numbers: UpdateNumbers) {
        assert_eq!(params.len(), grads.len(), "one gradient for each parameter");
        assert!(self.state.iter().all(|state| state.len() == params.len()), "state for each parameter");
        match &self.spec {
            OptimizerSpec::Adam(spec) => {
                let constants = adam::Constants::adam(spec, numbers);
                adam::update::<V>(constants, params, grads, &mut self.state);
            }
            OptimizerSpec::Adamw(spec) => {
                let constants = adam::Constants::adamw(spec, numbers);
                adam::update::<V>(constants, params, grads, &mut self.state);
            }
            OptimizerSpec::Sgd(spec) => {
                let constants = sgd::Constants::new(spec, numbers.learning_rate);
                sgd::update::<V>(constants, params, grads, &mut self.state);
            }
            OptimizerSpec::Rmsprop(spec) => {
                let constants = rmsprop::Constants::new(spec, numbers.learning_rate);
                rmsprop::update::<V>(spec, constants, params, grads, &mut self.state);
            }
        }
    }
}
