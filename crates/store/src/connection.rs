//! Opening a store, and its transactions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{StoreError, StudyId, schema};

/// How long a call waits for other processes. Transactions last milliseconds; a process that was stopped in the middle of
/// one, or a disk that stalls, is worth waiting for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// More than there are statements in this crate.
const CACHED_STATEMENTS: usize = 64;

/// Tells the stores and the unfinished files of one process apart.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// One connection to a store. Any number of processes and threads may each have one to the same file.
///
/// The file must not be opened in other ways by a process that has it open here: on Unix, closing any descriptor of a file
/// gives up all locks that the process has on it, SQLite's among them.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    /// Of all stores of this process.
    pub(crate) instance: u64,
    /// Transactions committed here, which SQLite's `data_version` does not count.
    pub(crate) n_writes: Cell<u64>,
    /// Where trials were found, by study and number, as the tables have no index for it.
    pub(crate) trial_ids: RefCell<BTreeMap<(StudyId, u64), i64>>,
}

impl Store {
    /// Opens the store for reading and writing; makes an empty one where there is no file.
    pub fn create_or_open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            create(path)?;
        }
        Self::open(path)
    }

    /// Opens an existing store for reading and writing, and looks the whole file over for damage.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let store = Self::connect(path.as_ref(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // SQLite opens for reading what it may not write.
        if store.connection.is_readonly("main").map_err(store.sql())? {
            return Err(StoreError::ReadOnly { path: store.path });
        }
        store.connection.pragma_update(None, "synchronous", "FULL").map_err(store.sql())?;
        store.read(|connection| store.check(connection))?;
        store.quick_check()?;
        Ok(store)
    }

    /// Opens an existing store for reading alone, also on a file system that is read-only.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_read_only_within(path, BUSY_TIMEOUT)
    }

    /// As [`Store::open_read_only`], for who would rather look again later than wait longer than this for another process.
    pub fn open_read_only_within(path: impl AsRef<Path>, wait: Duration) -> Result<Self, StoreError> {
        let store = Self::connect(path.as_ref(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        store.connection.busy_timeout(wait).map_err(store.sql())?;
        store.read(|connection| store.check(connection))?;
        Ok(store)
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks the whole file over: [`StoreError::Damaged`] with the first thing that is wrong.
    pub fn quick_check(&self) -> Result<(), StoreError> {
        let check = |connection: &Connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        };
        let answer = self.read(|connection| check(connection).map_err(self.sql()))?;
        if answer == "ok" {
            return Ok(());
        }
        Err(StoreError::Damaged { path: self.path.clone(), detail: answer.replace('\n', "; ") })
    }

    fn connect(path: &Path, access: OpenFlags) -> Result<Self, StoreError> {
        check_file(path)?;
        let opened = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let connection = opened.map_err(|source| StoreError::Sqlite { path: path.to_owned(), source })?;
        let store = Self {
            connection,
            path: path.to_owned(),
            instance: COUNTER.fetch_add(1, Ordering::Relaxed),
            n_writes: Cell::new(0),
            trial_ids: RefCell::default(),
        };
        configure(&store.connection).map_err(store.sql())?;
        Ok(store)
    }

    /// That it is a store of this version, as long as it says. SQLite takes what is missing of a last page for zeros.
    fn check(&self, connection: &Connection) -> Result<(), StoreError> {
        schema::check(connection, &self.path)?;
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
        let expected = pragma("page_size").map_err(self.sql())? * pragma("page_count").map_err(self.sql())?;
        // Who writes waits for the end of this transaction.
        let found = fs::metadata(&self.path).map_err(StoreError::io("look for", &self.path))?.len();
        if found >= expected {
            return Ok(());
        }
        let detail = format!("{found} of its {expected} bytes are there");
        Err(StoreError::Damaged { path: self.path.clone(), detail })
    }

    /// For `map_err`.
    pub(crate) fn sql(&self) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        StoreError::sqlite(&self.path)
    }

    /// Reads one state of the store.
    pub(crate) fn read<T>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.read_once(&work) {
            Err(StoreError::HalfWritten { .. }) => {
                self.undo_half_written()?;
                self.read_once(&work)
            }
            result => result,
        }
    }

    fn read_once<T>(&self, work: impl Fn(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let behavior = TransactionBehavior::Deferred;
        let transaction = Transaction::new_unchecked(&self.connection, behavior).map_err(self.sql())?;
        work(&transaction)
    }

    /// Changes the store: all that `work` does, or nothing where it or the disk fails. No other process writes meanwhile.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.connection, behavior).map_err(self.sql())?;
        let result = work(&transaction)?;
        transaction.commit().map_err(self.sql())?;
        self.n_writes.set(self.n_writes.get() + 1);
        Ok(result)
    }

    /// A process died while it wrote: any reader who may write undoes that, one who may not cannot read.
    fn undo_half_written(&self) -> Result<(), StoreError> {
        let lost = |_| StoreError::HalfWritten { path: self.path.clone() };
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, access).map_err(lost)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(lost)?;
        connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(())).map_err(lost)
    }
}

