//! The folder of a run: `run.toml`, `checkpoint`, `best.safetensors`, `model.safetensors`,
//! `predictions.safetensors`, `record.json`, `curves.svg`; now and then and at the end `curves.png`, `confusion.png` and
//! `hardest.png`.
//!
//! Each file is replaced as a whole, after an epoch in that order. So whenever the run dies, the checkpoint is that of the
//! last epoch that all other files tell of, or of the next one; all of them can be made again from it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use spec::RunRecord;

use crate::RunsError;
use crate::{atomic_file, input_file};

/// The complete spec, as a run file.
pub const RUN: &str = "run.toml";
/// The run's record.
pub const RECORD: &str = "record.json";
/// All that is needed to go on after the last whole epoch.
pub const CHECKPOINT: &str = "checkpoint";
/// The weights after the last whole epoch.
pub const MODEL: &str = "model.safetensors";
/// Those after the best epoch by the validation part, where there is one.
pub const BEST: &str = "best.safetensors";
/// What the last whole epoch's model says of each test sample, see [`crate::read_predictions`].
pub const PREDICTIONS: &str = "predictions.safetensors";
/// The picture of the curves.
pub const CURVES: &str = "curves.svg";
/// The same as a bitmap.
pub const CURVES_PNG: &str = "curves.png";
/// The picture of the confusion matrix of the test samples.
pub const CONFUSION: &str = "confusion.png";
/// Those of them that the model predicts worst.
pub const HARDEST: &str = "hardest.png";
/// Where the run is inside its epoch, see [`crate::Progress`].
pub const PROGRESS: &str = "progress.json";

/// The spec of a run that has not begun: the folder holds no run yet, and shows that it can be written to.
pub const PENDING: &str = ".run.toml.pending";

/// Held by the run that writes to the folder, as long as its process lives.
const LOCK: &str = ".lock";

/// All that a run leaves but its spec. The record comes first: without it there is nothing to go on with.
pub const FILES: [&str; 10] =
    [RECORD, CHECKPOINT, MODEL, BEST, PREDICTIONS, CURVES, CURVES_PNG, CONFUSION, HARDEST, PROGRESS];

/// Where fresh folders go.
const RUNS: &str = "runs";

/// A file that a command is asked to write must not be one of a run, beside which `run.toml` lies or is about to.
pub fn check_no_run_file(path: &Path) -> Result<(), RunsError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_of_run = FILES.contains(&name) || [RUN, PENDING, LOCK].contains(&name);
    match is_of_run && [RUN, PENDING].iter().any(|file| path.with_file_name(file).exists()) {
        true => Err(RunsError::OntoRunFile { path: path.to_owned() }),
        false => Ok(()),
    }
}

/// A run's folder, held by this process alone for as long as this lives.
#[derive(Debug)]
pub struct RunFolder {
    dir: PathBuf,
    /// The folders that were made for this run, outermost first.
    made: Vec<PathBuf>,
    lock: File,
}

impl RunFolder {
    /// The folder `dir`, made if need be. It may not hold a run, but for `force`.
    pub fn named(dir: &Path, force: bool) -> Result<Self, RunsError> {
        if fs::metadata(dir).is_ok_and(|found| !found.is_dir()) {
            return Err(RunsError::NotAFolder { path: dir.to_owned() });
        }
        let check = || {
            let mut files = [RUN].into_iter().chain(FILES);
            match files.find(|file| !force && dir.join(file).exists()) {
                Some(file) => Err(RunsError::HoldsRun { dir: dir.to_owned(), file }),
                None => Ok(()),
            }
        };
        // Before anything is written there; and once nobody else writes.
        check()?;
        let made = make_all(dir)?;
        let lock = lock(dir)?;
        check()?;
        Ok(Self { dir: dir.to_owned(), made, lock })
    }

