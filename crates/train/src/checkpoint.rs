//! What a run carries from one epoch to the next.
//!
//! Random numbers are not among it: their streams are named by seed, epoch, step and sample (`shuffle/3`), and the
//! learning rate is a function of the step's number.

use nn::{Optimizer, Params, Plan};
use spec::{EpochRecord, StopReason, TrainSpec};

use crate::selection::{best_epoch, has_stalled};

mod error;
mod file;

pub use error::CheckpointError;

/// A run between two epochs. [`crate::train`] goes on from it and leaves the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The parameters that are trained, and running statistics behind them.
    pub(crate) params: Params<f32>,
    /// Their average over the steps, where the spec asks for one.
    pub(crate) average: Option<Params<f32>>,
    /// For each of [`Optimizer::state_names`] a number for each parameter.
    pub(crate) optimizer: Vec<Vec<f32>>,
    /// The model of the best epoch, where there is a validation part.
    pub(crate) best: Option<Params<f32>>,
    /// The epochs so far.
    pub(crate) epochs: Vec<EpochRecord>,
}

impl Checkpoint {
    /// Before the first epoch.
    pub fn start(plan: &Plan, spec: &TrainSpec, params: Params<f32>) -> Self {
        let n_lists = Optimizer::<f32>::state_names(&spec.optimizer).len();
        Self {
            average: spec.average.map(|_| params.clone()),
            optimizer: vec![vec![0.0; plan.n_parameters()]; n_lists],
            params,
            best: None,
            epochs: Vec::new(),
        }
    }

    /// What is evaluated, saved and applied: the average of the parameters where the spec asks for one, else the
    /// parameters.
    pub fn model(&self) -> &Params<f32> {
        self.average.as_ref().unwrap_or(&self.params)
    }

    /// The model of the best epoch by the validation part; `None` where there is no such part.
    pub fn best_model(&self) -> Option<&Params<f32>> {
        self.best.as_ref()
    }

    /// The epoch of [`Checkpoint::best_model`], counted from 1; without a validation part the last.
    pub fn best_epoch(&self) -> Option<usize> {
        best_epoch(&self.epochs)
    }

    /// The epochs so far.
    pub fn epochs(&self) -> &[EpochRecord] {
        &self.epochs
    }

    /// Why there is no further epoch; `None` where there is one.
    pub fn stop_reason(&self, spec: &TrainSpec) -> Option<StopReason> {
        let stalled = |early_stopping| has_stalled(&self.epochs, early_stopping);
        if self.epochs.len() >= spec.epochs {
            return Some(StopReason::AllEpochs);
        }
        spec.early_stopping.as_ref().is_some_and(stalled).then_some(StopReason::EarlyStopping)
    }

    /// Puts down what the last epoch's model came to on the test samples.
    pub(crate) fn set_test_accuracy(&mut self, accuracy: f64) {
        if let Some(last) = self.epochs.last_mut() {
            last.test_accuracy = accuracy;
        }
    }

    /// Puts down an epoch whose model is that of `self`.
    pub(crate) fn push(&mut self, epoch: EpochRecord) {
        self.epochs.push(epoch);
        let is_best = best_epoch(&self.epochs) == Some(epoch.epoch);
        if epoch.validation_accuracy.is_some() && is_best {
            self.best = Some(self.model().clone());
        }
    }
}
