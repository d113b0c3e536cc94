//! The rows of one trial: how each thing is written, whoever asks for it.

use std::collections::BTreeMap;

use rusqlite::{Connection, ToSql};
use serde_json::Value as Json;
use spec::{Param, TrialState};

use crate::{StoreError, distribution};

/// Optuna 5 writes UTC with microseconds and without a zone; Optuna 4 wrote local time. SQLite's clock gives milliseconds.
macro_rules! now {
    () => {
        "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    };
}
pub(crate) use now;

/// What becomes of a trial besides its state. What is not named here stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Parameters by name.
    pub params: BTreeMap<String, Param>,
    /// Values by step, from 0; may be NaN or infinite.
    pub intermediate: BTreeMap<u64, f64>,
    /// What people and Danlu note of it.
    pub user_attributes: BTreeMap<String, Json>,
    /// What programs need to know of it.
    pub system_attributes: BTreeMap<String, Json>,
}

/// What Optuna calls a state.
pub(crate) fn state_word(state: &TrialState) -> &'static str {
    match state {
        TrialState::Waiting => "WAITING",
        TrialState::Running => "RUNNING",
        TrialState::Complete { .. } => "COMPLETE",
        TrialState::Pruned { .. } => "PRUNED",
        TrialState::Failed => "FAIL",
    }
}

/// Optuna's `value` and `value_type`.
fn value_columns(value: f64) -> (Option<f64>, &'static str) {
    match value {
        _ if value.is_nan() => (None, "NAN"),
        f64::INFINITY => (None, "INF_POS"),
        f64::NEG_INFINITY => (None, "INF_NEG"),
        _ => (Some(value), "FINITE"),
    }
}

/// The rows of the trial with Optuna's `trial_id`.
pub(crate) struct TrialRows<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) id: i64,
}

impl TrialRows<'_> {
    pub(crate) fn write_changes(
        &self,
        changes: &Changes,
        sql: impl Fn(rusqlite::Error) -> StoreError,
    ) -> Result<(), StoreError> {
        for (name, param) in &changes.params {
            let written = distribution::write(param);
            let (value, json) = written.map_err(|reason| StoreError::Param { name: name.clone(), reason })?;
            self.write_param(name, value, &json).map_err(&sql)?;
        }
        for (&step, &value) in &changes.intermediate {
            let stored_step = i64::try_from(step).map_err(|_| StoreError::Step { step })?;
            self.write_intermediate(stored_step, value).map_err(&sql)?;
        }
        for (key, value) in &changes.user_attributes {
            self.write_user_attribute(key, value).map_err(&sql)?;
        }
        for (key, value) in &changes.system_attributes {
            self.write_system_attribute(key, value).map_err(&sql)?;
        }
        Ok(())
    }

    pub(crate) fn write_values(&self, values: &[f64]) -> rusqlite::Result<()> {
        let statement = "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (trial_id, objective) DO UPDATE SET value = excluded.value, value_type = excluded.value_type";
        for (objective, &value) in values.iter().enumerate() {
            let (stored, kind) = value_columns(value);
            self.execute(statement, (self.id, objective as i64, stored, kind))?;
        }
        Ok(())
    }

    pub(crate) fn write_heartbeat(&self) -> rusqlite::Result<()> {
        const STATEMENT: &str = concat!(
            "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?1, ",
            now!(),
            ") ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat"
        );
        self.execute(STATEMENT, [self.id])
    }

    pub(crate) fn write_user_attribute(&self, key: &str, value: &Json) -> rusqlite::Result<()> {
        let statement = "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
            ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json";
        self.execute(statement, (self.id, key, value.to_string()))
    }

    pub(crate) fn write_system_attribute(&self, key: &str, value: &Json) -> rusqlite::Result<()> {
        let statement = "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
            ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json";
        self.execute(statement, (self.id, key, value.to_string()))
    }

    pub(crate) fn execute(&self, statement: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute(params).map(|_| ())
    }

    fn write_param(&self, name: &str, value: f64, json: &str) -> rusqlite::Result<()> {
        let statement = "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
            VALUES (?1, ?2, ?3, ?4) ON CONFLICT (trial_id, param_name) DO UPDATE
            SET param_value = excluded.param_value, distribution_json = excluded.distribution_json";
        self.execute(statement, (self.id, name, value, json))
    }

    fn write_intermediate(&self, step: i64, value: f64) -> rusqlite::Result<()> {
        let statement = "INSERT INTO trial_intermediate_values
            (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value,
            intermediate_value_type = excluded.intermediate_value_type";
        let (stored, kind) = value_columns(value);
        let params: [&dyn ToSql; 4] = [&self.id, &step, &stored, &kind];
        self.execute(statement, params)
    }
}
