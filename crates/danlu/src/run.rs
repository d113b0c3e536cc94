//! A run that is ready to learn, begun or gone on with.

use data::{Normalization, Partition};
use metrics::Confusion;
use nn::{Params, Plan};
use runs::{RunFolder, model_file};
use spec::{EpochRecord, FORMAT_VERSION, RunRecord, RunState, Seed, TrainSpec};
use train::{Checkpoint, Job, Setup};

use crate::error::CliError;
use crate::live::About;
use crate::loading::{self, Loaded, Wanted};
use crate::picture_files::PictureFiles;
use crate::run_observer::{Logs, Pulse, RunObserver};
use crate::screen::Screen;
use crate::{environment, interrupt, output};

/// What is learned, from what, and how.
pub(crate) struct Run {
    pub(crate) spec: TrainSpec,
    pub(crate) plan: Plan,
    pub(crate) loaded: Loaded,
    pub(crate) normalization: Normalization,
    pub(crate) setup: Setup,
}

/// What is printed on the way.
#[derive(Clone, Copy)]
pub(crate) struct Talk {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    /// On a full screen.
    pub(crate) live: bool,
}

impl Talk {
    /// With flags on top, which can only be set.
    pub(crate) fn with(self, json: bool, quiet: bool) -> Self {
        Self { json: self.json || json, quiet: self.quiet || quiet, ..self }
    }

    /// On a full screen, if asked for and nothing says otherwise.
    pub(crate) fn live(self, live: bool) -> Result<Self, CliError> {
        match self {
            Self { json: true, .. } if live => Err(CliError::LiveAndTerse { key: "json" }),
            Self { quiet: true, .. } if live => Err(CliError::LiveAndTerse { key: "quiet" }),
            _ => Ok(Self { live, ..self }),
        }
    }

    /// Whether there is nothing but what was asked for.
    pub(crate) fn is_terse(self) -> bool {
        self.json || self.quiet
    }
}

impl Run {
    /// Reads the data; a signal ends it. What does not fit is an error.
    pub(crate) fn load(
        spec: TrainSpec,
        plan: Plan,
        wanted: Wanted,
        setup: Setup,
        talk: Talk,
    ) -> Result<Self, CliError> {
        let (shape, terse) = (plan.input(), talk.is_terse());
        let partition =
            Partition { validation: spec.validation, subset: spec.subset, ..Partition::default() };
        let loaded = interrupt::abandon_on_signal(move || wanted.load(shape, &partition, terse))?;
        loading::rejected_text(&loaded).iter().for_each(|text| output::note(&format!("note: {text}")));
        train::check_fit(&plan, &loaded.train)?;
        let normalization = Normalization::of(spec.normalization, &loaded.train);
        let run = Self { spec, plan, loaded, normalization, setup };
        // The training checks it too, but only after the folder's old run is gone.
        run.job().check()?;
        Ok(run)
    }

    pub(crate) fn job(&self) -> Job<'_> {
        Job {
            spec: &self.spec,
            plan: &self.plan,
            train: &self.loaded.train,
            validation: self.loaded.validation.as_ref(),
            test: &self.loaded.test,
            normalization: &self.normalization,
            setup: self.setup,
            stop: interrupt::stop_flag(),
        }
    }

    /// The record before the first epoch.
    pub(crate) fn first_record(&self) -> RunRecord {
        first_record(&self.spec, &self.loaded, self.setup)
    }

    /// Samples of a step: there may be fewer than a batch.
    fn batch_len(&self) -> usize {
        self.spec.batch_size.min(self.loaded.train.len())
    }

    fn about(&self, earlier: &[EpochRecord], confusion: Option<Confusion>) -> About {
        let TrainSpec { network, optimizer, batch_size, seed, epochs, test, .. } = &self.spec;
        let (kind, rate) = (optimizer.kind(), optimizer.learning_rate());
        About {
            title: output::printable(&format!("{} on {}", network.name, self.loaded.test.name)),
            recipe: format!("{kind} {rate}, batches of {batch_size}, seed {seed}"),
            classes: self.loaded.test.classes.iter().map(|name| output::printable(name)).collect(),
            n_epochs: *epochs,
            batch_size: self.batch_len(),
            testing: *test,
            earlier: earlier.to_vec(),
            confusion,
        }
    }

    /// Learns from the checkpoint on and keeps the folder up to date.
    pub(crate) fn train(
        &self,
        mut checkpoint: Checkpoint,
        record: RunRecord,
        folder: &RunFolder,
        talk: Talk,
        logs: Logs,
    ) -> Result<(), CliError> {
        let metadata =
            model_file::metadata(&self.spec.network, &self.loaded.train.classes, &self.normalization)?;
        let is_tested = checkpoint.epochs().last().is_some_and(|last| last.test_accuracy.is_finite());
        let test = is_tested.then(|| train::test_predictions(self.job(), checkpoint.model())).transpose()?;
        let pictures = PictureFiles::new(folder, &self.loaded.test);
        let confusion = test.as_ref().map(|test| pictures.confusion(test));
        let mut observer = RunObserver {
            folder,
            plan: &self.plan,
            metadata,
            record,
            screen: Screen::new(talk, self.about(checkpoint.epochs(), confusion))?,
            logs,
            failure: None,
            n_kept: checkpoint.epochs().len(),
            asked: None,
            pictures,
            pulse: Pulse::new(self.batch_len()),
        };
        observer.begin(&checkpoint, test.as_ref())?;
        let outcome = train::train(self.job(), &mut checkpoint, &mut observer);
        observer.finish(outcome)
    }
}

/// The record of a run before its first epoch.
pub(crate) fn first_record(spec: &TrainSpec, loaded: &Loaded, setup: Setup) -> RunRecord {
    RunRecord {
        version: FORMAT_VERSION,
        danlu: env!("CARGO_PKG_VERSION").into(),
        machine: environment::machine(setup),
        data: loaded.record(),
        state: RunState::Running,
        stop_reason: None,
        spec: spec.clone(),
        epochs: Vec::new(),
        best_epoch: None,
        parameters_hash: None,
    }
}

/// The given weights, whose hash is put into the spec, or random ones.
pub(crate) fn initial_params(spec: &mut TrainSpec, plan: &Plan) -> Result<Params<f32>, CliError> {
    match &mut spec.init {
        Some(init) => Ok(model_file::load_init(plan, init)?),
        None => Ok(Params::init(plan, Seed(spec.seed))),
    }
}
