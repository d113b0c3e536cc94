//! A run: epochs, evaluation after each, and when it ends.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use data::{Dataset, Normalization};
use lanes::{Lane, WithLane};
use metrics::Predictions;
use nn::{Loss, Mode, Params, Plan, Workspace};
use spec::{EpochRecord, StopReason, Testing, TrainSpec};

use crate::evaluate::{EvaluateTask, Evaluation, evaluate_with, evaluation_loss};
use crate::per_thread::PerThread;
use crate::pictures::check_fit;
use crate::step::check_memory;
use crate::trainer::Trainer;
use crate::{Checkpoint, Observer, Setup, TrainError};

/// Everything that a training needs. The network in `spec` is the one that `plan` was compiled from.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What determines the result.
    pub spec: &'a TrainSpec,
    /// The compiled network.
    pub plan: &'a Plan,
    /// What it learns from.
    pub train: &'a Dataset,
    /// What it is measured on after each epoch, to choose the best one and to stop early; no part of `train`.
    pub validation: Option<&'a Dataset>,
    /// What it is measured on after each epoch for the reader; nothing is chosen by it.
    pub test: &'a Dataset,
    /// From bytes to numbers.
    pub normalization: &'a Normalization,
    /// How to run.
    pub setup: Setup,
    /// Set by anybody, ends the run before its next step.
    pub stop: &'a AtomicBool,
}

/// How a training ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is no further epoch.
    Finished(StopReason),
    /// Stopped by [`Job::stop`] or by the observer.
    Stopped,
}

/// Goes on from `checkpoint`, [`Checkpoint::start`] for a new run, until there is no further epoch. Afterwards, also when
/// stopped or failed, the checkpoint is that of the last whole epoch.
///
/// A run that goes on from any checkpoint comes to the same bits as one without a break, whatever the threads.
pub fn train(
    job: Job<'_>,
    checkpoint: &mut Checkpoint,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    job.check()?;
    if let Some(reason) = checkpoint.stop_reason(job.spec) {
        return Ok(Outcome::Finished(reason));
    }
    let pool = job.setup.pool()?;
    pool.install(|| job.setup.isa.run(TrainTask { job, checkpoint, observer }))
}

/// What a model of the run says of each test sample, as the observer is told after an epoch.
pub fn test_predictions(job: Job<'_>, model: &Params<f32>) -> Result<Predictions, TrainError> {
    check_fit(job.plan, job.test)?;
    let pool = job.setup.pool()?;
    Ok(pool.install(|| job.setup.isa.run(TestTask { job, model })))
}

struct TestTask<'a> {
    job: Job<'a>,
    model: &'a Params<f32>,
}

impl WithLane for TestTask<'_> {
    type Output = Predictions;
    fn run<V: Lane<Scalar = f32>>(self) -> Predictions {
        Evaluator::<V>::new(self.job).run(self.model, self.job.test).predictions
    }
}

impl Job<'_> {
    /// Samples of a step: no more than there are, which keeps the memory of a careless choice small.
    pub(crate) fn batch_size(&self) -> usize {
        self.spec.batch_size.clamp(1, self.train.len())
    }

    /// Whether all data fits the network and a batch memory, and there is a validation part where one is needed. [`train`] checks it too.
    pub fn check(&self) -> Result<(), TrainError> {
        check_fit(self.plan, self.train)?;
        self.validation.map_or(Ok(()), |validation| check_fit(self.plan, validation))?;
        check_fit(self.plan, self.test)?;
        check_memory(self.plan, self.batch_size())?;
        match (&self.spec.early_stopping, self.validation) {
            (Some(_), None) => Err(TrainError::NoValidation),
            _ => Ok(()),
        }
    }
}

struct TrainTask<'a> {
    job: Job<'a>,
    checkpoint: &'a mut Checkpoint,
    observer: &'a mut dyn Observer,
}

impl WithLane for TrainTask<'_> {
    type Output = Result<Outcome, TrainError>;
    fn run<V: Lane<Scalar = f32>>(self) -> Self::Output {
        let TrainTask { job, checkpoint, observer } = self;
        let mut trainer = Trainer::<V>::new(job, checkpoint)?;
        let evaluator = Evaluator::<V>::new(job);
        loop {
            let epoch = checkpoint.epochs.len() + 1;
            let start = Instant::now();
            let Some(learned) = trainer.epoch(epoch, observer)? else { return Ok(Outcome::Stopped) };
            let train_s = start.elapsed().as_secs_f64();
            trainer.check_finite(epoch)?;
            let start = Instant::now();
            let evaluate = |part, samples| evaluator.run(trainer.model(), samples).finite(part, epoch);
            let validation =
                job.validation.map(|validation| evaluate("validation", validation)).transpose()?;
            let tests_each = job.spec.test == Testing::EachEpoch;
            let mut test = tests_each.then(|| evaluate("test", job.test)).transpose()?;
            let record = EpochRecord {
                epoch,
                learning_rate: trainer.rate(epoch * trainer.n_steps_per_epoch() - 1),
                loss: learned.loss,
                train_accuracy: learned.accuracy,
                validation_loss: validation.as_ref().map(|validation| validation.loss),
                validation_accuracy: validation.map(|validation| validation.accuracy),
                test_accuracy: test.as_ref().map_or(f64::NAN, |test| test.accuracy),
                train_s,
                eval_s: start.elapsed().as_secs_f64(),
                images_per_s: job.train.len() as f64 / train_s,
            };
            trainer.save(checkpoint);
            checkpoint.push(record);
            let stop_reason = checkpoint.stop_reason(job.spec);
            if job.spec.test == Testing::AtEnd && stop_reason.is_some() {
                let last = evaluator.run(trainer.model(), job.test).finite("test", epoch)?;
                checkpoint.set_test_accuracy(last.accuracy);
                test = Some(last);
            }
            let record = *checkpoint.epochs.last().expect("pushed above");
            let wish = observer.epoch(&record, checkpoint, test.as_ref().map(|test| &test.predictions));
            match (stop_reason, wish) {
                (Some(reason), _) => return Ok(Outcome::Finished(reason)),
                (None, ControlFlow::Break(())) => return Ok(Outcome::Stopped),
                (None, ControlFlow::Continue(())) => {}
            }
        }
    }
}

impl Evaluation {
    /// Samples that a network says nothing of count as some class, which would look like a result.
    fn finite(self, part: &'static str, epoch: usize) -> Result<Self, TrainError> {
        match self.loss.is_finite() {
            true => Ok(self),
            false => Err(TrainError::NoEvaluation { epoch, part, loss: self.loss }),
        }
    }
}

/// Measures models on all threads.
struct Evaluator<'a, V: Lane> {
    job: Job<'a>,
    loss: Loss<f32>,
    workspaces: PerThread<Workspace<V>>,
}

impl<'a, V: Lane<Scalar = f32>> Evaluator<'a, V> {
    fn new(job: Job<'a>) -> Self {
        let loss = Loss::new(&evaluation_loss(&job.spec.loss), job.plan.classes());
        let workspaces = PerThread::new(|| Workspace::new(job.plan, Mode::Inference));
        Self { job, loss, workspaces }
    }

    fn run(&self, params: &Params<f32>, dataset: &Dataset) -> Evaluation {
        let Job { plan, normalization, .. } = self.job;
        evaluate_with(&self.workspaces, EvaluateTask { plan, params, dataset, normalization }, &self.loss)
    }
}
