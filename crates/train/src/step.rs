//! The gradient of one step, on all threads.
//!
//! A network of one stage takes each lane group through at once, in the workspace of whichever thread takes it. A network
//! with layers that look at the whole batch takes all lane groups through one stage after the other, so each group has a
//! workspace of its own.

use data::Dataset;
use lanes::{GROUP, Lane};
use nn::{BatchStatistics, Loss, Mode, Params, Pass, Plan, ShardGradient, Tally, Targets, Workspace};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::pictures::pack;
use crate::shards::{n_shards, shard_len};
use crate::workspaces::Workspaces;
use crate::{Job, TrainError};

/// The samples of a step.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// Which of the training samples.
    pub(crate) samples: &'a [u32],
    /// Where their dropout draws from in this epoch.
    pub(crate) dropout: &'a ChaCha8Rng,
}

/// Scratch and results of a step.
pub(crate) struct Stepper<'a, V: Lane> {
    job: Job<'a>,
    loss: Loss<f32>,
    workspaces: StepWorkspaces<V>,
    statistics: BatchStatistics<f32>,
    /// Samples of a shard.
    shard_len: usize,
    /// What each shard of the batch came to: gradients and losses.
    shards: Vec<ShardGradient<V>>,
    losses: Vec<Tally>,
    n_shards: usize,
}

enum StepWorkspaces<V: Lane> {
    ByThread(Workspaces<V>),
    ByGroup(Vec<Workspace<V>>),
}

/// More than this for the activations of all lane groups of a batch is refused: 8 GiB.
const MAX_BATCH_BYTES: usize = 8 << 30;

impl<'a, V: Lane<Scalar = f32>> Stepper<'a, V> {
    /// For steps of up to `batch_size` samples.
    pub(crate) fn new(job: Job<'a>, loss: Loss<f32>, batch_size: usize) -> Result<Self, TrainError> {
        let plan = job.plan;
        let shard_len = shard_len(batch_size);
        let shard = ShardGradient::new(plan, shard_len / GROUP);
        let workspaces = match plan.n_stages() {
            1 => StepWorkspaces::ByThread(Workspaces::new(plan, Mode::Training)),
            _ => StepWorkspaces::ByGroup(group_workspaces(plan, batch_size)?),
        };
        Ok(Self {
            job,
            loss,
            workspaces,
            statistics: BatchStatistics::new(plan),
            shard_len,
            shards: vec![shard; n_shards(batch_size)],
            losses: vec![Tally::default(); batch_size.div_ceil(GROUP)],
            n_shards: 0,
        })
    }

    /// Gradients of the batch's mean loss at `params`; returns the sum of losses and of correct predictions, and by how
    /// much the losses are to be divided.
    pub(crate) fn run(&mut self, batch: Batch<'_>, params: &Params<f32>) -> (Tally, f64) {
        let labels = batch.samples.iter().map(|&sample| self.job.train.labels[sample as usize]);
        let total: f64 = labels.map(|label| self.loss.sample_weight(label, None)).sum();
        self.n_shards = batch.samples.len().div_ceil(self.shard_len);
        let weight = (1.0 / total) as f32;
        match &self.workspaces {
            StepWorkspaces::ByThread(_) => self.run_at_once(batch, params, weight),
            StepWorkspaces::ByGroup(_) => self.run_by_stage(batch, params, weight),
        }
        let n_groups = batch.samples.len().div_ceil(GROUP);
        (self.losses[..n_groups].iter().copied().sum(), total)
    }

    /// The shards of the last step.
    pub(crate) fn shards(&self) -> &[ShardGradient<V>] {
        &self.shards[..self.n_shards]
    }

    /// Takes the last step's batch into the running statistics.
    pub(crate) fn update_running(&self, params: &mut Params<f32>) {
        self.statistics.update_running(self.job.plan, &mut params.0);
    }

