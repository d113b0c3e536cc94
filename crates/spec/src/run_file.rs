//! What a person asks for, in a file or by flags: any key may be absent.

use std::error::Error;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::error::check_value;
use crate::{
    AugmentSpec, AverageSpec, EarlyStoppingSpec, ErasingSpec, InitSpec, LossSpec, MixupSpec, NetworkSpec,
    NormalizationSpec, OptimizerKind, OptimizerSpec, ScheduleKind, ScheduleSpec, SpecError, Testing,
    TrainSpec, preset, toml_text,
};

/// Largest number of threads that may be asked for.
pub const MAX_THREADS: usize = 1024;

/// The file of `danlu train RUN.toml`, or the command line's flags in its place. Absent keys have the
/// defaults of [`TrainSpec::default`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// Version of the format; checked when read.
    pub version: Option<u32>,
    /// A preset's name, the path of a network file, or the network itself.
    pub network: Option<NetworkSource>,
    /// A data set's name or a directory.
    pub data: Option<String>,
    /// See [`TrainSpec::epochs`].
    pub epochs: Option<usize>,
    /// See [`TrainSpec::batch_size`].
    pub batch_size: Option<usize>,
    /// See [`TrainSpec::shuffle`].
    pub shuffle: Option<bool>,
    /// See [`TrainSpec::seed`].
    pub seed: Option<u64>,
    /// Number of threads, from 1 to [`MAX_THREADS`]; it changes no bit of the result.
    pub threads: Option<usize>,
    /// The run folder.
    pub out: Option<String>,
    /// Weights to start from.
    pub init: Option<InitSpec>,
    /// Whether epochs are printed as JSON.
    pub json: Option<bool>,
    /// Whether epochs are not printed.
    pub quiet: Option<bool>,
    /// See [`TrainSpec::validation`].
    pub validation: Option<f64>,
    /// See [`TrainSpec::subset`].
    pub subset: Option<f64>,
    /// See [`TrainSpec::normalization`].
    pub normalization: Option<NormalizationSpec>,
    /// See [`TrainSpec::clip_gradient`].
    pub clip_gradient: Option<f64>,
    /// See [`TrainSpec::augment`].
    pub augment: Option<AugmentSpec>,
    /// The loss with its numbers.
    pub loss: Option<LossSpec>,
    /// The optimizer with its numbers.
    pub optimizer: Option<OptimizerSpec>,
    /// The schedule with its numbers.
    pub schedule: Option<ScheduleSpec>,
    /// See [`TrainSpec::average`].
    pub average: Option<AverageSpec>,
    /// See [`TrainSpec::early_stopping`].
    pub early_stopping: Option<EarlyStoppingSpec>,
    /// See [`TrainSpec::test`].
    pub test: Option<Testing>,
    /// `--optimizer`; no key of the file. Where the kind differs from that of `optimizer`, the defaults of
    /// this kind are used.
    #[serde(skip)]
    pub optimizer_kind: Option<OptimizerKind>,
    /// `--learning-rate`; no key of the file. Put into whichever optimizer results.
    #[serde(skip)]
    pub learning_rate: Option<f64>,
    /// `--schedule`; no key of the file. Where the kind differs from that of `schedule`, the defaults of this kind are
    /// used.
    #[serde(skip)]
    pub schedule_kind: Option<ScheduleKind>,
    /// `--warm-up-epochs`; no key at the file's top. Put into whichever schedule results.
    #[serde(skip)]
    pub warm_up_epochs: Option<f64>,
    /// `--label-smoothing`; no key at the file's top. Put into the loss, which must be cross-entropy.
    #[serde(skip)]
    pub label_smoothing: Option<f64>,
    /// `--patience`; no key at the file's top. Put into `early_stopping`.
    #[serde(skip)]
    pub patience: Option<usize>,
    /// Flags that are put into `augment`, each over its own key.
    #[serde(skip)]
    pub augment_flags: AugmentFlags,
}

/// The flags of augmentation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AugmentFlags {
    /// See [`AugmentSpec::shift`].
    pub shift: Option<usize>,
    /// See [`AugmentSpec::horizontal_flip`].
    pub horizontal_flip: Option<f64>,
    /// See [`AugmentSpec::rotation`].
    pub rotation: Option<f64>,
    /// See [`crate::ErasingSpec::probability`].
    pub erasing: Option<f64>,
    /// See [`crate::MixupSpec::alpha`].
    pub mixup: Option<f64>,
}

/// The value of `network` in a run file.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkSource {
    /// A preset's name or the path of a network file.
    Named(String),
    /// The network itself.
    Inline(NetworkSpec),
}

