//! Data sets in the IDX format: MNIST, its relatives, and any pair of such files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::dataset::joint_sha256;
use crate::error::DataError;
use crate::fashion_mnist::{self, FILES};
use crate::folder::{check_complete, find_file, folder_of};
use crate::idx::Header;
use crate::idx_file::{IdxFile, read_header};
use crate::idx_folder::{IdxPair, IdxParts, find_sets, set_of};
use crate::idx_mapping::{Mapping, mapping};
use crate::known::{KnownSet, known_set};
use crate::partition::{Given, Partition, Parts};
use crate::{Dataset, Split};

/// The folder in which torchvision keeps IDX files, in one that is called as the set.
pub(crate) const TORCHVISION_FOLDER: &str = "raw";

/// What a folder may hold that a data set is asked from by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Any images and labels of the set's classes in the right format: for a folder that the user named.
    WellFormed,
    /// Exactly Fashion-MNIST, by SHA-256: for the cache and the system's folder.
    Exact,
}

/// A set whose labels are read and whose images are not.
#[derive(Clone, Debug)]
pub(crate) struct IdxSet {
    pub(crate) name: String,
    pub(crate) classes: Vec<String>,
    pub(crate) shape: [usize; 3],
    pub(crate) notes: Vec<String>,
    dir: PathBuf,
    /// A lone pair whose name tells no part counts as training part.
    parts: BTreeMap<Split, Part>,
    /// Whether images are stored column by column.
    is_transposed: bool,
    /// What is taken from every label: EMNIST's letters are counted from 1.
    first_label: u8,
    strictness: Strictness,
}

#[derive(Clone, Debug)]
struct Part {
    images: PathBuf,
    labels: IdxFile<1>,
}

