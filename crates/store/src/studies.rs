//! The studies of a store.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value as Json;
use spec::Direction;

use crate::{Store, StoreError, python_json};

/// Optuna's `study_id`, valid in its own store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyId(pub(crate) i64);

/// What a store holds of one study, without its trials.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyRow {
    /// In this store.
    pub id: StudyId,
    /// Different from the names of the store's other studies.
    pub name: String,
    /// What is better, for each objective.
    pub directions: Vec<Direction>,
    /// What people and Danlu note of it.
    pub user_attributes: BTreeMap<String, Json>,
    /// What programs need to know of it.
    pub system_attributes: BTreeMap<String, Json>,
    /// Its trials by how far they came.
    pub n_trials: TrialCounts,
}

/// How many trials are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialCounts {
    /// Enqueued, or queued again.
    pub waiting: u64,
    /// Somebody's.
    pub running: u64,
    /// With values.
    pub complete: u64,
    /// Ended early.
    pub pruned: u64,
    /// Without values.
    pub failed: u64,
}

impl StudyId {
    /// Optuna's `study_id`.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TrialCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.waiting + self.running + self.complete + self.pruned + self.failed
    }
}

impl Store {
    /// All studies in the order in which they were made.
    pub fn studies(&self) -> Result<Vec<StudyRow>, StoreError> {
        self.read(|connection| {
            let mut studies = study_names(connection).map_err(self.sql())?;
            for study in studies.values_mut() {
                study.directions = self.directions(connection, study.id)?;
            }
            attributes(connection, USER_ATTRIBUTES, &mut studies, |study| &mut study.user_attributes)
                .map_err(self.sql())?;
            attributes(connection, SYSTEM_ATTRIBUTES, &mut studies, |study| &mut study.system_attributes)
                .map_err(self.sql())?;
            self.count_trials(connection, &mut studies)?;
            Ok(studies.into_values().collect())
        })
    }

    /// The study of that name.
    pub fn find_study(&self, name: &str) -> Result<Option<StudyId>, StoreError> {
        self.read(|connection| find_study(connection, name).map_err(self.sql()))
    }

    /// Makes a study with at least one objective; [`StoreError::NameTaken`] where there is one of that name.
    pub fn create_study(
        &self,
        name: &str,
        directions: &[Direction],
        user_attributes: &BTreeMap<String, Json>,
    ) -> Result<StudyId, StoreError> {
        if directions.is_empty() {
            return Err(StoreError::NoObjective);
        }
        self.write(|connection| {
            if find_study(connection, name).map_err(self.sql())?.is_some() {
                return Err(StoreError::NameTaken { path: self.path.clone(), name: name.to_owned() });
            }
            let id = insert_study(connection, name, directions).map_err(self.sql())?;
            for (key, value) in user_attributes {
                set_attribute(connection, SET_USER_ATTRIBUTE, id, key, value).map_err(self.sql())?;
            }
            Ok(id)
        })
    }

    /// Notes something of a study.
    pub fn set_study_user_attribute(
        &self,
        study: StudyId,
        key: &str,
        value: &Json,
    ) -> Result<(), StoreError> {
        self.set_study_attributes(study, [(key, value)], [])
    }

    /// Notes something of a study for programs.
    pub fn set_study_system_attribute(
        &self,
        study: StudyId,
        key: &str,
        value: &Json,
    ) -> Result<(), StoreError> {
        self.set_study_attributes(study, [], [(key, value)])
    }

