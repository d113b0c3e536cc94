//! A data set that was found and is not yet read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cifar::CifarSet;
use crate::download::Progress;
use crate::error::DataError;
use crate::folder::folder_of;
use crate::idx_set::{self, IdxSet, Strictness, TORCHVISION_FOLDER};
use crate::known::KnownSet;
use crate::locate::{find, in_named};
use crate::partition::{Partition, Parts};
use crate::picture_folder::PictureFolder;
use crate::{Dataset, Place, Places, Split, idx_folder};

/// A data set that was found. What it costs to open one: the labels of IDX files are read, folders of pictures are
/// listed.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its folder, or the file that was named.
    pub dir: PathBuf,
    /// How it was found.
    pub place: Place,
    format: Format,
    notes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Format {
    Idx(IdxSet),
    Cifar(CifarSet),
    Pictures(PictureFolder),
}

impl Source {
    /// Finds the data set that `places` asks for: whatever is in the folder that the user named, else the known one,
    /// which may have to be downloaded.
    ///
    /// # Errors
    /// Nothing there, or something ill-formed: see [`DataError`].
    pub fn open(places: &Places, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Self, DataError> {
        if let Some(dir) = &places.dir {
            return Self::named(dir);
        }
        let found = find(places, progress)?;
        let known = places.known;
        let format = match known.name == CifarSet::NAME {
            true => Format::Cifar(CifarSet::detect(&found.dir)?.ok_or_else(|| lacks(&found.dir, known))?),
            false => {
                let strictness =
                    if known.is_fetched() { found.place.strictness() } else { Strictness::WellFormed };
                Format::Idx(IdxSet::named(&found.dir, known, strictness)?)
            }
        };
        Ok(Self { dir: found.dir, place: found.place, format, notes: vec![] })
    }

    fn named(path: &Path) -> Result<Self, DataError> {
        let found = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Format::detect(path)?,
            Ok(metadata) if metadata.is_file() => Format::of_file(path)?,
            // A pipe would keep this program waiting.
            Ok(_) => None,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(in_named(Place::Dir, path)(DataError::NoFolder { dir: path.to_owned() }));
            }
            Err(error) => return Err(DataError::io("look into", path)(error)),
        };
        let mut format = found.ok_or_else(|| DataError::NoSet { path: path.to_owned() })?;
        let notes = match &mut format {
            Format::Idx(set) => std::mem::take(&mut set.notes),
            Format::Cifar(set) => std::mem::take(&mut set.notes),
            Format::Pictures(_) => vec![],
        };
        Ok(Self { dir: path.to_owned(), place: Place::Dir, format, notes })
    }

    /// The data set's name: that of a known one, else of its folder or of what its files' names begin with.
    pub fn name(&self) -> &str {
        match &self.format {
            Format::Idx(set) => &set.name,
            Format::Cifar(_) => CifarSet::NAME,
            Format::Pictures(folder) => &folder.name,
        }
    }

    /// The classes' names, in the order of the labels.
    pub fn classes(&self) -> &[String] {
        match &self.format {
            Format::Idx(set) => &set.classes,
            Format::Cifar(set) => &set.classes,
            Format::Pictures(folder) => &folder.classes,
        }
    }

    /// Channels, rows and columns. `None`: any with 1 or 3 channels; pictures are fitted to it.
    pub fn shape(&self) -> Option<[usize; 3]> {
        match &self.format {
            Format::Idx(set) => Some(set.shape),
            Format::Cifar(_) => Some(CifarSet::SHAPE),
            Format::Pictures(_) => None,
        }
    }

    /// The format, for people.
    pub fn format(&self) -> &'static str {
        match &self.format {
            Format::Idx(_) => "IDX files",
            Format::Cifar(_) => "CIFAR-10's binary batches",
            Format::Pictures(_) => "pictures, a folder for each class",
        }
    }

    /// What the user should know of how it was found.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether a file is one of those that the data set is read from, by whatever name.
    pub fn reads(&self, path: &Path) -> bool {
        let Ok(path) = fs::canonicalize(path) else { return false };
        let is_it = |file: &Path| fs::canonicalize(file).is_ok_and(|file| file == path);
        match &self.format {
            Format::Idx(set) => set.files().any(is_it),
            Format::Cifar(set) => set.files().any(is_it),
            Format::Pictures(folder) => {
                let inside = path.strip_prefix(&folder.root);
                inside.is_ok_and(|inside| folder.entries.iter().any(|entry| entry.path == inside))
            }
        }
    }

    /// Whether the data set comes with this part; one that it does not come with is cut from the training part.
    pub fn has(&self, split: Split) -> bool {
        match &self.format {
            Format::Idx(set) => set.has(split),
            Format::Cifar(set) => set.has(split),
            Format::Pictures(folder) => folder.has(split),
        }
    }

    /// Reads everything into memory. Pictures are fitted to `shape`, which of other formats must be
    /// [`shape`](Self::shape); they are decoded once and kept in the folder `cache`, if one is given.
    ///
    /// # Errors
    /// Ill-formed or damaged files, but for single pictures, which are listed in [`Parts::rejected`]; another shape
    /// than the files'; too few samples to be cut in parts.
    pub fn read(
        &self,
        shape: [usize; 3],
        partition: &Partition,
        cache: Option<&Path>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Parts, DataError> {
        partition.check()?;
        self.check_shape(shape)?;
        match &self.format {
            Format::Idx(set) => set.read(partition),
            Format::Cifar(set) => set.read(partition),
            Format::Pictures(folder) => folder.read(shape, partition, cache, progress),
        }
    }

    /// As [`read`](Self::read), the test part alone. A part that the data set comes with is read alone.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_test(
        &self,
        shape: [usize; 3],
        partition: &Partition,
        cache: Option<&Path>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Dataset, DataError> {
        self.check_shape(shape)?;
        match &self.format {
            Format::Idx(set) if set.has(Split::Test) => set.read_part(Split::Test),
            Format::Cifar(set) if set.has(Split::Test) => set.read_part(Split::Test),
            _ => self.read(shape, partition, cache, progress).map(|parts| parts.test),
        }
    }

    fn check_shape(&self, asked: [usize; 3]) -> Result<(), DataError> {
        match self.shape() {
            Some(found) if found != asked => {
                Err(DataError::ShapeMisfit { name: self.name().into(), found, asked })
            }
            _ => Ok(()),
        }
    }
}

