//! Trials out of the tables, table by table, so that the number of queries does not grow with that of trials.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::{Connection, Row};
use serde_json::{Value as Json, json};
use spec::{Domain, Param, TrialRecord, TrialState};

use crate::{StoreError, distribution, python_json};

/// A trial as it is in the store.
pub(crate) struct ReadTrial {
    /// Optuna's `trial_id`.
    pub(crate) id: i64,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) record: TrialRecord,
}

/// The part of a trial's row that changes with its state: taking a trial sets its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) state: String,
    pub(crate) started: Option<String>,
}

/// Why rows cannot be read.
pub(crate) enum Unreadable {
    Sqlite(rusqlite::Error),
    /// What cannot be understood.
    Content(String),
}

impl From<rusqlite::Error> for Unreadable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<String> for Unreadable {
    fn from(what: String) -> Self {
        Self::Content(what)
    }
}

impl Unreadable {
    pub(crate) fn of_store(self, path: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::sqlite(path)(error),
            Self::Content(what) => StoreError::Content { path: path.to_owned(), what },
        }
    }
}

/// The trials of these `trial_id`s in the order of their numbers.
pub(crate) fn read(connection: &Connection, ids: &[i64]) -> Result<Vec<ReadTrial>, Unreadable> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader { trials: BTreeMap::new(), domains: HashMap::new() };
    let ids = json!(ids).to_string();
    for (query, read_row) in TABLES {
        let mut query = connection.prepare_cached(query)?;
        let mut rows = query.query([&ids])?;
        while let Some(row) = rows.next()? {
            read_row(&mut reader, row)?;
        }
    }
    let mut trials: Vec<_> = reader.trials.into_values().collect();
    trials.sort_by_key(|trial| trial.record.number);
    Ok(trials)
}

struct Reader {
    trials: BTreeMap<i64, ReadTrial>,
    /// Thousands of trials have the same few.
    domains: HashMap<String, Domain>,
}

type ReadRow = fn(&mut Reader, &Row<'_>) -> Result<(), Unreadable>;

/// `?1`: a JSON list of `trial_id`s.
const TABLES: [(&str, ReadRow); 6] = [
    (
        "SELECT trial_id, number, state, datetime_start,
            CAST(ROUND(unixepoch(datetime_start, 'subsec') * 1000) AS INTEGER),
            CAST(ROUND(unixepoch(datetime_complete, 'subsec') * 1000) AS INTEGER)
            FROM trials WHERE trial_id IN (SELECT value FROM json_each(?1))",
        Reader::read_trial,
    ),
    (
        "SELECT trial_id, value, value_type FROM trial_values
            WHERE trial_id IN (SELECT value FROM json_each(?1)) ORDER BY trial_id, objective",
        Reader::read_value,
    ),
    (
        "SELECT trial_id, intermediate_value, intermediate_value_type, step FROM trial_intermediate_values
            WHERE trial_id IN (SELECT value FROM json_each(?1))",
        Reader::read_intermediate,
    ),
    (
        "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params
            WHERE trial_id IN (SELECT value FROM json_each(?1))",
        Reader::read_param,
    ),
    (
        "SELECT trial_id, key, value_json FROM trial_user_attributes
            WHERE trial_id IN (SELECT value FROM json_each(?1))",
        |reader, row| reader.read_attribute(row, |trial| &mut trial.user_attributes),
    ),
    (
        "SELECT trial_id, key, value_json FROM trial_system_attributes
            WHERE trial_id IN (SELECT value FROM json_each(?1))",
        |reader, row| reader.read_attribute(row, |trial| &mut trial.system_attributes),
    ),
];

impl Reader {
    fn read_trial(&mut self, row: &Row<'_>) -> Result<(), Unreadable> {
        let (id, word): (_, String) = (row.get(0)?, row.get(2)?);
        let record = TrialRecord {
            number: row.get(1)?,
            state: state(&word).ok_or_else(|| format!("the trial state {word}"))?,
            params: BTreeMap::new(),
            intermediate: BTreeMap::new(),
            started_ms: row.get(4)?,
            completed_ms: row.get(5)?,
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
        };
        let fingerprint = Fingerprint { state: word, started: row.get(3)? };
        self.trials.insert(id, ReadTrial { id, fingerprint, record });
        Ok(())
    }

    /// Rows come in the order of the objectives.
    fn read_value(&mut self, row: &Row<'_>) -> Result<(), Unreadable> {
        let trial = self.trial(row)?;
        let value = number(row).map_err(|what| at(what, "a value", trial.number))?;
        if let TrialState::Complete { values } | TrialState::Pruned { values } = &mut trial.state {
            values.push(value);
        }
        Ok(())
    }

    fn read_intermediate(&mut self, row: &Row<'_>) -> Result<(), Unreadable> {
        let trial = self.trial(row)?;
        let value = number(row).map_err(|what| at(what, "an intermediate value", trial.number))?;
        trial.intermediate.insert(row.get(3)?, value);
        Ok(())
    }

    fn read_param(&mut self, row: &Row<'_>) -> Result<(), Unreadable> {
        let name: String = row.get(1)?;
        let domain = self.domain(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?;
        let stored = row.get(2)?;
        let trial = self.trial(row)?;
        let value = distribution::read_value(&domain, stored)
            .map_err(|what| format!("{what} of parameter `{name}` of trial {}", trial.number))?;
        trial.params.insert(name, Param { domain, value });
        Ok(())
    }

    fn read_attribute(
        &mut self,
        row: &Row<'_>,
        kind: fn(&mut TrialRecord) -> &mut BTreeMap<String, Json>,
    ) -> Result<(), Unreadable> {
        let json = python_json::read(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?);
        kind(self.trial(row)?).insert(row.get(1)?, json);
        Ok(())
    }

    /// The trial of the row, by its first column.
    fn trial(&mut self, row: &Row<'_>) -> Result<&mut TrialRecord, Unreadable> {
        let id: i64 = row.get(0)?;
        let trial =
            self.trials.get_mut(&id).ok_or_else(|| format!("rows of a trial_id {id} without a trial"))?;
        Ok(&mut trial.record)
    }

    fn domain(&mut self, text: &str) -> Result<Domain, Unreadable> {
        if let Some(domain) = self.domains.get(text) {
            return Ok(domain.clone());
        }
        let domain = distribution::read_domain(text)?;
        self.domains.insert(text.to_owned(), domain.clone());
        Ok(domain)
    }
}

fn at(what: Unreadable, place: &str, number: u64) -> Unreadable {
    match what {
        Unreadable::Content(what) => Unreadable::Content(format!("{what} as {place} of trial {number}")),
        Unreadable::Sqlite(_) => what,
    }
}

fn state(word: &str) -> Option<TrialState> {
    Some(match word {
        "WAITING" => TrialState::Waiting,
        "RUNNING" => TrialState::Running,
        "COMPLETE" => TrialState::Complete { values: Vec::new() },
        "PRUNED" => TrialState::Pruned { values: Vec::new() },
        "FAIL" => TrialState::Failed,
        _ => return None,
    })
}

/// A number of the second column and the third, which says whether it is one.
fn number(row: &Row<'_>) -> Result<f64, Unreadable> {
    let (value, kind): (Option<f64>, String) = (row.get(1)?, row.get(2)?);
    match (value, kind.as_str()) {
        (Some(value), "FINITE") => Ok(value),
        (None, "INF_POS") => Ok(f64::INFINITY),
        (None, "INF_NEG") => Ok(f64::NEG_INFINITY),
        (None, "NAN") => Ok(f64::NAN),
        _ => Err(format!("{value:?} of kind {kind}").into()),
    }
}
