//! `progress.json`: where a run is inside its epoch.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{PROGRESS, RunFolder, RunsError, input_file};

/// The step that a run has come to. Nothing depends on it, so it is not synced to disk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// From 1.
    pub epoch: usize,
    /// From 1, in the epoch.
    pub step: usize,
    /// Steps in an epoch.
    pub n_steps: usize,
    /// Mean loss of the step's batch; `null` where it is no number.
    pub loss: Option<f64>,
    /// The step's learning rate.
    pub learning_rate: f64,
    /// Training samples per second since the last time.
    pub images_per_s: f64,
}

impl Progress {
    /// Replaces the file in a run's folder as a whole.
    pub fn write(&self, folder: &RunFolder) -> Result<(), RunsError> {
        folder.write_unsynced(PROGRESS, serde_json::to_string(self)?.as_bytes())
    }

    /// Reads the file; `None` where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, RunsError> {
        if !path.exists() {
            return Ok(None);
        }
        let text = input_file::read_text(path)?;
        let not_json = |source| RunsError::NotJson { path: path.to_owned(), source };
        serde_json::from_str(&text).map(Some).map_err(not_json)
    }
}
