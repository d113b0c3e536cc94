//! Who is told how a training goes.

use std::ops::ControlFlow;

use metrics::Predictions;
use spec::EpochRecord;

use crate::Checkpoint;

/// One optimizer update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From 1.
    pub epoch: usize,
    /// From 1, in the epoch.
    pub step: usize,
    /// Steps in an epoch.
    pub n_steps: usize,
    /// Mean loss of the batch, before the update.
    pub loss: f64,
    /// The update's step size.
    pub learning_rate: f64,
}

/// Is told of every step and epoch, and may end the run.
pub trait Observer: Send {
    /// After every update; should be quick.
    fn step(&mut self, step: &Step) {
        let _ = step;
    }

    /// After every epoch, with the run as it is then, `record` included, and what the model says of the test samples
    /// where the spec has them looked at then.
    /// `Break` ends the run.
    fn epoch(
        &mut self,
        record: &EpochRecord,
        checkpoint: &Checkpoint,
        test: Option<&Predictions>,
    ) -> ControlFlow<()> {
        let _ = (record, checkpoint, test);
        ControlFlow::Continue(())
    }
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
