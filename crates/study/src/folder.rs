//! Where a study keeps what.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use runs::{RunsError, atomic_file, input_file};
use spec::StudySpec;

use crate::StudyError;

/// The study file as it was given last.
pub const FILE: &str = "study.toml";
/// The store.
pub const STORE: &str = "study.db";
/// What the study came to, for people.
pub const REPORT: &str = "report.md";
/// What the study came to, for programs.
pub const REPORT_JSON: &str = "report.json";

const RETRAINED: &str = "retrain";
const IN_GRID: &str = "grid";

/// The folder of a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyFolder {
    dir: PathBuf,
}

impl StudyFolder {
    /// Nothing is looked at yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A file of it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// The run folder of a trial.
    pub fn trial(&self, number: u64) -> PathBuf {
        self.dir.join("trials").join(format!("{number:04}"))
    }

    /// The run folder of a trial that is trained again with the `idx`-th seed of its own.
    pub fn retrained(&self, number: u64, idx: usize) -> PathBuf {
        self.dir.join(RETRAINED).join(format!("{number:04}-{idx}"))
    }

    /// The folder of a trial's training with one combination of the grid.
    pub fn in_grid(&self, number: u64, idx: usize) -> PathBuf {
        self.dir.join(IN_GRID).join(format!("{number:04}-{idx}"))
    }

    /// The folders of all trials' trainings again, with a seed or in the grid, that are there.
    pub fn trained_again(&self) -> impl Iterator<Item = PathBuf> {
        let listed = [IN_GRID, RETRAINED].map(|part| fs::read_dir(self.dir.join(part)));
        listed.into_iter().flatten().flatten().flatten().map(|entry| entry.path())
    }

    /// Time in which somebody worked on the study, in seconds; what overlaps counts once.
    pub fn worked_s(&self) -> f64 {
        crate::worker::worked_ms(self) as f64 / 1000.0
    }

    /// Where living workers are known by.
    pub(crate) fn workers(&self) -> PathBuf {
        self.dir.join("workers")
    }

    /// Makes the folder and puts the study file into it, or finds one there that asks for the same, but for how long and
    /// how much at once.
    pub(crate) fn put_file(&self, text: &str, spec: &StudySpec) -> Result<(), StudyError> {
        fs::create_dir_all(&self.dir).map_err(RunsError::io("make the folder", &self.dir))?;
        self.exclusively(|| self.put_file_alone(text, spec))
    }

    fn put_file_alone(&self, text: &str, spec: &StudySpec) -> Result<(), StudyError> {
        let path = self.path(FILE);
        if path.exists() {
            let before = self.read_file()?;
            self.check_unchanged(&before, spec)?;
            if before == *spec {
                return Ok(());
            }
        }
        Ok(atomic_file::replace(&path, text.as_bytes())?)
    }

    /// Whether two study files of this folder ask the same, but for what may change.
    pub(crate) fn check_unchanged(&self, before: &StudySpec, after: &StudySpec) -> Result<(), StudyError> {
        let Some(what) = difference(before, after) else { return Ok(()) };
        Err(StudyError::Changed { dir: self.dir.clone(), name: after.name.clone(), what })
    }

    /// Does something that only one process may do at a time.
    pub fn exclusively<T, E: From<StudyError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let locked = || -> Result<File, StudyError> {
            let dir = File::open(&self.dir).map_err(RunsError::io("read", &self.dir))?;
            dir.lock().map_err(RunsError::io("lock", &self.dir))?;
            Ok(dir)
        };
        let _held = locked()?;
        work()
    }

    /// The study file.
    pub fn read_file(&self) -> Result<StudySpec, StudyError> {
        let path = self.path(FILE);
        if !path.exists() {
            let dir = self.dir.clone();
            return Err(match self.path(STORE).exists() {
                true => StudyError::FileLost { dir },
                false => StudyError::NoStudy { dir, file: FILE },
            });
        }
        StudySpec::from_toml(&self.read_text()?).map_err(|source| StudyError::File { path, source })
    }

    /// As it was written.
    pub(crate) fn read_text(&self) -> Result<String, StudyError> {
        Ok(input_file::read_text(&self.path(FILE))?)
    }
}

/// The first thing that two study files ask differently, of what must not change.
fn difference(before: &StudySpec, after: &StudySpec) -> Option<&'static str> {
    let same = [
        ("name", before.name == after.name),
        ("seed", before.seed == after.seed),
        ("list of `objectives`", before.objectives == after.objectives),
        ("table `constraints`", before.constraints == after.constraints),
        ("`sampler`", before.sampler == after.sampler),
        ("`pruner`", before.pruner == after.pruner),
        ("table `run`", before.run == after.run),
        ("`grammar`", before.grammar == after.grammar),
        ("list of parameters", before.parameters == after.parameters),
    ];
    same.into_iter().find(|(_, is_same)| !is_same).map(|(what, _)| what)
}
