//! The gradient of one step, on all threads.
//!
//! A network of one stage takes each lane group through at once, in the workspace of whichever thread takes it. A network
//! with layers that look at the whole batch takes all lane groups through one stage after the other, so each group has a
//! workspace of its own.

use data::Mix;
use lanes::{GROUP, Lane};
use nn::{BatchStatistics, Loss, Params, Pass, Plan, Scratch, ShardGradient, Tally};
use rayon::prelude::*;

use crate::TrainError;
use crate::lesson::{Batch, Group, Lessons, Seat};
use crate::per_thread::PerThread;
use crate::shards::{n_shards, shard_len};

/// Scratch and results of a step.
pub(crate) struct Stepper<'a, V: Lane> {
    plan: &'a Plan,
    lessons: Lessons<'a>,
    loss: Loss<f32>,
    seats: Seats<V>,
    scratch: PerThread<Scratch<V>>,
    statistics: BatchStatistics<f32>,
    mix: Mix,
    /// Samples of a shard.
    shard_len: usize,
    /// What each shard of the batch came to: gradients and losses.
    shards: Vec<ShardGradient<V>>,
    losses: Vec<Tally>,
    n_shards: usize,
}

enum Seats<V: Lane> {
    ByThread(PerThread<Seat<V>>),
    ByGroup(Vec<Seat<V>>),
}

/// More than this for what all lane groups of a batch keep is refused: 8 GiB.
const MAX_BATCH_BYTES: usize = 8 << 30;

impl<'a, V: Lane<Scalar = f32>> Stepper<'a, V> {
    /// For steps of up to `batch_size` samples.
    pub(crate) fn new(plan: &'a Plan, lessons: Lessons<'a>, loss: Loss<f32>, batch_size: usize) -> Self {
        let shard_len = shard_len(batch_size);
        let shard = ShardGradient::new(plan, shard_len / GROUP);
        let n_groups = batch_size.div_ceil(GROUP);
        let seats = match plan.n_stages() {
            1 => Seats::ByThread(PerThread::new(|| lessons.seat())),
            _ => Seats::ByGroup((0..n_groups).map(|_| lessons.seat()).collect()),
        };
        Self {
            plan,
            lessons,
            loss,
            seats,
            scratch: PerThread::new(|| Scratch::new(plan)),
            statistics: BatchStatistics::new(plan),
            mix: Mix::default(),
            shard_len,
            shards: vec![shard; n_shards(batch_size)],
            losses: vec![Tally::default(); n_groups],
            n_shards: 0,
        }
    }

    /// Gradients of the batch's mean loss at `params`; returns the sum of losses and of correct predictions, and by how
    /// much the losses are to be divided.
    pub(crate) fn run(&mut self, batch: Batch<'_>, params: &Params<f32>) -> (Tally, f64) {
        let n = batch.samples.len();
        self.lessons.draw_partners(&batch, &mut self.mix);
        let mix = std::mem::take(&mut self.mix);
        let all = self.lessons.whole(&batch, &mix);
        let total = self.lessons.total_weight(all, &self.loss);
        self.n_shards = n.div_ceil(self.shard_len);
        let weight = (1.0 / total) as f32;
        match &self.seats {
            Seats::ByThread(_) => self.run_at_once(all, params, weight),
            Seats::ByGroup(_) => self.run_by_stage(all, params, weight),
        }
        self.mix = mix;
        (self.losses[..n.div_ceil(GROUP)].iter().copied().sum(), total)
    }

    /// The shards of the last step.
    pub(crate) fn shards(&self) -> &[ShardGradient<V>] {
        &self.shards[..self.n_shards]
    }

    /// Takes the last step's batch into the running statistics.
    pub(crate) fn update_running(&self, params: &mut Params<f32>) {
        self.statistics.update_running(self.plan, &mut params.0);
    }

    fn run_at_once(&mut self, batch: Group<'_>, params: &Params<f32>, weight: f32) {
        let Seats::ByThread(seats) = &self.seats else { return };
        let (lessons, loss, scratch) = (&self.lessons, &self.loss, &self.scratch);
        let pass = Pass { plan: self.plan, params: &params.0, statistics: &self.statistics };
        let pieces: Vec<_> = batch.pieces(self.shard_len).collect();
        let shards = self.shards[..self.n_shards].par_iter_mut();
        let losses = self.losses.par_chunks_mut(self.shard_len / GROUP);
        shards.zip(losses).zip(pieces).with_max_len(1).for_each(|((shard, losses), piece)| {
            let (mut seat, mut scratch) = (seats.mine(), scratch.mine());
            shard.reset(piece.pieces(GROUP).count());
            for (idx, (tally, group)) in losses.iter_mut().zip(piece.pieces(GROUP)).enumerate() {
                lessons.load(group, &mut seat);
                let place = (&mut seat.workspace, &mut *scratch);
                *tally = lessons
                    .with_targets(group, |targets| pass.run((loss, targets, weight), idx, place, shard));
            }
        });
    }

