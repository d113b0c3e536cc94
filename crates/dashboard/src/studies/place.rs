//! Where a study is, found by its name. Nothing outside of the studies folder is reached: a name is a single component, and
//! what a link leads to must lie inside.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use study::{FILE, REPORT_JSON, STORE, StudyFolder};

use crate::error::DashboardError;
use crate::kept::Stamp;
use crate::run_dir::{RunDir, is_plain_name};

/// Endings of stores that lie about without a folder, as Optuna makes them.
const ENDINGS: [&str; 3] = ["db", "sqlite3", "sqlite"];
/// Between the name of a store and the number of one of its further studies, and in the names of trials' runs.
const MARK: char = '~';
/// Begins the name of a trial's run.
const RUN_PREFIX: &str = "study~";
/// Bytes of a text file that is shown.
const MAX_TEXT: usize = 1 << 20;

/// A study of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// `NAME` of a folder or file; with `~STUDY` behind it, a further study of its store.
    pub(crate) id: String,
    /// Without links.
    pub(crate) store: PathBuf,
    /// That the store lies in, where it is a study's own.
    pub(crate) folder: Option<PathBuf>,
    /// Optuna's `study_id`; `None`: the store's first.
    pub(crate) study: Option<i64>,
}

impl Place {
    /// The study of that name below the studies folder `dir`.
    pub(crate) fn find(dir: &Path, id: &str) -> Result<Self, DashboardError> {
        let missing = || DashboardError::no("such study");
        let root = dir.canonicalize().map_err(|_| missing())?;
        if let Some(place) = at(&root, id) {
            return Ok(place);
        }
        let (name, study) = id.rsplit_once(MARK).ok_or_else(missing)?;
        let study = plain_number(study).and_then(|study| i64::try_from(study).ok()).ok_or_else(missing)?;
        let place = at(&root, name).ok_or_else(missing)?;
        Ok(Self { id: id.into(), study: Some(study), ..place })
    }

    /// The further study of the same store.
    pub(crate) fn with_study(&self, study: i64) -> Self {
        Self { id: format!("{}{MARK}{study}", self.id), study: Some(study), ..self.clone() }
    }

    /// The state of the store's files.
    pub(crate) fn stamps(&self) -> [Option<Stamp>; 2] {
        let mut log = self.store.clone().into_os_string();
        log.push("-wal");
        [Stamp::of(&self.store), Stamp::of(Path::new(&log))]
    }

    /// A run of the study, if it has a folder with a run in it; its name is `study~ID~` and the folder's.
    pub(crate) fn run(&self, run: TrialRun) -> Option<RunDir> {
        let folder = self.own_folder()?;
        let (number, dir) = match run {
            TrialRun::Tried(number) => (number, folder.trial(number)),
            TrialRun::Again(number, seed_idx) => (number, folder.retrained(number, seed_idx)),
        };
        let name = match run {
            TrialRun::Tried(_) => format!("{number:04}"),
            TrialRun::Again(_, seed_idx) => format!("{number:04}-{seed_idx}"),
        };
        let id = format!("{RUN_PREFIX}{}{MARK}{name}", self.id);
        let below = dir.strip_prefix(folder.dir()).ok()?;
        RunDir::below(folder.dir(), &id, below).ok()
    }

    /// The folder, of a study that is its own.
    pub(crate) fn own_folder(&self) -> Option<StudyFolder> {
        self.folder.as_ref().filter(|_| self.study.is_none()).map(StudyFolder::new)
    }

    /// The study file, as it lies there.
    pub(crate) fn file_text(&self) -> Option<String> {
        self.text(FILE)
    }