    /// A fresh folder `runs/NETWORK-N` with the first number that is free. Making it decides, so that runs that
    /// start at the same time get different ones.
    pub fn numbered(network: &str) -> Result<Self, RunsError> {
        let runs = Path::new(RUNS);
        let mut made = make_all(runs)?;
        let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = network.trim_start_matches('.').chars().map(plain).take(64).collect();
        for n in 1_u64.. {
            let dir = runs.join(format!("{name}-{n}"));
            match fs::create_dir(&dir) {
                Ok(()) => {
                    made.push(dir.clone());
                    let lock = lock(&dir)?;
                    return Ok(Self { dir, made, lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunsError::io("make the folder", dir)(error)),
            }
        }
        unreachable!("no file system holds 2^64 folders")
    }

    /// A folder that holds a run which has begun, or was about to.
    pub fn begun(dir: &Path) -> Result<Self, RunsError> {
        if !dir.is_dir() {
            return Err(RunsError::NotAFolder { path: dir.to_owned() });
        }
        if ![RUN, PENDING].iter().any(|file| dir.join(file).exists()) {
            return Err(RunsError::NoRun { dir: dir.to_owned() });
        }
        Ok(Self { dir: dir.to_owned(), made: Vec::new(), lock: lock(dir)? })
    }

    /// Where the spec of a run without a record stands: one that was about to begin has deleted the record of the run
    /// before it.
    pub fn spec_file(&self) -> &'static str {
        if self.path(PENDING).exists() { PENDING } else { RUN }
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where a file of it lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// The start weights must not be a file that the run will replace.
    pub fn check_apart(&self, init: &Path) -> Result<(), RunsError> {
        let Ok(init_file) = fs::canonicalize(init) else { return Ok(()) };
        let is_init = |file: &str| fs::canonicalize(self.path(file)).is_ok_and(|path| path == init_file);
        match FILES.iter().any(|file| is_init(file)) {
            true => Err(RunsError::InitIsReplaced { path: init.to_owned() }),
            false => Ok(()),
        }
    }

    /// Puts the spec down, before anything slow is done, without touching a run that is to be replaced.
    pub fn prepare(&self, run_toml: &str) -> Result<(), RunsError> {
        self.write(PENDING, run_toml.as_bytes())
    }

    /// From here on the folder holds this run and nothing of another.
    pub fn begin(&self) -> Result<(), RunsError> {
        for file in FILES {
            self.remove(file)?;
        }
        let run = self.path(RUN);
        fs::rename(self.path(PENDING), &run).map_err(RunsError::io("write", run))
    }

    /// Whether the folder is still the one that this process holds: somebody may have removed it while it is written to.
    fn check_held(&self) -> Result<(), RunsError> {
        match is_at(&self.lock, &self.path(LOCK)) {
            true => Ok(()),
            false => Err(RunsError::FolderLost { dir: self.dir.clone() }),
        }
    }

    /// Replaces a file of the run as a whole, if the folder is still held.
    pub fn write(&self, file: &str, bytes: &[u8]) -> Result<(), RunsError> {
        self.check_held()?;
        atomic_file::replace(&self.path(file), bytes)
    }

    /// As [`RunFolder::write`], for what may be lost with the machine's power.
    pub(crate) fn write_unsynced(&self, file: &str, bytes: &[u8]) -> Result<(), RunsError> {
        self.check_held()?;
        atomic_file::replace_unsynced(&self.path(file), bytes)
    }

    /// Deletes a file of the run, if the folder is still held and the file is there, with what a killed process may have left of it.
    pub fn remove(&self, file: &str) -> Result<(), RunsError> {
        self.check_held()?;
        atomic_file::remove(&self.path(file))
    }

    /// Leaves things as they were before a run that cannot begin. Whatever cannot be deleted stays.
    pub fn discard(&self) {
        let _stays = fs::remove_file(self.path(PENDING));
        if !self.made.is_empty() {
            let _stays = fs::remove_file(self.path(LOCK));
        }
        for dir in self.made.iter().rev() {
            let _stays = fs::remove_dir(dir);
        }
    }
}

/// The folder for this run alone. The file stays, as deleting it would let two later runs lock different files.
fn lock(dir: &Path) -> Result<File, RunsError> {
    let path = dir.join(LOCK);
    let file = File::create(&path).map_err(RunsError::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunsError::FolderInUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(RunsError::io("lock", path)(source)),
    }
}

/// Whether an open file is the one that stands there.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(found)) => place(held) == place(found),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Makes a folder and those that it lies in; returns the ones that were not there, outermost first.
fn make_all(dir: &Path) -> Result<Vec<PathBuf>, RunsError> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let mut missing: Vec<PathBuf> = dir.ancestors().take_while(is_missing).map(Path::to_owned).collect();
    missing.reverse();
    fs::create_dir_all(dir).map_err(RunsError::io("make the folder", dir))?;
    Ok(missing)
}

/// Whether a living process holds the folder; `false` where that cannot be told.
pub fn is_locked(dir: &Path) -> bool {
    let lock = File::open(dir.join(LOCK)).map(|file| file.try_lock_shared());
    matches!(lock, Ok(Err(TryLockError::WouldBlock)))
}

/// The record in the folder; `None` where there is none.
pub fn read_record(dir: &Path) -> Result<Option<RunRecord>, RunsError> {
    let path = dir.join(RECORD);
    if !path.exists() {
        return Ok(None);
    }
    let in_file = |source| RunsError::File { path: path.clone(), source };
    RunRecord::from_json(&input_file::read_text(&path)?).map(Some).map_err(in_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_did_not_begin_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = RunFolder::named(&root.path().join("a/b"), false).unwrap();
        folder.prepare("x").unwrap();
        folder.discard();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_foreign_folder_is_used_and_kept() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes"), "mine").unwrap();
        let folder = RunFolder::named(root.path(), false).unwrap();
        folder.prepare("x").unwrap();
        folder.discard();
        assert!(fs::read_to_string(root.path().join("notes")).unwrap() == "mine");
        assert!(!root.path().join(PENDING).exists());
    }

    #[test]
    fn a_folder_is_for_one_run_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let first = RunFolder::named(root.path(), true).unwrap();
        assert!(matches!(RunFolder::named(root.path(), true), Err(RunsError::FolderInUse { .. })));
        drop(first);
        RunFolder::named(root.path(), true).unwrap();
    }

