//! Which IDX files of a folder belong together.
//!
//! Kinds are told by content: one dimension is labels, three are images. Parts and sets are told by names, whose
//! words are parted by any sign: in `emnist-letters-train-images-idx3-ubyte.gz` `train` is the part, and what is
//! left beside the words of the format, `emnist-letters`, is the set.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Split;
use crate::contents::Contents;
use crate::error::DataError;
use crate::folder::check_folder;

/// Element types of the IDX format; all but the first are known only to be refused by name.
const ELEMENT_TYPES: [u8; 6] = [0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e];

/// A folder with more files than this is no folder of IDX files, and they are not all opened.
const MAX_FILES: usize = 1000;

/// An images file and its labels file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdxPair {
    pub(crate) images: PathBuf,
    pub(crate) labels: PathBuf,
}

/// The files of one data set, in the parts that their names tell; `None` is for a name that tells nothing.
pub(crate) type IdxParts = BTreeMap<Option<Split>, IdxPair>;

/// What a file's name tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    set: String,
    split: Option<Split>,
}

/// Files of one name: one of each kind, if all is well.
#[derive(Default)]
struct Group {
    images: Vec<PathBuf>,
    labels: Vec<PathBuf>,
}

/// The sets of IDX files in a folder, by the names that their files begin with, which may be empty. A set has at
/// least one pair.
///
/// # Errors
/// No folder, an unreadable file, two files in one place, and images without labels or the other way round.
pub(crate) fn find_sets(dir: &Path) -> Result<BTreeMap<String, IdxParts>, DataError> {
    check_folder(dir)?;
    let groups = lone_pair(grouped(dir)?);
    let mut sets: BTreeMap<String, IdxParts> = BTreeMap::new();
    for (name, group) in groups {
        let pair = group.pair(dir)?;
        sets.entry(name.set).or_default().insert(name.split, pair);
    }
    Ok(sets)
}

/// Whether the folder's IDX files and the name of one of them tell that it is in this set.
pub(crate) fn set_of(file: &Path) -> String {
    name_of(file).set
}

/// Whether a file begins as an IDX file, packed or not; one that cannot be read is none.
pub(crate) fn is_idx(file: &Path) -> bool {
    n_dims(file).is_some()
}

fn grouped(dir: &Path) -> Result<BTreeMap<Name, Group>, DataError> {
    let mut files = vec![];
    for entry in fs::read_dir(dir).map_err(DataError::io("look into", dir))? {
        let path = entry.map_err(DataError::io("look into", dir))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut groups: BTreeMap<Name, Group> = BTreeMap::new();
    for file in files.into_iter().take(MAX_FILES) {
        match n_dims(&file) {
            Some(1) => groups.entry(name_of(&file)).or_default().labels.push(file),
            Some(3..) => groups.entry(name_of(&file)).or_default().images.push(file),
            // Two dimensions are QMNIST's long labels, which the short ones repeat.
            _ => {}
        }
    }
    Ok(groups)
}

/// The number of dimensions of an IDX file.
fn n_dims(file: &Path) -> Option<u8> {
    let mut magic = [0; 4];
    let n_read = Contents::open(file).ok()?.read(&mut magic).ok()?;
    match magic {
        [0, 0, element_type, n_dims] if n_read == 4 && ELEMENT_TYPES.contains(&element_type) => Some(n_dims),
        _ => None,
    }
}

fn name_of(file: &Path) -> Name {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (mut set, mut split) = (vec![], None);
    for word in name.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()) {
        match word {
            "train" | "training" => split = Some(Split::Train),
            "val" | "valid" | "validation" => split = Some(Split::Validation),
            "t10k" | "test" | "testing" => split = Some(Split::Test),
            "images" | "image" | "labels" | "label" | "ubyte" | "gz" | "idx" | "idx1" | "idx3" | "idx4" => {}
            _ => set.push(word),
        }
    }
    Name { set: set.join("-"), split }
}

