//! One trial of a study: a training that is reported epoch by epoch, and may end early.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use data::{Dataset, Normalization};
use metrics::Predictions;
use nn::{Params, Plan};
use runs::{CHECKPOINT, RECORD, RUN, RunFolder, RunsError, StopRequest};
use serde_json::Value as Json;
use spec::{EpochRecord, LossSpec, Measure, RunRecord, RunState, TrialRecord};
use study::{Study, StudyError, Told};
use train::{Checkpoint, Job, Observer, Outcome, Setup, Step, TrainError};

use crate::error::CliError;
use crate::loading::Loaded;
use crate::run::{first_record, initial_params};
use crate::study_command::candidate::{Prepared, of_network};
use crate::{interrupt, request};

/// Time between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The trial attribute that says for how many epochs it was trained.
const EPOCHS: &str = "danlu:epochs";

/// A trial with all that its training needs.
pub(crate) struct Trial<'a> {
    pub(crate) study: &'a mut Study,
    pub(crate) number: u64,
    pub(crate) prepared: &'a Prepared,
    pub(crate) loaded: &'a Loaded,
    pub(crate) setup: Setup,
}

/// How a trial ended, as far as its worker is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrialEnd {
    /// It was told.
    Told,
    /// Somebody wants the work to end; the trial waits.
    Released,
    /// Another worker has it.
    Lost,
    /// Another process still holds its folder; the trial waits.
    Busy,
}

