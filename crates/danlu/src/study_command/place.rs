//! Which study is meant.

use std::fs;
use std::path::{Path, PathBuf};

use runs::input_file;
use spec::StudySpec;
use study::{FILE, STORE, StudyError, StudyFolder, StudyView, is_study};

use crate::error::CliError;
use crate::study_command::candidate::Candidates;

/// A study by what was typed.
pub(crate) struct Place {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The study file that it is to be begun with, where it is not there yet or a file was named.
    pub(crate) text: Option<String>,
    /// The file that was named.
    file: Option<PathBuf>,
}

impl Place {
    /// What it is asked, before it is begun.
    pub(crate) fn spec(&self) -> Result<StudySpec, CliError> {
        Ok(match &self.text {
            Some(text) => StudySpec::from_toml(text)?,
            None => StudyFolder::new(&self.dir).read_file()?,
        })
    }

    /// Its trainings; `None`: another program makes its trials. What is not begun yet is looked at before anything of it is
    /// kept, so that the file with its mistake mended may begin it.
    pub(crate) fn candidates(&self) -> Result<Option<Candidates>, CliError> {
        let spec = self.spec()?;
        let candidates = self.in_file(Candidates::new(&spec))?;
        if let Some(candidates) = &candidates {
            match is_study(&self.dir) {
                false => self.in_file(candidates.try_some(&spec))?,
                true if self.text.is_some() => self.in_file(candidates.check_end(&spec))?,
                true => {}
            }
        }
        Ok(candidates)
    }

    /// The study, begun if need be.
    pub(crate) fn open(&self) -> Result<StudyView, CliError> {
        let view = match &self.text {
            Some(text) => StudyView::begin(&self.dir, text),
            None => StudyView::open_for_writing(&self.dir),
        };
        self.in_file(view.map_err(CliError::from))
    }

    /// Says in which file a mistake of the study file is, where one was named.
    pub(crate) fn in_file<T>(&self, result: Result<T, CliError>) -> Result<T, CliError> {
        let Some(path) = &self.file else { return result };
        result.map_err(|error| match error {
            CliError::Study(_) | CliError::Spec(_) if error.exit_code() == 2 => {
                CliError::in_file(path)(error)
            }
            CliError::NothingToTry { .. } | CliError::NeitherNameNorFolder { .. } => {
                CliError::in_file(path)(error)
            }
            error => error,
        })
    }
}

/// A study to begin or go on with: a file, the folder or name of one that was begun, or the name of one that comes with
/// danlu.
pub(crate) fn to_begin(named: &Path, studies: &Path) -> Result<Place, CliError> {
    if named.is_file() {
        let text = input_file::read_text(named)?;
        let spec = StudySpec::from_toml(&text).map_err(CliError::in_file(named))?;
        return Ok(Place { dir: studies.join(spec.name), text: Some(text), file: Some(named.to_owned()) });
    }
    match (begun(named, studies), preset_named(named)) {
        (Some(dir), _) => Ok(Place { dir, text: None, file: None }),
        (None, Some(preset)) => {
            Ok(Place { dir: studies.join(preset.name), text: Some(preset.text.into()), file: None })
        }
        (None, None) => Err(unknown(named, studies)),
    }
}

/// A study that was begun: its folder, its name, or the file that it was begun with.
pub(crate) fn existing(named: &Path, studies: &Path) -> Result<PathBuf, CliError> {
    if let Some(dir) = begun(named, studies) {
        return Ok(dir);
    }
    if named.is_file() {
        let text = input_file::read_text(named)?;
        let spec = StudySpec::from_toml(&text).map_err(CliError::in_file(named))?;
        return begun(Path::new(&spec.name), studies).ok_or_else(|| not_begun(named, spec, studies));
    }
    Err(match preset_named(named) {
        Some(preset) => not_begun(named, StudySpec::from_toml(preset.text)?, studies),
        None => unknown(named, studies),
    })
}

fn not_begun(named: &Path, StudySpec { name, grammar, .. }: StudySpec, studies: &Path) -> CliError {
    let command = if grammar.is_some() { "danlu search" } else { "danlu study run" };
    CliError::StudyNotBegun { named: named.to_owned(), name, studies: studies.to_owned(), command }
}

/// A study of which at least a half is there.
pub(crate) fn half(named: &Path, studies: &Path) -> Result<PathBuf, CliError> {
    let is_half = |dir: &PathBuf| [FILE, STORE].iter().any(|file| dir.join(file).is_file());
    let found = [named.to_owned(), studies.join(named)].into_iter().find(is_half);
    found.ok_or_else(|| unknown(named, studies))
}

/// As [`existing`], opened to look at.
pub(crate) fn view(named: &Path, studies: &Path) -> Result<StudyView, CliError> {
    Ok(StudyView::open(&existing(named, studies)?)?)
}

/// The folders of the studies in a folder, by name.
pub(crate) fn all(studies: &Path) -> Result<Vec<PathBuf>, CliError> {
    let Ok(entries) = fs::read_dir(studies) else { return Ok(Vec::new()) };
    let dirs = entries.map(|entry| entry.map(|entry| entry.path()).map_err(CliError::io("read", studies)));
    let mut dirs = dirs.collect::<Result<Vec<_>, _>>()?;
    dirs.retain(|dir| dir.join(FILE).is_file());
    dirs.sort();
    Ok(dirs)
}

fn begun(named: &Path, studies: &Path) -> Option<PathBuf> {
    [named.to_owned(), studies.join(named)].into_iter().find(|dir| dir.join(FILE).is_file())
}

fn preset_named(named: &Path) -> Option<&'static study::Preset> {
    study::PRESETS.iter().find(|preset| named.to_str() == Some(preset.name))
}

fn unknown(named: &Path, studies: &Path) -> CliError {
    // A folder that holds half a study says which half.
    if let Some(dir) = [named.to_owned(), studies.join(named)].into_iter().find(|dir| dir.is_dir()) {
        let missing = StudyFolder::new(&dir).read_file().err();
        return missing.unwrap_or(StudyError::NoStudy { dir, file: FILE }).into();
    }
    CliError::UnknownStudy { name: named.display().to_string(), studies: studies.to_owned() }
}
