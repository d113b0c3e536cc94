//! A study whose store is kept open, with what was read of it.

use std::time::{Duration, SystemTime};

use spec::{StudySpec, TrialRecord};
use store::{Store, StoreError, StudyId, StudyRow as StoredStudy, TrialCache};

use super::objective::{Objective, objectives};
use super::place::Place;
use super::summary::Known;
use crate::error::DashboardError;
use crate::kept::Stamp;

/// File systems tell times this coarsely, the worst of them: a file that was written so recently may have been written
/// again with the same stamp.
const COARSEST: Duration = Duration::from_secs(2);

/// A look waits no longer for a process that holds a store: others wait behind it, and the next look comes soon.
const PATIENCE: Duration = Duration::from_secs(1);

/// A store to look at.
pub(crate) fn open(place: &Place) -> Result<Store, StoreError> {
    Store::open_read_only_within(&place.store, PATIENCE)
}

/// A study as it was at the last look.
pub(crate) struct Opened {
    place: Place,
    store: Store,
    study: StoredStudy,
    cache: TrialCache,
    objectives: Vec<Objective>,
    spec: Option<StudySpec>,
    stamps: [Option<Stamp>; 2],
    /// Another one after each change.
    revision: u64,
}

impl Opened {
    pub(crate) fn open(place: Place) -> Result<Self, DashboardError> {
        let stamps = place.stamps();
        let store = open(&place)?;
        let study = find(&store, &place)?;
        let mut opened = Self {
            objectives: named(&study),
            spec: spec_of(&place, &study),
            place,
            store,
            study,
            cache: TrialCache::new(),
            stamps,
            revision: 0,
        };
        opened.read()?;
        Ok(opened)
    }

    /// Whether the store's file is another one than that which was opened.
    pub(crate) fn is_replaced(&self) -> bool {
        let (known, there) = (self.stamps[0], Stamp::of(&self.place.store));
        known.zip(there).is_none_or(|(known, there)| !known.is_same_file(there))
    }

    /// Reads what has changed since the last look; `revision` gives the number of a new state.
    pub(crate) fn refresh(&mut self, revision: impl FnOnce() -> u64) -> Result<(), DashboardError> {
        let stamps = self.place.stamps();
        if stamps == self.stamps && !is_recent(&stamps) && self.revision != 0 {
            return Ok(());
        }
        let has_changed = self.read()?;
        self.stamps = stamps;
        if has_changed || self.revision == 0 {
            self.revision = revision();
        }
        Ok(())
    }

    /// Whether anything changed.
    fn read(&mut self) -> Result<bool, DashboardError> {
        let n_before = self.cache.trials().len();
        let changed = self.store.sync(self.study.id, &mut self.cache)?;
        let study = find(&self.store, &self.place)?;
        if study == self.study {
            return Ok(!changed.is_empty() || self.cache.trials().len() != n_before);
        }
        self.objectives = named(&study);
        self.spec = spec_of(&self.place, &study);
        self.study = study;
        Ok(true)
    }

    pub(crate) fn view(&self) -> View<'_> {
        let modified = self.stamps.iter().flatten().map(|stamp| stamp.modified).max();
        View {
            place: &self.place,
            study: &self.study,
            objectives: &self.objectives,
            spec: self.spec.as_ref(),
            trials: self.cache.trials(),
            revision: self.revision,
            modified: seconds(modified.unwrap_or(SystemTime::UNIX_EPOCH)),
        }
    }
}

/// A study to be looked at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) place: &'a Place,
    pub(crate) study: &'a StoredStudy,
    pub(crate) objectives: &'a [Objective],
    pub(crate) spec: Option<&'a StudySpec>,
    pub(crate) trials: &'a [TrialRecord],
    pub(crate) revision: u64,
    modified: f64,
}

impl<'a> View<'a> {
    /// Until when trials that are not over ran, milliseconds of Unix time: they still do unless the study rests.
    pub(crate) fn until_ms(&self) -> i64 {
        let known = self.known(&self.place.workers());
        let seconds = if known.is_alive() { known.now } else { known.modified };
        (seconds * 1000.0) as i64
    }

    /// What the lines of lists are made of; `workers` are those that live.
    pub(crate) fn known(&self, workers: &[String]) -> Known<'a> {
        Known {
            id: &self.place.id,
            name: &self.study.name,
            objectives: self.objectives,
            spec: self.spec,
            has_workers: !workers.is_empty(),
            worked_s: self.place.own_folder().map(|folder| folder.worked_s()).filter(|&worked| worked > 0.0),
            is_ours: self.place.folder.is_some(),
            modified: self.modified,
            now: seconds(SystemTime::now()),
        }
    }

    /// The objective of that position.
    pub(crate) fn objective(&self, idx: usize) -> Result<&'a Objective, DashboardError> {
        let n = self.objectives.len();
        self.objectives.get(idx).ok_or_else(|| DashboardError::no(format!("objective {idx}; there are {n}")))
    }
}

/// The study that a place means.
fn find(store: &Store, place: &Place) -> Result<StoredStudy, DashboardError> {
    let mut studies = store.studies()?.into_iter();
    let named = place.own_folder().and_then(|folder| folder.read_file().ok());
    let id = match (place.study, named) {
        (Some(id), _) => Some(id),
        (None, Some(spec)) => store.find_study(&spec.name)?.map(StudyId::get),
        (None, None) => None,
    };
    let found = match id {
        Some(id) => studies.find(|study| study.id.get() == id),
        None => studies.next(),
    };
    found.ok_or_else(|| DashboardError::no("study in this store"))
}

fn named(study: &StoredStudy) -> Vec<Objective> {
    let ours = study.user_attributes.get("danlu:objectives");
    objectives(&study.directions, ours, study.system_attributes.get("study:metric_names"))
}

/// The study file as it was last run with, else as the store has it; `None` also for one that cannot be read.
fn spec_of(place: &Place, study: &StoredStudy) -> Option<StudySpec> {
    let of_store =
        || study.user_attributes.get("danlu:file").and_then(|text| text.as_str()).map(String::from);
    let texts = [of_store(), place.file_text()];
    texts.into_iter().flatten().find_map(|text| StudySpec::from_toml(&text).ok())
}

fn is_recent(stamps: &[Option<Stamp>]) -> bool {
    let age = |stamp: &Stamp| stamp.modified.elapsed().unwrap_or_default();
    stamps.iter().flatten().any(|stamp| age(stamp) < COARSEST)
}

/// Since 1970.
pub(crate) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