impl Format {
    /// What is in a folder; `None`: nothing that is known.
    fn detect(dir: &Path) -> Result<Option<Self>, DataError> {
        for dir in [dir.to_owned(), dir.join(TORCHVISION_FOLDER)] {
            if dir.is_dir()
                && let Some(set) = IdxSet::detect(&dir, None)?
            {
                return Ok(Some(Self::Idx(set)));
            }
        }
        if let Some(set) = CifarSet::detect(dir)? {
            return Ok(Some(Self::Cifar(set)));
        }
        Ok(PictureFolder::detect(dir)?.map(Self::Pictures))
    }

    /// The set that a file belongs to.
    fn of_file(file: &Path) -> Result<Option<Self>, DataError> {
        if idx_folder::is_idx(file) {
            return Ok(idx_set::of_file(file)?.map(Self::Idx));
        }
        match file.extension().is_some_and(|ending| ending == "bin") {
            true => Ok(CifarSet::detect(folder_of(file))?.map(Self::Cifar)),
            false => Ok(None),
        }
    }
}

/// Whether a folder has the files of a known set; what is in them is not looked at.
pub(crate) fn check_holds(dir: &Path, known: &KnownSet) -> Result<(), DataError> {
    match known.name == CifarSet::NAME {
        true => CifarSet::detect(dir)?.map(drop).ok_or_else(|| lacks(dir, known)),
        false => idx_set::named_files(dir, known).map(drop),
    }
}

fn lacks(dir: &Path, known: &KnownSet) -> DataError {
    DataError::LacksSet { dir: dir.to_owned(), title: known.title, files: known.files }
}

#[cfg(test)]
mod tests;
