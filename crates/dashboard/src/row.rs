//! A run as a line of the list.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use nn::Plan;
use spec::{NetworkSpec, RunRecord, RunState};

use crate::wire::{RunRow, RunStatus};

/// Networks whose size is remembered.
const MAX_NETWORKS: usize = 256;

/// Parameters and multiply-adds of networks, by their text: many runs have the same.
#[derive(Default)]
pub(crate) struct Sizes(Mutex<HashMap<String, Option<Size>>>);

/// Parameters and multiply-adds.
type Size = (usize, u64);

impl Sizes {
    /// `None` for a network that does not fit together.
    pub(crate) fn of(&self, network: &NetworkSpec) -> Option<Size> {
        let key = serde_json::to_string(network).ok()?;
        let known = |sizes: &HashMap<_, _>| sizes.get(&key).copied();
        if let Some(size) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return size;
        }
        let size = Plan::compile(network).ok().map(|plan| (plan.n_parameters(), plan.multiply_adds()));
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sizes.len() >= MAX_NETWORKS {
            sizes.clear();
        }
        sizes.insert(key, size);
        size
    }
}

/// Nothing but the name and how far it came.
pub(crate) fn bare(id: &str, state: RunStatus, reason: Option<String>, modified: SystemTime) -> RunRow {
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    RunRow {
        id: id.into(),
        network: None,
        data: None,
        state,
        reason,
        n_epochs: 0,
        epochs_planned: None,
        loss: None,
        train_accuracy: None,
        validation_accuracy: None,
        test_accuracy: None,
        best_epoch: None,
        parameters: None,
        multiply_adds: None,
        seconds: None,
        images_per_s: None,
        modified: since.as_secs_f64(),
    }
}

/// What a record says; `is_held` is asked where it says that the run is going on.
pub(crate) fn of_record(
    id: &str,
    record: &RunRecord,
    modified: SystemTime,
    sizes: &Sizes,
    is_held: impl FnOnce() -> bool,
) -> RunRow {
    let (state, reason) = match &record.state {
        RunState::Running if is_held() => (RunStatus::Running, None),
        RunState::Running => (RunStatus::Stale, None),
        RunState::Finished => (RunStatus::Finished, None),
        RunState::Interrupted => (RunStatus::Interrupted, None),
        RunState::Failed { reason } => (RunStatus::Failed, Some(reason.clone())),
    };
    let size = sizes.of(&record.spec.network);
    let last = record.epochs.last();
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    RunRow {
        network: Some(record.spec.network.name.clone()),
        data: Some(record.data.name.clone()),
        n_epochs: record.epochs.len(),
        epochs_planned: Some(record.spec.epochs),
        loss: last.and_then(|last| finite(last.loss)),
        train_accuracy: last.and_then(|last| finite(last.train_accuracy)),
        validation_accuracy: last.and_then(|last| last.validation_accuracy.and_then(finite)),
        test_accuracy: last.and_then(|last| finite(last.test_accuracy)),
        best_epoch: record.best_epoch,
        parameters: size.map(|(parameters, _)| parameters),
        multiply_adds: size.map(|(_, multiply_adds)| multiply_adds),
        // An empty `sum` of floats is −0.
        seconds: finite(record.epochs.iter().fold(0.0, |sum, epoch| sum + epoch.train_s + epoch.eval_s)),
        images_per_s: last.and_then(|last| finite(last.images_per_s)),
        ..bare(id, state, reason, modified)
    }
}

/// Rows by their runs' names.
pub(crate) type Rows = std::collections::BTreeMap<String, Arc<RunRow>>;