impl IdxSet {
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.parts.values().flat_map(|part| [part.images.as_path(), part.labels.file.as_path()])
    }

    /// The data set `known` in a folder: Fashion-MNIST's four files, or for the others whatever fits.
    ///
    /// # Errors
    /// Missing, unreadable, ill-formed files, and the files of another known set.
    pub(crate) fn named(dir: &Path, known: &KnownSet, strictness: Strictness) -> Result<Self, DataError> {
        let opened = Self::open_named(dir, known, strictness);
        opened.map_err(|error| damaged_if(strictness, dir, error))
    }

    fn open_named(dir: &Path, known: &KnownSet, strictness: Strictness) -> Result<Self, DataError> {
        let parts = read_labels(named_files(dir, known)?)?;
        for part in parts.values() {
            refuse_others(dir, known, &part.labels)?;
        }
        let mut set = Self::of(dir, known.name.into(), parts, strictness)?;
        set.is_transposed = known.is_transposed();
        set.name_classes(mapping(dir, known.name)?.or_else(|| Some(Mapping::of(known))))?;
        Ok(set)
    }

    /// Whatever set is in a folder, or the one that `prefix` begins the names of. `None`: there are no IDX files.
    pub(crate) fn detect(dir: &Path, prefix: Option<&str>) -> Result<Option<Self>, DataError> {
        let mut sets = find_sets(dir)?;
        let prefix = match (prefix, sets.keys().next().cloned()) {
            (_, None) => return Ok(None),
            (Some(prefix), _) => prefix.to_owned(),
            (None, Some(only)) if sets.len() == 1 => only,
            (None, Some(_)) => return Err(several(dir, &sets)),
        };
        let files = sets.remove(&prefix).ok_or_else(|| several(dir, &sets))?;
        let parts = read_labels(by_split(dir, files)?)?;
        let folder = folder_name(dir).unwrap_or("data".into());
        let (known, note) = recognize(dir, &folder, &prefix, &parts);
        let own_name = if prefix.is_empty() { folder.clone() } else { prefix.clone() };
        let name = known.map_or(own_name, |known| known.name.into());
        let mut set = Self::of(dir, name, parts, Strictness::WellFormed)?;
        set.notes.extend(note);
        set.is_transposed = known.is_some_and(KnownSet::is_transposed)
            || prefix.contains("emnist")
            || folder.to_lowercase().contains("emnist");
        let mapping = mapping(dir, &prefix)?.or_else(|| known.map(Mapping::of));
        set.name_classes(mapping)?;
        Ok(Some(set))
    }

    /// With everything but the classes.
    fn of(
        dir: &Path,
        name: String,
        parts: BTreeMap<Split, Part>,
        strictness: Strictness,
    ) -> Result<Self, DataError> {
        let mut shape = None;
        for part in parts.values() {
            let found = check_images(part)?;
            let (first_file, first) = shape.get_or_insert((part.images.clone(), found));
            if *first != found {
                let (test, train) = (part.images.clone(), first_file.clone());
                return Err(DataError::ShapesDiffer { test, test_shape: found, train, train_shape: *first });
            }
        }
        let (_, shape) = shape.expect("a set has at least one part");
        let (dir, classes, notes) = (dir.to_owned(), vec![], vec![]);
        let (is_transposed, first_label) = (false, 0);
        Ok(Self { name, classes, shape, notes, dir, parts, is_transposed, first_label, strictness })
    }

    /// Classes by a list of names, or by number; the labels are held against them.
    fn name_classes(&mut self, mapping: Option<Mapping>) -> Result<(), DataError> {
        let labels = || self.parts.values().flat_map(|part| part.labels.elements.iter().copied());
        let (least, most) = (labels().min().unwrap_or(0), labels().max().unwrap_or(0));
        let (first, classes) = match mapping {
            Some(Mapping { first: Some(first), classes }) => (first, classes),
            Some(Mapping { first: None, classes }) => (least.min(1), classes),
            None => (least.min(1), (least.min(1)..=most).map(|label| label.to_string()).collect()),
        };
        for part in self.parts.values() {
            check_labels(&part.labels, first, classes.len())?;
        }
        if classes.len() < 2 {
            return Err(DataError::OneClass { dir: self.dir.clone(), class: classes.concat() });
        }
        self.notes.extend(self.unlearned(first, &classes));
        (self.first_label, self.classes) = (first, classes);
        Ok(())
    }

    /// A word on the classes of which the training part has no sample; they are kept, since other sets may share them.
    fn unlearned(&self, first: u8, classes: &[String]) -> Option<String> {
        let train = self.parts.get(&Split::Train)?;
        let mut is_there = vec![false; classes.len()];
        train.labels.elements.iter().for_each(|label| is_there[usize::from(label - first)] = true);
        let missing = classes.iter().zip(is_there).filter(|(_, is_there)| !is_there);
        let missing: Vec<&str> = missing.map(|(class, _)| class.as_str()).collect();
        (!missing.is_empty())
            .then(|| format!("the training part has no sample of class {}", missing.join(", ")))
    }

    /// Whether a part is there.
    pub(crate) fn has(&self, split: Split) -> bool {
        self.parts.contains_key(&split)
    }

    /// Reads all parts at the same time, to begin early: unpacking takes a quarter of a second.
    pub(crate) fn read(&self, partition: &Partition) -> Result<Parts, DataError> {
        if !self.has(Split::Train) {
            return Err(DataError::NoTrain { dir: self.dir.clone() });
        }
        let (train, validation, test) = thread::scope(|scope| {
            let begin = |split: Split| {
                let read = move || self.read_part(split);
                self.has(split).then(|| thread::Builder::new().spawn_scoped(scope, read)).transpose()
            };
            let begun = [begin(Split::Validation), begin(Split::Test)];
            let train = self.read_part(Split::Train);
            let [validation, test] = begun.map(|thread| {
                let thread = thread.map_err(|source| DataError::Thread { source })?;
                let join = |thread: thread::ScopedJoinHandle<'_, _>| match thread.join() {
                    Ok(read) => read,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                thread.map(join).transpose()
            });
            Ok::<_, DataError>((train?, validation?, test?))
        })?;
        Given { train, validation, test }.cut(partition)
    }

    /// Reads one part, which must be there.
    pub(crate) fn read_part(&self, split: Split) -> Result<Dataset, DataError> {
        let read = self.read_images(&self.parts[&split], split);
        read.map_err(|error| damaged_if(self.strictness, &self.dir, error))
    }

    fn read_images(&self, part: &Part, split: Split) -> Result<Dataset, DataError> {
        let images = IdxFile::<3>::load(&part.images)?;
        check_counts(&part.images, images.header.dims[0], &part.labels)?;
        if self.strictness == Strictness::Exact
            && let Some((images_spec, labels_spec)) = fashion_mnist::split_files(split)
        {
            images.check_exact(&images_spec)?;
            part.labels.check_exact(&labels_spec)?;
        }
        let [_, height, width] = images.header.dims;
        if [1, height, width] != self.shape {
            return Err(DataError::Changed { path: part.images.clone() });
        }
        let mut labels = part.labels.elements.clone();
        labels.iter_mut().for_each(|label| *label -= self.first_label);
        let (name, classes) = (self.name.clone(), self.classes.clone());
        let mut dataset = Dataset {
            name,
            shape: self.shape,
            images: images.elements,
            labels,
            classes,
            sha256: String::new(),
        };
        if self.is_transposed {
            let planes = dataset.images.chunks_exact_mut(height * width);
            planes.for_each(|plane| transpose(plane, height, width));
        }
        if self.is_transposed || self.first_label > 0 {
            return Ok(dataset.hashed());
        }
        // Goes on where the images' own hash stopped, so that 47 MB are not hashed twice.
        dataset.sha256 = joint_sha256(images.hasher, &dataset.labels);
        Ok(dataset)
    }
}

