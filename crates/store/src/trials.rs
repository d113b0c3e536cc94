//! The life of a trial. Each change of state looks at the state and at the lease in the transaction that changes it, so
//! that of several processes exactly one has a trial.
//!
//! | from    | to                       | by                       | only if |
//! |---------|--------------------------|--------------------------|---------|
//! | -       | RUNNING                  | [`Store::begin_trial`]   | |
//! | -       | WAITING                  | [`Store::enqueue`]       | |
//! | WAITING | RUNNING                  | [`Store::claim_waiting`] | |
//! | RUNNING | RUNNING                  | [`Store::update`]        | the lease is the caller's |
//! | RUNNING | WAITING                  | [`Store::release`]       | the lease is the caller's |
//! | RUNNING | WAITING                  | [`Store::requeue`]       | the lease is still that of the worker that is gone |
//! | RUNNING | COMPLETE, PRUNED or FAIL | [`Store::finish`]        | the lease is the caller's |

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value as Json, json};
use spec::{Param, TrialRecord, TrialState};

use crate::trial_rows::{Changes, TrialRows, now, state_word};
use crate::{Store, StoreError, StudyId, distribution, python_json};

/// The trial's system attribute that says whose it is.
pub const LEASE: &str = "danlu:lease";

/// Whose a running trial is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    /// The process, in words that no other process has, now or later.
    pub worker: String,
    /// The machine that it runs on.
    pub host: String,
}

/// A running trial that is some Danlu's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningLease {
    /// The trial's number.
    pub number: u64,
    /// Whose it is.
    pub lease: Lease,
    /// When its worker last wrote, milliseconds of Unix time by that machine's clock; 0 where nobody knows.
    pub heartbeat_ms: i64,
}

/// The worker and the machine of [`Lease::outside`].
const OUTSIDE: &str = "outside";

impl Lease {
    /// Of a program that is no Danlu. It may take all the time in the world, so that its trials have no heartbeat: by one that
    /// nobody renews, an Optuna that looks after heartbeats would take it for dead and fail the trial.
    pub fn outside() -> Self {
        Self { worker: OUTSIDE.into(), host: OUTSIDE.into() }
    }

    /// Whether it is [`Lease::outside`].
    pub fn is_outside(&self) -> bool {
        self.worker == OUTSIDE
    }

    fn to_json(&self) -> Json {
        json!({"worker": self.worker, "host": self.host})
    }

    /// What the trial attribute [`LEASE`] says; `None` where it is no lease.
    pub fn from_json(json: &Json) -> Option<Self> {
        Some(Self { worker: json["worker"].as_str()?.to_owned(), host: json["host"].as_str()?.to_owned() })
    }
}

impl Store {
    /// Begins the trial of that number, with what is known of it; `false` where there is one of that number already, or
    /// none before it: then what it was chosen by is out of date.
    pub fn begin_trial(
        &self,
        study: StudyId,
        lease: &Lease,
        number: u64,
        changes: &Changes,
    ) -> Result<bool, StoreError> {
        self.write(|connection| {
            self.check_study(connection, study)?;
            if next_number(connection, study).map_err(self.sql())? != number {
                return Ok(false);
            }
            let (_, id) = self.insert_trial(connection, study, &TrialState::Running)?;
            let rows = TrialRows { connection, id };
            rows.write_changes(changes, self.sql())?;
            take(&rows, lease).map_err(self.sql())?;
            Ok(true)
        })
    }

    /// Takes the waiting trial of the lowest number, if there is one.
    pub fn claim_waiting(&self, study: StudyId, lease: &Lease) -> Result<Option<u64>, StoreError> {
        // Mostly none waits, and then no other process needs to be held up.
        if self.read(|connection| first_waiting(connection, study).map_err(self.sql()))?.is_none() {
            return Ok(None);
        }
        self.write(|connection| {
            let Some((id, number)) = first_waiting(connection, study).map_err(self.sql())? else {
                return Ok(None);
            };
            self.remember(study, number, id);
            take(&TrialRows { connection, id }, lease).map_err(self.sql())?;
            Ok(Some(number))
        })
    }

    /// Adds a trial that waits for somebody, with these parameters, of which it may have more later, and gives its number.
    /// An Optuna that takes it uses them too.
    pub fn enqueue(
        &self,
        study: StudyId,
        params: &BTreeMap<String, Param>,
        user_attributes: &BTreeMap<String, Json>,
    ) -> Result<u64, StoreError> {
        let fixed = params.iter().map(|(name, param)| (name.clone(), distribution::external(param)));
        let fixed = Json::Object(fixed.collect());
        let changes = Changes {
            params: params.clone(),
            user_attributes: user_attributes.clone(),
            system_attributes: BTreeMap::from([("fixed_params".to_owned(), fixed)]),
            ..Changes::default()
        };
        self.write(|connection| {
            let (number, id) = self.insert_trial(connection, study, &TrialState::Waiting)?;
            TrialRows { connection, id }.write_changes(&changes, self.sql())?;
            Ok(number)
        })
    }

