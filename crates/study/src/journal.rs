//! Each trial once more, in a file of its own folder: a store that is damaged can be made again from these.

use std::fs;
use std::path::{Path, PathBuf};

use runs::{RunsError, atomic_file, input_file};
use serde_json::Value as Json;
use spec::{TrialRecord, TrialState};

use crate::ask::FAILURE;
use crate::folder::STORE;
use crate::view::StudyView;
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

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Trials in the store that was made.
    pub n_trials: usize,
    /// Where the damaged one was moved to.
    pub damaged: PathBuf,
}

/// Makes the store of a study again from the files of its trials. A trial without such a file, as another program makes
/// them, is kept as a failed one, so that all others keep their numbers; one that ran waits.
pub fn repair(dir: &Path) -> Result<Repaired, StudyError> {
    let folder = StudyFolder::new(dir);
    let spec = folder.read_file()?;
    let trials = read_all(&folder)?;
    let damaged = (1..).map(|n| folder.path(&format!("{STORE}.damaged-{n}"))).find(|path| !path.exists());
    let damaged = damaged.expect("a number that is free");
    let store = folder.path(STORE);
    if store.exists() {
        fs::rename(&store, &damaged).map_err(RunsError::io("move", &store))?;
    }
    let text = input_file::read_text(&folder.path(crate::FILE))?;
    let view = StudyView::begin(dir, &text)?;
    debug_assert_eq!(view.spec(), &spec);
    view.store.import(view.id, &trials)?;
    Ok(Repaired { n_trials: trials.len(), damaged })
}

fn read_all(folder: &StudyFolder) -> Result<Vec<TrialRecord>, StudyError> {
    let dir = folder.path("trials");
    let Ok(entries) = fs::read_dir(&dir) else { return Ok(Vec::new()) };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let n_trials = names.map(|number| number + 1).max().unwrap_or(0);
    (0..n_trials).map(|number| read(folder, number)).collect()
}

fn read(folder: &StudyFolder, number: u64) -> Result<TrialRecord, StudyError> {
    let path = folder.trial(number).join(TRIAL);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(lost(number)) };
    let trial: TrialRecord =
        serde_json::from_str(&text).map_err(|source| StudyError::NotJson { path, source })?;
    let trial = TrialRecord { number, ..trial };
    Ok(match trial.state {
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