impl RunFile {
    /// Reads a run file. Unknown keys and wrong types are errors with line and column; values are checked by
    /// [`RunFile::resolve`], after flags have had their say.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        toml_text::read("run file", text)
    }

    /// Reads a table of another file, as a run file is read; errors say `what` it is and name the key, for lines are not known.
    pub fn from_table(what: &'static str, table: toml::Table) -> Result<Self, SpecError> {
        toml_text::read_table(what, table)
    }

    /// Both together; where both have a key, that of `self` counts. A table in `self` (`optimizer`, `schedule`, `loss`,
    /// `early_stopping`, `augment`) replaces all that `lower` says of the same.
    pub fn over(self, lower: Self) -> Self {
        let keep_lower = self.optimizer.is_none();
        let keep_schedule = self.schedule.is_none();
        let lower_flags = if self.augment.is_none() { lower.augment_flags } else { AugmentFlags::default() };
        Self {
            version: self.version.or(lower.version),
            network: self.network.or(lower.network),
            data: self.data.or(lower.data),
            epochs: self.epochs.or(lower.epochs),
            batch_size: self.batch_size.or(lower.batch_size),
            shuffle: self.shuffle.or(lower.shuffle),
            seed: self.seed.or(lower.seed),
            threads: self.threads.or(lower.threads),
            out: self.out.or(lower.out),
            init: self.init.or(lower.init),
            json: self.json.or(lower.json),
            quiet: self.quiet.or(lower.quiet),
            validation: self.validation.or(lower.validation),
            subset: self.subset.or(lower.subset),
            normalization: self.normalization.or(lower.normalization),
            clip_gradient: self.clip_gradient.or(lower.clip_gradient),
            label_smoothing: self.label_smoothing.or(lower.label_smoothing.filter(|_| self.loss.is_none())),
            loss: self.loss.or(lower.loss),
            schedule: self.schedule.or(lower.schedule),
            average: self.average.or(lower.average),
            patience: self.patience.or(lower.patience.filter(|_| self.early_stopping.is_none())),
            early_stopping: self.early_stopping.or(lower.early_stopping),
            test: self.test.or(lower.test),
            augment: self.augment.or(lower.augment),
            augment_flags: self.augment_flags.over(lower_flags),
            optimizer: self.optimizer.or(lower.optimizer),
            optimizer_kind: self.optimizer_kind.or(lower.optimizer_kind.filter(|_| keep_lower)),
            learning_rate: self.learning_rate.or(lower.learning_rate.filter(|_| keep_lower)),
            schedule_kind: self.schedule_kind.or(lower.schedule_kind.filter(|_| keep_schedule)),
            warm_up_epochs: self.warm_up_epochs.or(lower.warm_up_epochs.filter(|_| keep_schedule)),
        }
    }

    /// Fills in the defaults and checks every value, also those that are not part of the result (`threads`,
    /// `out`); the error names the key, the value and what is allowed. `load_network` gets the string that
    /// stands under `network` if it is no preset's name; what it gives is validated here.
    pub fn resolve<E>(
        self,
        load_network: impl FnOnce(&str) -> Result<NetworkSpec, E>,
    ) -> Result<TrainSpec, SpecError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.validate_rim()?;
        let (optimizer, schedule) = (self.resolve_optimizer(), self.resolve_schedule()?);
        let (loss, early_stopping) = (self.resolve_loss()?, self.resolve_early_stopping());
        let default = TrainSpec::default();
        let mut spec = TrainSpec {
            seed: self.seed.unwrap_or(default.seed),
            data: self.data.unwrap_or(default.data),
            init: self.init,
            epochs: self.epochs.unwrap_or(default.epochs),
            batch_size: self.batch_size.unwrap_or(default.batch_size),
            shuffle: self.shuffle.unwrap_or(default.shuffle),
            validation: self.validation,
            subset: self.subset,
            normalization: self.normalization.unwrap_or(default.normalization),
            clip_gradient: self.clip_gradient,
            augment: self.augment_flags.put_into(self.augment.unwrap_or_default()),
            loss,
            optimizer,
            schedule,
            average: self.average,
            early_stopping,
            test: self.test.unwrap_or_default(),
            network: default.network,
        };
        spec.validate_run()?;
        let is_preset = self.network.as_ref().is_none_or(NetworkSource::is_preset);
        if let Some(source) = self.network {
            spec.network = source.load(load_network)?;
        }
        if !is_preset {
            spec.validate_for_network()?;
        }
        Ok(spec)
    }

    /// What does not change the result of a run.
    fn validate_rim(&self) -> Result<(), SpecError> {
        if let Some(threads) = self.threads {
            let ok = (1..=MAX_THREADS).contains(&threads);
            check_value(ok, "threads", threads, &format!("from 1 to {MAX_THREADS}"))?;
        }
        check_value(self.out.as_deref() != Some(""), "out", "\"\"", "the path of a folder")
    }

    fn resolve_optimizer(&self) -> OptimizerSpec {
        let given = self.optimizer.unwrap_or_default();
        let kind = self.optimizer_kind.unwrap_or(given.kind());
        let mut optimizer = if kind == given.kind() { given } else { kind.into() };
        if let Some(learning_rate) = self.learning_rate {
            optimizer.set_learning_rate(learning_rate);
        }
        optimizer
    }

    fn resolve_schedule(&self) -> Result<ScheduleSpec, SpecError> {
        let given = self.schedule.unwrap_or_default();
        let kind = self.schedule_kind.unwrap_or(given.kind());
        let mut schedule = if kind == given.kind() { given } else { kind.into() };
        if let Some(warm_up_epochs) = self.warm_up_epochs {
            schedule.set_warm_up_epochs(warm_up_epochs)?;
        }
        Ok(schedule)
    }

    fn resolve_loss(&self) -> Result<LossSpec, SpecError> {
        let mut loss = self.loss.clone().unwrap_or_default();
        match (&mut loss, self.label_smoothing) {
            (LossSpec::CrossEntropy(cross_entropy), Some(smoothing)) => {
                cross_entropy.label_smoothing = smoothing
            }
            (LossSpec::Map(_), Some(smoothing)) => {
                let allowed = "absent with the loss `map`, which has nothing to smooth";
                check_value(false, "label_smoothing", format_args!("{smoothing:?}"), allowed)?;
            }
            (_, None) => {}
        }
        Ok(loss)
    }

    fn resolve_early_stopping(&self) -> Option<EarlyStoppingSpec> {
        let min_delta = self.early_stopping.map_or(0.0, |early_stopping| early_stopping.min_delta);
        let flag = self.patience.map(|patience| EarlyStoppingSpec { patience, min_delta });
        flag.or(self.early_stopping)
    }
}

