//! Standard output and standard error, which may be closed or full at any time.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CliError;

/// One or more lines on standard output, at once.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(CliError::Stdout)
}

/// A JSON object on a line of its own.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    line(&serde_json::to_string(value)?)
}

/// A message on standard error. When that is closed there is nobody left to tell.
pub(crate) fn note(text: &str) {
    let _closed = writeln!(io::stderr().lock(), "{text}");
}
