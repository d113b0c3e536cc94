//! What came of a run: its record, a JSON file that is rewritten after every epoch.

use serde::{Deserialize, Serialize};

use crate::version::VersionProbe;
use crate::{FORMAT_VERSION, SpecError, TrainSpec};

const WHAT: &str = "run record";

/// Everything about one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Version of the format, [`FORMAT_VERSION`].
    pub version: u32,
    /// Version of the program.
    pub danlu: String,
    /// Where it ran.
    pub machine: MachineRecord,
    /// What it learned from.
    pub data: DataRecord,
    /// How far it came.
    pub state: RunState,
    /// What was asked.
    pub spec: TrainSpec,
    /// Why it ended, where it finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
    /// The whole epochs, in their order.
    pub epochs: Vec<EpochRecord>,
    /// The epoch of the highest validation accuracy, of equal ones that of the lowest validation loss; without a
    /// validation part the last one. Never chosen by test accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// Hash of the model after the last whole epoch: where the spec asks for an average, that of the average.
    pub parameters_hash: Option<String>,
}

/// The machine of a run. None of it changes the bits of the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineRecord {
    /// Operating system: `linux`.
    pub os: String,
    /// Processor architecture: `x86_64`.
    pub arch: String,
    /// The processor's own name, where it tells.
    pub cpu: Option<String>,
    /// The instruction set that was used: `avx2`.
    pub isa: String,
    /// Number of threads that were used.
    pub threads: usize,
    /// Number of logical cores that the program may use.
    pub n_cores: usize,
}

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// The data set's name.
    pub name: String,
    /// Where it was found, from the root.
    pub dir: String,
    /// The classes' names, in the order of the labels; records of danlu 0.1.0 have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// SHA-256 of the training samples and labels.
    pub train_sha256: String,
    /// SHA-256 of the test samples and labels.
    pub test_sha256: String,
    /// Number of training samples.
    pub n_train: usize,
    /// Number of test samples.
    pub n_test: usize,
    /// SHA-256 of the validation samples and labels, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_sha256: Option<String>,
    /// Number of validation samples.
    #[serde(default)]
    pub n_validation: usize,
}

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RunState {
    /// It runs, or was killed without a chance to say so.
    Running,
    /// All epochs are done.
    Finished,
    /// Somebody stopped it.
    Interrupted,
    /// It could not go on.
    Failed {
        /// The error and its causes.
        reason: String,
    },
}

/// Why a finished run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs that were asked for are done.
    AllEpochs,
    /// The validation accuracy no longer rose, see [`crate::EarlyStoppingSpec`].
    EarlyStopping,
}

/// One pass over the training samples. A diverged run's loss is not finite; JSON has no such numbers, so
/// any that is not finite is written as `null` and reads back as NaN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Learning rate of its last step; NaN where a record of danlu 0.1.0 does not say it.
    #[serde(default = "nan", deserialize_with = "float_or_null")]
    pub learning_rate: f64,
    /// Mean of the batches' mean losses, in nats.
    #[serde(deserialize_with = "float_or_null")]
    pub loss: f64,
    /// Share of the training samples that were classified rightly while learning, 0 to 1.
    #[serde(deserialize_with = "float_or_null")]
    pub train_accuracy: f64,
    /// Mean loss of the validation samples after the epoch, where there are any.
    #[serde(default, deserialize_with = "some_float_or_null", skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Share of the validation samples that are classified rightly after the epoch, 0 to 1, where there are any.
    #[serde(default, deserialize_with = "some_float_or_null", skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// Share of the test samples that are classified rightly after the epoch, 0 to 1; NaN where [`crate::Testing`] says
    /// that they are not looked at.
    #[serde(deserialize_with = "float_or_null")]
    pub test_accuracy: f64,
    /// Time of learning, in seconds.
    #[serde(deserialize_with = "float_or_null")]
    pub train_s: f64,
    /// Time of the evaluation on the validation and test samples, in seconds.
    #[serde(deserialize_with = "float_or_null")]
    pub eval_s: f64,
    /// Training samples per second of learning.
    #[serde(deserialize_with = "float_or_null")]
    pub images_per_s: f64,
}

fn float_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// For a key that is there.
fn some_float_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    float_or_null(deserializer).map(Some)
}

fn nan() -> f64 {
    f64::NAN
}

impl RunRecord {
    /// The record as indented JSON with a newline at its end.
    pub fn to_json(&self) -> Result<String, SpecError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| SpecError::WriteJson { what: WHAT, source })?;
        Ok(text + "\n")
    }

    /// Reads a record. One cut short is told from one that is wrong; another version than
    /// [`FORMAT_VERSION`] and a spec that [`TrainSpec::validate`] refuses are errors.
    pub fn from_json(text: &str) -> Result<Self, SpecError> {
        let error = |source| json_error(text, source);
        serde_json::from_str::<VersionProbe>(text).map_err(error)?.check_required(WHAT)?;
        let record: Self = serde_json::from_str(text).map_err(error)?;
        debug_assert_eq!(record.version, FORMAT_VERSION, "checked above");
        record.spec.validate()?;
        Ok(record)
    }
}

fn json_error(text: &str, source: serde_json::Error) -> SpecError {
    if source.is_eof() || is_cut_number(text, &source) {
        return SpecError::Truncated { what: WHAT, line: source.line(), column: source.column() };
    }
    SpecError::Json { what: WHAT, source }
}