impl Trial<'_> {
    /// Learns from the last whole epoch on and tells what came of it.
    pub(crate) fn run(mut self) -> Result<TrialEnd, CliError> {
        let ended = self.train();
        match ended {
            Ok(end) => Ok(end),
            Err(error) if is_lost(&error) => Ok(TrialEnd::Lost),
            Err(error) => {
                // What went wrong is no fault of the trial, and whoever comes next goes on with it.
                let _the_first_error_counts = self.study.release(self.number);
                Err(error)
            }
        }
    }

    fn train(&mut self) -> Result<TrialEnd, CliError> {
        let start = Instant::now();
        let folder = match RunFolder::named(&self.study.view().folder().trial(self.number), true) {
            // Whoever had the trial before has let go of it, but not of its folder yet.
            Err(RunsError::FolderInUse { .. }) => {
                self.study.release(self.number)?;
                return Ok(TrialEnd::Busy);
            }
            folder => folder?,
        };
        let normalization = Normalization::of(self.prepared.spec.normalization, &self.loaded.train);
        let (mut checkpoint, record) = self.begin(&folder)?;
        if self.is_pruned_already(&checkpoint)? {
            return self.end(&folder, record, Told::Pruned, start);
        }
        let job = job(self.prepared, self.loaded, &normalization, self.setup);
        let mut observer = TrialObserver {
            objective: self.objective(),
            study: self.study,
            number: self.number,
            folder: &folder,
            plan: &self.prepared.plan,
            record,
            beaten: Instant::now(),
            is_pruned: false,
            failure: None,
        };
        let outcome = train::train(job, &mut checkpoint, &mut observer);
        let TrialObserver { record, is_pruned, failure, .. } = observer;
        if let Some(failure) = failure {
            interrupt::withdraw_stop();
            return Err(failure);
        }
        let told = match outcome {
            Ok(Outcome::Finished(_)) if is_pruned => Told::Pruned,
            Ok(Outcome::Finished(_)) => self.measured(checkpoint.model(), &record, &normalization)?,
            Ok(Outcome::Stopped) if is_pruned => Told::Pruned,
            Ok(Outcome::Stopped) => {
                drop(folder);
                self.study.release(self.number)?;
                return Ok(TrialEnd::Released);
            }
            Err(error) => match lasting(&error) {
                true => Told::Failed { reason: error.to_string(), is_lasting: true },
                false => return Err(error.into()),
            },
        };
        self.end(&folder, record, told, start)
    }

    /// The figure that is reported after each epoch, if it is one of an epoch.
    fn objective(&self) -> Option<Measure> {
        self.study.view().spec().measures()?.first().copied()
    }

    /// What an earlier worker left, if all of it can be used, else the start.
    fn begin(&self, folder: &RunFolder) -> Result<(Checkpoint, RunRecord), CliError> {
        let Prepared { spec, plan } = self.prepared;
        if let Some(left) = self.left(folder) {
            return Ok(left);
        }
        folder.prepare(&spec.to_toml()?)?;
        folder.begin()?;
        let record = first_record(spec, self.loaded, self.setup);
        folder.write(RECORD, record.to_json()?.as_bytes())?;
        let checkpoint = Checkpoint::start(plan, spec, initial_params(&mut spec.clone(), plan)?);
        Ok((checkpoint, record))
    }

    fn left(&self, folder: &RunFolder) -> Option<(Checkpoint, RunRecord)> {
        let Prepared { spec, plan } = self.prepared;
        let found = request::read_run(&folder.path(RUN)).ok()?;
        let record = runs::read_record(folder.dir()).ok()??;
        let is_same = found == *spec && record.spec == *spec && record.data == self.loaded.record();
        let bytes = is_same.then(|| std::fs::read(folder.path(CHECKPOINT)).ok())??;
        let checkpoint = Checkpoint::from_bytes(&bytes, plan, spec).ok()?;
        let record = RunRecord { epochs: checkpoint.epochs().to_vec(), state: RunState::Running, ..record };
        Some((checkpoint, record))
    }

    /// An earlier worker may have been killed after an epoch and before it was told. Only that epoch is judged: the trial went on
    /// from those before.
    fn is_pruned_already(&mut self, checkpoint: &Checkpoint) -> Result<bool, CliError> {
        let (objective, mut is_pruned) = (self.objective(), false);
        for epoch in checkpoint.epochs() {
            let Some(value) = objective.and_then(|measure| of_epoch(measure, epoch)) else { continue };
            is_pruned = self.study.report(self.number, epoch.epoch as u64, value)?;
        }
        Ok(is_pruned && checkpoint.stop_reason(&self.prepared.spec).is_none())
    }

    /// A value for each objective and by how much each constraint is violated.
    fn measured(
        &self,
        model: &Params<f32>,
        record: &RunRecord,
        normalization: &Normalization,
    ) -> Result<Told, CliError> {
        let spec = self.study.view().spec();
        let Some(last) = record.epochs.last() else { unreachable!("a run has an epoch at least") };
        let time = |()| -> Result<f64, CliError> {
            let data = self.loaded.validation.as_ref().unwrap_or(&self.loaded.train);
            microseconds_per_image(&self.prepared.plan, model, data, normalization, self.setup)
        };
        let value =
            |measure: Measure| match of_network(measure, &self.prepared.plan).or(of_epoch(measure, last)) {
                Some(value) => Ok(value),
                None => time(()),
            };
        let measures = spec.measures().unwrap_or_default();
        let values = measures.iter().map(|&measure| value(measure)).collect::<Result<_, _>>()?;
        let violation = |(&measure, &limit): (&Measure, &f64)| Ok(measure.violation(value(measure)?, limit));
        let violations = spec.constraints.iter().map(violation).collect::<Result<_, CliError>>()?;
        Ok(Told::Complete { values, violations })
    }

    /// The record says how it ended before the store does; the checkpoint is of no use afterwards.
    fn end(
        &mut self,
        folder: &RunFolder,
        mut record: RunRecord,
        told: Told,
        start: Instant,
    ) -> Result<TrialEnd, CliError> {
        record.state = match &told {
            Told::Complete { .. } => RunState::Finished,
            Told::Pruned => RunState::Interrupted,
            Told::Failed { reason, .. } => RunState::Failed { reason: reason.clone() },
        };
        folder.write(RECORD, record.to_json()?.as_bytes())?;
        let learned_s: f64 = record.epochs.iter().map(|epoch| epoch.train_s + epoch.eval_s).sum();
        let attributes = BTreeMap::from([
            (EPOCHS.to_owned(), Json::from(record.epochs.len())),
            ("danlu:seconds".to_owned(), Json::from(learned_s.max(start.elapsed().as_secs_f64()))),
        ]);
        self.study.tell(self.number, told, attributes)?;
        folder.remove(CHECKPOINT)?;
        Ok(TrialEnd::Told)
    }
}

fn job<'a>(
    prepared: &'a Prepared,
    loaded: &'a Loaded,
    normalization: &'a Normalization,
    setup: Setup,
) -> Job<'a> {
    Job {
        spec: &prepared.spec,
        plan: &prepared.plan,
        train: &loaded.train,
        validation: loaded.validation.as_ref(),
        test: &loaded.test,
        normalization,
        setup,
        stop: interrupt::stop_flag(),
    }
}

