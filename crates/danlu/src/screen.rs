//! What a run shows while it learns and at its end: lines and a bar, JSON, or a full screen.

use std::io::{self, IsTerminal};

use metrics::Confusion;
use runs::{BEST, MODEL, RunFolder};
use serde::Serialize;
use spec::{EpochRecord, RunRecord, StopReason};
use train::Step;

use crate::error::CliError;
use crate::live::{About, Live};
use crate::output;
use crate::progress::StepBar;
use crate::run::Talk;

/// What a run shows.
pub(crate) struct Screen {
    bar: StepBar,
    /// With `--live`, where there is a terminal.
    live: Option<Live>,
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
    pub(crate) fn new(talk: Talk, about: About) -> Result<Self, CliError> {
        let batch_size = about.batch_size;
        let live = if talk.live { Live::start(about)? } else { None };
        let is_hidden = talk.is_terse() || live.is_some() || !io::stderr().is_terminal();
        Ok(Self { bar: StepBar::new(is_hidden, batch_size), live, json: talk.json, quiet: talk.quiet })
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match &self.live {
            Some(live) => live.step(step),
            None => self.bar.show(step),
        }
    }

    pub(crate) fn epoch(
        &self,
        record: &EpochRecord,
        confusion: impl FnOnce() -> Option<Confusion>,
    ) -> Result<(), CliError> {
        if let Some(live) = self.live.as_ref().filter(|live| live.is_shown()) {
            live.epoch(record, confusion());
            return Ok(());
        }
        if self.quiet {
            return Ok(());
        }
        self.bar.suspend(|| if self.json { output::json(record) } else { output::line(&epoch_line(record)) })
    }

    /// Takes everything off the screen that moves. What the full screen showed last is left as a line.
    pub(crate) fn close(&mut self, last: Option<&EpochRecord>) -> Result<(), CliError> {
        self.bar.clear();
        let Some(mut live) = self.live.take() else { return Ok(()) };
        live.close();
        last.map_or(Ok(()), |last| output::line(&epoch_line(last)))
    }

    pub(crate) fn end(&self, folder: &RunFolder, record: &RunRecord) -> Result<(), CliError> {
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
    let test = match test_accuracy.is_finite() {
        true => format!("test acc {test_accuracy:.3}, "),
        false => String::new(),
    };
    let time = train_s + eval_s;
    format!(
        "epoch {epoch}, loss {loss:.4}, train acc {train_accuracy:.3}, {validation}{test}time {time:.1} sec"
    )
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
        let line = "epoch 1, loss 0.9060, train acc 0.670, time 1.0 sec";
        assert_eq!(epoch_line(&EpochRecord { test_accuracy: f64::NAN, ..record }), line);
    }
}