/// Text that ends in `0.` or `1e`, which `serde_json` calls an invalid number and not an end of file.
fn is_cut_number(text: &str, error: &serde_json::Error) -> bool {
    let last_len = text.rsplit('\n').next().map_or(0, str::len);
    let at_end = error.line() == text.split('\n').count() && error.column() >= last_len;
    error.is_syntax() && at_end && text.ends_with(['.', 'e', 'E', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    fn record(state: RunState) -> RunRecord {
        let epoch = EpochRecord {
            epoch: 1,
            learning_rate: 0.001,
            loss: 0.906_000_000_000_000_1,
            train_accuracy: 0.67,
            validation_loss: Some(0.5),
            validation_accuracy: None,
            test_accuracy: 0.761,
            train_s: 0.9,
            eval_s: 0.1,
            images_per_s: 1e20 / 3.0,
        };
        RunRecord {
            version: FORMAT_VERSION,
            danlu: "0.1.0".into(),
            machine: MachineRecord {
                os: "linux".into(),
                arch: "x86_64".into(),
                cpu: Some("Some CPU @ 2.0 GHz".into()),
                isa: "avx2".into(),
                threads: 2,
                n_cores: 2,
            },
            data: DataRecord {
                name: "fashion-mnist".into(),
                dir: "/data".into(),
                classes: vec!["a".into(), "b".into()],
                train_sha256: "00".repeat(32),
                test_sha256: "11".repeat(32),
                n_train: 60_000,
                n_test: 10_000,
                validation_sha256: None,
                n_validation: 0,
            },
            state,
            stop_reason: Some(StopReason::EarlyStopping),
            spec: TrainSpec::default(),
            epochs: vec![epoch, EpochRecord { epoch: 2, ..epoch }],
            best_epoch: Some(1),
            parameters_hash: Some("22".repeat(32)),
        }
    }

    #[test]
    fn a_record_reads_back_in_every_state() {
        let failed = RunState::Failed { reason: "disk full".into() };
        for state in [RunState::Running, RunState::Finished, RunState::Interrupted, failed] {
            let record = record(state);
            assert_eq!(RunRecord::from_json(&record.to_json().unwrap()).unwrap(), record);
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_called_cut_short() {
        let text = record(RunState::Running).to_json().unwrap();
        let whole = text.trim_end();
        for len in 0..whole.len() {
            let error = RunRecord::from_json(&whole[..len]).unwrap_err();
            assert!(matches!(error, SpecError::Truncated { .. }), "at {len}: {}", chain(&error));
        }
        let error = RunRecord::from_json(&whole[..40]).unwrap_err().to_string();
        assert_eq!(error, "the run record is cut short: it ends at line 4, column 2");
    }

    #[test]
    fn text_that_is_no_json_is_not_called_cut_short() {
        for text in ["hello", "{\"version\": 1}}", "{\"version\": 1.}"] {
            let error = RunRecord::from_json(text).unwrap_err();
            assert!(matches!(error, SpecError::Json { .. }), "{text}: {}", chain(&error));
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_does_not_spoil_the_record() {
        let mut diverged = record(RunState::Finished);
        diverged.epochs[1].loss = f64::INFINITY;
        diverged.epochs[1].validation_loss = Some(f64::NAN);
        let read = RunRecord::from_json(&diverged.to_json().unwrap()).unwrap();
        assert!(read.epochs[1].loss.is_nan() && read.epochs[1].validation_loss.unwrap().is_nan());
        assert_eq!(read.epochs[0], diverged.epochs[0]);
    }

    #[test]
    fn a_record_of_the_first_release_is_read() {
        let mut old = serde_json::to_value(record(RunState::Finished)).unwrap();
        let remove = |value: &mut serde_json::Value, keys: &[&str]| {
            let object = value.as_object_mut().unwrap();
            assert!(keys.iter().all(|&key| object.remove(key).is_some()), "{keys:?}");
        };
        remove(&mut old, &["stop_reason", "best_epoch"]);
        remove(&mut old["data"], &["n_validation"]);
        remove(&mut old["spec"], &["normalization", "augment", "loss", "schedule"]);
        for epoch in old["epochs"].as_array_mut().unwrap() {
            remove(epoch, &["learning_rate", "validation_loss"]);
        }
        let read = RunRecord::from_json(&old.to_string()).unwrap();
        assert_eq!(read.spec, TrainSpec::default());
        assert_eq!((read.stop_reason, read.best_epoch, read.data.n_validation), (None, None, 0));
        assert!(read.epochs.iter().all(|epoch| epoch.learning_rate.is_nan()));
        assert!(read.epochs.iter().all(|epoch| epoch.validation_loss.is_none()));
    }

    #[test]
    fn other_versions_and_unknown_keys_are_refused() {
        let text = record(RunState::Running).to_json().unwrap();
        let with = |version: &str| {
            chain(&RunRecord::from_json(&text.replacen("\"version\": 1", version, 1)).unwrap_err())
        };
        assert!(
            with("\"novelty\": 0, \"version\": 2")
                .contains("version 2, this program reads version 1: a newer danlu")
        );
        assert!(with("\"version\": 0").contains("unknown format version 0"));
        assert!(with("\"version\": null").contains("has no `version`"));
        assert!(with("\"novelty\": 0, \"version\": 1").contains("unknown field `novelty`"));
        let error =
            RunRecord::from_json(&text.replace("\"batch_size\": 256", "\"batch_size\": 0")).unwrap_err();
        assert!(error.to_string().starts_with("`batch_size` is 0"), "{error}");
    }
}
