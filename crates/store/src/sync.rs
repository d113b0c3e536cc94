//! Reading trials, each of them as often as it can have changed: one that is over never does, for Optuna either.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use spec::TrialRecord;

use crate::reader::{self, Fingerprint, ReadTrial};
use crate::{Store, StoreError, StudyId};

/// All trials of one study as they were at the last [`Store::sync`].
#[derive(Clone, Debug, Default)]
pub struct TrialCache {
    trials: Vec<TrialRecord>,
    /// Optuna's `trial_id` of each.
    ids: Vec<i64>,
    /// Those that are not over, by number.
    open: BTreeMap<u64, Fingerprint>,
    seen: Option<Seen>,
}

/// Whose state of which study the cache has. Where nothing of it has changed, neither has the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    study: StudyId,
    instance: u64,
    data_version: i64,
    n_writes: u64,
}

impl TrialCache {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// By number: trial 0 first, none is missing.
    pub fn trials(&self) -> &[TrialRecord] {
        &self.trials
    }

    /// The trial of that number.
    pub fn get(&self, number: u64) -> Option<&TrialRecord> {
        self.trials.get(usize::try_from(number).ok()?)
    }

    /// Puts in what was read; the numbers of those that differ from what was there.
    fn put(&mut self, read: Vec<ReadTrial>) -> Vec<u64> {
        let mut changed = Vec::new();
        for ReadTrial { id, fingerprint, record } in read {
            let (number, idx) = (record.number, record.number as usize);
            if record.state.is_over() {
                self.open.remove(&number);
            } else {
                self.open.insert(number, fingerprint);
            }
            if idx == self.trials.len() {
                self.trials.push(record);
                self.ids.push(id);
            } else if same(&self.trials[idx], &record) {
                continue;
            } else {
                self.trials[idx] = record;
            }
            changed.push(number);
        }
        changed
    }
}

/// Equal, where NaN is equal to itself.
fn same(a: &TrialRecord, b: &TrialRecord) -> bool {
    let bits = |trial: &TrialRecord| -> Vec<_> {
        trial.intermediate.iter().map(|(&step, value)| (step, value.to_bits())).collect()
    };
    let without = |trial: &TrialRecord| TrialRecord { intermediate: BTreeMap::new(), ..trial.clone() };
    bits(a) == bits(b) && without(a) == without(b)
}

impl Store {
    /// Brings the cache up to date, and gives the numbers of the trials that are new or differ from what it had, in order.
    /// A cache that was of another study, or of a study that was deleted meanwhile, begins again.
    ///
    /// Reads those that are new, those that run, and those whose state has changed; where nothing was written since the
    /// last call, nothing. What is noted of a trial while it waits is seen when somebody takes it.
    pub fn sync(&self, study: StudyId, cache: &mut TrialCache) -> Result<Vec<u64>, StoreError> {
        let before = self.seen(study)?;
        if cache.seen == Some(before) {
            return Ok(Vec::new());
        }
        let of_other_study = cache.seen.is_some_and(|seen| seen.study != study);
        if of_other_study || !self.read(|connection| self.still_holds(connection, study, cache))? {
            *cache = TrialCache::new();
        }
        let known: &TrialCache = cache;
        let read = self.read(|connection| {
            self.check_study(connection, study)?;
            let ids = changed_ids(connection, study, known).map_err(self.sql())?;
            let read = reader::read(connection, &ids).map_err(|error| error.of_store(&self.path))?;
            self.check_numbers(known.trials.len(), &read)?;
            Ok(read)
        })?;
        for trial in &read {
            self.remember(study, trial.record.number, trial.id);
        }
        let changed = cache.put(read);
        cache.seen = Some(before);
        Ok(changed)
    }

    fn seen(&self, study: StudyId) -> Result<Seen, StoreError> {
        let version = |connection: &Connection| {
            connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
        };
        let data_version = self.read(|connection| version(connection).map_err(self.sql()))?;
        Ok(Seen { study, instance: self.instance, data_version, n_writes: self.n_writes.get() })
    }

    /// Whether the last trial of the cache is where it was; Optuna can delete a study and make another of its number.
    fn still_holds(
        &self,
        connection: &Connection,
        study: StudyId,
        cache: &TrialCache,
    ) -> Result<bool, StoreError> {
        let (Some(id), Some(last)) = (cache.ids.last(), cache.trials.last()) else { return Ok(true) };
        let query = "SELECT 1 FROM trials WHERE trial_id = ?1 AND study_id = ?2 AND number = ?3";
        let found = connection
            .prepare_cached(query)
            .and_then(|mut query| query.exists((id, study.get(), last.number)));
        found.map_err(self.sql())
    }

    fn check_numbers(&self, n_known: usize, read: &[ReadTrial]) -> Result<(), StoreError> {
        let mut next = n_known as u64;
        for trial in read {
            let number = trial.record.number;
            if number > next {
                return Err(self.content(format!("trial {number} without a trial {next}")));
            }
            next += u64::from(number == next);
        }
        Ok(())
    }
}

/// The ids of trials that are new, that run, or whose fingerprint has changed.
fn changed_ids(connection: &Connection, study: StudyId, cache: &TrialCache) -> rusqlite::Result<Vec<i64>> {
    let mut ids = BTreeSet::new();
    let new = "SELECT trial_id FROM trials WHERE study_id = ?1 AND trial_id > ?2";
    let last = cache.ids.last().copied().unwrap_or(i64::MIN);
    let mut new = connection.prepare_cached(new)?;
    for id in new.query_map((study.get(), last), |row| row.get(0))? {
        ids.insert(id?);
    }
    let open = "SELECT state, datetime_start FROM trials WHERE trial_id = ?1";
    let mut open = connection.prepare_cached(open)?;
    for (&number, known) in &cache.open {
        let id = cache.ids[number as usize];
        let found =
            open.query_row([id], |row| Ok(Fingerprint { state: row.get(0)?, started: row.get(1)? }))?;
        if found.state == "RUNNING" || found != *known {
            ids.insert(id);
        }
    }
    Ok(ids.into_iter().collect())
}
