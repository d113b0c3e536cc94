//! `danlu train`.

use std::path::Path;

use runs::RunFolder;
use train::Checkpoint;

use crate::browser;
use crate::cli::TrainArgs;
use crate::error::CliError;
use crate::event_log::EventLog;
use crate::interrupt;
use crate::request;
use crate::run::{Run, initial_params};
use crate::run_observer::{Logs, StepsLog};

/// What is cheap to check comes first: the network before the folder, the folder before the data.
pub(crate) fn run(args: &TrainArgs) -> Result<(), CliError> {
    let mut request = request::resolve(&args.run)?;
    let talk = request.talk.with(args.json, args.quiet).live(args.live)?;
    let (plan, wanted) = request.prepare()?;
    if let Some(log) = &args.steps_log {
        request.check_no_input(&args.run, &wanted, log)?;
    }
    let params = initial_params(&mut request.spec, &plan)?;
    interrupt::tidy_up();
    let folder = match args.out.as_ref().or(request.out.as_ref()) {
        Some(dir) => RunFolder::named(dir, args.force)?,
        None => RunFolder::numbered(&request.spec.network.name)?,
    };
    let begun = check(&request.spec, &folder)
        .and_then(|()| Run::load(request.spec, plan, wanted, request.setup, talk))
        .and_then(|run| Ok((run, begin(&folder, args)?)));
    match begun {
        Ok((run, logs)) => {
            let checkpoint = Checkpoint::start(&run.plan, &run.spec, params);
            if args.open {
                browser::show_run(folder.dir());
            }
            run.train(checkpoint, run.first_record(), &folder, talk, logs)
        }
        Err(error) => {
            folder.discard();
            Err(error)
        }
    }
}

/// Puts the spec down, before anything slow is done.
fn check(spec: &spec::TrainSpec, folder: &RunFolder) -> Result<(), CliError> {
    if let Some(init) = &spec.init {
        folder.check_apart(Path::new(&init.file))?;
    }
    Ok(folder.prepare(&spec.to_toml()?)?)
}

/// The last that can go wrong before the first step.
fn begin(folder: &RunFolder, args: &TrainArgs) -> Result<Logs, CliError> {
    let steps = args.steps_log.clone().map(StepsLog::open).transpose()?;
    let events = args.tensorboard.as_deref().map(|dir| EventLog::create(dir, args.force)).transpose()?;
    folder.begin()?;
    steps.as_ref().map_or(Ok(()), StepsLog::clear)?;
    Ok(Logs { steps, events })
}