impl AugmentFlags {
    fn over(self, lower: Self) -> Self {
        Self {
            shift: self.shift.or(lower.shift),
            horizontal_flip: self.horizontal_flip.or(lower.horizontal_flip),
            rotation: self.rotation.or(lower.rotation),
            erasing: self.erasing.or(lower.erasing),
            mixup: self.mixup.or(lower.mixup),
        }
    }

    fn put_into(self, augment: AugmentSpec) -> AugmentSpec {
        let erasing = self
            .erasing
            .map(|probability| ErasingSpec { probability, ..augment.erasing.unwrap_or_default() });
        AugmentSpec {
            shift: self.shift.unwrap_or(augment.shift),
            horizontal_flip: self.horizontal_flip.unwrap_or(augment.horizontal_flip),
            rotation: self.rotation.unwrap_or(augment.rotation),
            erasing: erasing.or(augment.erasing),
            mixup: self.mixup.map(|alpha| MixupSpec { alpha }).or(augment.mixup),
        }
    }
}

impl NetworkSource {
    /// Whether it is a preset's name.
    pub fn is_preset(&self) -> bool {
        matches!(self, Self::Named(name) if preset(name).is_some())
    }

    /// The network, valid but for its shapes.
    fn load<E>(
        self,
        load_network: impl FnOnce(&str) -> Result<NetworkSpec, E>,
    ) -> Result<NetworkSpec, SpecError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let (name, network) = match self {
            Self::Inline(network) => (network.name.clone(), network),
            Self::Named(name) => {
                let network = match preset(&name) {
                    Some(network) => network,
                    None => load_network(&name)
                        .map_err(|error| SpecError::Network { name: name.clone(), source: error.into() })?,
                };
                (name, network)
            }
        };
        network.validate().map_err(|error| SpecError::Network { name, source: Box::new(error) })?;
        Ok(network)
    }
}

impl<'de> Deserialize<'de> for NetworkSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NetworkVisitor)
    }
}

/// A name or a table, told apart by type: serde's `untagged` would lose the error's place.
struct NetworkVisitor;

impl<'de> Visitor<'de> for NetworkVisitor {
    type Value = NetworkSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a preset's name, the path of a network file, or a table that is a network")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<NetworkSource, E> {
        Ok(NetworkSource::Named(name.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NetworkSource, A::Error> {
        NetworkSpec::deserialize(MapAccessDeserializer::new(map)).map(NetworkSource::Inline)
    }
}