    fn run_by_stage(&mut self, batch: Group<'_>, params: &Params<f32>, weight: f32) {
        let Seats::ByGroup(seats) = &mut self.seats else { return };
        let plan = self.plan;
        let groups: Vec<_> = batch.pieces(GROUP).collect();
        let seats = &mut seats[..groups.len()];
        let scratch = &self.scratch;
        let way = Forward { lessons: &self.lessons, loss: &self.loss, weight, scratch };
        for stage in 0..plan.n_stages() {
            let pass = Pass { plan, params: &params.0, statistics: &self.statistics };
            let tasks = seats.par_iter_mut().zip(&mut self.losses).zip(&groups).with_max_len(1);
            back_and_forth(stage, tasks, |((seat, tally), &group)| {
                way.stage(pass, stage, group, seat, tally);
            });
            self.statistics.gather_forward(plan, stage, seats.iter().map(|seat| &seat.workspace));
        }
        let shards = &mut self.shards[..self.n_shards];
        let shard_groups = self.shard_len / GROUP;
        for stage in (0..plan.n_stages()).rev() {
            let pass = Pass { plan, params: &params.0, statistics: &self.statistics };
            let tasks = shards.par_iter_mut().zip(seats.par_chunks_mut(shard_groups)).with_max_len(1);
            // The last stage forward and the first backward are of one number.
            back_and_forth(stage + 1, tasks, |(shard, seats)| {
                shard.reset(seats.len());
                let mut scratch = scratch.mine();
                for (idx, seat) in seats.iter_mut().enumerate() {
                    pass.backward_stage(stage, idx, (&mut seat.workspace, &mut scratch), shard);
                }
            });
            self.statistics.gather_backward(plan, stage, shards);
        }
    }
}

/// One stage goes through the batch from its first lane group, the next from the last: what a stage has touched last, and
/// is still in the cache that the cores share, is what the next one begins with.
fn back_and_forth<T: IndexedParallelIterator>(stage: usize, tasks: T, run: impl Fn(T::Item) + Sync + Send) {
    if stage.is_multiple_of(2) { tasks.for_each(run) } else { tasks.rev().for_each(run) }
}

/// The way of lane groups forward, stage by stage.
struct Forward<'a, V: Lane> {
    lessons: &'a Lessons<'a>,
    loss: &'a Loss<f32>,
    weight: f32,
    scratch: &'a PerThread<Scratch<V>>,
}

impl<V: Lane<Scalar = f32>> Forward<'_, V> {
    /// Loads the group before the first stage, and computes its loss after the last.
    fn stage(
        &self,
        pass: Pass<'_, f32>,
        stage: usize,
        group: Group<'_>,
        seat: &mut Seat<V>,
        tally: &mut Tally,
    ) {
        if stage == 0 {
            self.lessons.load(group, seat);
        }
        pass.forward_stage(stage, &mut seat.workspace, &mut self.scratch.mine());
        if stage + 1 == pass.plan.n_stages() {
            let workspace = &mut seat.workspace;
            *tally = self
                .lessons
                .with_targets(group, |targets| pass.loss(self.loss, targets, self.weight, workspace));
        }
    }
}

/// Whether the memory of a step of `batch_size` samples is what somebody may mean.
pub(crate) fn check_memory(plan: &Plan, batch_size: usize) -> Result<(), TrainError> {
    let activations = if plan.n_stages() == 1 { 0 } else { plan.training_bytes() };
    let groups = batch_size.div_ceil(GROUP).saturating_mul(activations + plan.tape_bytes());
    let n_bytes = groups.saturating_add(n_shards(batch_size).saturating_mul(plan.sum_bytes()));
    if n_bytes <= MAX_BATCH_BYTES {
        return Ok(());
    }
    let [mib, max_mib] = [n_bytes, MAX_BATCH_BYTES].map(|n| n >> 20);
    Err(TrainError::OutOfMemory { batch_size, mib, max_mib })
}
