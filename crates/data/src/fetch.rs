//! All files of a data set, from its address into a folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::contents::sha256;
use crate::download::{Progress, Transfer, download};
use crate::error::DataError;
use crate::fashion_mnist::{FILES, FileSpec};
use crate::folder::find_file;
use crate::{Found, Place, Places, locate};

/// How often a process that waits for another's download looks again.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// Downloads the data set into the cache; files that are there and right are kept, packed ones that are wrong
/// are replaced. `dir`, `env` and `system` play no part.
///
/// A download that was broken off goes on where it stopped. Two processes may fetch at the same time: one
/// waits for the other. A file appears under its name only when it is whole and its checksum right.
///
/// # Errors
/// No address or no cache to put the files into, an unwritable cache, a full disk, a server that does not
/// answer or has something else, and an unpacked file in the cache with wrong contents, which only the user
/// may delete.
pub fn fetch(places: &Places, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Found, DataError> {
    let dir = locate::download(places, &FILES, &Transfer::default(), progress)?;
    Ok(Found { dir, place: Place::Download })
}

pub(crate) fn fetch_files(
    dir: &Path,
    base_url: &str,
    files: &[FileSpec<'_>],
    transfer: &Transfer,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DataError> {
    fs::create_dir_all(dir).map_err(DataError::io("create the folder", dir))?;
    let _held_until_the_end = lock(dir, progress)?;
    for file in files {
        if !is_present(dir, file)? {
            let packed = format!("{}.gz", file.name);
            let url = format!("{}/{packed}", base_url.trim_end_matches('/'));
            download(&url, &dir.join(packed), file.md5, transfer, progress)?;
        }
    }
    Ok(())
}

/// Takes the folder's lock, which the system releases when the process ends, however it ends. The lock file
/// stays: deleting it would let a third process lock another file of the same name.
pub(crate) fn lock(dir: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<File, DataError> {
    let path = dir.join(".lock");
    let file =
        File::options().create(true).append(true).open(&path).map_err(DataError::io("write", &path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => progress(Progress::Waiting { dir }),
            Err(TryLockError::Error(error)) => return Err(DataError::io("lock", &path)(error)),
        }
        thread::sleep(LOCK_POLL);
    }
}

/// Whether a file is there with the right contents, packed by whomever.
fn is_present(dir: &Path, spec: &FileSpec<'_>) -> Result<bool, DataError> {
    let file = match find_file(dir, spec.name) {
        Ok(file) => file,
        Err(DataError::MissingFiles { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let is_replaceable = file.extension().is_some_and(|extension| extension == "gz");
    match sha256(&file) {
        Ok(found) if found == spec.sha256 => Ok(true),
        Err(error @ DataError::Io { .. }) => Err(error),
        Ok(_) | Err(_) if is_replaceable => Ok(false),
        Ok(found) => Err(DataError::NotExact { file, found, expected: spec.sha256.to_owned() }),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