    /// Notes several things of a study, `user` for people and `system` for programs: all of them or none.
    pub fn set_study_attributes<'a>(
        &self,
        study: StudyId,
        user: impl IntoIterator<Item = (&'a str, &'a Json)>,
        system: impl IntoIterator<Item = (&'a str, &'a Json)>,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            self.check_study(connection, study)?;
            for (key, value) in user {
                set_attribute(connection, SET_USER_ATTRIBUTE, study, key, value).map_err(self.sql())?;
            }
            for (key, value) in system {
                set_attribute(connection, SET_SYSTEM_ATTRIBUTE, study, key, value).map_err(self.sql())?;
            }
            Ok(())
        })
    }

    /// That the study exists: Optuna can delete it at any time.
    pub(crate) fn check_study(&self, connection: &Connection, study: StudyId) -> Result<(), StoreError> {
        let query = "SELECT 1 FROM studies WHERE study_id = ?1";
        let found = connection.prepare_cached(query).and_then(|mut query| query.exists([study.0]));
        if found.map_err(self.sql())? {
            return Ok(());
        }
        Err(StoreError::NoStudy { path: self.path.clone(), study: study.0 })
    }

    /// What is better, for each objective.
    pub(crate) fn directions(
        &self,
        connection: &Connection,
        study: StudyId,
    ) -> Result<Vec<Direction>, StoreError> {
        let query = "SELECT direction FROM study_directions WHERE study_id = ?1 ORDER BY objective";
        let mut query = connection.prepare_cached(query).map_err(self.sql())?;
        let words = query.query_map([study.0], |row| row.get::<_, String>(0)).map_err(self.sql())?;
        words.map(|word| self.direction(&word.map_err(self.sql())?)).collect()
    }

    fn direction(&self, word: &str) -> Result<Direction, StoreError> {
        match word {
            "MINIMIZE" => Ok(Direction::Minimize),
            "MAXIMIZE" => Ok(Direction::Maximize),
            _ => Err(self.content(format!("the direction {word}"))),
        }
    }

    fn count_trials(
        &self,
        connection: &Connection,
        studies: &mut BTreeMap<i64, StudyRow>,
    ) -> Result<(), StoreError> {
        let query = "SELECT study_id, state, COUNT(*) FROM trials GROUP BY study_id, state";
        let mut query = connection.prepare(query).map_err(self.sql())?;
        let mut rows = query.query([]).map_err(self.sql())?;
        while let Some(row) = rows.next().map_err(self.sql())? {
            let (id, state, n) = state_count(row).map_err(self.sql())?;
            let Some(study) = studies.get_mut(&id) else { continue };
            let counts = &mut study.n_trials;
            let count = match state.as_str() {
                "WAITING" => &mut counts.waiting,
                "RUNNING" => &mut counts.running,
                "COMPLETE" => &mut counts.complete,
                "PRUNED" => &mut counts.pruned,
                "FAIL" => &mut counts.failed,
                _ => return Err(self.content(format!("the trial state {state}"))),
            };
            *count = n;
        }
        Ok(())
    }

    /// An error about what is in the tables.
    pub(crate) fn content(&self, what: String) -> StoreError {
        StoreError::Content { path: self.path.clone(), what }
    }
}

const USER_ATTRIBUTES: &str = "SELECT study_id, key, value_json FROM study_user_attributes";
const SYSTEM_ATTRIBUTES: &str = "SELECT study_id, key, value_json FROM study_system_attributes";
const SET_USER_ATTRIBUTE: &str =
    "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (?1, ?2, ?3)
    ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json";
const SET_SYSTEM_ATTRIBUTE: &str =
    "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES (?1, ?2, ?3)
    ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json";

fn study_names(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, StudyRow>> {
    let mut query = connection.prepare("SELECT study_id, study_name FROM studies")?;
    let studies = query.query_map([], |row| {
        let id = row.get(0)?;
        let study = StudyRow {
            id: StudyId(id),
            name: row.get(1)?,
            directions: Vec::new(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
            n_trials: TrialCounts::default(),
        };
        Ok((id, study))
    })?;
    studies.collect()
}

fn attributes(
    connection: &Connection,
    query: &str,
    studies: &mut BTreeMap<i64, StudyRow>,
    kind: fn(&mut StudyRow) -> &mut BTreeMap<String, Json>,
) -> rusqlite::Result<()> {
    let mut query = connection.prepare(query)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(study) = studies.get_mut(&row.get(0)?) {
            let json = python_json::read(row.get_ref(2)?.as_str()?);
            kind(study).insert(row.get(1)?, json);
        }
    }
    Ok(())
}

fn state_count(row: &Row<'_>) -> rusqlite::Result<(i64, String, u64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn find_study(connection: &Connection, name: &str) -> rusqlite::Result<Option<StudyId>> {
    let query = "SELECT study_id FROM studies WHERE study_name = ?1";
    connection.query_row(query, [name], |row| row.get(0).map(StudyId)).optional()
}

fn insert_study(connection: &Connection, name: &str, directions: &[Direction]) -> rusqlite::Result<StudyId> {
    connection.execute("INSERT INTO studies (study_name) VALUES (?1)", [name])?;
    let id = connection.last_insert_rowid();
    for (objective, direction) in directions.iter().enumerate() {
        let word = match direction {
            Direction::Minimize => "MINIMIZE",
            Direction::Maximize => "MAXIMIZE",
        };
        let insert = "INSERT INTO study_directions (direction, study_id, objective) VALUES (?1, ?2, ?3)";
        connection.execute(insert, (word, id, objective as i64))?;
    }
    Ok(StudyId(id))
}

fn set_attribute(
    connection: &Connection,
    statement: &str,
    study: StudyId,
    key: &str,
    value: &Json,
) -> rusqlite::Result<()> {
    connection.execute(statement, (study.0, key, value.to_string()))?;
    Ok(())
}
