//! Epochs and steps.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use data::{Dataset, Normalization, epoch_order};
use lanes::{Lane, WithLane};
use nn::{Loss, Mode, Params, Plan, Tally, Workspace};
use spec::{EpochRecord, Seed, TrainSpec};

use crate::evaluate::{EvaluateTask, evaluate_with};
use crate::lesson::{Batch, EpochStreams, Lessons};
use crate::per_thread::PerThread;
use crate::pictures::check_fit;
use crate::step::Stepper;
use crate::update::Updaters;
use crate::{Observer, Setup, Step, TrainError};

/// Everything that a training needs. The network in `spec` is the one that `plan` was compiled from.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What determines the result.
    pub spec: &'a TrainSpec,
    /// The compiled network.
    pub plan: &'a Plan,
    /// What it learns from.
    pub train: &'a Dataset,
    /// What it is measured on after each epoch.
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
    /// All epochs are done.
    Finished,
    /// Stopped by [`Job::stop`] or by the observer.
    Stopped,
}

/// Trains `params`, which are the final ones afterwards; when stopped, those of the last step.
pub fn train(
    job: Job<'_>,
    params: &mut Params<f32>,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    check_fit(job.plan, job.train)?;
    check_fit(job.plan, job.test)?;
    let pool = job.setup.pool()?;
    pool.install(|| job.setup.isa.run(TrainTask { job, params, observer }))
}

struct TrainTask<'a> {
    job: Job<'a>,
    params: &'a mut Params<f32>,
    observer: &'a mut dyn Observer,
}

impl WithLane for TrainTask<'_> {
    type Output = Result<Outcome, TrainError>;
    fn run<V: Lane<Scalar = f32>>(self) -> Self::Output {
        let TrainTask { job, params, observer } = self;
        let mut trainer = Trainer::<V>::new(job, params)?;
        let inference = PerThread::new(|| Workspace::<V>::new(job.plan, Mode::Inference));
        for epoch in 1..=job.spec.epochs {
            let start = Instant::now();
            let Some(learned) = trainer.epoch(epoch, observer)? else { return Ok(Outcome::Stopped) };
            let train_s = start.elapsed().as_secs_f64();
            trainer.check_finite(epoch)?;
            let start = Instant::now();
            let (params, dataset) = (&*trainer.params, job.test);
            let task = EvaluateTask { plan: job.plan, params, dataset, normalization: job.normalization };
            let test = evaluate_with(&inference, task, &trainer.loss);
            let record = EpochRecord {
                epoch,
                learning_rate: job.spec.optimizer.learning_rate(),
                loss: learned.loss,
                train_accuracy: learned.accuracy,
                validation_loss: None,
                validation_accuracy: None,
                test_accuracy: test.accuracy,
                train_s,
                eval_s: start.elapsed().as_secs_f64(),
                images_per_s: job.train.len() as f64 / train_s,
            };
            if let ControlFlow::Break(()) = observer.epoch(&record, trainer.params) {
                return Ok(if epoch == job.spec.epochs { Outcome::Finished } else { Outcome::Stopped });
            }
        }
        Ok(Outcome::Finished)
    }
}

/// What an epoch came to on the data that it learned from, each batch seen before its update.
struct Learned {
    /// Mean over the batches of their mean loss, as the tutorial prints it.
    loss: f64,
    accuracy: f64,
}

struct Trainer<'a, V: Lane> {
    job: Job<'a>,
    params: &'a mut Params<f32>,
    loss: Loss<f32>,
    /// No larger than the data set, which keeps the memory of a careless choice small.
    batch_size: usize,
    stepper: Stepper<'a, V>,
    updaters: Updaters,
}

impl<'a, V: Lane<Scalar = f32>> Trainer<'a, V> {
    fn new(job: Job<'a>, params: &'a mut Params<f32>) -> Result<Self, TrainError> {
        let batch_size = job.spec.batch_size.clamp(1, job.train.len());
        let loss = Loss::new(&job.spec.loss, job.plan.classes());
        let lessons = Lessons::new(job.plan, job.train, job.normalization, &job.spec.augment);
        let stepper = Stepper::new(job.plan, lessons, loss.clone(), batch_size)?;
        let updaters = Updaters::new(job.plan, &job.spec.optimizer);
        Ok(Self { job, params, loss, batch_size, stepper, updaters })
    }

    /// `None` if stopped.
    fn epoch(&mut self, epoch: usize, observer: &mut dyn Observer) -> Result<Option<Learned>, TrainError> {
        let spec = self.job.spec;
        let n = self.job.train.len();
        let order = epoch_order(n, spec.shuffle, Seed(spec.seed), epoch);
        let streams = EpochStreams::new(Seed(spec.seed), epoch);
        let n_steps = n.div_ceil(self.batch_size);
        let (mut loss_sum, mut n_correct) = (0.0, 0);
        for (idx, batch) in order.chunks(self.batch_size).enumerate() {
            if self.job.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (tally, total) = self.step(Batch { samples: batch, step: idx, streams: &streams });
            let step = Step { epoch, step: idx + 1, n_steps, loss: tally.loss / total };
            if !step.loss.is_finite() {
                return Err(self.diverged(&step));
            }
            loss_sum += step.loss;
            n_correct += tally.n_correct;
            observer.step(&step);
        }
        Ok(Some(Learned { loss: loss_sum / n_steps as f64, accuracy: n_correct as f64 / n as f64 }))
    }

    /// The loss is looked at before each update, so the last one needs a look of its own.
    fn check_finite(&self, epoch: usize) -> Result<(), TrainError> {
        let Some((tensor, idx, value)) = self.params.first_not_finite(self.job.plan) else { return Ok(()) };
        let learning_rate = self.job.spec.optimizer.learning_rate();
        Err(TrainError::NotFinite { epoch, tensor: tensor.into(), idx, value, learning_rate })
    }

    fn diverged(&self, step: &Step) -> TrainError {
        TrainError::Diverged {
            epoch: step.epoch,
            step: step.step,
            loss: step.loss,
            learning_rate: self.job.spec.optimizer.learning_rate(),
        }
    }

    /// One update; returns what the batch came to before it and by how much its losses are to be divided.
    fn step(&mut self, batch: Batch<'_>) -> (Tally, f64) {
        let answer = self.stepper.run(batch, self.params);
        self.updaters.apply(self.stepper.shards(), &mut self.params.0);
        self.stepper.update_running(self.params);
        answer
    }
}
