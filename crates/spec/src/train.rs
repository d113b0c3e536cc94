//! Everything that determines the bits of a run.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::{check_above_zero, check_share, check_value};
use crate::toml_text::TomlText;
use crate::{
    AugmentSpec, AverageSpec, EarlyStoppingSpec, FORMAT_VERSION, LossSpec, NetworkSpec, NormalizationSpec,
    OptimizerSpec, ScheduleSpec, SpecError, preset,
};

/// Largest number of epochs and of samples in a batch.
pub const MAX_COUNT: usize = 1_000_000_000;

/// A run with nothing left open: the same spec over the same data gives the same bits, for any number of
/// threads and any instruction set.
///
/// What a record of danlu 0.1.0 does not have is read as its default, which is what such a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Where all random numbers come from; at most 2^63 - 1, which is what TOML can hold.
    pub seed: u64,
    /// A data set's name or a directory, as given.
    pub data: String,
    /// Weights to start from; `None`: random ones, drawn from the seed.
    pub init: Option<InitSpec>,
    /// How many times all training samples are seen, at least 1.
    pub epochs: usize,
    /// Samples per step, at least 1; the last batch of an epoch may be shorter.
    pub batch_size: usize,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// Share of the training samples, of each class, that is not learned from but measured on after each epoch, from 0
    /// to below 1. A data set's own validation part comes first, but with 0 it is learned from too; `None`: that, or a tenth where there is no test part
    /// either, else no sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// Share of the training samples that are left for learning, of each class, that is learned from, above 0 and below 1;
    /// the same samples for every seed of a run. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<f64>,
    /// From bytes to numbers.
    #[serde(default)]
    pub normalization: NormalizationSpec,
    /// Longest gradient of a step, the Euclidean norm over all parameters; a longer one is shortened to it. `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_gradient: Option<f64>,
    /// How training pictures are changed.
    #[serde(default)]
    pub augment: AugmentSpec,
    /// What is made small.
    #[serde(default)]
    pub loss: LossSpec,
    /// What turns gradients into steps.
    pub optimizer: OptimizerSpec,
    /// How the learning rate changes from step to step.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// Whether the average of the parameters over the steps is evaluated and saved in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageSpec>,
    /// Whether the run ends when its validation accuracy no longer rises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingSpec>,
    /// When the test samples are looked at.
    #[serde(default, skip_serializing_if = "Testing::is_default")]
    pub test: Testing,
    /// What is trained.
    pub network: NetworkSpec,
}

/// When a run looks at the test samples. Nothing is chosen by them in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Testing {
    /// After each epoch, for the reader.
    #[default]
    EachEpoch,
    /// Once, after the last epoch.
    AtEnd,
    /// Not at all: for runs that a study compares.
    Never,
}

impl Testing {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A safetensors file of weights to start from. In a run file a path alone will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InitSpec {
    /// The file's path, as given.
    pub file: String,
    /// SHA-256 that the file must have, 64 lower-case hexadecimal digits; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Default for TrainSpec {
    /// The tutorial's run: LeNet on Fashion-MNIST, 10 epochs of shuffled batches of 256, Adam at 0.001.
    fn default() -> Self {
        Self {
            seed: 1,
            data: "fashion-mnist".into(),
            init: None,
            epochs: 10,
            batch_size: 256,
            shuffle: true,
            validation: None,
            subset: None,
            normalization: NormalizationSpec::default(),
            clip_gradient: None,
            augment: AugmentSpec::default(),
            loss: LossSpec::default(),
            optimizer: OptimizerSpec::default(),
            schedule: ScheduleSpec::default(),
            average: None,
            early_stopping: None,
            test: Testing::default(),
            network: preset("lenet").expect("lenet is a preset"),
        }
    }
}

impl TrainSpec {
    /// Checks every value; the error names the key, the value and what is allowed. Shapes are not checked.
    pub fn validate(&self) -> Result<(), SpecError> {
        self.validate_run()?;
        self.network.validate().map_err(|error| SpecError::Network {
            name: self.network.name.clone(),
            source: Box::new(error),
        })?;
        self.validate_for_network()
    }

