//! The best trials, trained again on all samples that choices were made by, each with several seeds. Each is an ordinary run
//! in a folder of its own, so that this too goes on where it was ended.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::Parser;
use runs::{PENDING, RUN, StopRequest, atomic_file};
use spec::{Assignment, RunState, TrialRecord};
use study::{StudyFolder, StudyView};

use crate::cli::{Cli, StudyAgainArgs};
use crate::error::CliError;
use crate::study_command::candidate::Candidates;
use crate::study_command::grid::{self, Finalist};
use crate::study_command::work;
use crate::{interrupt, output, request};

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
pub(crate) struct Task {
    dir: PathBuf,
    toml: String,
    /// Processes that ended by accident while they were at it.
    n_deaths: u64,
}

/// Whether all of it was done: somebody may want the work to end.
pub(crate) fn run(view: &mut StudyView, candidates: &Candidates, crew: Crew) -> Result<bool, CliError> {
    view.sync()?;
    Ok(!is_stopped(view)
        && work_off(view, grid::tasks(view, candidates)?, "trying the grid on the best", crew)?
        && work_off(view, tasks(view, candidates)?, "training the best again", crew)?)
}

fn is_stopped(view: &StudyView) -> bool {
    StopRequest::read(view.folder().dir()).is_some()
}

/// Does what is not done yet. Whether that is all: when somebody wants it to end, trainings end as after Ctrl-C.
fn work_off(view: &StudyView, mut tasks: Vec<Task>, what: &str, crew: Crew) -> Result<bool, CliError> {
    view.folder().exclusively(|| tasks.iter().try_for_each(Task::put_another_aside))?;
    let n_tasks = tasks.len();
    tasks.retain(|task| !is_finished(&task.dir));
    if !tasks.is_empty() && !crew.is_quiet {
        output::note(&format!("{what}, {} runs", tasks.len()));
    }
    let mut running = Running::default();
    while !(tasks.is_empty() && running.children.is_empty()) {
        if interrupt::is_signaled() || is_stopped(view) {
            return Ok(false);
        }
        // Another process with the same study may have taken some of them.
        tasks.retain(|task| !is_finished(&task.dir));
        while running.children.len() < crew.jobs
            && let Some(idx) = tasks.iter().position(|task| !runs::is_locked(&task.dir))
        {
            let task = tasks.remove(idx);
            // Another process may write the same run file, or tidy up.
            let begin = || start(&task, (crew.threads / crew.jobs).max(1));
            let child = view.folder().exclusively(begin)?;
            running.children.push((task, child));
        }
        thread::sleep(POLL);
        tasks.extend(running.ended()?);
    }
    match running.failed.pop() {
        // The others count without them.
        Some(dir) if running.failed.len() + 1 == n_tasks => Err(CliError::RetrainingFailed { dir }),
        _ => Ok(true),
    }
}

impl Task {
    pub(crate) fn new(dir: PathBuf, toml: String) -> Self {
        Self { dir, toml, n_deaths: 0 }
    }

    /// Puts aside what its folder holds of another run: what the study file said of the end may have been changed.
    fn put_another_aside(&self) -> Result<(), CliError> {
        let found = [RUN, PENDING].iter().find_map(|file| request::read_run(&self.dir.join(file)).ok());
        let is_another = found.is_some_and(|found| found.to_toml().ok().as_ref() != Some(&self.toml));
        if !is_another || runs::is_locked(&self.dir) {
            return Ok(());
        }
        let name = self.dir.file_name().unwrap_or_default().display();
        let mut aside = (1..).map(|n| self.dir.with_file_name(format!("{name}-before-{n}")));
        let aside = aside.find(|dir| !dir.exists()).expect("numbers do not end");
        fs::rename(&self.dir, aside).map_err(CliError::io("rename", &self.dir))
    }
}

/// Processes, each with what it does. None of them outlives this: they end when their standard input does.
#[derive(Default)]
struct Running {
    children: Vec<(Task, Child)>,
    /// What did not end well, which its process told why.
    failed: Vec<PathBuf>,
}

impl Running {
    /// Takes out those that ended; returns those of them that another process turned out to be at.
    fn ended(&mut self) -> Result<Vec<Task>, CliError> {
        let mut left = Vec::new();
        for idx in (0..self.children.len()).rev() {
            let child = &mut self.children[idx].1;
            let Some(status) = child.try_wait().map_err(CliError::StartWorker)? else { continue };
            let (mut task, _) = self.children.swap_remove(idx);
            // Looked at before the record: whoever holds the folder may come to the run's end in between.
            let is_held = runs::is_locked(&task.dir);
            if status.success() || is_finished(&task.dir) || interrupt::is_signaled() {
                continue;
            }
            // One that was killed goes on from its checkpoint.
            let is_killed = status.code().is_none();
            task.n_deaths += u64::from(is_killed);
            match is_held || is_killed && task.n_deaths < study::MAX_DEATHS {
                true => left.push(task),
                false => self.failed.push(task.dir),
            }
        }
        Ok(left)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.children {
            drop(child.stdin.take());
        }
        for (_, mut child) in self.children.drain(..) {
            let _gone = child.wait();
        }
    }
}

