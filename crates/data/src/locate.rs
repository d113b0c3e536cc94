//! Where the data set is.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Strictness;
use crate::download::{Progress, Transfer};
use crate::error::{DataError, Tried, with_causes};
use crate::fashion_mnist::{FILES, FileSpec, SYSTEM_DIR};
use crate::fetch::fetch_files;
use crate::folder::{check_complete, check_folder};
use crate::known::{KNOWN_SETS, KnownSet};
use crate::source;

/// Where to look, in this order. Whoever calls fills it in: this crate reads no environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The data set that is looked for where no folder is named.
    pub known: &'static KnownSet,
    /// The folder that the user named, with whatever data set, or a file of one; nothing else is looked at.
    pub dir: Option<PathBuf>,
    /// Whether the current folder has one of the name of `known`, which is not looked into: it is named as `./NAME`, and the
    /// message says so where the data set is not found.
    pub has_namesake: bool,
    /// `$DANLU_DATA`: the folder with the files of `known`, or one with a folder of its name that has them.
    pub env: Option<PathBuf>,
    /// The folder of this data set in the user's cache; downloads go here.
    pub cache: Option<PathBuf>,
    /// The folder of the system's package.
    pub system: PathBuf,
    /// The address that file names are added to for a download; `None`: never download.
    pub url: Option<String>,
}

/// Fashion-MNIST in Debian's folder alone, without a download.
impl Default for Places {
    fn default() -> Self {
        let system = PathBuf::from(SYSTEM_DIR);
        let known = &KNOWN_SETS[0];
        Self { known, dir: None, has_namesake: false, env: None, cache: None, system, url: None }
    }
}

/// A kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The folder that the user named.
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
    /// How strictly Fashion-MNIST is checked there: what the user named may be any data in the format, the other
    /// places hold the very files or something broken.
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
            Self::Dir => "named",
            Self::Env => "the environment variable DANLU_DATA",
            Self::Cache => "cache",
            Self::System => "system",
            Self::Download => "download",
        })
    }
}

/// A folder that has all files of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder.
    pub dir: PathBuf,
    /// How it was found.
    pub place: Place,
}

/// Finds a folder that has all files of `places.known`, if need be by downloading them into the cache. What the files
/// hold is for [`Source::open`](crate::Source::open) to check; `places.dir` plays no part.
///
/// # Errors
/// `env`, which the user named, is not passed over: if it lacks the data set, that is the error. When the others fail
/// too, the one message tells each place with its reason and the ways to get the data.
pub(crate) fn find(places: &Places, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Found, DataError> {
    find_files(places, &FILES, &Transfer::default(), progress)
}

pub(crate) fn find_files(
    places: &Places,
    files: &[FileSpec<'_>],
    transfer: &Transfer,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Found, DataError> {
    let (known, has_namesake) = (places.known, places.has_namesake);
    let holds = |dir: &Path| match known.is_fetched() {
        true => check_complete(dir, files),
        false => source::check_holds(dir, known),
    };
    if let Some(dir) = &places.env {
        let found = itself_or_subfolder(dir, known, &holds);
        return found.map(|dir| Found { dir, place: Place::Env }).map_err(in_named(Place::Env, dir));
    }
    let mut tried = vec![];
    for (place, dir) in [(Place::Cache, places.cache.as_ref()), (Place::System, Some(&places.system))] {
        match dir.map(|dir| (dir, holds(dir))) {
            Some((dir, Ok(()))) => return Ok(Found { dir: dir.clone(), place }),
            Some((_, Err(error))) => tried.push(Tried { place, why: with_causes(&error) }),
            None => tried.push(Tried { place, why: "there is no folder for it".into() }),
        }
    }
    if !known.is_fetched() {
        return Err(DataError::NotFound { known, tried, has_namesake });
    }
    match download(places, files, transfer, progress) {
        Ok(dir) => Ok(Found { dir, place: Place::Download }),
        Err(error) => {
            tried.push(Tried { place: Place::Download, why: with_causes(&error) });
            Err(DataError::NotFound { known, tried, has_namesake })
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

/// For `map_err`: what the user named, in which something is wrong.
pub(crate) fn in_named(place: Place, dir: &Path) -> impl FnOnce(DataError) -> DataError {
    move |error| DataError::Named { place, dir: dir.to_owned(), source: Box::new(error) }
}

/// The files of several sets have the same names, so the folder with the set's own name comes first.
fn itself_or_subfolder(
    dir: &Path,
    known: &KnownSet,
    holds: &dyn Fn(&Path) -> Result<(), DataError>,
) -> Result<PathBuf, DataError> {
    let subfolder = dir.join(known.name);
    match check_folder(&subfolder) {
        Ok(()) => holds(&subfolder).map(|()| subfolder),
        Err(_) => holds(dir).map(|()| dir.to_owned()),
    }
}

#[cfg(test)]
mod tests;
