//! Optuna's tables: read from what Optuna 5.0.0 makes; the schema has not changed since Optuna 3.2 (2023).

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::StoreError;

/// `version_info.schema_version` and `alembic_version.version_num` of the tables below.
const SCHEMA: i64 = 12;
const REVISION: &str = "v3.2.0.a";
const KNOWN: &str = "12, v3.2.0.a";

/// Revisions that came before; what is none of these comes after.
const OLDER_REVISIONS: [&str; 9] = [
    "v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c",
    "v3.0.0.d",
];

/// The Optuna whose tables these are; Optuna names it where it finds a store too old.
const LIBRARY: &str = "5.0.0";

const TABLES: &str = r#"
CREATE TABLE studies (
    study_id INTEGER NOT NULL,
    study_name VARCHAR(512) NOT NULL,
    PRIMARY KEY (study_id)
);
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);

CREATE TABLE version_info (
    version_info_id INTEGER NOT NULL,
    schema_version INTEGER,
    library_version VARCHAR(256),
    PRIMARY KEY (version_info_id),
    CHECK (version_info_id=1)
);

CREATE TABLE study_directions (
    study_direction_id INTEGER NOT NULL,
    direction VARCHAR(8) NOT NULL,
    study_id INTEGER NOT NULL,
    objective INTEGER NOT NULL,
    PRIMARY KEY (study_direction_id),
    UNIQUE (study_id, objective),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);

CREATE TABLE study_user_attributes (
    study_user_attribute_id INTEGER NOT NULL,
    study_id INTEGER,
    "key" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (study_user_attribute_id),
    UNIQUE (study_id, "key"),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);

CREATE TABLE study_system_attributes (
    study_system_attribute_id INTEGER NOT NULL,
    study_id INTEGER,
    "key" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (study_system_attribute_id),
    UNIQUE (study_id, "key"),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);

CREATE TABLE trials (
    trial_id INTEGER NOT NULL,
    number INTEGER,
    study_id INTEGER,
    state VARCHAR(8) NOT NULL,
    datetime_start DATETIME,
    datetime_complete DATETIME,
    PRIMARY KEY (trial_id),
    FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE INDEX ix_trials_study_id ON trials (study_id);

CREATE TABLE trial_user_attributes (
    trial_user_attribute_id INTEGER NOT NULL,
    trial_id INTEGER,
    "key" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (trial_user_attribute_id),
    UNIQUE (trial_id, "key"),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);

CREATE TABLE trial_system_attributes (
    trial_system_attribute_id INTEGER NOT NULL,
    trial_id INTEGER,
    "key" VARCHAR(512),
    value_json TEXT,
    PRIMARY KEY (trial_system_attribute_id),
    UNIQUE (trial_id, "key"),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);

CREATE TABLE trial_params (
    param_id INTEGER NOT NULL,
    trial_id INTEGER,
    param_name VARCHAR(512),
    param_value FLOAT,
    distribution_json TEXT,
    PRIMARY KEY (param_id),
    UNIQUE (trial_id, param_name),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);

CREATE TABLE trial_values (
    trial_value_id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    objective INTEGER NOT NULL,
    value FLOAT,
    value_type VARCHAR(7) NOT NULL,
    PRIMARY KEY (trial_value_id),
    UNIQUE (trial_id, objective),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);

CREATE TABLE trial_intermediate_values (
    trial_intermediate_value_id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    intermediate_value FLOAT,
    intermediate_value_type VARCHAR(7) NOT NULL,
    PRIMARY KEY (trial_intermediate_value_id),
    UNIQUE (trial_id, step),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);

CREATE TABLE trial_heartbeats (
    trial_heartbeat_id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    heartbeat DATETIME NOT NULL,
    PRIMARY KEY (trial_heartbeat_id),
    UNIQUE (trial_id),
    FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
"#;

/// Optuna looks at a waiting trial and takes it in two steps, between which another process may take and even end it. Its
/// own code treats a change that is refused as "somebody else was first", so the store refuses to set running what does not
/// wait. No other change of Optuna's does that.
const ONE_TAKES_A_TRIAL: &str = "
CREATE TRIGGER danlu_one_takes_a_trial BEFORE UPDATE OF state ON trials
WHEN NEW.state = 'RUNNING' AND OLD.state <> 'WAITING'
BEGIN
    SELECT RAISE(ABORT, 'the trial does not wait');
END;
";

/// Makes the tables in an empty file, all or none.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(TABLES)?;
    connection.execute_batch(ONE_TAKES_A_TRIAL)?;
    connection.execute("INSERT INTO version_info VALUES (1, ?1, ?2)", (SCHEMA, LIBRARY))?;
    connection.execute("INSERT INTO alembic_version VALUES (?1)", [REVISION])?;
    connection.execute_batch("COMMIT")
}

/// Whether the file is a store of this version.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let sql = StoreError::sqlite(path);
    if !has_table(connection, "version_info").map_err(&sql)? {
        let reason = "it is an SQLite file without Optuna's tables";
        return Err(StoreError::NotAStore { path: path.to_owned(), reason });
    }
    let version = "SELECT schema_version FROM version_info";
    let schema = connection.query_row(version, [], |row| row.get::<_, i64>(0)).optional().map_err(&sql)?;
    let revision = revision(connection).map_err(&sql)?;
    if schema == Some(SCHEMA) && revision.as_deref() == Some(REVISION) {
        return Ok(());
    }
    Err(other_version(path, schema, revision))
}

fn other_version(path: &Path, schema: Option<i64>, revision: Option<String>) -> StoreError {
    let path = path.to_owned();
    let is_older = schema.is_none_or(|schema| schema <= SCHEMA)
        && revision
            .as_deref()
            .is_none_or(|revision| revision == REVISION || OLDER_REVISIONS.contains(&revision));
    let schema = schema.map_or("none".to_owned(), |schema| schema.to_string());
    let found = format!("{schema}, {}", revision.unwrap_or("none".to_owned()));
    if is_older {
        return StoreError::Older { path, found, known: KNOWN };
    }
    StoreError::Newer { path, found, known: KNOWN }
}

/// Optuna's before 1.2 have no such table.
fn revision(connection: &Connection) -> rusqlite::Result<Option<String>> {
    if !has_table(connection, "alembic_version")? {
        return Ok(None);
    }
    connection.query_row("SELECT version_num FROM alembic_version", [], |row| row.get(0)).optional()
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let query = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?1";
    connection.query_row(query, [name], |row| row.get(0))
}