fn tasks(view: &StudyView, candidates: &Candidates) -> Result<Vec<Task>, CliError> {
    let of = |finalist: &Finalist<'_>| {
        let Finalist { trial, combination, n_epochs, .. } = finalist;
        let prepared = candidates.prepare_again(&values_of(trial), combination)?;
        // Where training was stopped when validation said so, or as many as the study wants at the end.
        let retrain = &view.spec().retrain;
        let is_wanted = retrain.parameters.is_empty() && retrain.set.contains_key("epochs");
        let is_stopped = prepared.spec.early_stopping.is_some() && !is_wanted;
        let n_epochs = if is_stopped { *n_epochs } else { prepared.spec.epochs };
        let one = |idx| {
            let toml = prepared.retraining(idx, n_epochs).to_toml()?;
            Ok(Task::new(view.folder().retrained(trial.number, idx), toml))
        };
        (0..view.spec().retrain.seeds).map(one).collect()
    };
    of_each(grid::finalists(view).iter().map(|finalist| (finalist.trial, of(finalist))))
}

/// What is to be done with each of the best. One with which that cannot be done is told of and left out, as what the study file
/// says of the end need not go together with every trial; if it is all of them, that is an error.
pub(crate) fn of_each<'a>(
    best: impl Iterator<Item = (&'a TrialRecord, Result<Vec<Task>, CliError>)>,
) -> Result<Vec<Task>, CliError> {
    let (mut tasks, mut failure, mut n) = (Vec::new(), None, 0);
    for (trial, found) in best {
        match found {
            Ok(found) => {
                tasks.extend(found);
                n += 1;
            }
            Err(error) => {
                output::note(&format!(
                    "trial {} cannot be trained again: {}",
                    trial.number,
                    error.one_line()
                ));
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if n == 0 => Err(CliError::NothingToRetrain(Box::new(error))),
        _ => Ok(tasks),
    }
}

pub(crate) fn values_of(trial: &TrialRecord) -> Assignment {
    trial.params.iter().map(|(name, param)| (name.clone(), param.value)).collect()
}

/// The best trials, of which one that took the result of another stands for the same run.
pub(crate) fn chosen(view: &StudyView) -> Vec<&TrialRecord> {
    let mut best = view.best();
    best.retain(|trial| !trial.user_attributes.contains_key(search::DUPLICATE_OF));
    best.truncate(view.spec().retrain.best);
    best
}

pub(crate) fn is_finished(dir: &Path) -> bool {
    runs::read_record(dir).is_ok_and(|record| record.is_some_and(|record| record.state == RunState::Finished))
}

/// Whether a training of the best is at work.
pub(crate) fn any_runs(folder: &StudyFolder) -> bool {
    folder.trained_again().any(|dir| runs::is_locked(&dir))
}

/// A process that does as if somebody had typed it.
fn start(task: &Task, threads: usize) -> Result<Child, CliError> {
    let program = env::current_exe().map_err(CliError::io("find", "danlu itself"))?;
    let mut command = Command::new(program);
    command.args(["study", "again"]);
    // Where two begin at the same time, the second is refused by the folder.
    if [RUN, PENDING].iter().any(|file| task.dir.join(file).exists()) {
        command.arg("resume").arg(&task.dir);
    } else {
        let parent = task.dir.parent().unwrap_or(&task.dir);
        fs::create_dir_all(parent).map_err(CliError::io("make the folder", parent))?;
        let file = task.dir.with_extension("toml");
        atomic_file::replace(&file, task.toml.as_bytes())?;
        command.arg("train").arg(&file).arg("--out").arg(&task.dir);
    }
    command.args(["--quiet", "--threads", &threads.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.spawn().map_err(CliError::StartWorker)
}

/// What such a process does: another command, until its parent is gone.
pub(crate) fn again(args: &StudyAgainArgs) -> Result<(), CliError> {
    work::end_with_parent()?;
    let typed = Cli::parse_from(iter::once(OsString::from("danlu")).chain(args.command.iter().cloned()));
    crate::run(&typed.command).map_err(|error| match error.exit_code() {
        130 => CliError::InterruptedWithStudy,
        _ => error,
    })
}
