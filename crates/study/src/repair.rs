//! A study of which one half is damaged, made whole from the other: the store from the trials' folders, the study file from
//! the store.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use runs::{RunsError, atomic_file};
use serde_json::Value as Json;
use spec::StudySpec;
use store::{Store, StoreError, TrialCache};

use crate::folder::{FILE, STORE};
use crate::view::{FILE_ATTRIBUTE, create_study};
use crate::{StudyError, StudyFolder, journal, worker};

/// The store while it is made.
const UNFINISHED: &str = ".study.db.repaired.tmp";
/// What SQLite needs to undo half a change. It belongs to the store that it lies beside, and to no other.
const JOURNAL: &str = "-journal";

/// What came of a repair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The study file was taken from the store.
    pub study_file: bool,
    /// The store was made from the trials' folders.
    pub store: Option<RepairedStore>,
}

/// A store that was made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairedStore {
    /// Its trials.
    pub n_trials: usize,
    /// Where the damaged one is kept, if there was one.
    pub damaged: Option<PathBuf>,
}

/// Mends what is damaged, and leaves alone what is not. Nobody may work on the study meanwhile.
///
/// A trial that another program made is in the store alone: of a damaged one it is lost, and stands as a failed one, so that
/// all others keep their numbers.
pub fn repair(dir: &Path) -> Result<Repaired, StudyError> {
    let folder = StudyFolder::new(dir);
    if worker::any_works(&folder) {
        return Err(StudyError::AtWork { dir: dir.to_owned() });
    }
    folder.exclusively(|| {
        let is_whole = folder.read_file().is_ok();
        if !is_whole {
            restore_file(&folder)?;
        }
        let spec = folder.read_file()?;
        let store = match is_usable(&folder, &spec)? {
            true => None,
            false => Some(restore_store(&folder, &spec)?),
        };
        Ok(Repaired { study_file: !is_whole, store })
    })
}

/// Whether the store holds the study and all of its trials can be read. One that is whole and cannot be used for another reason,
/// as when another program holds it, is an error: what only it knows must not be put aside.
fn is_usable(folder: &StudyFolder, spec: &StudySpec) -> Result<bool, StudyError> {
    let read = |store: Store| -> Result<bool, StoreError> {
        let Some(study) = store.find_study(&spec.name)? else { return Ok(false) };
        store.sync(study, &mut TrialCache::new())?;
        Ok(true)
    };
    match Store::open(folder.path(STORE)).and_then(read) {
        Ok(is_usable) => Ok(is_usable),
        Err(error) if error.is_damage() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The store holds the file's text. Where it does not, the error is the file's own.
fn restore_file(folder: &StudyFolder) -> Result<(), StudyError> {
    let path = folder.path(FILE);
    let in_store = || {
        let studies = Store::open(folder.path(STORE)).ok()?.studies().ok()?;
        let texts = studies.into_iter().filter_map(|study| match study.user_attributes.get(FILE_ATTRIBUTE) {
            Some(Json::String(text)) => Some(text.clone()),
            _ => None,
        });
        texts.into_iter().find(|text| StudySpec::from_toml(text).is_ok())
    };
    let Some(text) = in_store() else { return folder.read_file().map(drop) };
    move_away(&path)?;
    Ok(atomic_file::replace(&path, text.as_bytes())?)
}

/// The store is made under another name and gets its own when it is whole: whoever is killed meanwhile begins again.
fn restore_store(folder: &StudyFolder, spec: &StudySpec) -> Result<RepairedStore, StudyError> {
    let (unfinished, path) = (folder.path(UNFINISHED), folder.path(STORE));
    for left in [unfinished.clone(), beside(&unfinished)] {
        remove(&left)?;
    }
    let trials = journal::read_all(folder);
    let store = Store::create_or_open(&unfinished)?;
    let id = create_study(&store, spec, &folder.read_text()?)?;
    store.import(id, &trials)?;
    drop(store);
    move_away(&beside(&path))?;
    let damaged = move_away(&path)?;
    fs::rename(&unfinished, &path).map_err(RunsError::io("write", &path))?;
    Ok(RepairedStore { n_trials: trials.len(), damaged })
}

fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(JOURNAL);
    name.into()
}

/// Keeps a file as `NAME.damaged-N`, if it is there.
fn move_away(path: &Path) -> Result<Option<PathBuf>, StudyError> {
    if !path.exists() {
        return Ok(None);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|n| path.with_file_name(format!("{name}.damaged-{n}")));
    let free = names.into_iter().find(|path| !path.exists()).expect("a number that is free");
    fs::rename(path, &free).map_err(RunsError::io("move", path))?;
    Ok(Some(free))
}

fn remove(path: &Path) -> Result<(), StudyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(RunsError::io("delete", path)(error).into())
        }
        _ => Ok(()),
    }
}