/// The files of a known set in a folder.
pub(crate) fn named_files(dir: &Path, known: &KnownSet) -> Result<BTreeMap<Split, IdxPair>, DataError> {
    if known.name == fashion_mnist::NAME {
        check_complete(dir, &FILES)?;
        let pair = |split, images, labels| {
            let [images, labels] = [images, labels].map(|idx: usize| find_file(dir, FILES[idx].name));
            Ok((split, IdxPair { images: images?, labels: labels? }))
        };
        return Ok([pair(Split::Train, 0, 1)?, pair(Split::Test, 2, 3)?].into());
    }
    let mut sets = find_sets(dir)?;
    let own_set = sets.keys().find(|set| set.contains(known.name)).cloned().unwrap_or_default();
    match sets.remove(&own_set) {
        Some(files) => by_split(dir, files),
        None => Err(DataError::LacksSet { dir: dir.to_owned(), title: known.title, files: known.files }),
    }
}

/// A pair whose name tells no part is the training part, if it is alone.
fn by_split(dir: &Path, files: IdxParts) -> Result<BTreeMap<Split, IdxPair>, DataError> {
    if files.len() > 1
        && let Some(pair) = files.get(&None)
    {
        return Err(DataError::NoPart { dir: dir.to_owned(), file: pair.images.clone() });
    }
    Ok(files.into_iter().map(|(split, pair)| (split.unwrap_or(Split::Train), pair)).collect())
}

fn read_labels(files: BTreeMap<Split, IdxPair>) -> Result<BTreeMap<Split, Part>, DataError> {
    let read = |(split, pair): (Split, IdxPair)| {
        Ok((split, Part { images: pair.images, labels: IdxFile::load(&pair.labels)? }))
    };
    files.into_iter().map(read).collect()
}

/// What the images file's header says fits its labels.
fn check_images(part: &Part) -> Result<[usize; 3], DataError> {
    let [n_images, height, width] = read_header::<3>(&part.images)?.dims;
    check_counts(&part.images, n_images, &part.labels)?;
    Ok([1, height, width])
}

fn check_counts(images: &Path, n_images: usize, labels: &IdxFile<1>) -> Result<(), DataError> {
    let [n_labels] = labels.header.dims;
    if n_images == n_labels {
        return Ok(());
    }
    let (images, labels) = (images.to_owned(), labels.file.clone());
    Err(DataError::CountsDiffer { images, n_images, labels, n_labels })
}

