//! The best trials, trained again on all samples that choices were made by, each with several seeds. Each is an ordinary run
//! in a folder of its own, so that this too goes on where it was ended.

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use runs::{RUN, atomic_file};
use spec::{RunState, TrialRecord};
use study::StudyView;

use crate::error::CliError;
use crate::study_command::candidate::Candidates;
use crate::{interrupt, output};

const POLL: Duration = Duration::from_millis(50);

/// How it is done.
#[derive(Clone, Copy)]
pub(crate) struct Crew {
    /// Runs at once.
    pub(crate) jobs: usize,
    /// Threads of all of them together.
    pub(crate) threads: usize,
    pub(crate) is_quiet: bool,
}

/// One of the runs.
struct Task {
    dir: PathBuf,
    toml: String,
}

pub(crate) fn run(view: &mut StudyView, candidates: &Candidates, crew: Crew) -> Result<(), CliError> {
    view.sync()?;
    let mut tasks = tasks(view, candidates)?;
    tasks.retain(|task| !is_finished(&task.dir));
    if !tasks.is_empty() && !crew.is_quiet {
        output::note(&format!("training the best again, {} runs", tasks.len()));
    }
    tasks.reverse();
    let mut running: Vec<(PathBuf, Child)> = Vec::new();
    while !(tasks.is_empty() && running.is_empty()) {
        if interrupt::is_signaled() {
            running
                .into_iter()
                .try_for_each(|(_, mut child)| child.wait().map(drop))
                .map_err(CliError::StartWorker)?;
            return Err(CliError::InterruptedEarly);
        }
        while running.len() < crew.jobs
            && let Some(task) = tasks.pop()
        {
            running.push((task.dir.clone(), start(&task, (crew.threads / crew.jobs).max(1))?));
        }
        thread::sleep(POLL);
        for idx in (0..running.len()).rev() {
            if let Some(status) = running[idx].1.try_wait().map_err(CliError::StartWorker)? {
                let (dir, _) = running.swap_remove(idx);
                if !status.success() && !interrupt::is_signaled() {
                    return Err(CliError::RetrainingFailed { dir });
                }
            }
        }
    }
    Ok(())
}

fn tasks(view: &StudyView, candidates: &Candidates) -> Result<Vec<Task>, CliError> {
    let retrain = view.spec().retrain;
    let mut tasks = Vec::new();
    for trial in chosen(view) {
        let values = trial.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
        let prepared = candidates.prepare(&values)?;
        let n_epochs = trial.intermediate.len().max(1);
        let n_epochs = if prepared.spec.early_stopping.is_some() { n_epochs } else { prepared.spec.epochs };
        for idx in 0..retrain.seeds {
            let seed = prepared.spec.seed + 1 + idx as u64;
            let toml = prepared.retraining(seed, n_epochs).to_toml()?;
            tasks.push(Task { dir: view.folder().retrained(trial.number, idx), toml });
        }
    }
    Ok(tasks)
}

/// The best trials, of which one that took the result of another stands for the same run.
pub(crate) fn chosen(view: &StudyView) -> Vec<&TrialRecord> {
    let mut best = view.best();
    best.retain(|trial| !trial.user_attributes.contains_key(study::DUPLICATE_OF));
    best.truncate(view.spec().retrain.best);
    best
}

fn is_finished(dir: &std::path::Path) -> bool {
    runs::read_record(dir).is_ok_and(|record| record.is_some_and(|record| record.state == RunState::Finished))
}

/// A process as if somebody had typed it.
fn start(task: &Task, threads: usize) -> Result<Child, CliError> {
    let program = env::current_exe().map_err(CliError::io("find", "danlu itself"))?;
    let mut command = Command::new(program);
    let is_begun = runs::read_record(&task.dir).is_ok_and(|record| record.is_some());
    if is_begun {
        command.arg("resume").arg(&task.dir);
    } else {
        let parent = task.dir.parent().unwrap_or(&task.dir);
        std::fs::create_dir_all(parent).map_err(CliError::io("make the folder", parent))?;
        let file = task.dir.with_extension("toml");
        atomic_file::replace(&file, task.toml.as_bytes())?;
        command.arg("train").arg(&file).args(["--force", "--out"]).arg(&task.dir);
    }
    command.args(["--quiet", "--threads", &threads.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    debug_assert_eq!(RUN, "run.toml");
    command.spawn().map_err(CliError::StartWorker)
}
