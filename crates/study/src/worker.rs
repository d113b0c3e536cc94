//! Who works on a study: each working process holds a file of its own, so that others see at once when it is gone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use runs::{RunsError, atomic_file};
use serde::{Deserialize, Serialize};
use store::Lease;

use crate::{StudyError, StudyFolder};

/// A lease whose worker's file is not here is lost after so long without a sign of life.
pub const GRACE_MS: i64 = 60_000;

/// A working process. Dropped, it leaves no file behind but the time that it worked, unless it still has a trial.
#[derive(Debug)]
pub struct Worker {
    lease: Lease,
    dir: PathBuf,
    lock: PathBuf,
    /// Held as long as the process lives, however it ends.
    _held: File,
    started_ms: i64,
    /// The clock may be set while it works.
    started: Instant,
    is_abandoned: bool,
}

/// From when to when a worker worked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Span {
    started_ms: i64,
    seen_ms: i64,
}

impl Worker {
    /// Says that this process works on the study.
    pub fn begin(folder: &StudyFolder) -> Result<Self, StudyError> {
        let dir = folder.workers();
        fs::create_dir_all(&dir).map_err(RunsError::io("make the folder", &dir))?;
        let (started_ms, started) = (now_ms(), Instant::now());
        // Of an earlier process with the same number.
        let _not_there = fs::remove_file(death_file(folder, &process::id().to_string()));
        let (name, lock, held) = (0..)
            .find_map(|turn| claim(&dir, &format!("{started_ms:x}-{}-{turn}", process::id())))
            .expect("a name that nobody has")
            .map_err(RunsError::io("write", &dir))?;
        let lease = Lease { worker: name, host: host() };
        let worker = Self { lease, dir, lock, _held: held, started_ms, started, is_abandoned: false };
        worker.beat()?;
        Ok(worker)
    }

    /// What its trials are held by.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Puts down that it still works.
    pub fn beat(&self) -> Result<(), StudyError> {
        let worked_ms = self.started.elapsed().as_millis() as i64;
        let span = Span { started_ms: self.started_ms, seen_ms: self.started_ms + worked_ms };
        let text = serde_json::to_string(&span).expect("two numbers");
        let path = self.dir.join(format!("{}.json", self.lease.worker));
        Ok(atomic_file::replace_unsynced(&path, text.as_bytes())?)
    }
}

impl Worker {
    /// It ends with a trial that it could not let go of: its file stays, not held, so that others see at once that it is gone.
    pub(crate) fn abandon(&mut self) {
        self.is_abandoned = true;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // What cannot be written or deleted is as if the process had been killed.
        let _as_if_killed = self.beat();
        if !self.is_abandoned {
            let _as_if_killed = fs::remove_file(&self.lock);
        }
    }
}

/// A lock file of that name, held; `None` if another process has it.
fn claim(dir: &Path, name: &str) -> Option<io::Result<(String, PathBuf, File)>> {
    let path = dir.join(format!("{name}.lock"));
    let file = match File::create_new(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return None,
        Err(error) => return Some(Err(error)),
    };
    match file.try_lock() {
        Ok(()) => Some(Ok((name.to_owned(), path, file))),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => Some(Err(error)),
    }
}

/// Whether the worker is gone that holds a trial and gave its last sign of life then.
pub(crate) fn is_gone(folder: &StudyFolder, lease: &Lease, seen_ms: i64) -> bool {
    let path = folder.workers().join(format!("{}.lock", lease.worker));
    match File::open(path).map(|file| file.try_lock_shared()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::WouldBlock)) => false,
        // It works elsewhere, or ended without its trial.
        _ => now_ms() - seen_ms > GRACE_MS,
    }
}

/// Puts down how a process of a study ended, for whoever takes over its trial. It is only for people.
pub fn note_death(dir: &Path, process: u32, how: &str) {
    let _told_less = fs::write(death_file(&StudyFolder::new(dir), &process.to_string()), how);
}

fn death_file(folder: &StudyFolder, process: &str) -> PathBuf {
    folder.workers().join(format!("{process}.death"))
}

/// Whether a living process works on the study's trials.
pub fn any_works(folder: &StudyFolder) -> bool {
    let entries = fs::read_dir(folder.workers()).into_iter().flatten().flatten();
    let locks =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "lock"));
    let is_held = |path: PathBuf| {
        matches!(File::open(path).map(|file| file.try_lock_shared()), Ok(Err(TryLockError::WouldBlock)))
    };
    locks.into_iter().any(is_held)
}

/// How a worker ended, if it ended alone: somebody was there to put it down.
pub(crate) fn death_of(folder: &StudyFolder, gone: &Lease) -> Option<String> {
    let process = gone.worker.split('-').nth(1)?;
    fs::read_to_string(death_file(folder, process)).ok()
}

/// Time in which somebody worked on the study, in milliseconds; times of several workers that overlap count once.
pub(crate) fn worked_ms(folder: &StudyFolder) -> i64 {
    let mut spans: Vec<Span> = spans(&folder.workers());
    spans.sort_by_key(|span| span.started_ms);
    let (mut total, mut end) = (0, i64::MIN);
    for Span { started_ms, seen_ms } in spans {
        total += (seen_ms - started_ms.max(end)).max(0);
        end = end.max(seen_ms);
    }
    total
}

/// Those that can be read; a damaged one counts as no time.
fn spans(dir: &Path) -> Vec<Span> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let texts = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"));
    texts.filter_map(|path| serde_json::from_str(&fs::read_to_string(path).ok()?).ok()).collect()
}

/// Milliseconds of Unix time.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// The machine's name, where it tells.
fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".into(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_gone_when_its_process_lets_go() {
        let root = tempfile::tempdir().unwrap();
        let folder = StudyFolder::new(root.path());
        let worker = Worker::begin(&folder).unwrap();
        let other = Worker::begin(&folder).unwrap();
        let lease = worker.lease().clone();
        assert_ne!(&lease, other.lease());
        assert!(!is_gone(&folder, &lease, 0), "it lives, however long it is silent");
        // As if killed: the lock is let go, the file stays.
        let Worker { lock, .. } = &worker;
        let copy = lock.with_extension("kept");
        fs::copy(lock, &copy).unwrap();
        let path = lock.clone();
        drop(worker);
        fs::rename(copy, path).unwrap();
        assert!(is_gone(&folder, &lease, now_ms()));
    }

    #[test]
    fn a_worker_elsewhere_is_gone_after_a_while() {
        let root = tempfile::tempdir().unwrap();
        let folder = StudyFolder::new(root.path());
        let lease = Lease { worker: "elsewhere".into(), host: "there".into() };
        assert!(!is_gone(&folder, &lease, now_ms()));
        assert!(is_gone(&folder, &lease, now_ms() - GRACE_MS - 1));
    }

    #[test]
    fn time_counts_once() {
        let root = tempfile::tempdir().unwrap();
        let folder = StudyFolder::new(root.path());
        fs::create_dir(folder.workers()).unwrap();
        for (idx, (started_ms, seen_ms)) in
            [(0, 100), (50, 120), (60, 70), (200, 300)].into_iter().enumerate()
        {
            let text = serde_json::to_string(&Span { started_ms, seen_ms }).unwrap();
            fs::write(folder.workers().join(format!("{idx}.json")), text).unwrap();
        }
        fs::write(folder.workers().join("cut.json"), "{\"sta").unwrap();
        assert_eq!(worked_ms(&folder), 220);
    }
}
