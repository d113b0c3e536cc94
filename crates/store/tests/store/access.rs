//! Stores that may not be written.

use std::fs::{self, Permissions};
use std::path::Path;

use store::{Changes, Store, StoreError, TrialCache};

use crate::fixture::{begin, folder, lease, study, trials};

#[test]
fn a_store_opened_for_reading_is_not_written() {
    let folder = folder();
    let (store, study) = study(&folder);
    let reader = Store::open_read_only(store.path()).expect("open");
    let refused = reader.begin_trial(study, &lease("w"), 0, &Changes::default());
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    begin(&store, study, &lease("w"));
    assert_eq!(reader.sync(study, &mut TrialCache::new()).expect("sync"), [0], "it goes on reading");
}

#[cfg(unix)]
#[test]
fn a_store_that_was_deleted_is_not_written() {
    let folder = folder();
    let (store, study) = study(&folder);
    fs::remove_file(store.path()).expect("delete");
    let refused = store.begin_trial(study, &lease("w"), 0, &Changes::default());
    assert!(matches!(refused, Err(StoreError::Moved { .. })), "{refused:?}");
}

/// For the superuser nothing is read-only; then there is nothing to see.
#[cfg(unix)]
#[test]
fn a_folder_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let (store, study) = study(&folder);
    store.import(study, &trials()).expect("import");
    let path = store.path().to_owned();
    drop(store);
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
    set(folder.path(), 0o555);
    if fs::write(folder.path().join("probe"), "").is_err() {
        let store = Store::open(&path).expect("its file may be written");
        let refused = store.begin_trial(study, &lease("w"), trials().len() as u64, &Changes::default());
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
