//! The steps of an epoch.

use std::sync::atomic::Ordering;

use data::epoch_order;
use lanes::Lane;
use nn::{Loss, Params, Tally, UpdateNumbers};
use spec::Seed;

use crate::average::Average;
use crate::lesson::{Batch, EpochStreams, Lessons};
use crate::step::Stepper;
use crate::update::Updaters;
use crate::{Checkpoint, Job, Observer, Step, TrainError};

/// What an epoch came to on the data that it learned from, each batch seen before its update.
pub(crate) struct Learned {
    /// Mean over the batches of their mean loss, as the tutorial prints it.
    pub(crate) loss: f64,
    pub(crate) accuracy: f64,
}

/// A run inside an epoch.
pub(crate) struct Trainer<'a, V: Lane> {
    job: Job<'a>,
    params: Params<f32>,
    average: Option<Average>,
    /// No larger than the data set, which keeps the memory of a careless choice small.
    batch_size: usize,
    stepper: Stepper<'a, V>,
    updaters: Updaters,
}

impl<'a, V: Lane<Scalar = f32>> Trainer<'a, V> {
    /// Goes on from a checkpoint of the same job.
    pub(crate) fn new(job: Job<'a>, from: &Checkpoint) -> Result<Self, TrainError> {
        let spec = job.spec;
        let batch_size = job.batch_size();
        let loss = Loss::new(&spec.loss, job.plan.classes());
        let lessons = Lessons::new(job.plan, job.train, job.normalization, &spec.augment);
        let mut updaters = Updaters::new(job.plan, &spec.optimizer, spec.clip_gradient);
        updaters.set_state(&from.optimizer);
        let average = spec.average.zip(from.average.clone());
        Ok(Self {
            job,
            params: from.params.clone(),
            average: average.map(|(spec, params)| Average::new(spec, params)),
            batch_size,
            stepper: Stepper::new(job.plan, lessons, loss, batch_size),
            updaters,
        })
    }

    /// Puts the state after an epoch down.
    pub(crate) fn save(&self, to: &mut Checkpoint) {
        to.params.0.copy_from_slice(&self.params.0);
        to.average = self.average.as_ref().map(|average| average.params.clone());
        to.optimizer = self.updaters.state();
    }

    /// What is evaluated.
    pub(crate) fn model(&self) -> &Params<f32> {
        self.average.as_ref().map_or(&self.params, |average| &average.params)
    }

    pub(crate) fn n_steps_per_epoch(&self) -> usize {
        self.job.train.len().div_ceil(self.batch_size)
    }

    /// The learning rate of a step, counted from 0 over the whole run.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        let spec = self.job.spec;
        spec.schedule.rate(spec.optimizer.learning_rate(), step, self.n_steps_per_epoch(), spec.epochs)
    }

    /// The order of an epoch, and where its random numbers come from.
    pub(crate) fn begin(&self, epoch: usize) -> (Vec<u32>, EpochStreams) {
        let (spec, seed) = (self.job.spec, Seed(self.job.spec.seed));
        let order = epoch_order(self.job.train.len(), spec.shuffle, seed, epoch);
        (order, EpochStreams::new(seed, epoch))
    }

    /// `None` if stopped.
    pub(crate) fn epoch(
        &mut self,
        epoch: usize,
        observer: &mut dyn Observer,
    ) -> Result<Option<Learned>, TrainError> {
        let (order, streams) = self.begin(epoch);
        let n_steps = self.n_steps_per_epoch();
        let (mut loss_sum, mut n_correct) = (0.0, 0);
        for (idx, samples) in order.chunks(self.batch_size).enumerate() {
            if self.job.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let step = (epoch - 1) * n_steps + idx;
            let learning_rate = self.rate(step);
            let batch = Batch { samples, step: idx, streams: &streams };
            let (tally, loss) = self.step(batch, UpdateNumbers { step, learning_rate });
            let step = Step { epoch, step: idx + 1, n_steps, loss, learning_rate };
            if !loss.is_finite() {
                return Err(match (epoch, step.step) {
                    (1, 1) => TrainError::NoFirstLoss { loss },
                    (_, step) => TrainError::Diverged { epoch, step, loss, learning_rate },
                });
            }
            loss_sum += loss;
            n_correct += tally.n_correct;
            observer.step(&step);
        }
        let accuracy = n_correct as f64 / self.job.train.len() as f64;
        Ok(Some(Learned { loss: loss_sum / n_steps as f64, accuracy }))
    }

    /// One update; returns what the batch came to before it, and its mean loss.
    pub(crate) fn step(&mut self, batch: Batch<'_>, numbers: UpdateNumbers) -> (Tally, f64) {
        let (tally, total) = self.stepper.run(batch, &self.params);
        self.updaters.apply(self.stepper.shards(), &mut self.params.0, numbers);
        self.stepper.update_running(&mut self.params);
        if let Some(average) = &mut self.average {
            average.update::<V>(&self.params, numbers.step);
        }
        (tally, tally.loss / total)
    }

    /// The loss is looked at before each update, so the last one needs a look of its own.
    pub(crate) fn check_finite(&self, epoch: usize) -> Result<(), TrainError> {
        let Some((tensor, idx, value)) = self.params.first_not_finite(self.job.plan) else { return Ok(()) };
        let learning_rate = self.rate(epoch * self.n_steps_per_epoch() - 1);
        Err(TrainError::NotFinite { epoch, tensor: tensor.into(), idx, value, learning_rate })
    }

    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }
}
