//! What happens during a run: files are written, epochs printed, the bar moved.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use metrics::Predictions;
use nn::{Params, Plan};
use runs::{
    BEST, CHECKPOINT, CURVES, MODEL, PREDICTIONS, PROGRESS, Progress, RECORD, RunFolder, StopRequest,
    check_no_run_file,
};
use spec::{EpochRecord, RunRecord, RunState};
use train::{Checkpoint, Observer, Outcome, Step, TrainError};

use crate::error::CliError;
use crate::event_log::EventLog;
use crate::interrupt;
use crate::live;
use crate::picture_files::PictureFiles;
use crate::screen::Screen;

/// Keeps a run's folder up to date. What goes wrong here ends the run and is told at its end.
pub(crate) struct RunObserver<'a> {
    pub(crate) folder: &'a RunFolder,
    pub(crate) plan: &'a Plan,
    /// Of the model file's header.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) record: RunRecord,
    pub(crate) screen: Screen,
    pub(crate) logs: Logs,
    pub(crate) pictures: PictureFiles<'a>,
    pub(crate) failure: Option<CliError>,
    pub(crate) pulse: Pulse,
    /// Epochs in the checkpoint.
    pub(crate) n_kept: usize,
    /// What the run was asked for when its last epoch ended.
    pub(crate) asked: Option<StopRequest>,
}