    fn run_at_once(&mut self, batch: Batch<'_>, params: &Params<f32>, weight: f32) {
        let StepWorkspaces::ByThread(workspaces) = &self.workspaces else { return };
        let (job, loss) = (&self.job, &self.loss);
        let pass = Pass { plan: job.plan, params: &params.0, statistics: &self.statistics };
        let shards = self.shards[..self.n_shards].par_iter_mut();
        let losses = self.losses.par_chunks_mut(self.shard_len / GROUP);
        let tasks = shards.zip(losses).zip(batch.samples.par_chunks(self.shard_len)).with_max_len(1);
        tasks.for_each(|((shard, losses), samples)| {
            let mut workspace = workspaces.mine();
            shard.reset(samples.len().div_ceil(GROUP));
            for (idx, (tally, samples)) in losses.iter_mut().zip(samples.chunks(GROUP)).enumerate() {
                load(job, samples, batch.dropout, &mut workspace);
                let labels = labels(job.train, samples);
                let targets = Targets::from(&labels[..samples.len()]);
                *tally = pass.run((loss, targets, weight), idx, &mut workspace, shard);
            }
        });
    }

    fn run_by_stage(&mut self, batch: Batch<'_>, params: &Params<f32>, weight: f32) {
        let StepWorkspaces::ByGroup(workspaces) = &mut self.workspaces else { return };
        let (job, loss, n_shards) = (&self.job, &self.loss, self.n_shards);
        let plan = job.plan;
        let groups = &mut workspaces[..batch.samples.len().div_ceil(GROUP)];
        let n_stages = plan.n_stages();
        for stage in 0..n_stages {
            let pass = Pass { plan, params: &params.0, statistics: &self.statistics };
            let tasks = groups.par_iter_mut().zip(&mut self.losses).zip(batch.samples.par_chunks(GROUP));
            tasks.with_max_len(1).for_each(|((workspace, tally), samples)| {
                if stage == 0 {
                    load(job, samples, batch.dropout, workspace);
                }
                pass.forward_stage(stage, workspace);
                if stage + 1 == n_stages {
                    let labels = labels(job.train, samples);
                    let targets = Targets::from(&labels[..samples.len()]);
                    *tally = pass.loss(loss, targets, weight, workspace);
                }
            });
            self.statistics.gather_forward(plan, stage, groups.iter());
        }
        let shards = &mut self.shards[..n_shards];
        let shard_groups = self.shard_len / GROUP;
        for stage in (0..n_stages).rev() {
            let pass = Pass { plan, params: &params.0, statistics: &self.statistics };
            let tasks = shards.par_iter_mut().zip(groups.par_chunks_mut(shard_groups)).with_max_len(1);
            tasks.for_each(|(shard, groups)| {
                shard.reset(groups.len());
                for (idx, workspace) in groups.iter_mut().enumerate() {
                    pass.backward_stage(stage, idx, workspace, shard);
                }
            });
            self.statistics.gather_backward(plan, stage, shards);
        }
    }
}

fn group_workspaces<V: Lane>(plan: &Plan, batch_size: usize) -> Result<Vec<Workspace<V>>, TrainError> {
    let n_groups = batch_size.div_ceil(GROUP);
    let n_bytes = n_groups.saturating_mul(plan.training_bytes());
    if n_bytes > MAX_BATCH_BYTES {
        let [mib, max_mib] = [n_bytes, MAX_BATCH_BYTES].map(|n| n >> 20);
        return Err(TrainError::OutOfMemory { batch_size, mib, max_mib });
    }
    Ok((0..n_groups).map(|_| Workspace::new(plan, Mode::Training)).collect())
}

/// Pictures and random numbers of a lane group.
fn load<V: Lane<Scalar = f32>>(
    job: &Job<'_>,
    samples: &[u32],
    dropout: &ChaCha8Rng,
    workspace: &mut Workspace<V>,
) {
    let pictures = samples.iter().map(|&sample| sample as usize);
    pack(job.plan, job.train, job.normalization, pictures, workspace);
    workspace.set_live(samples.len());
    if job.plan.is_random() {
        workspace.set_streams(dropout, samples.iter().map(|&sample| u64::from(sample)));
    }
}

fn labels(data: &Dataset, samples: &[u32]) -> [u8; GROUP] {
    let mut labels = [0; GROUP];
    for (label, &sample) in labels.iter_mut().zip(samples) {
        *label = data.labels[sample as usize];
    }
    labels
}
