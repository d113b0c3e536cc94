//! The event file of `--tensorboard`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use export::tensorboard;
use spec::EpochRecord;

use crate::error::CliError;

/// One file for a run, however often it goes on, so that no epoch is told twice.
const NAME: &str = "events.out.tfevents.danlu";

/// Grows by a record for each epoch, at once: TensorBoard shows it while the run goes on.
pub(crate) struct EventLog {
    path: PathBuf,
    file: File,
}

impl EventLog {
    /// Begins the file of a new run. One that is there is replaced by `force` alone.
    pub(crate) fn create(dir: &Path, force: bool) -> Result<Self, CliError> {
        let path = place(dir)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(force).create_new(!force);
        let file = options.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CliError::HoldsEvents { path: path.clone() },
            _ => CliError::io("write", &path)(error),
        })?;
        let mut log = Self { path, file };
        log.append(&tensorboard::head(seconds(SystemTime::now())))?;
        Ok(log)
    }

    /// Goes on with the file of a run whose `epochs` are done: what it does not tell is added, as if it had just
    /// happened; what was taken back or cut short goes.
    pub(crate) fn go_on(dir: &Path, epochs: &[EpochRecord]) -> Result<Self, CliError> {
        let path = dir.join(NAME);
        if !path.exists() {
            let mut log = Self::create(dir, false)?;
            log.add_all(epochs)?;
            return Ok(log);
        }
        let bytes = fs::read(&path).map_err(CliError::io("read", &path))?;
        let kept = tensorboard::kept(&bytes, epochs)
            .ok_or_else(|| CliError::EventsOfAnotherRun { path: path.clone() })?;
        let file = OpenOptions::new().append(true).open(&path).map_err(CliError::io("write", &path))?;
        file.set_len(kept.len as u64).map_err(CliError::io("write", &path))?;
        let mut log = Self { path, file };
        log.add_all(&epochs[kept.n_epochs..])?;
        Ok(log)
    }

    /// Wall times that are as far apart as the epochs took.
    fn add_all(&mut self, epochs: &[EpochRecord]) -> Result<(), CliError> {
        let now = seconds(SystemTime::now());
        let mut left: f64 = epochs.iter().map(took).sum();
        for epoch in epochs {
            left -= took(epoch);
            self.append(&tensorboard::epoch(now - left.max(0.0), epoch))?;
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, epoch: &EpochRecord) -> Result<(), CliError> {
        self.append(&tensorboard::epoch(seconds(SystemTime::now()), epoch))
    }

    fn append(&mut self, record: &[u8]) -> Result<(), CliError> {
        self.file.write_all(record).map_err(CliError::io("write", &self.path))
    }
}

fn place(dir: &Path) -> Result<PathBuf, CliError> {
    fs::create_dir_all(dir).map_err(CliError::io("make the folder", dir))?;
    Ok(dir.join(NAME))
}

fn took(epoch: &EpochRecord) -> f64 {
    epoch.train_s + epoch.eval_s
}

/// Since 1970.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
