//! Where the data set is.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Strictness;
use crate::download::{Progress, Transfer};
use crate::error::{DataError, Tried, with_causes};
use crate::fashion_mnist::{FILES, FileSpec, NAME, SYSTEM_DIR};
use crate::fetch::fetch_files;
use crate::folder::{check_complete, check_folder};

/// Where to look, in this order. Whoever calls fills it in: this crate reads no environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `--data DIR`: the folder with the four files.
    pub dir: Option<PathBuf>,
    /// `$DANLU_DATA`: the folder with the four files, or one with a folder `fashion-mnist` that has them.
    pub env: Option<PathBuf>,
    /// The folder of this data set in the user's cache; downloads go here.
    pub cache: Option<PathBuf>,
    /// The folder of the system's package.
    pub system: PathBuf,
    /// The address that file names are added to for a download; `None`: never download.
    pub url: Option<String>,
}

/// Debian's folder alone, without a download.
impl Default for Places {
    fn default() -> Self {
        Self { dir: None, env: None, cache: None, system: PathBuf::from(SYSTEM_DIR), url: None }
    }
}

/// A kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `--data DIR`.
    Dir,
    /// `$DANLU_DATA`.
    Env,
    /// The user's cache, as it was.
    Cache,
    /// The system's package.
    System,
    /// The user's cache, just downloaded.
    Download,
}

impl Place {
    /// How strictly [`load`](crate::load()) has to check what lies there: what the user named may be any data
    /// in the format, the other places hold Fashion-MNIST or something broken.
    pub fn strictness(self) -> Strictness {
        match self {
            Self::Dir | Self::Env => Strictness::WellFormed,
            Self::Cache | Self::System | Self::Download => Strictness::Exact,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dir => "--data",
            Self::Env => "the environment variable DANLU_DATA",
            Self::Cache => "cache",
            Self::System => "system",
            Self::Download => "download",
        })
    }
}

/// A folder that has all four files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder.
    pub dir: PathBuf,
    /// How it was found.
    pub place: Place,
}

/// Finds a folder that has all four files, if need be by downloading them into the cache. What the files hold
/// is for [`load`](crate::load()) to check.
///
/// # Errors
/// A place that the user named (`dir`, `env`) is not passed over: if it lacks the data set, that is the
/// error. When the others fail too, the one message tells each place with its reason and the ways to get the
/// data.
pub fn find(places: &Places, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Found, DataError> {
    find_files(places, &FILES, &Transfer::default(), progress)
}

pub(crate) fn find_files(
    places: &Places,
    files: &[FileSpec<'_>],
    transfer: &Transfer,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Found, DataError> {
    if let Some(dir) = &places.dir {
        return named(Place::Dir, dir, check_complete(dir, files).map(|()| dir.clone()));
    }
    if let Some(dir) = &places.env {
        return named(Place::Env, dir, itself_or_subfolder(dir, files));
    }
    let mut tried = vec![];
    for (place, dir) in [(Place::Cache, places.cache.as_ref()), (Place::System, Some(&places.system))] {
        match dir.map(|dir| (dir, check_complete(dir, files))) {
            Some((dir, Ok(()))) => return Ok(Found { dir: dir.clone(), place }),
            Some((_, Err(error))) => tried.push(Tried { place, why: with_causes(&error) }),
            None => tried.push(Tried { place, why: "there is no folder for it".into() }),
        }
    }
    match download(places, files, transfer, progress) {
        Ok(dir) => Ok(Found { dir, place: Place::Download }),
        Err(error) => {
            tried.push(Tried { place: Place::Download, why: with_causes(&error) });
            Err(DataError::NotFound { tried })
        }
    }
}

/// Downloads what the cache lacks and returns the cache.
pub(crate) fn download(
    places: &Places,
    files: &[FileSpec<'_>],
    transfer: &Transfer,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, DataError> {
    let url = places.url.as_ref().ok_or(DataError::CannotFetch { reason: "downloads are turned off" })?;
    let cache =
        places.cache.as_ref().ok_or(DataError::CannotFetch { reason: "there is no cache to put it into" })?;
    fetch_files(cache, url, files, transfer, progress)?;
    Ok(cache.clone())
}

fn named(place: Place, dir: &Path, checked: Result<PathBuf, DataError>) -> Result<Found, DataError> {
    match checked {
        Ok(dir) => Ok(Found { dir, place }),
        Err(error) => Err(DataError::Named { place, dir: dir.to_owned(), source: Box::new(error) }),
    }
}

fn itself_or_subfolder(dir: &Path, files: &[FileSpec<'_>]) -> Result<PathBuf, DataError> {
    let Err(error) = check_complete(dir, files) else { return Ok(dir.to_owned()) };
    let subfolder = dir.join(NAME);
    if check_folder(&subfolder).is_err() {
        return Err(error);
    }
    check_complete(&subfolder, files).map(|()| subfolder)
}

#[cfg(test)]
mod tests;
