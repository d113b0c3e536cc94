//! The study store: Optuna's relational schema in one SQLite file, so that `optuna.load_study` and optuna-dashboard open a
//! study as it stands. It keeps what it is given and interprets none of it; numbers keep every bit, but for the sign of zero,
//! which SQLite drops.
//!
//! Any number of processes may have a store open, Optuna's among them. Each change is one short transaction that is on the
//! disk when the call returns; a process that is killed, or a disk that is full, leaves the state before it. There is a
//! rollback journal beside the file only during a change: the file alone is the store.

mod connection;
mod distribution;
mod error;
mod python_json;
mod reader;
mod schema;
mod studies;
mod sync;
mod trial_rows;
mod trials;

pub use connection::Store;
pub use error::StoreError;
pub use python_json::with_number_texts;
pub use studies::{StudyId, StudyRow, TrialCounts};
pub use sync::TrialCache;
pub use trial_rows::Changes;
pub use trials::{LEASE, Lease, RunningLease};
