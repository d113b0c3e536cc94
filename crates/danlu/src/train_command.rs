//! `danlu train`.

use std::path::Path;

use train::Checkpoint;

use crate::browser;
use crate::cli::TrainArgs;
use crate::error::CliError;
use crate::interrupt;
use crate::request;
use crate::run::{Run, initial_params};
use crate::run_observer::StepsLog;
use runs::RunFolder;

/// What is cheap to check comes first: the network before the folder, the folder before the data.
pub(crate) fn run(args: &TrainArgs) -> Result<(), CliError> {
    let mut request = request::resolve(&args.run)?;
    let (plan, wanted) = request.prepare()?;
    let params = initial_params(&mut request.spec, &plan)?;
    interrupt::tidy_up();
    let folder = match args.out.as_ref().or(request.out.as_ref()) {
        Some(dir) => RunFolder::named(dir, args.force)?,
        None => RunFolder::numbered(&request.spec.network.name)?,
    };
    let talk = request.talk.with(args.json, args.quiet);
    let begun = check(&request.spec, &folder)
        .and_then(|()| Run::load(request.spec, plan, wanted, request.setup, talk))
        .and_then(|run| Ok((run, begin(&folder, args.steps_log.as_deref())?)));
    match begun {
        Ok((run, steps_log)) => {
            let checkpoint = Checkpoint::start(&run.plan, &run.spec, params);
            if args.open {
                browser::show_run(folder.dir());
            }
            run.train(checkpoint, run.first_record(), &folder, talk, steps_log)
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
fn begin(folder: &RunFolder, steps_log: Option<&Path>) -> Result<Option<StepsLog>, CliError> {
    let steps_log = steps_log.map(|path| StepsLog::create(path.to_owned())).transpose()?;
    folder.begin()?;
    Ok(steps_log)
}