/// One images file and one labels file alone in a folder belong together whatever they are called.
fn lone_pair(groups: BTreeMap<Name, Group>) -> BTreeMap<Name, Group> {
    let count = |of: fn(&Group) -> usize| groups.values().map(of).sum::<usize>();
    let is_lone = count(|group| group.images.len()) == 1 && count(|group| group.labels.len()) == 1;
    if groups.len() != 2 || !is_lone {
        return groups;
    }
    let (mut joint, mut split) = (Group::default(), None);
    for (name, group) in groups {
        joint.images.extend(group.images);
        joint.labels.extend(group.labels);
        split = name.split.or(split);
    }
    [(Name { set: String::new(), split }, joint)].into()
}

impl Group {
    fn pair(self, dir: &Path) -> Result<IdxPair, DataError> {
        match (one_of(self.images)?, one_of(self.labels)?) {
            (Some(images), Some(labels)) => Ok(IdxPair { images, labels }),
            (Some(lone), None) | (None, Some(lone)) => {
                Err(DataError::NoPartner { dir: dir.to_owned(), file: lone })
            }
            (None, None) => unreachable!("a group is made for a file"),
        }
    }
}

/// The plain file and the packed one of the same name are one, of which the plain one needs no unpacking.
fn one_of(mut files: Vec<PathBuf>) -> Result<Option<PathBuf>, DataError> {
    let plain: Vec<_> = files.iter().filter(|file| file.extension().is_none_or(|end| end != "gz")).collect();
    match (files.len(), plain.as_slice()) {
        (0 | 1, _) => Ok(files.pop()),
        (2, [plain]) => Ok(Some(plain.to_path_buf())),
        _ => Err(DataError::TwoFiles { one: files[0].clone(), other: files[1].clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{gzip, images, labels};

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let bytes = if name.contains("label") { labels(&[0, 1]) } else { images(2, 3, 2) };
            let bytes = if name.ends_with(".gz") { gzip(&bytes) } else { bytes };
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    #[test]
    fn names_tell_set_and_part() {
        let cases = [
            ("train-images-idx3-ubyte.gz", "", Some(Split::Train)),
            ("t10k-labels.idx1-ubyte", "", Some(Split::Test)),
            ("emnist-letters-test-images-idx3-ubyte", "emnist-letters", Some(Split::Test)),
            ("Valid_Labels.idx", "", Some(Split::Validation)),
            ("clouds.images", "clouds", None),
        ];
        for (name, set, split) in cases {
            assert_eq!(name_of(Path::new(name)), Name { set: set.into(), split }, "{name}");
        }
    }

    #[test]
    fn files_are_paired_by_name_and_kind() {
        let dir = folder(&[
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "t10k-images.idx3-ubyte",
            "t10k-labels.idx1-ubyte",
        ]);
        fs::write(dir.path().join("readme"), "hello").unwrap();
        let sets = find_sets(dir.path()).unwrap();
        let parts = &sets[""];
        assert_eq!(sets.len(), 1);
        assert_eq!(parts.keys().collect::<Vec<_>>(), [&Some(Split::Train), &Some(Split::Test)]);
        let train = &parts[&Some(Split::Train)];
        assert_eq!(train.images, dir.path().join("train-images-idx3-ubyte"));
        assert_eq!(train.labels, dir.path().join("train-labels-idx1-ubyte.gz"));
    }

    #[test]
    fn several_sets_in_a_folder_are_told_apart() {
        let dir = folder(&["a-train-images", "a-train-labels", "b-images", "b-labels"]);
        let sets = find_sets(dir.path()).unwrap();
        assert_eq!(sets.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(sets["b"].contains_key(&None));
    }

    #[test]
    fn two_files_alone_belong_together() {
        let dir = folder(&["pictures.bin", "truth-label.dat"]);
        let sets = find_sets(dir.path()).unwrap();
        assert_eq!(sets[""][&None].labels, dir.path().join("truth-label.dat"));
    }

    #[test]
    fn what_has_no_partner_or_two_is_refused() {
        let cases: [(&[&str], &str); 3] = [
            (&["train-images"], "train-images has no labels or images file beside it"),
            (&["train-images", "test-images", "test-labels"], "train-images has no"),
            (&["train-images", "train_images", "train-labels"], "are both"),
        ];
        for (names, expected) in cases {
            let message = find_sets(folder(names).path()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert!(find_sets(folder(&[]).path()).unwrap().is_empty());
    }
}
