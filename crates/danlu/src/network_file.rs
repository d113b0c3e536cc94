//! Networks by a preset's name or from a file.

use std::io;
use std::path::Path;

use nn::Plan;
use runs::{RunsError, input_file};
use spec::{NetworkSpec, preset};

use crate::error::CliError;

/// The preset of that name, else the network in that file.
pub(crate) fn named(name: &Path) -> Result<NetworkSpec, CliError> {
    match name.to_str().and_then(preset) {
        Some(network) => Ok(network),
        None => read(name),
    }
}

/// Whether [`named`] gives a preset, which fits itself to the data.
pub(crate) fn is_preset(name: &Path) -> bool {
    name.to_str().and_then(preset).is_some()
}

/// The network in a TOML file.
pub(crate) fn read(path: &Path) -> Result<NetworkSpec, CliError> {
    in_text(path, &input_file::read_text(path).map_err(|error| unknown_if_absent(path, error))?)
}

/// The network in the text of a TOML file.
pub(crate) fn in_text(path: &Path, text: &str) -> Result<NetworkSpec, CliError> {
    NetworkSpec::from_toml(text).map_err(CliError::in_file(path))
}

/// The network in a file that a run file names.
pub(crate) fn read_named(name: &str) -> Result<NetworkSpec, CliError> {
    read(Path::new(name))
}

/// A name without a file is more likely a preset misspelled than a file lost.
fn unknown_if_absent(path: &Path, error: RunsError) -> CliError {
    match error {
        RunsError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            CliError::UnknownNetwork { name: path.display().to_string() }
        }
        error => error.into(),
    }
}

/// The network's plan; the error is the user's, who wrote the network.
pub(crate) fn compile(network: &NetworkSpec) -> Result<Plan, CliError> {
    Plan::compile(network).map_err(|source| CliError::Network { name: network.name.clone(), source })
}
