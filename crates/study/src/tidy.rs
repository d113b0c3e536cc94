//! What processes leave that were killed.

use std::fs::{self, File};
use std::path::Path;

use runs::CHECKPOINT;
use spec::TrialRecord;

use crate::{StudyError, StudyView, journal};

impl StudyView {
    /// Deletes what killed processes left of trials that are over, and the files of those processes; what cannot be deleted
    /// stays. A trial that was told and not put down outside of the store is put down.
    pub fn tidy(&mut self) -> Result<(), StudyError> {
        self.sync()?;
        for trial in self.trials().iter().filter(|trial| trial.state.is_over()) {
            self.tidy_trial(trial)?;
        }
        self.folder().exclusively(|| -> Result<(), StudyError> {
            remove(self.folder().dir(), is_part);
            Ok(())
        })?;
        let running = self.store.running_leases(self.id)?;
        let has_trial =
            |name: &str| running.iter().any(|one| name.strip_suffix(".lock") == Some(&one.lease.worker));
        let is_left = |name: &str| match name.rsplit_once('.') {
            Some((_, "death" | "tmp")) => true,
            Some((_, "lock")) => !has_trial(name),
            _ => false,
        };
        remove(&self.folder().workers(), is_left);
        Ok(())
    }

    fn tidy_trial(&self, trial: &TrialRecord) -> Result<(), StudyError> {
        let dir = self.folder().trial(trial.number);
        if !dir.is_dir() {
            return Ok(());
        }
        if dir.join(CHECKPOINT).exists() || !journal::has(self.folder(), trial.number) {
            journal::write(self.folder(), trial)?;
        }
        remove(&dir, |name| name == CHECKPOINT || is_part(name));
        Ok(())
    }
}

/// The next contents of a file, or of a store, that was never given its name.
fn is_part(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

/// Deletes files of a folder by name, but not those that a living process holds.
fn remove(dir: &Path, is_left: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_name().to_str().is_some_and(&is_left) {
            continue;
        }
        // Held while it is deleted, so that nobody begins to hold it in between.
        let held = File::open(&path);
        if held.as_ref().is_ok_and(|file| file.try_lock().is_ok()) {
            let _stays = fs::remove_file(&path);
        }
    }
}
