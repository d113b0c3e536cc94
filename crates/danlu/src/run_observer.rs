//! What happens during a run: files are written, epochs printed, the bar moved.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use metrics::Predictions;
use nn::{Params, Plan};
use runs::{
    BEST, CHECKPOINT, CURVES, MODEL, PREDICTIONS, PROGRESS, Progress, RECORD, RunFolder, StopRequest,
    check_no_run_file,
};
use serde::Serialize;
use spec::{EpochRecord, RunRecord, RunState, StopReason};
use train::{Checkpoint, Observer, Outcome, Step, TrainError};

use crate::error::CliError;
use crate::progress::StepBar;
use crate::run::Talk;
use crate::{curves, interrupt, output};

/// Keeps a run's folder up to date. What goes wrong here ends the run and is told at its end.
pub(crate) struct RunObserver<'a> {
    pub(crate) folder: &'a RunFolder,
    pub(crate) plan: &'a Plan,
    /// Of the model file's header.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) record: RunRecord,
    pub(crate) screen: Screen,
    pub(crate) steps_log: Option<StepsLog>,
    pub(crate) failure: Option<CliError>,
    pub(crate) pulse: Pulse,
}

impl Observer for RunObserver<'_> {
    fn step(&mut self, step: &Step) {
        self.screen.bar.show(step);
        if self.pulse.beat(step, self.folder) == Some(StopRequest::Now) {
            interrupt::request_stop();
        }
        if let Some(log) = &mut self.steps_log
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
        test: &Predictions,
    ) -> ControlFlow<()> {
        match self.keep(checkpoint, test).and_then(|()| self.screen.epoch(record)) {
            Ok(()) if StopRequest::read(self.folder.dir()).is_some() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl RunObserver<'_> {
    pub(crate) fn begin(&mut self) -> Result<(), CliError> {
        // Whoever wanted the run to end wants it to go on.
        StopRequest::clear(self.folder.dir())?;
        self.write_record()
    }

    /// Brings all files to where the run goes on from: it may have been killed while it wrote them.
    pub(crate) fn go_on(&mut self, checkpoint: &Checkpoint, test: &Predictions) -> Result<(), CliError> {
        self.write_best(checkpoint)?;
        self.write_results(checkpoint, test)
    }

    /// The checkpoint comes first: no other file tells of an epoch that would have to be done again.
    fn keep(&mut self, checkpoint: &Checkpoint, test: &Predictions) -> Result<(), CliError> {
        let bytes = checkpoint.to_bytes(self.plan, &self.record.spec).map_err(CliError::WriteCheckpoint)?;
        self.folder.write(CHECKPOINT, &bytes)?;
        if checkpoint.best_epoch() == Some(checkpoint.epochs().len()) {
            self.write_best(checkpoint)?;
        }
        self.write_results(checkpoint, test)
    }

    fn write_best(&self, checkpoint: &Checkpoint) -> Result<(), CliError> {
        checkpoint.best_model().map_or(Ok(()), |best| self.write_model(BEST, best))
    }

    /// The model comes first: a record never tells of an epoch whose model is not there.
    fn write_results(&mut self, checkpoint: &Checkpoint, test: &Predictions) -> Result<(), CliError> {
        self.write_model(MODEL, checkpoint.model())?;
        runs::write_predictions(&self.folder.path(PREDICTIONS), test)?;
        self.record.epochs = checkpoint.epochs().to_vec();
        self.record.best_epoch = checkpoint.best_epoch();
        self.record.parameters_hash = Some(checkpoint.model().hash());
        self.write_record()?;
        Ok(self.folder.write(CURVES, curves::svg(&self.record)?.as_bytes())?)
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
        self.screen.bar.clear();
        let cleared = StopRequest::clear(self.folder.dir()).and_then(|()| self.folder.remove(PROGRESS));
        if let Ok(Outcome::Finished(reason)) = outcome {
            self.record.stop_reason = Some(reason);
        }
        let ending = self.ending(outcome);
        self.record.state = self.state(&ending);
        // On a full disk this fails too, after the error that counts.
        let written = self.write_record();
        ending.and(written)?;
        cleared?;
        self.screen.end(self.folder, &self.record)
    }

    fn ending(&mut self, outcome: Result<Outcome, TrainError>) -> Result<(), CliError> {
        let (dir, n_epochs) = (self.folder.dir().to_owned(), self.record.epochs.len());
        match (self.failure.take(), outcome) {
            (Some(CliError::Stdout(source)), _) if source.kind() == io::ErrorKind::BrokenPipe => {
                Err(CliError::StdoutClosed { dir, n_epochs })
            }
            (Some(source), _) => Err(CliError::RunFailed { dir, n_epochs, source: Box::new(source) }),
            (None, Err(source)) => {
                Err(CliError::RunFailed { dir, n_epochs, source: Box::new(source.into()) })
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
        let _not_shown = progress.write(&folder.path(PROGRESS));
        StopRequest::read(folder.dir())
    }
}

/// What a run shows.
pub(crate) struct Screen {
    bar: StepBar,
    json: bool,
    quiet: bool,
}

/// The last line of `--json`.
#[derive(Serialize)]
struct End<'a> {
    run: String,
    model: String,
    parameters_hash: Option<&'a str>,
    stop_reason: Option<StopReason>,
    best_epoch: Option<usize>,
    /// Where there is a validation part.
    #[serde(skip_serializing_if = "Option::is_none")]
    best_model: Option<String>,
}

impl Screen {
    pub(crate) fn new(talk: Talk, batch_size: usize) -> Self {
        let is_hidden = talk.is_terse() || !io::stderr().is_terminal();
        Self { bar: StepBar::new(is_hidden, batch_size), json: talk.json, quiet: talk.quiet }
    }

    fn epoch(&self, record: &EpochRecord) -> Result<(), CliError> {
        if self.quiet {
            return Ok(());
        }
        self.bar.suspend(|| if self.json { output::json(record) } else { output::line(&epoch_line(record)) })
    }

    fn end(&self, folder: &RunFolder, record: &RunRecord) -> Result<(), CliError> {
        let has_best = record.epochs.last().is_some_and(|last| last.validation_accuracy.is_some());
        if self.json {
            return output::json(&End {
                run: folder.dir().display().to_string(),
                model: folder.path(MODEL).display().to_string(),
                parameters_hash: record.parameters_hash.as_deref(),
                stop_reason: record.stop_reason,
                best_epoch: record.best_epoch,
                best_model: has_best.then(|| folder.path(BEST).display().to_string()),
            });
        }
        if self.quiet {
            return Ok(());
        }
        if record.stop_reason == Some(StopReason::EarlyStopping) {
            let n_epochs = record.epochs.len();
            output::note(&format!("ended after epoch {n_epochs}: the validation accuracy no longer rises"));
        }
        if let Some(best) = record.best_epoch.filter(|_| has_best) {
            output::note(&format!("the best epoch by the validation part is {best}, kept in {BEST}"));
        }
        output::note(&format!("the run is kept in {}", folder.dir().display()));
        Ok(())
    }
}

/// The line that the tutorial prints, with the validation accuracy where there is one.
fn epoch_line(record: &EpochRecord) -> String {
    let EpochRecord { epoch, loss, train_accuracy, test_accuracy, train_s, eval_s, .. } = record;
    let validation = match record.validation_accuracy {
        Some(accuracy) => format!("validation acc {accuracy:.3}, "),
        None => String::new(),
    };
    let time = train_s + eval_s;
    format!(
        "epoch {epoch}, loss {loss:.4}, train acc {train_accuracy:.3}, {validation}test acc {test_accuracy:.3}, time {time:.1} sec"
    )
}

/// The losses of all steps, one a line, each at once: a loss can be read while the run goes on.
pub(crate) struct StepsLog {
    path: PathBuf,
    file: File,
}

impl StepsLog {
    pub(crate) fn create(path: PathBuf) -> Result<Self, CliError> {
        check_no_run_file(&path)?;
        let file = File::create(&path).map_err(CliError::io("write", &path))?;
        Ok(Self { path, file })
    }

    fn write(&mut self, loss: f64) -> Result<(), CliError> {
        writeln!(self.file, "{loss}").map_err(CliError::io("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_tutorials() {
        let record = EpochRecord {
            epoch: 1,
            learning_rate: 0.001,
            loss: 0.906_04,
            train_accuracy: 0.6704,
            validation_loss: None,
            validation_accuracy: None,
            test_accuracy: 0.7606,
            train_s: 0.9,
            eval_s: 0.12,
            images_per_s: 66_666.0,
        };
        let line = "epoch 1, loss 0.9060, train acc 0.670, test acc 0.761, time 1.0 sec";
        assert_eq!(epoch_line(&record), line);
        let line =
            "epoch 1, loss 0.9060, train acc 0.670, validation acc 0.700, test acc 0.761, time 1.0 sec";
        assert_eq!(epoch_line(&EpochRecord { validation_accuracy: Some(0.7), ..record }), line);
    }
}