    #[test]
    fn a_folder_that_somebody_removed_is_no_longer_written_to() {
        let root = tempfile::tempdir().unwrap();
        let folder = RunFolder::named(root.path(), true).unwrap();
        folder.write(RECORD, b"1").unwrap();
        fs::remove_file(root.path().join(LOCK)).unwrap();
        assert!(matches!(folder.write(RECORD, b"2"), Err(RunsError::FolderLost { .. })));
        let _other = RunFolder::named(root.path(), true).unwrap();
        assert!(matches!(folder.write(RECORD, b"2"), Err(RunsError::FolderLost { .. })));
        assert!(matches!(folder.write_unsynced(RECORD, b"2"), Err(RunsError::FolderLost { .. })));
        assert_eq!(fs::read(root.path().join(RECORD)).unwrap(), b"1");
    }

    #[test]
    fn a_model_of_somebody_else_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(MODEL), "precious").unwrap();
        assert!(matches!(RunFolder::named(root.path(), false), Err(RunsError::HoldsRun { file: MODEL, .. })));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "a refused folder stays as it was");
    }

    #[test]
    fn a_run_that_is_about_to_begin_has_its_files_for_itself() {
        let root = tempfile::tempdir().unwrap();
        let folder = RunFolder::named(root.path(), false).unwrap();
        assert!(check_no_run_file(&folder.path(RECORD)).is_ok());
        folder.prepare("x").unwrap();
        for file in [RECORD, RUN] {
            assert!(matches!(check_no_run_file(&folder.path(file)), Err(RunsError::OntoRunFile { .. })));
        }
        assert!(check_no_run_file(&folder.path("losses")).is_ok());
    }

    #[test]
    fn a_run_is_replaced_by_force_alone_and_only_when_the_other_begins() {
        let root = tempfile::tempdir().unwrap();
        for file in [RUN, RECORD, MODEL, CURVES] {
            fs::write(root.path().join(file), "old").unwrap();
        }
        assert!(matches!(RunFolder::named(root.path(), false), Err(RunsError::HoldsRun { file: RUN, .. })));
        let folder = RunFolder::named(root.path(), true).unwrap();
        folder.prepare("new").unwrap();
        assert_eq!(fs::read_to_string(root.path().join(RUN)).unwrap(), "old");
        folder.begin().unwrap();
        assert_eq!(fs::read_to_string(root.path().join(RUN)).unwrap(), "new");
        assert!([RECORD, MODEL, CURVES].iter().all(|file| !root.path().join(file).exists()));
    }
}