/// What SQLite says only late or not at all. The file is not opened: see [`Store`].
fn check_file(path: &Path) -> Result<(), StoreError> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        found => found.map_err(StoreError::io("look for", path))?,
    };
    let not_a_store = |reason| Err(StoreError::NotAStore { path: path.to_owned(), reason });
    match (found.is_file(), found.len()) {
        (false, _) => not_a_store("it is no file"),
        (true, 0) => not_a_store("it is empty"),
        (true, _) => Ok(()),
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Optuna's connections do not enforce foreign keys either, and may leave rows that refer to nothing.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// Makes an empty store beside `path` and gives it its name when it is whole, so that no other process ever sees a part of
/// one. Whoever comes second keeps the first one's.
fn create(path: &Path) -> Result<(), StoreError> {
    let part = part_of(path);
    let linked = create_part(&part, path).and_then(|()| link(&part, path));
    // Where this fails too, the first error is the one to tell.
    let _removed = fs::remove_file(&part);
    linked
}

fn create_part(part: &Path, path: &Path) -> Result<(), StoreError> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    File::create(part).map_err(StoreError::io("create", path))?;
    let connection = Connection::open_with_flags(part, access).map_err(StoreError::sqlite(path))?;
    // Nobody goes on with a part of whoever is killed, so it has no journal that would be left beside it.
    connection.pragma_update(None, "journal_mode", "MEMORY").map_err(StoreError::sqlite(path))?;
    schema::create(&connection).map_err(StoreError::sqlite(path))
}

fn link(part: &Path, path: &Path) -> Result<(), StoreError> {
    match fs::hard_link(part, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Ok(()) => Ok(()),
        // Another process has made one since, and deleted this one as what somebody left.
        Err(_) if path.exists() => Ok(()),
        // File systems without hard links; there a store that is made at the same instant may be replaced, still empty.
        Err(_) => fs::rename(part, path).map_err(StoreError::io("create", path)),
    }
}

/// `.NAME.PROCESS-COUNT.tmp`
fn part_of(path: &Path) -> PathBuf {
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{count}.tmp", process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Changes, Lease};
    use spec::Direction;

    fn store(folder: &tempfile::TempDir) -> (Store, StudyId, Lease) {
        let store = Store::create_or_open(folder.path().join("study.db")).expect("store");
        let study = store.create_study("one", &[Direction::Minimize], &BTreeMap::new()).expect("study");
        (store, study, Lease { worker: "w".to_owned(), host: "h".to_owned() })
    }

    fn begin(store: &Store, study: StudyId, lease: &Lease, number: u64) -> Result<bool, StoreError> {
        store.begin_trial(study, lease, number, &Changes::default())
    }

    #[test]
    fn a_full_disk_keeps_the_state_before() {
        let folder = tempfile::tempdir().expect("folder");
        let (store, study, lease) = store(&folder);
        assert!(begin(&store, study, &lease, 0).expect("begin"));
        let pages: i64 =
            store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("pages");
        let limit = |pages: i64| {
            let set = format!("PRAGMA max_page_count = {pages}");
            store.connection.query_row(&set, [], |_| Ok(())).expect("limit");
        };
        limit(pages);
        let long = serde_json::json!("x".repeat(100_000));
        let full = store.set_user_attribute(study, 0, "long", &long);
        assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
        let short = serde_json::json!(1);
        let full = store.set_study_attributes(study, [("short", &short)], [("long", &long)]);
        assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
        store.quick_check().expect("whole");
        let found = &store.studies().expect("studies")[0];
        assert_eq!((found.n_trials.running, found.user_attributes.len()), (1, 0));
        limit(1 << 20);
        store.set_user_attribute(study, 0, "long", &long).expect("space was made");
    }

    #[test]
    fn who_waits_too_long_is_told() {
        let folder = tempfile::tempdir().expect("folder");
        let (store, study, lease) = store(&folder);
        store.connection.busy_timeout(Duration::from_millis(20)).expect("timeout");
        let other = Connection::open(&store.path).expect("open");
        other.execute_batch("BEGIN EXCLUSIVE").expect("hold");
        let results = [begin(&store, study, &lease, 0).map(drop), store.studies().map(drop)];
        for result in results {
            assert!(matches!(result, Err(StoreError::Locked { .. })), "{result:?}");
        }
        other.execute_batch("ROLLBACK").expect("let go");
        assert!(begin(&store, study, &lease, 0).expect("begin"));
    }

    #[test]
    fn a_change_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let (store, study, lease) = store(&folder);
        let failed: Result<(), _> = store.write(|connection| {
            connection.execute("DELETE FROM studies", []).map_err(store.sql())?;
            Err(StoreError::NoObjective)
        });
        assert!(matches!(failed, Err(StoreError::NoObjective)));
        assert!(begin(&store, study, &lease, 0).expect("the study is there"));
    }
}
