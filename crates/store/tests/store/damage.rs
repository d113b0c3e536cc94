//! What is no store, or no longer a whole one: always an error that says so, or a whole state.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use spec::TrialRecord;
use store::{Changes, Store, StoreError, StudyId, TrialCache};

use crate::fixture::{folder, lease, study, trials};

fn read(store: &Store, study: StudyId) -> Result<Vec<TrialRecord>, StoreError> {
    let mut cache = TrialCache::new();
    store.sync(study, &mut cache)?;
    Ok(cache.trials().to_vec())
}

/// A closed store with the fixture's trials, and its bytes.
fn whole(path: &Path) -> (StudyId, Vec<u8>) {
    let folder = folder();
    let (store, study) = study(&folder);
    store.import(study, &trials()).expect("import");
    drop(store);
    let bytes = fs::read(folder.path().join("study.db")).expect("bytes");
    fs::write(path, &bytes).expect("copy");
    (study, bytes)
}

#[test]
fn a_store_that_was_cut_off() {
    let folder = folder();
    let path = folder.path().join("cut.db");
    let (study, bytes) = whole(&path);
    assert_eq!(read(&Store::open(&path).expect("open"), study).expect("read"), trials());
    let cuts = (0..bytes.len()).step_by(512).chain([1, 15, 16, 17, 99, 100, 101, bytes.len() - 1]);
    for cut in cuts {
        fs::write(&path, &bytes[..cut]).expect("cut");
        let opened = [Store::open(&path), Store::create_or_open(&path)];
        let read_only = Store::open_read_only(&path).and_then(|store| read(&store, study)).map(drop);
        for result in opened.into_iter().map(|opened| opened.map(drop)).chain([read_only]) {
            let error = result.expect_err(&format!("{cut} of {} bytes", bytes.len()));
            let is_clear = matches!(error, StoreError::Damaged { .. } | StoreError::NotAStore { .. });
            assert!(is_clear, "cut at {cut}: {error}");
        }
        assert_eq!(fs::read(&path).expect("bytes"), bytes[..cut], "cut at {cut}: it was touched");
    }
}

#[test]
fn a_store_with_bytes_of_something_else() {
    let folder = folder();
    let path = folder.path().join("overwritten.db");
    let (study, bytes) = whole(&path);
    let mut n_refused = 0;
    for at in (0..bytes.len()).step_by(331) {
        let mut other = bytes.clone();
        let end = bytes.len().min(at + 64);
        other[at..end].fill(0xa5);
        fs::write(&path, &other).expect("write");
        let attempt = Store::open(&path).and_then(|store| {
            store.studies()?;
            read(&store, study)?;
            store.begin_trial(study, &lease("w"), trials().len() as u64, &Changes::default())
        });
        n_refused += usize::from(attempt.is_err());
    }
    // Bytes in free space or within a text are nobody's to find.
    assert!(n_refused > 20, "{n_refused} of {} were found", bytes.len() / 331);
}

#[test]
fn a_process_died_while_it_wrote() {
    let folder = folder();
    let [path, copied] = ["study.db", "copied.db"].map(|name| folder.path().join(name));
    let journal = |path: &Path| path.with_extension("db-journal");
    let (study, bytes) = whole(&path);
    let connection = Connection::open(&path).expect("open");
    // With so little memory, parts of the change go into the file before its end.
    let change = "PRAGMA foreign_keys = OFF; PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE trial_params SET distribution_json = 'half';
        DELETE FROM trial_user_attributes; DELETE FROM trials;";
    connection.execute_batch(change).expect("change");
    for open in [Store::open, Store::open_read_only] {
        fs::copy(&path, &copied).expect("copy");
        fs::copy(journal(&path), journal(&copied)).expect("copy");
        assert_ne!(fs::read(&copied).expect("bytes"), bytes, "nothing is half-written");
        let store = open(&copied).expect("open");
        assert_eq!(read(&store, study).expect("read"), trials());
        drop(store);
        assert!(!journal(&copied).exists());
    }
    // Also where it dies while somebody reads.
    let reader = Store::open_read_only(&copied).expect("open");
    fs::copy(&path, &copied).expect("copy");
    fs::copy(journal(&path), journal(&copied)).expect("copy");
    assert_eq!(read(&reader, study).expect("read"), trials());
}

#[test]
fn what_is_no_store_of_this_version() {
    let cases: [(&str, &str); 9] = [
        ("DROP TABLE version_info", "without Optuna's tables"),
        ("DELETE FROM version_info", "older Optuna (schema none, v3.2.0.a, needed 12, v3.2.0.a)"),
        ("DROP TABLE alembic_version", "older Optuna (schema 12, none"),
        ("DELETE FROM alembic_version", "older Optuna (schema 12, none"),
        (
            "UPDATE alembic_version SET version_num = 'v3.0.0.d'",
            "optuna storage upgrade --storage sqlite:///",
        ),
        ("UPDATE alembic_version SET version_num = 'v3.3.0.a'", "newer version (schema 12, v3.3.0.a"),
        ("UPDATE version_info SET schema_version = 13", "newer version (schema 13, v3.2.0.a"),
        ("UPDATE version_info SET schema_version = 11", "older Optuna (schema 11, v3.2.0.a"),
        ("UPDATE version_info SET schema_version = 'x'", "cannot be understood"),
    ];
    for (statement, expected) in cases {
        let folder = folder();
        let path = folder.path().join("study.db");
        whole(&path);
        Connection::open(&path).expect("open").execute_batch(statement).expect("tamper");
        for open in [Store::open, Store::create_or_open, Store::open_read_only] {
            let error = open(&path).expect_err(statement).to_string();
            assert!(error.contains(expected), "{statement}: {error}");
        }
    }
}

#[test]
fn what_is_no_store_at_all() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("empty"), "").expect("write");
    fs::write(at("text"), "[study]\n".repeat(999)).expect("write");
    let cases = [
        (at("missing"), "no study store at"),
        (at("empty"), "it is empty"),
        (at("text"), "it is not an SQLite file"),
        (folder.path().to_owned(), "it is no file"),
    ];
    for (path, expected) in cases {
        for open in [Store::open, Store::open_read_only] {
            let error = open(path.clone()).expect_err(expected).to_string();
            assert!(error.contains(expected) && error.contains(&*path.to_string_lossy()), "{error}");
        }
    }
    let error = Store::create_or_open(at("no/folder")).expect_err("no folder").to_string();
    assert!(error.starts_with("cannot create the study store"), "{error}");
}
