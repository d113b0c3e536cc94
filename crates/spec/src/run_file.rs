//! What a person asks for, in a file or by flags: any key may be absent.

use std::error::Error;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::error::check_value;
use crate::{InitSpec, NetworkSpec, OptimizerKind, OptimizerSpec, SpecError, TrainSpec, preset, toml_text};

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
    /// The optimizer with its numbers.
    pub optimizer: Option<OptimizerSpec>,
    /// `--optimizer`; no key of the file. Where the kind differs from that of `optimizer`, the defaults of
    /// this kind are used.
    #[serde(skip)]
    pub optimizer_kind: Option<OptimizerKind>,
    /// `--learning-rate`; no key of the file. Put into whichever optimizer results.
    #[serde(skip)]
    pub learning_rate: Option<f64>,
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

    /// Both together; where both have a key, that of `self` counts. An `optimizer` table in `self` replaces
    /// all that `lower` says of the optimizer.
    pub fn over(self, lower: Self) -> Self {
        let keep_lower = self.optimizer.is_none();
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
            optimizer: self.optimizer.or(lower.optimizer),
            optimizer_kind: self.optimizer_kind.or(lower.optimizer_kind.filter(|_| keep_lower)),
            learning_rate: self.learning_rate.or(lower.learning_rate.filter(|_| keep_lower)),
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
        let optimizer = self.resolve_optimizer();
        let default = TrainSpec::default();
        let mut spec = TrainSpec {
            seed: self.seed.unwrap_or(default.seed),
            data: self.data.unwrap_or(default.data),
            init: self.init,
            epochs: self.epochs.unwrap_or(default.epochs),
            batch_size: self.batch_size.unwrap_or(default.batch_size),
            shuffle: self.shuffle.unwrap_or(default.shuffle),
            optimizer,
            network: default.network,
        };
        spec.validate_run()?;
        if let Some(source) = self.network {
            spec.network = source.load(load_network)?;
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
}

impl NetworkSource {
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
