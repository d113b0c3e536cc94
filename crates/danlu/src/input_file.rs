//! Reading files that people name.

use std::fs;
use std::path::Path;

use crate::error::CliError;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(CliError::io("read", path))
}

/// A file's text, without the byte order mark that some editors put before it.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    text(path, read(path)?)
}

/// The text that `bytes` are, which came from `path`.
pub(crate) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, CliError> {
    let text = String::from_utf8(bytes).map_err(|error| CliError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