    /// All but the network.
    pub(crate) fn validate_run(&self) -> Result<(), SpecError> {
        let seeds = format!("from 0 to {}", i64::MAX);
        check_value(i64::try_from(self.seed).is_ok(), "seed", self.seed, &seeds)?;
        check_value(!self.data.is_empty(), "data", "\"\"", "a data set's name or a directory")?;
        check_count("epochs", self.epochs)?;
        check_count("batch_size", self.batch_size)?;
        self.init.as_ref().map_or(Ok(()), InitSpec::validate)?;
        if let Some(validation) = self.validation {
            check_share("validation", validation)?;
        }
        if let Some(subset) = self.subset {
            let is_inside = subset > 0.0 && subset < 1.0;
            check_value(is_inside, "subset", format_args!("{subset:?}"), "a number above 0 and below 1")?;
        }
        self.normalization.validate()?;
        self.clip_gradient.map_or(Ok(()), |longest| check_above_zero("clip_gradient", longest))?;
        self.optimizer.validate()?;
        self.schedule.validate(self.optimizer.learning_rate(), self.epochs)?;
        self.average.map_or(Ok(()), |average| average.validate())?;
        self.early_stopping.map_or(Ok(()), |early_stopping| early_stopping.validate())
    }

    /// Checks what depends on the network's numbers of classes and pixels: class weights and the shift of pictures.
    pub fn validate_for_network(&self) -> Result<(), SpecError> {
        self.loss.validate(self.network.classes)?;
        self.augment.validate(self.network.input)
    }

    /// A complete run file: [`crate::RunFile::from_toml`] and [`crate::RunFile::resolve`] give the same spec
    /// back, floats to the bit. Fails for a spec that [`TrainSpec::validate`] refuses.
    pub fn to_toml(&self) -> Result<String, SpecError> {
        self.validate()?;
        let Self { seed, data, init, epochs, batch_size, shuffle, validation, subset, .. } = self;
        let Self { normalization, clip_gradient, augment, loss, optimizer, schedule, .. } = self;
        let Self { average, early_stopping, test, network, .. } = self;
        let mut text = TomlText::new();
        text.key("version", &FORMAT_VERSION)?;
        text.key("seed", seed)?;
        text.key("data", data)?;
        text.key("epochs", epochs)?;
        text.key("batch_size", batch_size)?;
        text.key("shuffle", shuffle)?;
        if let Some(validation) = validation {
            text.float("validation", *validation);
        }
        if let Some(subset) = subset {
            text.float("subset", *subset);
        }
        if !test.is_default() {
            text.key("test", test)?;
        }
        text.key("normalization", normalization)?;
        if let Some(clip_gradient) = clip_gradient {
            text.float("clip_gradient", *clip_gradient);
        }
        if let Some(init) = init {
            init.write(&mut text)?;
        }
        augment.write(&mut text)?;
        loss.write(&mut text)?;
        optimizer.write(&mut text)?;
        schedule.write(&mut text)?;
        if let Some(average) = average {
            average.write(&mut text);
        }
        if let Some(early_stopping) = early_stopping {
            early_stopping.write(&mut text)?;
        }
        network.write_in_run(&mut text)?;
        Ok(text.finish())
    }
}

fn check_count(key: &str, count: usize) -> Result<(), SpecError> {
    check_value((1..=MAX_COUNT).contains(&count), key, count, &format!("from 1 to {MAX_COUNT}"))
}

impl InitSpec {
    fn validate(&self) -> Result<(), SpecError> {
        check_value(!self.file.is_empty(), "init.file", "\"\"", "the path of a safetensors file")?;
        let Some(sha256) = &self.sha256 else { return Ok(()) };
        let ok = sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let allowed = "64 hexadecimal digits in lower case";
        check_value(ok, "init.sha256", format_args!("{sha256:?}"), allowed)
    }

    fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { file, sha256 } = self;
        text.table("[init]");
        text.key("file", file)?;
        sha256.as_ref().map_or(Ok(()), |sha256| text.key("sha256", sha256))
    }
}

impl<'de> Deserialize<'de> for InitSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InitVisitor)
    }
}

/// The long form of an [`InitSpec`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InitTable {
    file: String,
    sha256: Option<String>,
}

/// A path or a table, told apart by type: serde's `untagged` would lose the error's place.
struct InitVisitor;

