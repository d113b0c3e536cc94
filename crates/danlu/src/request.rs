//! What a training is asked for: the run file, the flags over it, and the defaults.

use std::path::{Path, PathBuf};

use spec::{InitSpec, NetworkSource, RunFile, TrainSpec};
use train::Setup;

use crate::cli::TrainArgs;
use crate::error::CliError;
use crate::{environment, input_file, network_file};

/// A training with nothing left open.
pub(crate) struct Request {
    /// What determines the result.
    pub(crate) spec: TrainSpec,
    /// Whether the network was asked for by a preset's name; then it is made to fit the data.
    pub(crate) is_preset: bool,
    /// How it is run.
    pub(crate) setup: Setup,
    /// The run folder; `None`: a fresh one.
    pub(crate) out: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

pub(crate) fn resolve(args: &TrainArgs) -> Result<Request, CliError> {
    let file = args.file.as_deref().map_or(Ok(RunFile::default()), read_run_file)?;
    let mut asked = flags(args)?.over(file);
    let out = args.out.clone().or_else(|| asked.out.take().map(PathBuf::from));
    let is_preset = match &asked.network {
        Some(NetworkSource::Named(name)) => spec::preset(name).is_some(),
        Some(NetworkSource::Inline(_)) => false,
        None => true,
    };
    let (threads, json, quiet) = (asked.threads, asked.json, asked.quiet);
    let spec = asked.resolve(|name| network_file::read(Path::new(name)))?;
    let setup = environment::setup(threads)?;
    Ok(Request { spec, is_preset, setup, out, json: json.unwrap_or(false), quiet: quiet.unwrap_or(false) })
}

pub(crate) fn read_run_file(path: &Path) -> Result<RunFile, CliError> {
    let text = input_file::read_text(path)?;
    let in_file =
        |error: spec::SpecError| CliError::File { path: path.to_owned(), source: Box::new(error.into()) };
    RunFile::from_toml(&text).map_err(in_file)
}

/// The flags as a run file. `--out` is not among them: it may be a path that is no text.
fn flags(args: &TrainArgs) -> Result<RunFile, CliError> {
    let init = path_text("init", args.init.as_deref())?;
    Ok(RunFile {
        network: path_text("network", args.network.as_deref())?.map(NetworkSource::Named),
        data: path_text("data", args.data.as_deref())?,
        epochs: args.epochs,
        batch_size: args.batch_size,
        shuffle: args.shuffle,
        seed: args.seed,
        threads: args.threads,
        init: init.map(|file| InitSpec { file, sha256: None }),
        json: args.json.then_some(true),
        quiet: args.quiet.then_some(true),
        optimizer_kind: args.optimizer,
        learning_rate: args.learning_rate,
        ..RunFile::default()
    })
}

/// A path that goes into a run file, which is UTF-8.
fn path_text(key: &'static str, path: Option<&Path>) -> Result<Option<String>, CliError> {
    let Some(path) = path else { return Ok(None) };
    match path.to_str() {
        Some(text) => Ok(Some(text.into())),
        None => Err(CliError::PathNotUtf8 { key, path: path.to_owned() }),
    }
}
