//! Files that are replaced as a whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::RunsError;

/// Puts `bytes` in place of the file's contents, or leaves the file as it is. At every instant the file is the
/// old one or the whole new one.
///
/// The bytes go into `.NAME.tmp` beside it; one name, so that a leftover of a killed program is used up by the
/// next write. A pipe or a device is written to as it is: it must not be replaced by a file.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), RunsError> {
    let written = if is_special(path) { fs::write(path, bytes) } else { replace_file(path, bytes) };
    written.map_err(RunsError::io("write", path))
}

/// Whether it is no file of its own: a pipe, a device, or a process's open file such as `/dev/stdout`, which may lead to a file.
pub fn is_special(path: &Path) -> bool {
    let is_in_proc = |path: &Path| {
        let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
        folder.is_some_and(|folder| folder.starts_with("/proc"))
    };
    fs::metadata(path).is_ok_and(|found| !found.is_file())
        || is_in_proc(path)
        || fs::read_link(path).is_ok_and(|target| is_in_proc(&target))
}

/// What would keep [`replace`] from writing there whatever the bytes: no folder for the file, one in which nobody may write, or a
/// folder in its place. For the beginning of what takes long.
pub fn check_place(path: &Path) -> Result<(), RunsError> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let place = match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(ErrorKind::NotADirectory.into()),
        Ok(_) if path.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(_) if !is_special(path) => {
            let part = part_of(path);
            File::create(&part).and_then(|_| fs::remove_file(&part))
        }
        found => found.map(drop),
    };
    place.map_err(RunsError::io("write", path))
}

/// As [`replace`] for what may be lost with the machine's power: without waiting for the disk.
pub fn replace_unsynced(path: &Path, bytes: &[u8]) -> Result<(), RunsError> {
    let part = part_of(path);
    finish(&part, path, fs::write(&part, bytes)).map_err(RunsError::io("write", path))
}

/// Deletes the file, if it is there, and what a killed process may have left of its next contents.
pub fn remove(path: &Path) -> Result<(), RunsError> {
    for path in [path, &part_of(path)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(RunsError::io("delete", path)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = part_of(path);
    finish(&part, path, write_whole(&part, bytes))
}

fn finish(part: &Path, path: &Path, written: io::Result<()>) -> io::Result<()> {
    let written = written.and_then(|()| fs::rename(part, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _also_failed = fs::remove_file(part);
    }
    written
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

/// Whether both are there and the same.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_file_is_written_to_as_it_is() {
        use std::os::fd::AsRawFd;
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("a"), dir.path().join("stdout"));
        let file = File::create(&path).unwrap();
        let open = format!("/proc/self/fd/{}", file.as_raw_fd());
        std::os::unix::fs::symlink(&open, &link).unwrap();
        for place in [link.as_path(), Path::new(&open)] {
            assert!(is_special(place));
            replace(place, b"one").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"one");
        }
        assert_eq!(fs::read_link(&link).unwrap(), Path::new(&open), "the link stays");
        assert!(!is_special(&path) && !is_special(&dir.path().join("none")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_the_old_file_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace(&path, b"old").unwrap();
        std::os::unix::fs::symlink("/dev/full", dir.path().join(".a.tmp")).unwrap();
        let error = replace(&path, &[0; 100_000]).unwrap_err();
        let RunsError::Io { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains("No space left on device"), "{source}");
        assert!(error.to_string().contains(&path.display().to_string()));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_in_the_files_place_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        for path in [dir.path().to_owned(), dir.path().join("none/a"), dir.path().join("file/a")] {
            assert!(replace(&path, b"x").is_err() && check_place(&path).is_err(), "{}", path.display());
        }
        for path in [dir.path().join("a"), dir.path().join("file"), "a".into(), "/dev/null".into()] {
            check_place(&path).unwrap();
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_in_which_nobody_may_write_is_an_error() {
        check_place(Path::new("/sys/a")).unwrap_err();
    }

    #[cfg(unix)]
    #[test]
    fn a_device_stays_a_device() {
        use std::os::unix::fs::FileTypeExt;
        replace(Path::new("/dev/null"), b"x").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
