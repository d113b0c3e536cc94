//! What a training is asked for: the run file, the flags over it, and the defaults.

use std::path::{Path, PathBuf};

use nn::Plan;
use runs::atomic_file::is_same_file;
use runs::input_file;
use spec::{AugmentFlags, AverageSpec, InitSpec, NetworkSource, RunFile, SpecError, TrainSpec};
use train::Setup;

use crate::cli::RunArgs;
use crate::error::CliError;
use crate::loading::Wanted;
use crate::run::Talk;
use crate::{environment, network_file};

/// A training with nothing left open.
pub(crate) struct Request {
    /// What determines the result.
    pub(crate) spec: TrainSpec,
    /// Whether the network was asked for by a preset's name; then it is made to fit the data.
    pub(crate) is_preset: bool,
    /// How it is run.
    pub(crate) setup: Setup,
    /// The run folder that the file names.
    pub(crate) out: Option<PathBuf>,
    /// As the file says.
    pub(crate) talk: Talk,
}

impl Request {
    /// The network's plan, and its data set, which may have to be downloaded yet; a preset is made to fit it.
    pub(crate) fn prepare(&mut self) -> Result<(Plan, Wanted), CliError> {
        let mut plan = network_file::compile(&self.spec.network)?;
        let wanted = Wanted::new(Path::new(&self.spec.data))?;
        if self.is_preset {
            self.spec.network = wanted.adapt(self.spec.network.clone());
            plan = network_file::compile(&self.spec.network)?;
        }
        self.spec.validate_for_network()?;
        wanted.check_fit(&plan)?;
        Ok((plan, wanted))
    }

    /// Refuses a file to be written that the training is made from.
    pub(crate) fn check_no_input(
        &self,
        args: &RunArgs,
        wanted: &Wanted,
        path: &Path,
    ) -> Result<(), CliError> {
        let init = self.spec.init.as_ref().map(|init| Path::new(&init.file));
        let inputs = [args.file.as_deref(), args.network.as_deref(), init];
        match inputs.into_iter().flatten().any(|input| is_same_file(input, path)) {
            true => Err(CliError::OntoInput { path: path.to_owned() }),
            false => wanted.check_no_input(path),
        }
    }
}

pub(crate) fn resolve(args: &RunArgs) -> Result<Request, CliError> {
    let lower = read_or_recipe(args)?;
    let asked = flags(args)?.over(lower.clone());
    let out = asked.out.clone().map(PathBuf::from);
    let is_preset = asked.network.as_ref().is_none_or(NetworkSource::is_preset);
    let talk = Talk { json: asked.json.unwrap_or(false), quiet: asked.quiet.unwrap_or(false), live: false };
    let threads = asked.threads;
    let spec = asked.resolve(network_file::read_named).map_err(|error| match &args.file {
        Some(file) if stands_in(lower, &error) => CliError::in_file(file)(error),
        _ => error.into(),
    })?;
    let setup = environment::setup(threads)?;
    Ok(Request { spec, is_preset, setup, out, talk })
}

/// Whether a mistake is the file's own and does not come with the flags over it.
fn stands_in(file: RunFile, error: &SpecError) -> bool {
    file.resolve(network_file::read_named).is_err_and(|own| own.to_string() == error.to_string())
}

fn read_or_recipe(args: &RunArgs) -> Result<RunFile, CliError> {
    match (&args.file, &args.recipe) {
        (Some(file), _) => read_run_file(file),
        (None, Some(name)) => {
            spec::recipe(name).ok_or_else(|| CliError::UnknownRecipe { name: name.clone() })
        }
        (None, None) => Ok(RunFile::default()),
    }
}

/// The run that a file asks for, with nothing left open.
pub(crate) fn read_run(path: &Path) -> Result<TrainSpec, CliError> {
    run_in_text(path, &input_file::read_text(path)?)
}

/// The run that the text of a file asks for.
pub(crate) fn run_in_text(path: &Path, text: &str) -> Result<TrainSpec, CliError> {
    run_file_in_text(path, text)?.resolve(network_file::read_named).map_err(CliError::in_file(path))
}

pub(crate) fn read_run_file(path: &Path) -> Result<RunFile, CliError> {
    run_file_in_text(path, &input_file::read_text(path)?)
}

fn run_file_in_text(path: &Path, text: &str) -> Result<RunFile, CliError> {
    RunFile::from_toml(text).map_err(CliError::in_file(path))
}

/// The flags that determine the result as a run file.
fn flags(args: &RunArgs) -> Result<RunFile, CliError> {
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
        validation: args.validation,
        normalization: args.normalization,
        clip_gradient: args.clip_gradient,
        average: args.average.map(|decay| AverageSpec { decay }),
        optimizer_kind: args.optimizer,
        learning_rate: args.learning_rate,
        schedule_kind: args.schedule,
        warm_up_epochs: args.warm_up_epochs,
        label_smoothing: args.label_smoothing,
        patience: args.patience,
        augment_flags: AugmentFlags {
            shift: args.shift,
            horizontal_flip: args.horizontal_flip,
            rotation: args.rotation,
            erasing: args.erasing,
            mixup: args.mixup,
        },
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
