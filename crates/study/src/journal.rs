//! Each trial once more, in a file of its own folder: a store that is damaged can be made again from these.

use std::fs::{self, File};
use std::io::{self, Write};

use runs::{RunsError, atomic_file};
use serde_json::Value as Json;
use spec::{TrialRecord, TrialState};

use crate::ask::FAILURE;
use crate::{StudyError, StudyFolder};

/// The trial as it stood when it was begun, or when it was over.
const TRIAL: &str = "trial.json";

/// Puts a trial down. What is over stays there even if the power fails.
pub(crate) fn write(folder: &StudyFolder, trial: &TrialRecord) -> Result<(), StudyError> {
    let dir = folder.trial(trial.number);
    fs::create_dir_all(&dir).map_err(RunsError::io("make the folder", &dir))?;
    let text = serde_json::to_string(trial).map_err(RunsError::Json)?;
    let path = dir.join(TRIAL);
    match trial.state.is_over() {
        true => Ok(atomic_file::replace(&path, text.as_bytes())?),
        false => Ok(atomic_file::replace_unsynced(&path, text.as_bytes())?),
    }
}

/// Puts down a trial that is nobody's yet, unless somebody who has it since then was quicker.
pub(crate) fn write_first(folder: &StudyFolder, trial: &TrialRecord) -> Result<(), StudyError> {
    let dir = folder.trial(trial.number);
    fs::create_dir_all(&dir).map_err(RunsError::io("make the folder", &dir))?;
    let text = serde_json::to_string(trial).map_err(RunsError::Json)?;
    let path = dir.join(TRIAL);
    match File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(RunsError::io("write", &path)(error).into())
        }
        _ => Ok(()),
    }
}

/// Whether any trial was put down.
pub(crate) fn has_any(folder: &StudyFolder) -> bool {
    numbers(folder).any(|number| folder.trial(number).join(TRIAL).exists())
}

/// Whether that trial was put down.
pub(crate) fn has(folder: &StudyFolder, number: u64) -> bool {
    folder.trial(number).join(TRIAL).exists()
}

fn numbers(folder: &StudyFolder) -> impl Iterator<Item = u64> + use<> {
    let entries = fs::read_dir(folder.path("trials")).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// All trials that were put down. One without such a file, as another program makes them, or with one that cannot be read,
/// is a failed one, so that all others keep their numbers; one that ran waits.
pub(crate) fn read_all(folder: &StudyFolder) -> Vec<TrialRecord> {
    let last = numbers(folder).filter(|&number| has(folder, number)).max();
    let n_trials = last.map_or(0, |number| number + 1);
    (0..n_trials).map(|number| read(folder, number).unwrap_or_else(|| lost(number))).collect()
}

fn read(folder: &StudyFolder, number: u64) -> Option<TrialRecord> {
    let text = fs::read_to_string(folder.trial(number).join(TRIAL)).ok()?;
    let trial: TrialRecord = serde_json::from_str(&text).ok()?;
    let trial = TrialRecord { number, ..trial };
    Some(match trial.state {
        // Its folder goes on from the last epoch, which is told again.
        TrialState::Running => TrialRecord { state: TrialState::Waiting, ..trial },
        _ => trial,
    })
}

/// A trial of which nothing is known.
fn lost(number: u64) -> TrialRecord {
    TrialRecord {
        number,
        state: TrialState::Failed,
        params: Default::default(),
        intermediate: Default::default(),
        started_ms: None,
        completed_ms: None,
        user_attributes: [(FAILURE.to_owned(), Json::from("it was lost with a damaged store"))].into(),
        system_attributes: Default::default(),
    }
}
