//! `danlu resume`.

use std::fs;
use std::path::{Path, PathBuf};

use nn::Plan;
use runs::{BEST, CHECKPOINT, MODEL, RECORD, RUN, RunFolder};
use spec::{DataRecord, RunRecord, RunState, TrainSpec};
use train::Checkpoint;

use crate::cli::ResumeArgs;
use crate::error::CliError;
use crate::event_log::EventLog;
use crate::loading::Wanted;
use crate::run::{Run, Talk, initial_params};
use crate::run_observer::Logs;
use crate::{environment, interrupt, network_file, output, request};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Goes on from the last whole epoch, or from the start where there is none. Whatever is wrong is found before anything
/// in the folder is changed.
pub(crate) fn run(args: &ResumeArgs) -> Result<(), CliError> {
    let folder = RunFolder::begun(&args.run)?;
    let record = read_record(&folder)?;
    let mut spec = read_spec(&folder, record.as_ref())?;
    let plan = network_file::compile(&spec.network)?;
    let wanted = Wanted::of_run(&spec.data, record.as_ref().map(|record| &record.data))?;
    wanted.check_fit(&plan)?;
    let setup = environment::setup(args.threads)?;
    let talk = Talk { json: args.json, quiet: args.quiet, live: args.live };
    let checkpoint = read_checkpoint(&folder, &mut spec, &plan, record.as_ref())?;
    interrupt::tidy_up();
    let n_epochs = checkpoint.epochs().len();
    let run = Run::load(spec, plan, wanted, setup, talk).map_err(|error| match error {
        CliError::InterruptedEarly => CliError::Interrupted { dir: args.run.clone(), n_epochs },
        error => error,
    })?;
    let record = match record {
        Some(record) => {
            check_data(&record.data, &run.loaded.record())?;
            if record.danlu != VERSION {
                output::note(&format!(
                    "note: the run was begun by danlu {}, this is {VERSION}",
                    record.danlu
                ));
            }
            let machine = environment::machine(setup);
            RunRecord { machine, state: RunState::Running, stop_reason: None, ..record }
        }
        // It was killed before there was anything but its spec.
        None => {
            folder.prepare(&run.spec.to_toml()?)?;
            folder.begin()?;
            run.first_record()
        }
    };
    if !talk.is_terse() {
        output::note(&resuming(&args.run, n_epochs, run.spec.epochs));
    }
    let go_on = |dir: &PathBuf| EventLog::go_on(dir, checkpoint.epochs());
    let logs = Logs { steps: None, events: args.tensorboard.as_ref().map(go_on).transpose()? };
    run.train(checkpoint, record, &folder, talk, logs)
}

fn resuming(dir: &Path, n_done: usize, n_epochs: usize) -> String {
    let from = match n_done {
        0 => "from the start".into(),
        n => format!("after epoch {n} of {n_epochs}"),
    };
    format!("{} goes on {from}", dir.display())
}

/// `None`: the run was killed before it had one.
fn read_record(folder: &RunFolder) -> Result<Option<RunRecord>, CliError> {
    match runs::read_record(folder.dir())? {
        Some(record) if record.state == RunState::Finished => {
            Err(CliError::RunFinished { dir: folder.dir().to_owned() })
        }
        record => Ok(record),
    }
}

/// The spec of the run file, which the record must agree with.
fn read_spec(folder: &RunFolder, record: Option<&RunRecord>) -> Result<TrainSpec, CliError> {
    let path = folder.path(if record.is_some() { RUN } else { folder.spec_file() });
    let spec = request::read_run(&path)?;
    match record {
        Some(record) if record.spec != spec => {
            Err(CliError::SpecChanged { run: path, record: folder.path(RECORD) })
        }
        _ => Ok(spec),
    }
}

fn read_checkpoint(
    folder: &RunFolder,
    spec: &mut TrainSpec,
    plan: &Plan,
    record: Option<&RunRecord>,
) -> Result<Checkpoint, CliError> {
    let path = folder.path(CHECKPOINT);
    let has_record = record.is_some();
    if has_record && path.exists() {
        let bytes = fs::read(&path).map_err(CliError::io("read", &path))?;
        let in_file = |source| CliError::Checkpoint { path, source };
        return Checkpoint::from_bytes(&bytes, plan, spec).map_err(in_file);
    }
    // A run that was about to begin over another one may have left that one's files, and has a pending spec.
    let is_pending = folder.spec_file() != RUN;
    let model = [MODEL, BEST].map(|file| folder.path(file)).into_iter().find(|path| path.exists());
    if let Some(path) = model.filter(|_| !has_record && !is_pending) {
        return Err(CliError::ModelWithoutRecord { path });
    }
    if !has_record && !is_pending && path.exists() {
        let bytes = fs::read(&path).map_err(CliError::io("read", &path))?;
        if Checkpoint::from_bytes(&bytes, plan, spec).is_ok_and(|found| !found.epochs().is_empty()) {
            return Err(CliError::NoRecord { path: folder.path(RECORD) });
        }
    }
    if record.is_some_and(|record| !record.epochs.is_empty()) {
        return Err(CliError::NoCheckpoint { path });
    }
    let params = initial_params(spec, plan)?;
    Ok(Checkpoint::start(plan, spec, params))
}

/// The data must be what the run began with; where it lies may change.
fn check_data(began: &DataRecord, found: &DataRecord) -> Result<(), CliError> {
    let none = || "none".to_owned();
    let validation = |data: &DataRecord| data.validation_sha256.clone().unwrap_or_else(none);
    if !began.classes.is_empty() && began.classes != found.classes {
        let [expected, found] = [began, found].map(|data| data.classes.join(", "));
        return Err(CliError::ClassesChanged { expected, found });
    }
    let parts = [
        ("training", began.train_sha256.clone(), found.train_sha256.clone()),
        ("validation", validation(began), validation(found)),
        ("test", began.test_sha256.clone(), found.test_sha256.clone()),
    ];
    match parts.into_iter().find(|(_, began, found)| began != found) {
        Some((part, expected, found)) => Err(CliError::DataChanged { part, expected, found }),
        None => Ok(()),
    }
}
