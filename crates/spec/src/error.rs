//! Everything that can be wrong with a file or a value that somebody gave.

use std::error::Error;
use std::fmt::Display;

/// Why a spec, a run file, a network file or a record is refused. Positions of nodes count from 0.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Not TOML, or keys and types that the format does not have. The source shows line, column and text.
    #[error("cannot read the {what}")]
    Toml {
        /// What was read: `run file`, `network file`.
        what: &'static str,
        /// The reader's message with line, column and snippet.
        #[source]
        source: toml::de::Error,
    },
    /// A value that TOML cannot hold.
    #[error("cannot write `{key}` as TOML")]
    Write {
        /// The key whose value it is.
        key: String,
        /// The writer's reason.
        #[source]
        source: toml::ser::Error,
    },
    /// Not JSON, or keys and types that the format does not have. The source shows line and column.
    #[error("cannot read the {what}")]
    Json {
        /// What was read: `run record`.
        what: &'static str,
        /// The reader's message with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// JSON that ends in the middle, as a file does whose writing was interrupted.
    #[error("the {what} is cut short: it ends at line {line}, column {column}")]
    Truncated {
        /// What was read: `run record`.
        what: &'static str,
        /// Last line, from 1.
        line: usize,
        /// Last column, from 1; 0 for an empty line.
        column: usize,
    },
    /// A value that JSON cannot hold.
    #[error("cannot write the {what} as JSON")]
    WriteJson {
        /// What was written: `run record`.
        what: &'static str,
        /// The writer's reason.
        #[source]
        source: serde_json::Error,
    },
    /// Written by a later program.
    #[error(
        "the {what} has format version {found}, this program reads version {supported}: \
         a newer danlu wrote it, and a newer danlu is needed to read it"
    )]
    NewerVersion {
        /// What was read.
        what: &'static str,
        /// Its version.
        found: i64,
        /// The version that this program reads and writes.
        supported: u32,
    },
    /// A version that never was.
    #[error("the {what} has the unknown format version {found}, this program reads version {supported}")]
    UnknownVersion {
        /// What was read.
        what: &'static str,
        /// Its version.
        found: i64,
        /// The version that this program reads and writes.
        supported: u32,
    },
    /// No version where the format demands one.
    #[error("the {what} has no `version`")]
    MissingVersion {
        /// What was read.
        what: &'static str,
    },
    /// A value outside of what its key allows.
    #[error("`{key}` is {value}, but must be {allowed}")]
    Value {
        /// The key with its tables: `optimizer.adam.learning_rate`.
        key: String,
        /// The value as it would be written.
        value: String,
        /// What would do.
        allowed: String,
    },
    /// A value of a node outside of what its key allows.
    #[error("node `{node}`: `{key}` is {value}, but must be {allowed}")]
    NodeValue {
        /// The node's name.
        node: String,
        /// The key inside the node: `layer.conv2d.kernel`.
        key: String,
        /// The value as it would be written.
        value: String,
        /// What would do.
        allowed: String,
    },
    /// A network without any node.
    #[error("the network has no nodes: `node` needs at least one")]
    NoNodes,
    /// Two nodes of one name; a node without a name is called by its position.
    #[error("nodes {first_idx} and {second_idx} are both called `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
        /// Position of the first.
        first_idx: usize,
        /// Position of the second.
        second_idx: usize,
    },
    /// A node with the name that means the picture.
    #[error("node {idx} is called `input`, a name that is reserved for the picture")]
    ReservedName {
        /// Position of the node.
        idx: usize,
    },
    /// A node that reads from nowhere.
    #[error("node `{node}`: `inputs` names `{input}`, but no node is called so")]
    UnknownInput {
        /// The node that reads.
        node: String,
        /// The name that does not exist.
        input: String,
    },
    /// A node that reads itself or a later one.
    #[error(
        "node `{node}` (position {idx}): `inputs` names `{input}` (position {input_idx}), \
         but must name nodes before it"
    )]
    LaterInput {
        /// The node that reads.
        node: String,
        /// Its position.
        idx: usize,
        /// The node that it reads.
        input: String,
        /// The position of that one.
        input_idx: usize,
    },
    /// Too many or too few inputs for the layer.
    #[error("node `{node}`: `inputs` has {found}, but {layer} takes {allowed}")]
    InputCount {
        /// The node's name.
        node: String,
        /// The layer's name as in a file: `conv2d`.
        layer: &'static str,
        /// How many it has; a node without `inputs` has one, the node before.
        found: usize,
        /// How many it may have.
        allowed: &'static str,
    },
    /// The network of a run cannot be had or used.
    #[error("`network` {name:?} cannot be used")]
    Network {
        /// The preset, path or inline name that was given.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// `Ok` if the value is good, else [`SpecError::Value`].
pub(crate) fn check_value(ok: bool, key: &str, value: impl Display, allowed: &str) -> Result<(), SpecError> {
    if ok {
        return Ok(());
    }
    Err(SpecError::Value { key: key.into(), value: value.to_string(), allowed: allowed.into() })
}

/// A number that kernels in single precision use as it is: finite and above 0 there too.
pub(crate) fn check_above_zero(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (value as f32).is_finite() && value as f32 > 0.0;
    check_value(ok, key, format_args!("{value:?}"), "a finite number above 0, in single precision too")
}

pub(crate) fn check_not_negative(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (value as f32).is_finite() && value >= 0.0;
    check_value(ok, key, format_args!("{value:?}"), "a finite number, 0 or above")
}

/// A share that may not be all.
pub(crate) fn check_share(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (0.0..1.0).contains(&value);
    check_value(ok, key, format_args!("{value:?}"), "a number from 0 to below 1")
}

/// A probability: a share that may be all.
pub(crate) fn check_probability(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (0.0..=1.0).contains(&value);
    check_value(ok, key, format_args!("{value:?}"), "a number from 0 to 1")
}

#[cfg(test)]
pub(crate) fn chain(error: &dyn Error) -> String {
    let below = error.source().map(|cause| format!(": {}", chain(cause))).unwrap_or_default();
    format!("{error}{below}")
}
