//! The studies in the studies folder, a few of which are kept open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::opened::{Opened, View, open, seconds};
use super::place::{Place, places};
use super::summary::{StudyRow, StudyState, row, unreadable};
use crate::error::DashboardError;
use crate::kept::Stamp;

/// Studies in memory at a time: one of 10,000 trials takes tens of megabytes.
const MAX_OPENED: usize = 6;
/// The folder is looked at so seldom that this takes less than one part in so many of a core.
const SHARE: u32 = 50;
/// But one look that took long, as when a store was held, is no reason to show what is old for long.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// By study.
pub(crate) type Rows = BTreeMap<String, Arc<StudyRow>>;

/// One that is being opened, or is open.
type Slot = Arc<Mutex<Option<Opened>>>;

pub(crate) struct Shelf {
    dir: PathBuf,
    /// The one used last is at the end.
    opened: Mutex<Vec<(String, Slot)>>,
    revisions: AtomicU64,
    seen: Mutex<Look>,
}

/// What the last look at the folder gave.
#[derive(Default)]
struct Look {
    at: Option<Instant>,
    cost: Duration,
    stores: BTreeMap<String, Seen>,
    rows: Arc<Rows>,
}

/// A store at the last look.
struct Seen {
    stamps: [Option<Stamp>; 2],
    rows: Vec<Arc<StudyRow>>,
}

impl Shelf {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, opened: Mutex::default(), revisions: AtomicU64::new(1), seen: Mutex::default() }
    }

    /// The studies folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn find(&self, id: &str) -> Result<Place, DashboardError> {
        Place::find(&self.dir, id)
    }

    /// Looks at a study as it is at the moment. Nobody else looks at it meanwhile.
    pub(crate) fn read<T>(
        &self,
        id: &str,
        of: impl FnOnce(View<'_>) -> Result<T, DashboardError>,
    ) -> Result<T, DashboardError> {
        let place = self.find(id)?;
        let slot = self.slot(&place.id);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let is_usable = slot.as_ref().is_some_and(|opened| !opened.is_replaced());
        let mut opened = match slot.take().filter(|_| is_usable) {
            Some(opened) => opened,
            None => Opened::open(place)?,
        };
        // One that fails is opened anew by whoever asks next.
        opened.refresh(|| self.revisions.fetch_add(1, Ordering::Relaxed))?;
        let opened = slot.insert(opened);
        of(opened.view())
    }

    fn slot(&self, id: &str) -> Slot {
        let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|(known, _)| known == id);
        let entry = match known {
            Some(idx) => all.remove(idx),
            None => (id.to_owned(), Slot::default()),
        };
        let slot = entry.1.clone();
        if all.len() >= MAX_OPENED {
            all.remove(0);
        }
        all.push(entry);
        slot
    }

    /// The line of one study, also of one that cannot be read.
    pub(crate) fn row(&self, id: &str) -> Result<StudyRow, DashboardError> {
        let place = self.find(id)?;
        let workers = place.workers();
        let read = self.read(id, |view| Ok(row(&view.known(&workers), view.trials)));
        read.or_else(|error| match error {
            DashboardError::Store(_) => Ok(bad_row(&place, &error)),
            error => Err(error),
        })
    }

    /// All lines; not older than `age`, unless a look takes long.
    pub(crate) fn rows(&self, age: Duration) -> Result<Arc<Rows>, DashboardError> {
        // Who comes meanwhile waits for this look and takes what it gives.
        let mut look = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if look.at.is_some_and(|at| at.elapsed() < age.max(MAX_PAUSE.min(look.cost * SHARE))) {
            return Ok(look.rows.clone());
        }
        let start = Instant::now();
        let mut stores = BTreeMap::new();
        for place in places(&self.dir)? {
            let seen = self.look_at(&place, look.stores.remove(&place.id));
            stores.insert(place.id, seen);
        }
        let lines = stores.values().flat_map(|seen| &seen.rows);
        let rows: Rows = lines.map(|row| (row.id.clone(), row.clone())).collect();
        if rows != *look.rows {
            look.rows = Arc::new(rows);
        }
        (look.stores, look.at, look.cost) = (stores, Some(Instant::now()), start.elapsed());
        Ok(look.rows.clone())
    }

    fn look_at(&self, place: &Place, before: Option<Seen>) -> Seen {
        let stamps = place.stamps();
        let rests = |seen: &Seen| {
            let is_quiet = |row: &Arc<StudyRow>| row.state != StudyState::Running;
            seen.stamps == stamps && seen.rows.iter().all(is_quiet) && place.workers().is_empty()
        };
        match before {
            Some(seen) if rests(&seen) && !is_young(&stamps) => seen,
            before => {
                let old = before.map(|seen| seen.rows).unwrap_or_default();
                let same = |row: StudyRow| match old.iter().find(|old| ***old == row) {
                    Some(old) => old.clone(),
                    None => Arc::new(row),
                };
                Seen { stamps, rows: self.rows_of(place).into_iter().map(same).collect() }
            }
        }
    }

    /// The lines of all studies of a store: one that says why for a store that cannot be read.
    fn rows_of(&self, place: &Place) -> Vec<StudyRow> {
        let studies = open(place).and_then(|store| store.studies());
        match studies {
            Ok(studies) => {
                let further = studies.iter().skip(1).map(|study| place.with_study(study.id.get()));
                let all = studies.iter().take(1).map(|_| place.clone()).chain(further);
                all.map(|place| self.row(&place.id).unwrap_or_else(|error| bad_row(&place, &error))).collect()
            }
            Err(error) => vec![bad_row(place, &error.into())],
        }
    }
}

fn bad_row(place: &Place, error: &DashboardError) -> StudyRow {
    let modified = place.stamps()[0].map_or(0.0, |stamp| seconds(stamp.modified));
    unreadable(&place.id, error.one_line(), modified)
}

fn is_young(stamps: &[Option<Stamp>]) -> bool {
    let is_young = |stamp: &Stamp| stamp.modified.elapsed().unwrap_or_default() < Duration::from_secs(2);
    stamps.iter().flatten().any(is_young)
}