    /// Writes what became of the lease's trial, in one transaction, and that its worker lives, but for [`Lease::outside`].
    pub fn update(
        &self,
        study: StudyId,
        number: u64,
        lease: &Lease,
        changes: &Changes,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            let rows = self.leased(connection, study, number, lease)?;
            rows.write_changes(changes, self.sql())?;
            write_heartbeat(&rows, lease).map_err(self.sql())
        })
    }

    /// Gives the lease's trial parameters.
    pub fn set_params(
        &self,
        study: StudyId,
        number: u64,
        lease: &Lease,
        params: &BTreeMap<String, Param>,
    ) -> Result<(), StoreError> {
        let changes = Changes { params: params.clone(), ..Changes::default() };
        self.update(study, number, lease, &changes)
    }

    /// Writes the lease's trial's value at a step.
    pub fn set_intermediate(
        &self,
        study: StudyId,
        number: u64,
        lease: &Lease,
        step: u64,
        value: f64,
    ) -> Result<(), StoreError> {
        let changes = Changes { intermediate: BTreeMap::from([(step, value)]), ..Changes::default() };
        self.update(study, number, lease, &changes)
    }

    /// Writes that the lease's worker lives.
    pub fn heartbeat(&self, study: StudyId, number: u64, lease: &Lease) -> Result<(), StoreError> {
        self.update(study, number, lease, &Changes::default())
    }

    /// Notes something of a trial that waits or runs, whoever's it is.
    pub fn set_user_attribute(
        &self,
        study: StudyId,
        number: u64,
        key: &str,
        value: &Json,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            let rows = self.not_over(connection, study, number)?;
            rows.write_user_attribute(key, value).map_err(self.sql())
        })
    }

    /// As [`Store::set_user_attribute`], for programs.
    pub fn set_system_attribute(
        &self,
        study: StudyId,
        number: u64,
        key: &str,
        value: &Json,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            let rows = self.not_over(connection, study, number)?;
            rows.write_system_attribute(key, value).map_err(self.sql())
        })
    }

    /// Ends the lease's trial: a state that is over, and what became of it, in one transaction.
    /// [`StoreError::LeaseLost`] where it no longer runs or is somebody else's; then nothing is written.
    pub fn finish(
        &self,
        study: StudyId,
        number: u64,
        lease: &Lease,
        state: &TrialState,
        changes: &Changes,
    ) -> Result<(), StoreError> {
        const STATEMENT: &str =
            concat!("UPDATE trials SET state = ?2, datetime_complete = ", now!(), " WHERE trial_id = ?1");
        if !state.is_over() {
            return Err(StoreError::NotAnEnd { number });
        }
        self.write(|connection| {
            self.check_values(connection, study, number, state)?;
            let rows = self.leased(connection, study, number, lease)?;
            rows.write_changes(changes, self.sql())?;
            rows.write_values(values(state)).map_err(self.sql())?;
            rows.execute(STATEMENT, (rows.id, state_word(state))).map_err(self.sql())
        })
    }

    /// Gives the lease's trial back: it waits, and keeps its parameters, values and attributes.
    pub fn release(&self, study: StudyId, number: u64, lease: &Lease) -> Result<(), StoreError> {
        self.write(|connection| {
            let rows = self.leased(connection, study, number, lease)?;
            give_back(&rows).map_err(self.sql())
        })
    }

    /// As [`Store::release`] for a worker that is gone; `false` where the trial is not its any more.
    pub fn requeue(&self, study: StudyId, number: u64, gone: &Lease) -> Result<bool, StoreError> {
        match self.release(study, number, gone) {
            Err(StoreError::LeaseLost { .. }) => Ok(false),
            released => released.map(|()| true),
        }
    }

    /// The running trials of all Danlus, by number. Those of Optuna have no lease.
    pub fn running_leases(&self, study: StudyId) -> Result<Vec<RunningLease>, StoreError> {
        self.read(|connection| running_leases(connection, study).map_err(self.sql()))
    }

    /// Adds trials as they are, with their times, in one transaction: for what was read from elsewhere. Their numbers must
    /// go on from those of the study's. One that ran waits: here it is nobody's.
    pub fn import(&self, study: StudyId, trials: &[TrialRecord]) -> Result<(), StoreError> {
        const STATEMENT: &str = "UPDATE trials SET
            datetime_start = strftime('%Y-%m-%d %H:%M:%f000', ?2 / 1000.0, 'unixepoch'),
            datetime_complete = strftime('%Y-%m-%d %H:%M:%f000', ?3 / 1000.0, 'unixepoch') WHERE trial_id = ?1";
        self.write(|connection| {
            for trial in trials {
                self.check_values(connection, study, trial.number, &trial.state)?;
                let state = if trial.state.is_over() { &trial.state } else { &TrialState::Waiting };
                let (number, id) = self.insert_trial(connection, study, state)?;
                if number != trial.number {
                    return Err(StoreError::NumberTaken { number: trial.number, next: number });
                }
                let rows = TrialRows { connection, id };
                rows.write_changes(&changes_of(trial), self.sql())?;
                rows.write_values(values(&trial.state)).map_err(self.sql())?;
                rows.execute(STATEMENT, (id, trial.started_ms, trial.completed_ms)).map_err(self.sql())?;
            }
            Ok(())
        })
    }

    fn insert_trial(
        &self,
        connection: &Connection,
        study: StudyId,
        state: &TrialState,
    ) -> Result<(u64, i64), StoreError> {
        self.check_study(connection, study)?;
        let insert = "INSERT INTO trials (number, study_id, state) VALUES (?1, ?2, ?3)";
        let insert_next = || {
            let number = next_number(connection, study)?;
            connection.prepare_cached(insert)?.execute((number, study.0, state_word(state)))?;
            Ok((number, connection.last_insert_rowid()))
        };
        let (number, id) = insert_next().map_err(self.sql())?;
        self.remember(study, number, id);
        Ok((number, id))
    }

    fn check_values(
        &self,
        connection: &Connection,
        study: StudyId,
        number: u64,
        state: &TrialState,
    ) -> Result<(), StoreError> {
        let values = values(state);
        if let Some(objective) = values.iter().position(|value| value.is_nan()) {
            return Err(StoreError::ValueNotANumber { number, objective });
        }
        let needs_values = matches!(state, TrialState::Complete { .. }) || !values.is_empty();
        let expected = self.directions(connection, study)?.len();
        if needs_values && values.len() != expected {
            return Err(StoreError::ValueCount { number, found: values.len(), expected });
        }
        Ok(())
    }

    /// The rows of a trial that runs and is the lease's.
    fn leased<'a>(
        &self,
        connection: &'a Connection,
        study: StudyId,
        number: u64,
        lease: &Lease,
    ) -> Result<TrialRows<'a>, StoreError> {
        let (id, state) = self.find_trial(connection, study, number)?;
        let is_its =
            state == "RUNNING" && find_lease(connection, id).map_err(self.sql())?.as_ref() == Some(lease);
        if is_its { Ok(TrialRows { connection, id }) } else { Err(StoreError::LeaseLost { number }) }
    }

    fn not_over<'a>(
        &self,
        connection: &'a Connection,
        study: StudyId,
        number: u64,
    ) -> Result<TrialRows<'a>, StoreError> {
        let (id, state) = self.find_trial(connection, study, number)?;
        if state == "RUNNING" || state == "WAITING" {
            return Ok(TrialRows { connection, id });
        }
        Err(StoreError::TrialOver { number })
    }

    /// Optuna's `trial_id`, and the state.
    fn find_trial(
        &self,
        connection: &Connection,
        study: StudyId,
        number: u64,
    ) -> Result<(i64, String), StoreError> {
        let remembered = self.trial_ids.borrow().get(&(study, number)).copied();
        let by_id = remembered.and_then(|id| find_by_id(connection, study, number, id).transpose());
        let found = by_id.or_else(|| find_by_number(connection, study, number).transpose());
        let found = found.transpose().map_err(self.sql())?;
        let (id, state) = found.ok_or(StoreError::NoTrial { number })?;
        self.remember(study, number, id);
        Ok((id, state))
    }

    pub(crate) fn remember(&self, study: StudyId, number: u64, id: i64) {
        self.trial_ids.borrow_mut().insert((study, number), id);
    }
}

