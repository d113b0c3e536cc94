//! Which files of a data set a folder holds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::fashion_mnist::FileSpec;

/// The path of a file that may be packed: `NAME` if there is one, else `NAME.gz`. The plain one wins because
/// it needs no unpacking.
pub(crate) fn find_file(dir: &Path, name: &str) -> Result<PathBuf, DataError> {
    for candidate in [dir.join(name), dir.join(format!("{name}.gz"))] {
        if is_file(&candidate)? {
            return Ok(candidate);
        }
    }
    Err(DataError::MissingFiles { dir: dir.to_owned(), names: vec![name.to_owned()] })
}

/// Checks that a folder has all of the files; what they hold is not looked at.
pub(crate) fn check_complete(dir: &Path, files: &[FileSpec<'_>]) -> Result<(), DataError> {
    check_folder(dir)?;
    let mut missing = vec![];
    for file in files {
        match find_file(dir, file.name) {
            Ok(_) => {}
            Err(DataError::MissingFiles { names, .. }) => missing.extend(names),
            Err(error) => return Err(error),
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(DataError::MissingFiles { dir: dir.to_owned(), names: missing })
    }
}

/// Checks that there is a folder.
pub(crate) fn check_folder(dir: &Path) -> Result<(), DataError> {
    match fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(DataError::NotAFolder { dir: dir.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(DataError::NoFolder { dir: dir.to_owned() })
        }
        Err(error) => Err(DataError::io("look into", dir)(error)),
    }
}

/// The folder that a file is in, for a bare name the current one.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_file(path: &Path) -> Result<bool, DataError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(DataError::io("look at", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_file_wins_over_the_packed_one() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.gz"), "").unwrap();
        assert_eq!(find_file(dir.path(), "a").unwrap(), dir.path().join("a.gz"));
        fs::write(dir.path().join("a"), "").unwrap();
        assert_eq!(find_file(dir.path(), "a").unwrap(), dir.path().join("a"));
    }

    #[test]
    fn a_bare_name_is_of_the_current_folder() {
        for (file, dir) in [("a", "."), ("./a", "."), ("b/a", "b"), ("/a", "/")] {
            assert_eq!(folder_of(Path::new(file)), Path::new(dir), "{file}");
        }
    }

    #[test]
    fn a_folder_in_a_files_place_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        let error = find_file(dir.path(), "a").unwrap_err();
        assert_eq!(error.to_string(), format!("{} has neither a nor a.gz", dir.path().display()));
    }

    #[test]
    fn every_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b"), "").unwrap();
        let files = ["a", "b", "c"].map(|name| FileSpec { name, md5: "", sha256: "" });
        let message = check_complete(dir.path(), &files).unwrap_err().to_string();
        assert!(message.ends_with("has neither a nor a.gz, neither c nor c.gz"), "{message}");
    }
}