    /// What the study came to, once it is over.
    pub(crate) fn report(&self) -> Option<Json> {
        serde_json::from_str(&self.text(REPORT_JSON)?).ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        let folder = self.folder.as_deref()?;
        let path = folder.join(name).canonicalize().ok()?;
        if !path.starts_with(folder) || !path.is_file() {
            return None;
        }
        let bytes = fs::read(path).ok().filter(|bytes| bytes.len() <= MAX_TEXT)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The workers that live, each of which holds a lock on its file, and the runs of those that are trained again.
    pub(crate) fn workers(&self) -> Vec<String> {
        let again = self.folder.as_deref().and_then(|folder| fs::read_dir(folder.join("retrain")).ok());
        let again = again.into_iter().flatten().flatten().filter(|run| runs::is_locked(&run.path()));
        let again = again.map(|run| format!("retrain/{}", run.file_name().display()));
        let files = self.folder.as_deref().and_then(|folder| fs::read_dir(folder.join("workers")).ok());
        let held = files.into_iter().flatten().flatten().filter_map(|file| {
            let name = file.file_name().into_string().ok()?.strip_suffix(".lock")?.to_owned();
            is_held(&file.path()).then_some(name)
        });
        let mut workers: Vec<String> = held.chain(again).collect();
        workers.sort();
        workers
    }
}

fn is_held(path: &Path) -> bool {
    let file = fs::File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

fn at(root: &Path, name: &str) -> Option<Place> {
    if !is_plain_name(name) {
        return None;
    }
    let path = root.join(name).canonicalize().ok().filter(|path| path.starts_with(root) && path != root)?;
    let folder = path.is_dir().then(|| path.clone());
    let store = match &folder {
        Some(folder) => folder.join(STORE).canonicalize().ok().filter(|store| store.starts_with(root))?,
        None => {
            path.extension().is_some_and(|ending| ENDINGS.iter().any(|one| ending == *one)).then_some(path)?
        }
    };
    store.is_file().then(|| Place { id: name.into(), store, folder, study: None })
}

/// The first studies of all stores in the studies folder, by name; none where there is no such folder.
pub(crate) fn places(dir: &Path) -> Result<Vec<Place>, DashboardError> {
    let Ok(root) = dir.canonicalize() else { return Ok(Vec::new()) };
    let entries = fs::read_dir(&root).map_err(DashboardError::io("look into", &root))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut places: Vec<Place> = names.filter_map(|name| at(&root, &name)).collect();
    places.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(places)
}

/// A run of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrialRun {
    /// The trial of that number.
    Tried(u64),
    /// The same, trained again with the seed of its own that has that position.
    Again(u64, usize),
}

impl TrialRun {
    /// The trial's number.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Tried(number) | Self::Again(number, _) => number,
        }
    }
}

/// The study and the trial whose run has that name.
pub(crate) fn trial_of_run(run: &str) -> Option<(&str, TrialRun)> {
    let (study, name) = run.strip_prefix(RUN_PREFIX)?.rsplit_once(MARK)?;
    let numbered = |text: &str| plain_number(text).filter(|_| text.len() >= 4);
    let run = match name.split_once('-') {
        None => TrialRun::Tried(numbered(name)?),
        Some((number, seed)) => TrialRun::Again(numbered(number)?, plain_number(seed)?.try_into().ok()?),
    };
    Some((study, run))
}

/// Digits and nothing else.
fn plain_number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_of_the_studies_folder_is_found() {
        let outer = tempfile::tempdir().unwrap();
        let outer = outer.path().canonicalize().unwrap();
        let root = outer.join("studies");
        for dir in ["studies/a/trials/0007", "studies/a/trials/0008", "studies/empty", "secret/trials/0007"] {
            fs::create_dir_all(outer.join(dir)).unwrap();
        }
        for file in ["studies/a/study.db", "studies/foreign.db", "studies/x.txt", "secret/study.db"] {
            fs::write(outer.join(file), "").unwrap();
        }
        for dir in ["studies/a/trials/0007", "secret/trials/0007"] {
            fs::write(outer.join(dir).join("run.toml"), "").unwrap();
        }
        fs::write(outer.join("secret/study.toml"), "secret").unwrap();
        symlink(outer.join("secret"), root.join("out")).unwrap();
        symlink(outer.join("secret/study.db"), root.join("out.db")).unwrap();
        symlink(outer.join("secret/study.toml"), root.join("a/study.toml")).unwrap();
        symlink(outer.join("secret/trials/0007"), root.join("a/trials/0009")).unwrap();
        let found: Vec<String> = places(&root).unwrap().into_iter().map(|place| place.id).collect();
        assert_eq!(found, ["a", "foreign.db"]);
        let names = [
            "",
            ".",
            "..",
            "../secret",
            "a/../a",
            "a/",
            "/",
            "empty",
            "out",
            "out.db",
            "x.txt",
            "a~",
            "a~x",
            "a~+1",
        ];
        assert!(names.iter().all(|name| Place::find(&root, name).is_err()));
        let second = Place::find(&root, "foreign.db~2").unwrap();
        assert_eq!((second.study, second.folder.is_none()), (Some(2), true));
        let a = Place::find(&root, "a").unwrap();
        assert_eq!(a.run(TrialRun::Tried(7)).unwrap().id, "study~a~0007");
        assert!([8, 9, 10].iter().all(|&number| a.run(TrialRun::Tried(number)).is_none()));
        assert_eq!(a.file_text(), None);
        assert!(places(&outer.join("none")).unwrap().is_empty());
    }

    #[test]
    fn a_run_names_a_trial_in_one_way() {
        let cases = [
            ("study~a~0007", Some(("a", TrialRun::Tried(7)))),
            ("study~a~3~12345", Some(("a~3", TrialRun::Tried(12345)))),
            ("study~a~0007-2", Some(("a", TrialRun::Again(7, 2)))),
            ("study~a~0007-", None),
            ("study~a~0007-1-2", None),
            ("study~a~7", None),
            ("study~a~+007", None),
            ("study~0007", None),
            ("a~0007", None),
        ];
        for (run, expected) in cases {
            assert_eq!(trial_of_run(run), expected, "{run}");
        }
    }
}