fn values(state: &TrialState) -> &[f64] {
    match state {
        TrialState::Complete { values } | TrialState::Pruned { values } => values,
        TrialState::Waiting | TrialState::Running | TrialState::Failed => &[],
    }
}

fn changes_of(trial: &TrialRecord) -> Changes {
    let mut system_attributes = trial.system_attributes.clone();
    if !trial.state.is_over() {
        system_attributes.remove(LEASE);
    }
    Changes {
        params: trial.params.clone(),
        intermediate: trial.intermediate.clone(),
        user_attributes: trial.user_attributes.clone(),
        system_attributes,
    }
}

/// Optuna's `trial_id`, and the state.
type Found = Option<(i64, String)>;

fn find_by_id(connection: &Connection, study: StudyId, number: u64, id: i64) -> rusqlite::Result<Found> {
    let query = "SELECT trial_id, state FROM trials WHERE trial_id = ?1 AND study_id = ?2 AND number = ?3";
    let mut query = connection.prepare_cached(query)?;
    query.query_row((id, study.0, number), |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn find_by_number(connection: &Connection, study: StudyId, number: u64) -> rusqlite::Result<Found> {
    let query = "SELECT trial_id, state FROM trials WHERE study_id = ?1 AND number = ?2";
    let mut query = connection.prepare_cached(query)?;
    query.query_row((study.0, number), |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// The trial runs from this instant on and is the lease's.
fn take(rows: &TrialRows<'_>, lease: &Lease) -> rusqlite::Result<()> {
    const START: &str = concat!("UPDATE trials SET datetime_start = ", now!(), " WHERE trial_id = ?1");
    // A trial that was just made runs already.
    let run = "UPDATE trials SET state = 'RUNNING' WHERE trial_id = ?1 AND state = 'WAITING'";
    rows.execute(START, [rows.id])?;
    rows.execute(run, [rows.id])?;
    rows.write_system_attribute(LEASE, &lease.to_json())?;
    write_heartbeat(rows, lease)
}

/// The lease's worker lives, if that is known of it.
fn write_heartbeat(rows: &TrialRows<'_>, lease: &Lease) -> rusqlite::Result<()> {
    if lease.is_outside() { Ok(()) } else { rows.write_heartbeat() }
}

/// The trial waits and is nobody's. The heartbeat goes too: for Optuna, a trial that runs with an old one is dead.
fn give_back(rows: &TrialRows<'_>) -> rusqlite::Result<()> {
    rows.execute("DELETE FROM trial_heartbeats WHERE trial_id = ?1", [rows.id])?;
    let forget = "DELETE FROM trial_system_attributes WHERE trial_id = ?1 AND key = ?2";
    rows.execute(forget, (rows.id, LEASE))?;
    rows.execute("UPDATE trials SET state = 'WAITING' WHERE trial_id = ?1", [rows.id])
}

/// As Optuna numbers trials: by their order in the table, among those of the study.
fn next_number(connection: &Connection, study: StudyId) -> rusqlite::Result<u64> {
    let last = "SELECT number FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1";
    let last = connection.prepare_cached(last)?.query_row([study.0], |row| row.get::<_, u64>(0));
    Ok(last.optional()?.map_or(0, |last| last + 1))
}

/// Optuna's `trial_id`, and the number.
fn first_waiting(connection: &Connection, study: StudyId) -> rusqlite::Result<Option<(i64, u64)>> {
    let query = "SELECT trial_id, number FROM trials WHERE study_id = ?1 AND state = 'WAITING' ORDER BY trial_id LIMIT 1";
    let mut query = connection.prepare_cached(query)?;
    query.query_row([study.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn find_lease(connection: &Connection, id: i64) -> rusqlite::Result<Option<Lease>> {
    let query = "SELECT value_json FROM trial_system_attributes WHERE trial_id = ?1 AND key = ?2";
    let mut query = connection.prepare_cached(query)?;
    let text = query.query_row((id, LEASE), |row| row.get::<_, String>(0)).optional()?;
    Ok(text.and_then(|text| Lease::from_json(&python_json::read(&text))))
}

fn running_leases(connection: &Connection, study: StudyId) -> rusqlite::Result<Vec<RunningLease>> {
    let query = "SELECT number, value_json, CAST(ROUND(COALESCE(unixepoch(heartbeat, 'subsec'), 0) * 1000) AS INTEGER)
        FROM trials JOIN trial_system_attributes USING (trial_id) LEFT JOIN trial_heartbeats USING (trial_id)
        WHERE study_id = ?1 AND state = 'RUNNING' AND key = ?2 ORDER BY number";
    let mut query = connection.prepare_cached(query)?;
    let mut rows = query.query((study.0, LEASE))?;
    let mut running = Vec::new();
    while let Some(row) = rows.next()? {
        let lease = Lease::from_json(&python_json::read(row.get_ref(1)?.as_str()?));
        if let Some(lease) = lease {
            running.push(RunningLease { number: row.get(0)?, lease, heartbeat_ms: row.get(2)? });
        }
    }
    Ok(running)
}
