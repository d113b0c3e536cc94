//! What can go wrong with a store, and what SQLite's result codes mean for it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi::{self, ErrorCode};

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("no study store at {}", path.display())]
    Missing { path: PathBuf },
    #[error(
        "{} is no study store: {reason}; put back a copy, or let `danlu study repair` make it again from the trials' folders",
        path.display()
    )]
    NotAStore { path: PathBuf, reason: &'static str },
    #[error(
        "the study store {} is damaged ({detail}); put back a copy, or let `danlu study repair` make it again from the \
         trials' folders",
        path.display()
    )]
    Damaged { path: PathBuf, detail: String },
    #[error(
        "the study store {} is of a newer version (schema {found}, this program knows {known}); use a newer danlu",
        path.display()
    )]
    Newer { path: PathBuf, found: String, known: &'static str },
    #[error(
        "the study store {} is of an older Optuna (schema {found}, needed {known}); `optuna storage upgrade --storage \
         sqlite:///{}` brings it up to date",
        path.display(),
        path.display()
    )]
    Older { path: PathBuf, found: String, known: &'static str },
    #[error(
        "the study store {} cannot be written: its file, its folder or the file system is read-only",
        path.display()
    )]
    ReadOnly { path: PathBuf },
    #[error(
        "the study store {} was left in the middle of a write and must be opened for writing once, which this process \
         may not",
        path.display()
    )]
    HalfWritten { path: PathBuf },
    #[error("the study store {} was moved or deleted while it was open", path.display())]
    Moved { path: PathBuf },
    #[error("the disk of the study store {} is full; nothing of the last change was kept", path.display())]
    Full { path: PathBuf },
    #[error(
        "the study store {} is held by another process, which does not let go of it",
        path.display()
    )]
    Locked { path: PathBuf },
    #[error("cannot {action} the study store {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot use the study store {}", path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error(
        "the study store {} holds what cannot be understood: {what}; put back a copy, or let `danlu study repair` make it \
         again from the trials' folders",
        path.display()
    )]
    Content { path: PathBuf, what: String },
    #[error("the study store {} has no study {study}", path.display())]
    NoStudy { path: PathBuf, study: i64 },
    #[error("the study store {} already has a study called `{name}`", path.display())]
    NameTaken { path: PathBuf, name: String },
    #[error("a study needs at least one objective")]
    NoObjective,
    #[error("the study has no trial {number}")]
    NoTrial { number: u64 },
    #[error("trial {number} is over and stays as it is")]
    TrialOver { number: u64 },
    #[error("trial {number} is no longer this worker's: it was given to another one, ended or queued again")]
    LeaseLost { number: u64 },
    #[error("trial {number} cannot be finished as one that waits or runs")]
    NotAnEnd { number: u64 },
    #[error("trial {number} cannot be added: the study's next one is {next}")]
    NumberTaken { number: u64, next: u64 },
    #[error("trial {number} has {found} values, the study {expected} objectives")]
    ValueCount { number: u64, found: usize, expected: usize },
    #[error("objective {objective} of trial {number} is not a number")]
    ValueNotANumber { number: u64, objective: usize },
    #[error("parameter `{name}` cannot be stored: {reason}")]
    Param { name: String, reason: String },
    #[error("step {step} is too large for the store")]
    Step { step: u64 },
}

impl StoreError {
    /// Whether the file is at fault, which only a copy or making it again mends, and not who uses it or how.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. } | Self::NotAStore { .. } | Self::Damaged { .. } | Self::Content { .. }
        )
    }

    /// For `map_err`: what SQLite's error means for the store at `path`.
    pub(crate) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        move |source| Self::of_sqlite(path.to_owned(), source)
    }

    /// For `map_err`: an error of the operating system.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    fn of_sqlite(path: PathBuf, source: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, ref detail) = source else {
            return Self::of_content(path, source);
        };
        let detail = || detail.clone().unwrap_or_else(|| failure.to_string());
        match (failure.code, failure.extended_code) {
            (_, ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_RECOVERY) => Self::HalfWritten { path },
            (_, ffi::SQLITE_READONLY_DBMOVED) => Self::Moved { path },
            // In a folder that is read-only SQLite cannot open its journal.
            (ErrorCode::ReadOnly | ErrorCode::CannotOpen, _) => Self::ReadOnly { path },
            (ErrorCode::NotADatabase, _) => {
                Self::NotAStore { path, reason: "it is not an SQLite file, or its beginning is damaged" }
            }
            (ErrorCode::DatabaseCorrupt, _) => Self::Damaged { path, detail: detail() },
            (ErrorCode::DiskFull, _) => Self::Full { path },
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Locked { path },
            _ => Self::Sqlite { path, source },
        }
    }

    /// Rows of other types or missing tables, where they were there when the store was opened.
    fn of_content(path: PathBuf, source: rusqlite::Error) -> Self {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        match source {
            FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..) => Self::Content { path, what: source.to_string() },
            _ => Self::Sqlite { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_codes_say_what_to_do() {
        let cases = [
            (ffi::SQLITE_FULL, "is full"),
            (ffi::SQLITE_BUSY, "held by another process, which does not let go"),
            (ffi::SQLITE_BUSY_SNAPSHOT, "held by another process"),
            (ffi::SQLITE_READONLY, "cannot be written"),
            (ffi::SQLITE_READONLY_DIRECTORY, "cannot be written"),
            (ffi::SQLITE_CANTOPEN, "cannot be written"),
            (ffi::SQLITE_READONLY_DBMOVED, "was moved or deleted"),
            (ffi::SQLITE_READONLY_ROLLBACK, "opened for writing once"),
            (ffi::SQLITE_CORRUPT, "is damaged"),
            (ffi::SQLITE_NOTADB, "is no study store"),
            (ffi::SQLITE_IOERR_WRITE, "cannot use the study store /a/study.db"),
        ];
        for (code, expected) in cases {
            let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let message = StoreError::sqlite(Path::new("/a/study.db"))(source).to_string();
            assert!(message.contains(expected) && message.contains("/a/study.db"), "{code}: {message}");
        }
    }
}
