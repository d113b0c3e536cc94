//! Stores that may not be written.

use std::fs::{self, Permissions};
use std::path::Path;

use store::{Store, StoreError, TrialCache};

use crate::fixture::{lease, study, trials};

#[test]
fn a_store_opened_for_reading_is_not_written() {
    let folder = tempfile::tempdir().expect("folder");
    let (store, study) = study(&folder);
    let reader = Store::open_read_only(store.path()).expect("open");
    let refused = reader.begin_trial(study, &lease("w"));
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    store.begin_trial(study, &lease("w")).expect("begin");
    assert_eq!(reader.sync(study, &mut TrialCache::new()).expect("sync"), [0], "it goes on reading");
}

/// For the superuser nothing is read-only; then there is nothing to see.
#[cfg(unix)]
#[test]
fn a_folder_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("folder");
    let (store, study) = study(&folder);
    store.import(study, &trials()).expect("import");
    let path = store.path().to_owned();
    drop(store);
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
    set(folder.path(), 0o555);
    if fs::write(folder.path().join("probe"), "").is_err() {
        let store = Store::open(&path).expect("its file may be written");
        let refused = store.begin_trial(study, &lease("w"));
        assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
        drop(store);
        set(&path, 0o444);
        assert!(matches!(Store::open(&path), Err(StoreError::ReadOnly { .. })));
        let store = Store::open_read_only(&path).expect("open");
        let mut cache = TrialCache::new();
        store.sync(study, &mut cache).expect("sync");
        assert_eq!(cache.trials(), trials());
    }
    set(folder.path(), 0o755);
}
