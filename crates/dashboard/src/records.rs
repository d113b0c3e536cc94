//! The records of runs, read when they change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spec::RunRecord;

use crate::error::DashboardError;
use crate::kept::{Kept, Stamp};
use crate::run_dir::{RECORD, RunDir};

/// Records that are in memory at a time: those of the runs that somebody looks at.
const MAX_RECORDS: usize = 16;

/// A record that changes is read so seldom that this takes less than one part in so many of a core: that of 10,000
/// epochs takes 20 ms.
const SHARE: u32 = 100;

/// A record, and what it cost to read.
pub(crate) struct Read {
    pub(crate) stamp: Stamp,
    pub(crate) record: RunRecord,
    at: Instant,
    cost: Duration,
}

pub(crate) struct Records(Kept<Read>);

impl Records {
    pub(crate) fn new() -> Self {
        Self(Kept::new(MAX_RECORDS))
    }

    /// The run's record as it is.
    pub(crate) fn load(&self, run: &RunDir) -> Result<Arc<Read>, DashboardError> {
        let (path, stamp) = place(run)?;
        if let Some(read) = self.0.get(&path, stamp) {
            return Ok(read);
        }
        let read = Arc::new(read(run, stamp)?);
        self.0.put(&path, stamp, read.clone());
        Ok(read)
    }

    /// The run's record for somebody who asks again and again; one that has just been read may have changed since.
    pub(crate) fn watch(&self, run: &RunDir) -> Result<Arc<Read>, DashboardError> {
        match self.0.latest(&run.file(RECORD)?) {
            Some((_, read)) if read.at.elapsed() < read.cost * SHARE => Ok(read),
            _ => self.load(run),
        }
    }

    /// As [`Records::watch`], for a look at very many runs, which leaves what is in memory.
    pub(crate) fn glance(&self, run: &RunDir) -> Result<Arc<Read>, DashboardError> {
        let (path, stamp) = place(run)?;
        match self.0.latest(&path) {
            Some(_) => self.watch(run),
            None => Ok(Arc::new(read(run, stamp)?)),
        }
    }
}

fn place(run: &RunDir) -> Result<(PathBuf, Stamp), DashboardError> {
    let path = run.file(RECORD)?;
    // Before the file is read, so that what was changed in between is read again.
    let stamp = Stamp::of(&path).ok_or_else(|| DashboardError::no("record in this run"))?;
    Ok((path, stamp))
}

fn read(run: &RunDir, stamp: Stamp) -> Result<Read, DashboardError> {
    let at = Instant::now();
    let record = RunRecord::from_json(&run.read_text(RECORD)?)?;
    Ok(Read { stamp, record, at, cost: at.elapsed() })
}
