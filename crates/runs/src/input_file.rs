//! Reading files that people name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::RunsError;

/// Largest file of weights: a network has at most 2^28 parameters of 4 bytes in a tensor.
const MAX_BYTES: u64 = 2 << 30;

/// Largest file of text: a network of the most nodes has some hundred kilobytes.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// All of a file of at most 2 GiB.
pub fn read(path: &Path) -> Result<Vec<u8>, RunsError> {
    read_at_most(path, MAX_BYTES)
}

/// A file's text, without the byte order mark that some editors put before it.
pub fn read_text(path: &Path) -> Result<String, RunsError> {
    text(path, read_at_most(path, MAX_TEXT_BYTES)?)
}

/// Devices never end, so no file's length is believed.
fn read_at_most(path: &Path, max_bytes: u64) -> Result<Vec<u8>, RunsError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(RunsError::io("read", path))?;
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(RunsError::io("read", path))?;
    if bytes.len() as u64 > max_bytes {
        return Err(RunsError::FileTooLarge { path: path.to_owned(), max_mib: max_bytes >> 20 });
    }
    Ok(bytes)
}

/// The text that `bytes` are, at most 16 MiB, which came from `path`.
pub fn text(path: &Path, bytes: Vec<u8>) -> Result<String, RunsError> {
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(RunsError::FileTooLarge { path: path.to_owned(), max_mib: MAX_TEXT_BYTES >> 20 });
    }
    let text = String::from_utf8(bytes).map_err(|error| RunsError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
