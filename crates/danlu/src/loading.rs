//! From a data set's name to its images in memory.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::thread;

use data::{Dataset, Found, Place, Places, Split, fashion_mnist};
use nn::Plan;
use spec::DataRecord;

use crate::environment;
use crate::error::CliError;
use crate::progress::DownloadBar;

/// A data set, both splits.
pub(crate) struct Loaded {
    pub(crate) found: Found,
    pub(crate) train: Dataset,
    pub(crate) test: Dataset,
}

impl Loaded {
    pub(crate) fn record(&self) -> DataRecord {
        DataRecord {
            name: self.train.name.clone(),
            dir: self.found.dir.display().to_string(),
            train_sha256: self.train.sha256.clone(),
            test_sha256: self.test.sha256.clone(),
            n_train: self.train.len(),
            n_test: self.test.len(),
            validation_sha256: None,
            n_validation: 0,
        }
    }
}

/// What is known of the data before it is read: the classes, and the pictures' size unless a folder is named, whose
/// pictures may have another.
pub(crate) fn check_fit(plan: &Plan, places: &Places) -> Result<(), CliError> {
    let (data, classes) = (fashion_mnist::NAME, fashion_mnist::CLASSES.len());
    let folder_named = places.dir.is_some() || places.env.is_some();
    if plan.input() != fashion_mnist::SHAPE && !folder_named {
        let (input, pictures) = (plan.input(), fashion_mnist::SHAPE);
        return Err(CliError::PicturesMisfit { input, data, pictures });
    }
    match plan.summary().last() {
        Some(last) if plan.classes() != classes => {
            let (node, output) = (format!("`{}` ({})", last.name, last.layer), last.output.to_string());
            Err(CliError::ClassesMisfit { node, output, data, classes })
        }
        _ => Ok(()),
    }
}

/// Finds and reads both splits at the same time, to begin early: unpacking takes a quarter of a second.
pub(crate) fn load(places: &Places, quiet: bool) -> Result<Loaded, CliError> {
    let found = find(places, quiet)?;
    let split = |split| data::load(&found.dir, split, found.place.strictness());
    let (train, test) = thread::scope(|scope| {
        let test =
            thread::Builder::new().spawn_scoped(scope, || split(Split::Test)).map_err(CliError::Thread)?;
        let train = split(Split::Train);
        let test = test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, CliError>((train?, test?))
    })?;
    Ok(Loaded { found, train, test })
}

/// The test split of `data`, a name or a folder.
pub(crate) fn load_test(data: &Path) -> Result<Dataset, CliError> {
    let found = find(&environment::places(data)?, false)?;
    Ok(data::load(&found.dir, Split::Test, found.place.strictness())?)
}

fn find(places: &Places, quiet: bool) -> Result<Found, CliError> {
    let mut bar = DownloadBar::new(quiet || !io::stderr().is_terminal());
    let found = data::find(places, &mut |progress| bar.show(progress))?;
    if found.place == Place::Download && !quiet {
        crate::output::note(&format!("downloaded to {}", found.dir.display()));
    }
    Ok(found)
}