impl<'de> Visitor<'de> for InitVisitor {
    type Value = InitSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a safetensors file or a table with `file` and `sha256`")
    }

    fn visit_str<E: de::Error>(self, file: &str) -> Result<InitSpec, E> {
        Ok(InitSpec { file: file.into(), sha256: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InitSpec, A::Error> {
        let InitTable { file, sha256 } = InitTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(InitSpec { file, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepSpec;

    #[test]
    fn impossible_values_are_refused_by_key() {
        let spec = TrainSpec::default;
        let init = |file: &str, sha256: Option<&str>| {
            Some(InitSpec { file: file.into(), sha256: sha256.map(Into::into) })
        };
        let cases = [
            (TrainSpec { seed: 1 << 63, ..spec() }, "`seed` is 9223372036854775808, but must be from 0 to"),
            (TrainSpec { data: String::new(), ..spec() }, "`data` is \"\""),
            (TrainSpec { epochs: 0, ..spec() }, "`epochs` is 0, but must be from 1 to 1000000000"),
            (TrainSpec { batch_size: 0, ..spec() }, "`batch_size` is 0"),
            (TrainSpec { batch_size: usize::MAX, ..spec() }, "`batch_size` is 18446744073709551615"),
            (
                TrainSpec { validation: Some(1.0), ..spec() },
                "`validation` is 1.0, but must be a number from 0 to below 1",
            ),
            (
                TrainSpec { subset: Some(0.0), ..spec() },
                "`subset` is 0.0, but must be a number above 0 and below 1",
            ),
            (TrainSpec { subset: Some(1.0), ..spec() }, "`subset` is 1.0"),
            (TrainSpec { clip_gradient: Some(0.0), ..spec() }, "`clip_gradient` is 0.0, but must be"),
            (TrainSpec { average: Some(AverageSpec { decay: 1.0 }), ..spec() }, "`average.decay` is 1.0"),
            (
                TrainSpec {
                    early_stopping: Some(EarlyStoppingSpec { patience: 0, min_delta: 0.0 }),
                    ..spec()
                },
                "`early_stopping.patience` is 0, but must be 1 or more",
            ),
            (
                TrainSpec {
                    early_stopping: Some(EarlyStoppingSpec { patience: 1, min_delta: 1.0 }),
                    ..spec()
                },
                "`early_stopping.min_delta` is 1.0",
            ),
            (
                TrainSpec { augment: AugmentSpec { shift: 28, ..AugmentSpec::default() }, ..spec() },
                "`augment.shift` is 28",
            ),
            (
                TrainSpec {
                    schedule: ScheduleSpec::Step(StepSpec { every: 0, ..StepSpec::default() }),
                    ..spec()
                },
                "`schedule.step.every` is 0",
            ),
            (TrainSpec { init: init("", None), ..spec() }, "`init.file` is \"\""),
            (TrainSpec { init: init("w", Some("ABC")), ..spec() }, "`init.sha256` is \"ABC\""),
        ];
        for (spec, expected) in cases {
            let message = spec.validate().unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
            assert_eq!(spec.to_toml().unwrap_err().to_string(), message);
        }
        spec().validate().unwrap();
    }

    #[test]
    fn a_run_file_reads_well() {
        let spec = TrainSpec {
            init: Some(InitSpec { file: "w.safetensors".into(), sha256: Some("0a".repeat(32)) }),
            ..TrainSpec::default()
        };
        let start = format!(
            r#"version = 1
seed = 1
data = "fashion-mnist"
epochs = 10
batch_size = 256
shuffle = true
normalization = "unit"

[init]
file = "w.safetensors"
sha256 = "{}"

[augment]
shift = 0
horizontal_flip = 0.0
rotation = 0.0

[loss.cross_entropy]
label_smoothing = 0.0

[optimizer.adam]
learning_rate = 0.001
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-8
weight_decay = 0.0

[schedule.constant]
warm_up_epochs = 0.0

[network]
name = "lenet"
input = [1, 28, 28]
classes = 10

[[network.node]]
name = "conv.0"
layer = {{ conv2d = {{ out_channels = 6, kernel = [5, 5], stride = [1, 1], padding = [0, 0] }} }}
"#,
            "0a".repeat(32)
        );
        let text = spec.to_toml().unwrap();
        assert!(text.starts_with(&start), "{text}");
    }
}