fn check_labels(labels: &IdxFile<1>, first: u8, n_classes: usize) -> Result<(), DataError> {
    let last = usize::from(first) + n_classes - 1;
    let is_wrong = |&label: &u8| label < first || usize::from(label) > last;
    let Some(idx) = labels.elements.iter().position(is_wrong) else { return Ok(()) };
    let (offset, value) = ((Header::<1>::LEN + idx) as u64, labels.elements[idx]);
    Err(DataError::LabelOutOfRange { file: labels.file.clone(), offset, idx, value, n_classes, first })
}

/// Fashion-MNIST, MNIST and KMNIST have files of the same names, and the one is often taken for the other.
fn refuse_others(dir: &Path, known: &KnownSet, labels: &IdxFile<1>) -> Result<(), DataError> {
    let found = match recognized_labels(labels) {
        Some(found) if found.name != known.name && !known.name.starts_with("emnist") => found,
        _ => return Ok(()),
    };
    let (file, dir) = (labels.file.clone(), dir.to_owned());
    Err(DataError::OtherSet { file, dir, found: found.title, asked: known.title })
}

/// The set whose labels these are, if they are all of a part's.
fn recognized_labels(labels: &IdxFile<1>) -> Option<&'static KnownSet> {
    if fashion_mnist::is_mnist(&labels.elements) {
        return known_set("mnist");
    }
    let sha256 = labels.sha256();
    FILES.iter().any(|file| file.sha256 == sha256).then(|| known_set(fashion_mnist::NAME)).flatten()
}

/// What a folder is called for the set in it: the one above, where torchvision made it. `None`: it is the root of the file system.
fn folder_name(dir: &Path) -> Option<String> {
    let name = |dir: &Path| {
        let dir = if dir.ends_with(TORCHVISION_FOLDER) { dir.parent()? } else { dir };
        dir.file_name().map(|name| name.to_string_lossy().into_owned())
    };
    // A link is called as it is itself; `.` and `..` are called as what they lead to.
    name(dir).or_else(|| name(&fs::canonicalize(dir).ok()?))
}

/// The set that a folder of the user's holds: by what the files are called, by what the labels are, and else by what
/// the folder is called; with a note where the labels decide against the folder's name.
fn recognize(
    dir: &Path,
    folder: &str,
    prefix: &str,
    parts: &BTreeMap<Split, Part>,
) -> (Option<&'static KnownSet>, Option<String>) {
    if let Some(known) = known_set(prefix) {
        return (Some(known), None);
    }
    let named = known_set(&folder.to_lowercase());
    let held = parts.values().find_map(|part| recognized_labels(&part.labels));
    let is_news = named != held && !named.is_some_and(KnownSet::is_transposed);
    match held {
        Some(held) if is_news => {
            let note = format!("{} holds the labels of {}, and is read as such", dir.display(), held.title);
            (Some(held), Some(note))
        }
        _ => (named, None),
    }
}

fn several(dir: &Path, sets: &BTreeMap<String, IdxParts>) -> DataError {
    let name = |(set, parts): (&String, &IdxParts)| match parts.values().next() {
        Some(pair) if set.is_empty() => pair.images.display().to_string(),
        _ => set.clone(),
    };
    DataError::SeveralSets { dir: dir.to_owned(), names: sets.iter().map(name).collect() }
}

fn damaged_if(strictness: Strictness, dir: &Path, error: DataError) -> DataError {
    match strictness {
        Strictness::Exact if error.is_damage() => {
            DataError::Damaged { dir: dir.to_owned(), source: Box::new(error) }
        }
        _ => error,
    }
}

/// Rows to columns, in place by way of a copy: a plane of H × W that holds W columns of H pixels.
fn transpose(plane: &mut [u8], height: usize, width: usize) {
    let columns = plane.to_vec();
    for row in 0..height {
        for column in 0..width {
            plane[row * width + column] = columns[column * height + row];
        }
    }
}

/// The set in the folder of a file.
pub(crate) fn of_file(file: &Path) -> Result<Option<IdxSet>, DataError> {
    IdxSet::detect(folder_of(file), Some(&set_of(file)))
}

#[cfg(test)]
mod tests;
