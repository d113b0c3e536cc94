//! The runs in the runs folder, as they are at the moment.
//!
//! Nobody tells of changes: files are looked at when somebody asks, so that runs of other terminals are seen, and nothing
//! happens where nobody asks. A run whose files did not change is not read again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Mutex;

use crate::children::Children;
use crate::error::DashboardError;
use crate::kept::Stamp;
use crate::records::{Read, Records};
use crate::row::{Rows, Sizes, bare, of_record};
use crate::run_dir::{ASKED, LOG, PENDING, RECORD, RUN, RunDir, is_plain_name, last_lines};
use crate::wire::{RunRow, RunStatus};

/// The folder is looked at so seldom that this takes less than one part in so many of a core.
const SHARE: u32 = 100;

/// What was known of a run at the last look.
struct Seen {
    /// Of its record, or of what stands in its place.
    stamp: Option<Stamp>,
    row: Arc<RunRow>,
}

/// What the last look gave.
struct Look {
    at: Instant,
    cost: Duration,
    rows: Arc<Rows>,
}

/// The list of runs.
pub(crate) struct Listing {
    seen: Arc<std::sync::Mutex<BTreeMap<String, Seen>>>,
    last: Mutex<Option<Look>>,
}

/// What a look needs.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) root: Arc<Path>,
    pub(crate) records: Arc<Records>,
    pub(crate) sizes: Arc<Sizes>,
    pub(crate) children: Arc<Children>,
}

impl Listing {
    pub(crate) fn new() -> Self {
        Self { seen: Arc::default(), last: Mutex::new(None) }
    }

    /// All rows; not older than `age`, unless a look takes long.
    pub(crate) async fn rows(&self, sources: &Sources, age: Duration) -> Result<Arc<Rows>, DashboardError> {
        // Who comes meanwhile waits for this look and takes what it gives.
        let mut last = self.last.lock().await;
        if let Some(look) = &*last
            && look.at.elapsed() < age.max(look.cost * SHARE)
        {
            return Ok(look.rows.clone());
        }
        let (seen, sources) = (self.seen.clone(), sources.clone());
        let look = crate::work::light(move || look(&seen, &sources)).await?;
        let rows = look.rows.clone();
        *last = Some(look);
        Ok(rows)
    }
}

fn look(seen: &std::sync::Mutex<BTreeMap<String, Seen>>, sources: &Sources) -> Result<Look, DashboardError> {
    let start = Instant::now();
    let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut present = BTreeMap::new();
    let entries = match fs::read_dir(&sources.root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            seen.clear();
            return Ok(Look { at: Instant::now(), cost: start.elapsed(), rows: Arc::default() });
        }
        Err(error) => return Err(DashboardError::io("look into", &sources.root)(error)),
    };
    for entry in entries.flatten() {
        let Ok(id) = entry.file_name().into_string() else { continue };
        if entry.file_type().is_ok_and(|kind| kind.is_file()) || !is_plain_name(&id) {
            continue;
        }
        if let Some(row) = look_at(sources, &id, seen.remove(&id)) {
            present.insert(id, row);
        }
    }
    *seen = present;
    let rows = seen.iter().map(|(id, seen)| (id.clone(), seen.row.clone())).collect();
    Ok(Look { at: Instant::now(), cost: start.elapsed(), rows: Arc::new(rows) })
}

/// `None`: no run is there.
fn look_at(sources: &Sources, id: &str, before: Option<Seen>) -> Option<Seen> {
    let stamp = Stamp::of(&sources.root.join(id).join(RECORD));
    match before {
        // Only of one that is going on something else than its record can change.
        Some(seen) if stamp.is_some() && seen.stamp == stamp && seen.row.state != RunStatus::Running => {
            Some(seen)
        }
        Some(seen) if stamp.is_some() && seen.stamp == stamp => {
            let run = RunDir::find(&sources.root, id).ok()?;
            let stale = |row: &RunRow| Arc::new(RunRow { state: RunStatus::Stale, ..row.clone() });
            let row = if run.is_held() { seen.row } else { stale(&seen.row) };
            Some(Seen { stamp, row })
        }
        before => {
            let run = RunDir::find(&sources.root, id).ok()?;
            let (stamp, row) = row_of(sources, &run, sources.records.glance(&run));
            let same = before.map(|seen| seen.row).filter(|before| **before == row);
            Some(Seen { stamp, row: same.unwrap_or_else(|| Arc::new(row)) })
        }
    }
}

/// The row of a single run, as it is.
pub(crate) fn read_row(sources: &Sources, run: &RunDir) -> RunRow {
    row_of(sources, run, sources.records.load(run)).1
}

/// The row of a run whose record was just read.
pub(crate) fn row_of(
    sources: &Sources,
    run: &RunDir,
    read: Result<Arc<Read>, DashboardError>,
) -> (Option<Stamp>, RunRow) {
    match read {
        Err(DashboardError::NotFound { .. }) => (None, row_before_record(sources, run)),
        Ok(read) => {
            let modified = read.stamp.modified;
            let row = of_record(&run.id, &read.record, modified, &sources.sizes, || run.is_held());
            (Some(read.stamp), row)
        }
        Err(error) => {
            let stamp = Stamp::of(&run.dir().join(RECORD));
            let modified = stamp.map_or(SystemTime::UNIX_EPOCH, |stamp| stamp.modified);
            (stamp, bare(&run.id, RunStatus::Unreadable, Some(error.one_line()), modified))
        }
    }
}

/// Of a run that has not come to its first record, or never will.
fn row_before_record(sources: &Sources, run: &RunDir) -> RunRow {
    let stamps = [PENDING, ASKED, RUN].map(|name| Stamp::of(&run.dir().join(name)));
    let modified = stamps.iter().flatten().map(|stamp| stamp.modified).max();
    let modified = modified.unwrap_or(SystemTime::UNIX_EPOCH);
    let goes_on = sources.children.has(&run.id) || run.is_held();
    let was_begun = run.has(PENDING) || run.has(RUN);
    let state = match (goes_on, was_begun) {
        (true, _) => RunStatus::Running,
        (false, true) => RunStatus::Stale,
        (false, false) => RunStatus::Failed,
    };
    let log = if state == RunStatus::Failed { run.read_text(LOG).ok() } else { None };
    bare(&run.id, state, log.map(|log| last_lines(&log, 3).join(" ")), modified)
}