/// Epochs that a trial was trained for; of one that is not over, those that it has told of.
pub(crate) fn n_epochs(trial: &TrialRecord) -> usize {
    let known = trial.user_attributes.get(EPOCHS).and_then(Json::as_u64);
    known.map_or(trial.intermediate.len(), |n| n as usize)
}

/// What an epoch says; `None` for what it does not.
pub(crate) fn of_epoch(measure: Measure, epoch: &EpochRecord) -> Option<f64> {
    match measure {
        Measure::ValidationAccuracy => Some(epoch.validation_accuracy.unwrap_or(f64::NAN)),
        Measure::ValidationLoss => Some(epoch.validation_loss.unwrap_or(f64::NAN)),
        _ => None,
    }
}

/// Whether the same training would fail in the same way.
fn lasting(error: &TrainError) -> bool {
    !matches!(error, TrainError::Threads { .. })
}

/// Whether another worker has the trial.
fn is_lost(error: &CliError) -> bool {
    matches!(error, CliError::Study(StudyError::Store(store::StoreError::LeaseLost { .. })))
}

/// Median of several passes over some samples, on one core.
fn microseconds_per_image(
    plan: &Plan,
    model: &Params<f32>,
    data: &Dataset,
    normalization: &Normalization,
    setup: Setup,
) -> Result<f64, CliError> {
    const N_IMAGES: usize = 1024;
    const N_PASSES: usize = 5;
    let mut some = data.clone();
    some.truncate(N_IMAGES);
    let setup = Setup { threads: 1, ..setup };
    let pass = |_| {
        let start = Instant::now();
        train::evaluate(plan, model, &some, normalization, &LossSpec::default(), setup)?;
        Ok(start.elapsed().as_secs_f64() * 1e6 / some.len() as f64)
    };
    let mut times = (0..=N_PASSES).map(pass).collect::<Result<Vec<f64>, CliError>>()?;
    // The first pass warms the caches.
    times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok(times[N_PASSES / 2])
}

/// Reports a trial's epochs to its study.
struct TrialObserver<'a> {
    study: &'a mut Study,
    number: u64,
    objective: Option<Measure>,
    folder: &'a RunFolder,
    plan: &'a Plan,
    record: RunRecord,
    beaten: Instant,
    is_pruned: bool,
    failure: Option<CliError>,
}

impl Observer for TrialObserver<'_> {
    fn step(&mut self, _: &Step) {
        if self.beaten.elapsed() < HEARTBEAT {
            return;
        }
        self.beaten = Instant::now();
        self.look_for_request();
        if let Err(error) = self.study.beat(self.number) {
            self.failure.get_or_insert(error.into());
            interrupt::request_stop();
        }
    }

    fn epoch(
        &mut self,
        record: &EpochRecord,
        checkpoint: &Checkpoint,
        _: Option<&Predictions>,
    ) -> ControlFlow<()> {
        match self.keep(record, checkpoint) {
            Ok(is_pruned) => self.is_pruned = is_pruned,
            Err(error) => self.failure = Some(error),
        }
        match self.is_pruned || self.failure.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl TrialObserver<'_> {
    /// The checkpoint comes first: the store never tells of an epoch that would have to be done again.
    fn keep(&mut self, epoch: &EpochRecord, checkpoint: &Checkpoint) -> Result<bool, CliError> {
        let bytes = checkpoint.to_bytes(self.plan, &self.record.spec).map_err(CliError::WriteCheckpoint)?;
        self.folder.write(CHECKPOINT, &bytes)?;
        self.record.epochs = checkpoint.epochs().to_vec();
        self.record.best_epoch = checkpoint.best_epoch();
        self.record.parameters_hash = Some(checkpoint.model().hash());
        self.record.stop_reason = checkpoint.stop_reason(&self.record.spec);
        self.folder.write(RECORD, self.record.to_json()?.as_bytes())?;
        self.look_for_request();
        let is_last = self.record.stop_reason.is_some();
        let Some(value) = self.objective.and_then(|measure| of_epoch(measure, epoch)) else {
            return Ok(false);
        };
        let prune = self.study.report(self.number, epoch.epoch as u64, value)?;
        self.beaten = Instant::now();
        // There is nothing to save by ending a trial that is at its end.
        Ok(prune && !is_last)
    }

    fn look_for_request(&self) {
        if StopRequest::read(self.study.view().folder().dir()) == Some(StopRequest::Now) {
            interrupt::request_stop();
        }
    }
}