impl Observer for RunObserver<'_> {
    fn step(&mut self, step: &Step) {
        self.screen.step(step);
        if self.pulse.beat(step, self.folder) == Some(StopRequest::Now) {
            interrupt::request_stop();
        }
        if let Some(log) = &mut self.logs.steps
            && let Err(error) = log.write(step.loss)
        {
            self.failure.get_or_insert(error);
            interrupt::request_stop();
        }
    }

    fn epoch(
        &mut self,
        record: &EpochRecord,
        checkpoint: &Checkpoint,
        test: Option<&Predictions>,
    ) -> ControlFlow<()> {
        let kept = self.keep(checkpoint, test).and_then(|()| self.tell(record, test));
        self.asked = self.stop_request();
        match kept {
            Ok(()) if self.asked.is_some() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl RunObserver<'_> {
    /// Brings all files to where the run begins or goes on from: it may have been killed while it wrote them. `test` is what
    /// the checkpoint's model says, where it has one.
    pub(crate) fn begin(
        &mut self,
        checkpoint: &Checkpoint,
        test: Option<&Predictions>,
    ) -> Result<(), CliError> {
        // Whoever wanted the run to end wants it to go on.
        StopRequest::clear(self.folder.dir())?;
        if checkpoint.epochs().is_empty() {
            return self.write_record();
        }
        self.write_best(checkpoint)?;
        self.write_results(checkpoint, test)
    }

    fn stop_request(&self) -> Option<StopRequest> {
        match live::wants_stop_after_epoch() {
            true => Some(StopRequest::AfterEpoch),
            false => StopRequest::read(self.folder.dir()),
        }
    }

    /// Everywhere but in the folder.
    fn tell(&mut self, record: &EpochRecord, test: Option<&Predictions>) -> Result<(), CliError> {
        if let Some(log) = &mut self.logs.events {
            log.write(record)?;
        }
        self.screen.epoch(record, || test.map(|test| self.pictures.confusion(test)))
    }

    /// The checkpoint comes first: no other file tells of an epoch that would have to be done again.
    fn keep(&mut self, checkpoint: &Checkpoint, test: Option<&Predictions>) -> Result<(), CliError> {
        let bytes = checkpoint.to_bytes(self.plan, &self.record.spec).map_err(CliError::WriteCheckpoint)?;
        self.folder.write(CHECKPOINT, &bytes)?;
        self.n_kept = checkpoint.epochs().len();
        if checkpoint.best_epoch() == Some(checkpoint.epochs().len()) {
            self.write_best(checkpoint)?;
        }
        self.write_results(checkpoint, test)
    }

    fn write_best(&self, checkpoint: &Checkpoint) -> Result<(), CliError> {
        checkpoint.best_model().map_or(Ok(()), |best| self.write_model(BEST, best))
    }

    /// The model comes first: a record never tells of an epoch whose model is not there.
    fn write_results(&mut self, checkpoint: &Checkpoint, test: Option<&Predictions>) -> Result<(), CliError> {
        self.write_model(MODEL, checkpoint.model())?;
        if let Some(test) = test {
            self.folder.write(PREDICTIONS, &runs::predictions_to_bytes(test)?)?;
        }
        self.record.epochs = checkpoint.epochs().to_vec();
        self.record.best_epoch = checkpoint.best_epoch();
        self.record.parameters_hash = Some(checkpoint.model().hash());
        self.write_record()?;
        self.folder.write(CURVES, charts::curves::svg(&self.record)?.as_bytes())?;
        self.pictures.follow(&self.record, test)
    }

    fn write_model(&self, file: &str, params: &Params<f32>) -> Result<(), CliError> {
        let model = nn::to_safetensors(self.plan, params, &self.metadata).map_err(CliError::WriteWeights)?;
        Ok(self.folder.write(file, &model)?)
    }

    fn write_record(&self) -> Result<(), CliError> {
        Ok(self.folder.write(RECORD, self.record.to_json()?.as_bytes())?)
    }

    /// Puts down how the run ended, and tells it.
    pub(crate) fn finish(mut self, outcome: Result<Outcome, TrainError>) -> Result<(), CliError> {
        let shown = self.screen.close(self.record.epochs.last());
        let cleared = self.folder.remove(PROGRESS).and_then(|()| StopRequest::clear(self.folder.dir()));
        if let Ok(Outcome::Finished(reason)) = outcome {
            self.record.stop_reason = Some(reason);
        }
        // Before the record says that the run is over: whoever is killed here goes on and draws. That nobody reads on is no
        // reason not to.
        if self.failure.as_ref().is_none_or(CliError::is_closed_pipe) && outcome.is_ok() {
            self.failure = self.pictures.end(&self.record).err().or(self.failure.take());
        }
        let ending = self.ending(outcome);
        self.record.state = self.state(&ending);
        // On a full disk this fails too, after the error that counts.
        let written = self.write_record();
        ending.and(written)?;
        cleared?;
        shown?;
        self.screen.end(self.folder, &self.record)
    }

    fn ending(&mut self, outcome: Result<Outcome, TrainError>) -> Result<(), CliError> {
        let (dir, n_epochs, of) = (self.folder.dir().to_owned(), self.n_kept, self.record.spec.epochs);
        let failed =
            |source| Err(CliError::RunFailed { dir: dir.clone(), n_epochs, of, source: Box::new(source) });
        match (self.failure.take(), outcome) {
            (Some(error), _) if error.is_closed_pipe() => Err(CliError::StdoutClosed { dir, n_epochs }),
            (Some(source), _) => failed(source),
            (None, Err(source)) => failed(source.into()),
            (None, Ok(Outcome::Stopped)) if self.asked == Some(StopRequest::AfterEpoch) => {
                Err(CliError::StoppedAfterEpoch { dir, n_epochs, of })
            }
            (None, Ok(Outcome::Stopped)) => Err(CliError::Interrupted { dir, n_epochs }),
            (None, Ok(Outcome::Finished(_))) => Ok(()),
        }
    }

    fn state(&self, ending: &Result<(), CliError>) -> RunState {
        let is_whole = self.record.stop_reason.is_some();
        match ending {
            Ok(()) => RunState::Finished,
            Err(CliError::StdoutClosed { .. }) if is_whole => RunState::Finished,
            Err(CliError::StdoutClosed { .. } | CliError::Interrupted { .. }) => RunState::Interrupted,
            Err(CliError::StoppedAfterEpoch { .. }) => RunState::Interrupted,
            Err(CliError::RunFailed { source, .. }) => RunState::Failed { reason: source.one_line() },
            Err(error) => RunState::Failed { reason: error.one_line() },
        }
    }
}

/// Twice a second in a run: whoever looks into the folder sees where it is, and is heard.
pub(crate) struct Pulse {
    batch_size: usize,
    last: Instant,
    n_steps: usize,
}

impl Pulse {
    const PERIOD: Duration = Duration::from_millis(500);

    pub(crate) fn new(batch_size: usize) -> Self {
        Self { batch_size, last: Instant::now(), n_steps: 0 }
    }

    fn beat(&mut self, step: &Step, folder: &RunFolder) -> Option<StopRequest> {
        self.n_steps += 1;
        let elapsed = self.last.elapsed();
        if elapsed < Self::PERIOD {
            return None;
        }
        let Step { epoch, step, n_steps, loss, learning_rate } = *step;
        let images_per_s = (self.n_steps * self.batch_size) as f64 / elapsed.as_secs_f64();
        (self.last, self.n_steps) = (Instant::now(), 0);
        let loss = Some(loss).filter(|loss| loss.is_finite());
        let progress = Progress { epoch, step, n_steps, loss, learning_rate, images_per_s };
        // A disk that takes no more is told of at the epoch's end, when there is something to lose.
        let _not_shown = progress.write(folder);
        StopRequest::read(folder.dir())
    }
}

/// What is written while the run goes on, besides its folder.
#[derive(Default)]
pub(crate) struct Logs {
    pub(crate) steps: Option<StepsLog>,
    pub(crate) events: Option<EventLog>,
}

/// The losses of all steps, one a line, each at once: a loss can be read while the run goes on.
pub(crate) struct StepsLog {
    path: PathBuf,
    file: File,
}

impl StepsLog {
    /// Leaves in it what is there, as long as it is not certain that the run begins.
    pub(crate) fn open(path: PathBuf) -> Result<Self, CliError> {
        check_no_run_file(&path)?;
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(CliError::io("write", &path))?;
        Ok(Self { path, file })
    }

    /// Takes out of a file, which a pipe or a terminal is not, what another run has left in it.
    pub(crate) fn clear(&self) -> Result<(), CliError> {
        let is_file = self.file.metadata().is_ok_and(|found| found.is_file());
        let cleared = if is_file { self.file.set_len(0) } else { Ok(()) };
        cleared.map_err(CliError::io("write", &self.path))
    }

    fn write(&mut self, loss: f64) -> Result<(), CliError> {
        writeln!(self.file, "{loss}").map_err(CliError::io("write", &self.path))
    }
}
