//! The threads, and a workspace for each.

use std::sync::{Mutex, MutexGuard, PoisonError};

use data::{Dataset, Normalization};
use lanes::{Isa, Lane, pack_bytes};
use nn::{Mode, Plan, Workspace};
use rayon::ThreadPool;

use crate::TrainError;

/// How to run; changes the time that it takes, never a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Number of threads, at least 1.
    pub threads: usize,
    /// The instruction set.
    pub isa: Isa,
}

/// A thread pool whose threads own a workspace each.
pub(crate) struct Team<V: Lane> {
    workspaces: Vec<Mutex<Workspace<V>>>,
}

impl<V: Lane<Scalar = f32>> Team<V> {
    pub(crate) fn new(plan: &Plan, mode: Mode, threads: usize) -> Self {
        let workspace = |_| Mutex::new(Workspace::new(plan, mode));
        Self { workspaces: (0..threads).map(workspace).collect() }
    }

    /// The calling thread's workspace. Nobody else asks for it, so the lock is always free.
    pub(crate) fn workspace(&self) -> MutexGuard<'_, Workspace<V>> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        self.workspaces[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The threads of one run.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, TrainError> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    builder.build().map_err(|source| TrainError::Threads { threads, source })
}

/// Fills the workspace with a lane group of pictures; at most as many as there are lanes.
pub(crate) fn pack<V: Lane<Scalar = f32>>(
    plan: &Plan,
    dataset: &Dataset,
    normalization: Normalization,
    samples: impl ExactSizeIterator<Item = usize>,
    workspace: &mut Workspace<V>,
) {
    let n = samples.len();
    let mut pictures: [&[u8]; lanes::GROUP] = [&[]; lanes::GROUP];
    for (picture, sample) in pictures.iter_mut().zip(samples) {
        *picture = dataset.image(sample);
    }
    pack_bytes(&pictures[..n], normalization.scale, normalization.shift, workspace.input_mut(plan));
}

/// Pictures and labels must be what the network takes; [`crate::train`] and [`crate::evaluate`] check it too.
pub fn check_fit(plan: &Plan, dataset: &Dataset) -> Result<(), TrainError> {
    let name = || dataset.name.clone();
    if plan.input() != dataset.shape {
        return Err(TrainError::InputShape { name: name(), network: plan.input(), data: dataset.shape });
    }
    if plan.classes() != dataset.classes.len() {
        let (network, data) = (plan.classes(), dataset.classes.len());
        return Err(TrainError::Classes { name: name(), network, data });
    }
    Ok(())
}
