//! What was read from files and is kept for the next request.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What tells one state of a file from another. Files of runs are replaced as a whole, so that each has an inode of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) modified: SystemTime,
    len: u64,
    inode: u64,
}

impl Stamp {
    /// That of a file which is there.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        Some(Self {
            modified: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            len: found.len(),
            inode: inode(&found),
        })
    }

    /// Whether both are of one file, whatever was written into it between them.
    pub(crate) fn is_same_file(self, other: Self) -> bool {
        self.inode == other.inode
    }
}

#[cfg(unix)]
fn inode(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

struct Entry<T> {
    path: PathBuf,
    stamp: Stamp,
    value: Arc<T>,
}

/// The last few values, each with the file that it came from.
pub(crate) struct Kept<T> {
    max: usize,
    /// The one used last is at the end.
    entries: Mutex<Vec<Entry<T>>>,
}

impl<T> Kept<T> {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, entries: Mutex::new(Vec::new()) }
    }

    /// The value of the file as it was at `stamp`, if it is kept.
    pub(crate) fn get(&self, path: &Path, stamp: Stamp) -> Option<Arc<T>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let idx = entries.iter().position(|entry| entry.path == path && entry.stamp == stamp)?;
        let entry = entries.remove(idx);
        let value = entry.value.clone();
        entries.push(entry);
        Some(value)
    }

    /// The value of the file as it was when it was last read.
    pub(crate) fn latest(&self, path: &Path) -> Option<(Stamp, Arc<T>)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|entry| entry.path == path).map(|entry| (entry.stamp, entry.value.clone()))
    }

    /// Keeps a value in place of an older one of that file, or of the one that was not used for the longest time.
    pub(crate) fn put(&self, path: &Path, stamp: Stamp, value: Arc<T>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.path != path);
        if entries.len() >= self.max {
            entries.remove(0);
        }
        entries.push(Entry { path: path.to_owned(), stamp, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_are_kept_and_changed_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
        for path in &paths {
            std::fs::write(path, "x").unwrap();
        }
        let kept = Kept::new(2);
        let stamp = |idx: usize| Stamp::of(&paths[idx]).unwrap();
        let has = |kept: &Kept<usize>, idx: usize| kept.get(&paths[idx], stamp(idx)).map(|value| *value);
        kept.put(&paths[0], stamp(0), Arc::new(0));
        kept.put(&paths[1], stamp(1), Arc::new(1));
        assert_eq!(has(&kept, 0), Some(0));
        kept.put(&paths[2], stamp(2), Arc::new(2));
        assert_eq!([0, 1, 2].map(|idx| has(&kept, idx)), [Some(0), None, Some(2)]);
        let before = stamp(0);
        std::fs::write(&paths[0], "xx").unwrap();
        assert!(stamp(0) != before && has(&kept, 0).is_none());
        assert_eq!(Stamp::of(dir.path()), None);
    }
}
