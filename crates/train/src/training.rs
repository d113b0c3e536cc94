//! Epochs and steps.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use data::{Dataset, Normalization, epoch_order};
use lanes::{GROUP, Lane, WithLane};
use nn::{Chunk, Mode, Optimizer, Params, Plan, ShardGradient, Tally, train_group};
use rayon::prelude::*;
use spec::{EpochRecord, Seed, TrainSpec};

use crate::evaluate::evaluate_with;
use crate::pictures::{check_fit, pack};
use crate::shards::{n_shards, shard_len};
use crate::workspaces::Workspaces;
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
        let mut trainer = Trainer::<V>::new(job, params);
        let inference = Workspaces::<V>::new(job.plan, Mode::Inference);
        for epoch in 1..=job.spec.epochs {
            let start = Instant::now();
            let Some(learned) = trainer.epoch(epoch, observer)? else { return Ok(Outcome::Stopped) };
            let train_s = start.elapsed().as_secs_f64();
            trainer.check_finite(epoch)?;
            let start = Instant::now();
            let test = evaluate_with(&inference, job.plan, trainer.params, job.test, job.normalization);
            let record = EpochRecord {
                epoch,
                loss: learned.loss,
                train_accuracy: learned.accuracy,
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

/// A piece of the parameters: how its gradient is gathered, room for it, and its optimizer.
struct Updater {
    chunk: Chunk,
    gradient: Vec<f32>,
    optimizer: Optimizer<f32>,
}

struct Trainer<'a, V: Lane> {
    job: Job<'a>,
    params: &'a mut Params<f32>,
    workspaces: Workspaces<V>,
    /// No larger than the data set, which keeps the memory of a careless choice small.
    batch_size: usize,
    /// What each shard of the batch came to: gradients and losses.
    shards: Vec<ShardGradient<V>>,
    losses: Vec<Tally>,
    updaters: Vec<Updater>,
}

impl<'a, V: Lane<Scalar = f32>> Trainer<'a, V> {
    fn new(job: Job<'a>, params: &'a mut Params<f32>) -> Self {
        let batch_size = job.spec.batch_size.clamp(1, job.train.len());
        let updater = |chunk: Chunk| {
            let n = chunk.range().len();
            Updater { chunk, gradient: vec![0.0; n], optimizer: Optimizer::new(&job.spec.optimizer, n) }
        };
        let shard = ShardGradient::new(job.plan, shard_len(batch_size) / GROUP);
        Self {
            job,
            params,
            workspaces: Workspaces::new(job.plan, Mode::Training),
            batch_size,
            shards: vec![shard; n_shards(batch_size)],
            losses: vec![Tally::default(); n_shards(batch_size)],
            updaters: job.plan.chunks().into_iter().map(updater).collect(),
        }
    }

    /// `None` if stopped.
    fn epoch(&mut self, epoch: usize, observer: &mut dyn Observer) -> Result<Option<Learned>, TrainError> {
        let spec = self.job.spec;
        let n = self.job.train.len();
        let order = epoch_order(n, spec.shuffle, Seed(spec.seed), epoch);
        let n_steps = n.div_ceil(self.batch_size);
        let (mut loss_sum, mut n_correct) = (0.0, 0);
        for (idx, batch) in order.chunks(self.batch_size).enumerate() {
            if self.job.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let tally = self.step(batch);
            let step = Step { epoch, step: idx + 1, n_steps, loss: tally.loss / batch.len() as f64 };
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

    /// One update; returns the sum of losses and the number of correct predictions before it.
    fn step(&mut self, batch: &[u32]) -> Tally {
        let weight = 1.0 / batch.len() as f32;
        let len = shard_len(self.batch_size);
        let n_shards = batch.len().div_ceil(len);
        let (job, workspaces, params) = (&self.job, &self.workspaces, &*self.params);
        let (shards, losses) = (&mut self.shards[..n_shards], &mut self.losses[..n_shards]);
        let tasks = shards.par_iter_mut().zip(losses).zip(batch.par_chunks(len)).with_max_len(1);
        tasks.for_each(|((shard, loss), samples)| {
            *loss = run_shard(job, workspaces, params, samples, weight, shard);
        });
        update::<V>(&mut self.updaters, &self.shards[..n_shards], &mut self.params.0);
        self.losses[..n_shards].iter().copied().sum()
    }
}

/// Gathers and applies the gradient of every chunk; `params` are theirs alone.
fn update<V: Lane<Scalar = f32>>(updaters: &mut [Updater], shards: &[ShardGradient<V>], params: &mut [f32]) {
    if let [Updater { chunk, gradient, optimizer }] = updaters {
        chunk.gather(shards, gradient);
        return optimizer.update::<V>(params, gradient);
    }
    let (first, second) = updaters.split_at_mut(updaters.len() / 2);
    let (first_params, second_params) =
        params.split_at_mut(second[0].chunk.range().start - first[0].chunk.range().start);
    rayon::join(|| update(first, shards, first_params), || update(second, shards, second_params));
}

fn run_shard<V: Lane<Scalar = f32>>(
    job: &Job<'_>,
    workspaces: &Workspaces<V>,
    params: &Params<f32>,
    samples: &[u32],
    weight: f32,
    gradient: &mut ShardGradient<V>,
) -> Tally {
    let mut workspace = workspaces.mine();
    gradient.clear();
    let run_group = |group: &[u32]| {
        let mut labels = [0; GROUP];
        for (label, &sample) in labels.iter_mut().zip(group) {
            *label = job.train.labels[sample as usize];
        }
        let pictures = group.iter().map(|&sample| sample as usize);
        pack(job.plan, job.train, job.normalization, pictures, &mut workspace);
        let labels = &labels[..group.len()];
        train_group(job.plan, &params.0, labels, weight, &mut workspace, gradient)
    };
    samples.chunks(GROUP).map(run_group).sum()
}
