use std::fs;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::checksum::hex;
use crate::error::Fault;
use crate::testing::{gzip, images, labels, write_set};

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";

fn small_set() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_set(dir.path());
    dir
}

/// Read as Fashion-MNIST, which the user asked for by name.
fn read(dir: &Path, strictness: Strictness) -> Result<Parts, DataError> {
    let known = known_set(fashion_mnist::NAME).unwrap();
    IdxSet::named(dir, known, strictness)?.read(&Partition::default())
}

fn train(dir: &TempDir) -> Result<Dataset, DataError> {
    read(dir.path(), Strictness::WellFormed).map(|parts| parts.train)
}

/// Read as whatever is there.
fn detected(dir: &Path) -> Result<IdxSet, DataError> {
    IdxSet::detect(dir, None).map(|set| set.expect("there are IDX files"))
}

#[test]
fn a_well_formed_set_is_read() {
    let dir = small_set();
    let train = train(&dir).unwrap();
    assert_eq!((train.len(), train.shape, train.images.len()), (20, [1, 3, 2], 120));
    assert_eq!(train.image(1), [6, 7, 8, 9, 10, 11]);
    assert_eq!(train.class_counts(), [2; 10]);
    let files = [TRAIN_IMAGES, TRAIN_LABELS].map(|name| fs::read(dir.path().join(name)).unwrap());
    assert_eq!(train.sha256, hex(&Sha256::digest(files.concat())));
    let test = read(dir.path(), Strictness::WellFormed).unwrap().test;
    assert_eq!(
        (test.len(), test.name.as_str(), test.classes[9].as_str()),
        (10, "fashion-mnist", "Ankle boot")
    );
}

#[test]
fn a_class_that_training_lacks_is_told_of() {
    let dir = small_set();
    let path = dir.path().join(TRAIN_LABELS);
    let mut bytes = fs::read(&path).unwrap();
    bytes[8..].iter_mut().filter(|label| **label == 9).for_each(|label| *label = 0);
    fs::write(&path, bytes).unwrap();
    let set = detected(dir.path()).unwrap();
    assert_eq!(set.classes.len(), 10);
    let is_told =
        |note: &String| note.starts_with("the training part has no sample of class ") && !note.contains(',');
    assert!(set.notes.iter().any(is_told), "{:?}", set.notes);
}

#[test]
fn packed_or_not_makes_no_difference() {
    let dir = small_set();
    let plain = train(&dir).unwrap();
    for name in [TRAIN_IMAGES, TRAIN_LABELS] {
        let path = dir.path().join(name);
        fs::write(dir.path().join(format!("{name}.gz")), gzip(&fs::read(&path).unwrap())).unwrap();
        fs::remove_file(path).unwrap();
    }
    assert_eq!(train(&dir).unwrap(), plain);
    // A packed file without the ending is told by its content.
    fs::rename(dir.path().join(format!("{TRAIN_IMAGES}.gz")), dir.path().join(TRAIN_IMAGES)).unwrap();
    assert_eq!(train(&dir).unwrap(), plain);
}

#[test]
fn a_missing_folder_and_a_missing_file_are_named() {
    let dir = small_set();
    let nowhere = dir.path().join("nowhere");
    let error = read(&nowhere, Strictness::WellFormed).unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not exist", nowhere.display()));
    let file = dir.path().join(TRAIN_IMAGES);
    let error = read(&file, Strictness::WellFormed).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is not a folder", file.display()));
    fs::remove_file(file).unwrap();
    let message = train(&dir).unwrap_err().to_string();
    assert!(message.contains("neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz"), "{message}");
}

#[test]
fn counts_that_differ_are_refused_with_both_files() {
    let dir = small_set();
    fs::write(dir.path().join(TRAIN_LABELS), labels(&[1, 2, 3])).unwrap();
    let message = train(&dir).unwrap_err().to_string();
    let (images, labels) = (dir.path().join(TRAIN_IMAGES), dir.path().join(TRAIN_LABELS));
    assert_eq!(
        message,
        format!("{} holds 20 images but {} holds 3 labels", images.display(), labels.display())
    );
}

#[test]
fn a_label_out_of_range_is_refused_with_its_place() {
    let dir = small_set();
    fs::write(dir.path().join(TRAIN_LABELS), labels(&[1, 2, 9, 10])).unwrap();
    fs::write(dir.path().join(TRAIN_IMAGES), images(4, 3, 2)).unwrap();
    let message = train(&dir).unwrap_err().to_string();
    assert!(message.ends_with("byte 11: label 3 is 10, but there are 10 classes (0 to 9)"), "{message}");
}

/// A folder whose test labels are as many of each kind as MNIST's.
fn with_mnists_labels() -> TempDir {
    let dir = small_set();
    let counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    let digits: Vec<u8> = (0..10).zip(counts).flat_map(|(label, n)| std::iter::repeat_n(label, n)).collect();
    fs::write(dir.path().join("t10k-labels-idx1-ubyte"), labels(&digits)).unwrap();
    fs::write(dir.path().join(TEST_IMAGES), images(10_000, 3, 2)).unwrap();
    dir
}

#[test]
fn mnist_is_refused_in_another_sets_place() {
    let dir = with_mnists_labels();
    for strictness in [Strictness::WellFormed, Strictness::Exact] {
        let error = read(dir.path(), strictness).unwrap_err();
        assert!(matches!(error, DataError::OtherSet { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("the files in {} are MNIST's", dir.path().display())));
    }
    let kmnist = known_set("kmnist").unwrap();
    let error = IdxSet::named(dir.path(), kmnist, Strictness::WellFormed).unwrap_err();
    assert!(error.to_string().contains("put KMNIST's there"), "{error}");
}

#[test]
fn mnist_is_read_where_it_is_asked_for_or_a_folder_is_named() {
    let dir = with_mnists_labels();
    let asked = IdxSet::named(dir.path(), known_set("mnist").unwrap(), Strictness::WellFormed).unwrap();
    assert_eq!((asked.name.as_str(), asked.classes[9].as_str()), ("mnist", "9"));
    let found = detected(dir.path()).unwrap();
    assert_eq!((found.name.as_str(), found.notes.len()), ("mnist", 1));
    assert!(found.notes[0].ends_with("holds the labels of MNIST, and is read as such"), "{:?}", found.notes);
}

#[test]
fn unknown_pictures_have_their_folders_name_and_numbered_classes() {
    let dir = small_set();
    let named = dir.path().join("kmnist");
    for (at, name, class) in [(dir.path(), None, "9"), (&named, Some("kmnist"), "wo を")] {
        write_set(at);
        let set = detected(at).unwrap();
        let folder = at.file_name().unwrap().to_str().unwrap();
        assert_eq!((set.name.as_str(), set.classes[9].as_str()), (name.unwrap_or(folder), class));
        assert!(set.notes.is_empty());
    }
}

#[test]
fn a_folder_is_called_as_what_its_path_leads_to() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write_set(&at("KMNIST/raw"));
    write_set(&at("mine/raw"));
    let cases = [
        ("KMNIST/raw", "kmnist", "wo を"),
        ("KMNIST/raw/.", "kmnist", "wo を"),
        ("mine/raw", "mine", "9"),
        ("mine/raw/../../KMNIST/raw", "kmnist", "wo を"),
    ];
    for (path, name, class) in cases {
        let set = detected(&at(path)).unwrap();
        assert_eq!((set.name.as_str(), set.classes[9].as_str()), (name, class), "{path}");
    }
    fs::create_dir(at("KMNIST/raw/sub")).unwrap();
    assert_eq!(folder_name(&at("KMNIST/raw/sub/..")), Some("KMNIST".into()));
    let here = std::env::current_dir().unwrap();
    let here = here.file_name().unwrap().to_str().map(str::to_owned);
    assert_eq!((folder_name(Path::new(".")), folder_name(Path::new("./"))), (here.clone(), here));
    assert_eq!(folder_name(Path::new("/")), None);
}

/// The files of one of EMNIST's sets: pictures of 2 × 3 stored column by column, labels from 1.
fn letters(dir: &Path, prefix: &str) {
    let all: Vec<u8> = (1..=26).collect();
    for split in ["train", "test"] {
        let path = |kind: &str| dir.join(format!("{prefix}-{split}-{kind}-ubyte"));
        fs::write(path("images-idx3"), images(26, 2, 3)).unwrap();
        fs::write(path("labels-idx1"), labels(&all)).unwrap();
    }
}

#[test]
fn emnist_is_turned_upright_and_counted_from_0() {
    let dir = tempfile::tempdir().unwrap();
    letters(dir.path(), "emnist-letters");
    let by_name = IdxSet::named(dir.path(), known_set("emnist-letters").unwrap(), Strictness::WellFormed);
    for set in [by_name.unwrap(), detected(dir.path()).unwrap()] {
        let train = set.read(&Partition::default()).unwrap().train;
        assert_eq!((train.shape, train.image(0)), ([1, 2, 3], &[0, 2, 4, 1, 3, 5][..]));
        assert_eq!((train.labels[25], train.classes[25].as_str()), (25, "Z"));
        assert_eq!(train.sha256, train.clone().hashed().sha256);
    }
    let lines: String = (1..=26).map(|label| format!("{label} {} {}\n", 96 + label, 64 + label)).collect();
    fs::write(dir.path().join("emnist-letters-mapping.txt"), lines).unwrap();
    assert_eq!(detected(dir.path()).unwrap().classes[0], "a");
    // Names without the set's: the folder tells it, in torchvision's way.
    let raw = dir.path().join("EMNIST-Letters/raw");
    fs::create_dir_all(&raw).unwrap();
    letters(&raw, "");
    let set = detected(&raw).unwrap();
    assert_eq!((set.name.as_str(), set.is_transposed, set.first_label), ("emnist-letters", true, 1));
}

#[test]
fn several_sets_in_a_folder_need_a_choice() {
    let dir = tempfile::tempdir().unwrap();
    letters(dir.path(), "emnist-letters");
    letters(dir.path(), "emnist-byclass");
    let message = detected(dir.path()).unwrap_err().to_string();
    assert!(message.contains("several data sets (emnist-byclass, emnist-letters)"), "{message}");
    let file = dir.path().join("emnist-letters-test-labels-idx1-ubyte");
    assert_eq!(of_file(&file).unwrap().unwrap().name, "emnist-letters");
    let named = IdxSet::named(dir.path(), known_set("emnist-letters").unwrap(), Strictness::WellFormed);
    assert_eq!(named.unwrap().classes.len(), 26);
}

#[test]
fn a_lone_pair_is_cut_in_three() {
    let dir = tempfile::tempdir().unwrap();
    let of_two: Vec<u8> = (0..60).map(|idx| idx % 2 + 3).collect();
    fs::write(dir.path().join("images"), gzip(&images(60, 3, 2))).unwrap();
    fs::write(dir.path().join("labels"), labels(&of_two)).unwrap();
    let set = detected(dir.path()).unwrap();
    assert_eq!(set.classes, ["1", "2", "3", "4"]);
    let parts = set.read(&Partition::default()).unwrap();
    assert_eq!(
        (parts.train.class_counts(), parts.test.class_counts()),
        (vec![0, 0, 24, 24], vec![0, 0, 3, 3])
    );
    assert_eq!(parts.validation.unwrap().len(), 6);
}

/// Pictures in color come from CIFAR-10's format or from folders.
#[test]
fn images_of_four_dimensions_are_refused() {
    let dir = small_set();
    let bytes = [crate::idx::header_bytes(&[20, 3, 2, 3]), vec![0; 360]].concat();
    fs::write(dir.path().join(TRAIN_IMAGES), bytes).unwrap();
    let message = detected(dir.path()).unwrap_err().to_string();
    assert!(message.ends_with("train-images-idx3-ubyte: byte 3: 4 dimensions, expected 3"), "{message}");
}

#[test]
fn test_images_must_have_the_train_images_shape() {
    let dir = small_set();
    fs::write(dir.path().join(TEST_IMAGES), images(10, 3, 3)).unwrap();
    let message = read(dir.path(), Strictness::WellFormed).unwrap_err().to_string();
    assert!(message.contains("holds images of 3 × 3 but"), "{message}");
    assert!(message.contains("of 3 × 2 (rows × columns)"), "{message}");
    for file in [TRAIN_IMAGES, TRAIN_LABELS] {
        fs::remove_file(dir.path().join(file)).unwrap();
    }
    let set = detected(dir.path()).unwrap();
    assert_eq!(set.read_part(Split::Test).unwrap().shape, [1, 3, 3]);
    let message = set.read(&Partition::default()).unwrap_err().to_string();
    assert!(message.ends_with("has a test part but no training part"), "{message}");
}

#[test]
fn a_place_that_must_hold_fashion_mnist_holds_nothing_else() {
    let dir = small_set();
    let error = read(dir.path(), Strictness::Exact).unwrap_err();
    assert!(matches!(&error, DataError::NotExact { file, .. } if file == &dir.path().join(TRAIN_IMAGES)));
    assert!(error.to_string().contains("delete it and fetch it again"), "{error}");
}

#[test]
fn a_damaged_file_is_named_with_its_folder() {
    let dir = small_set();
    let file = dir.path().join(TRAIN_IMAGES);
    fs::write(&file, "").unwrap();
    match train(&dir).unwrap_err() {
        DataError::Format { file: found, offset: 0, fault: Fault::Empty } => assert_eq!(found, file),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_file_in_the_cache_comes_with_what_to_do() {
    let dir = small_set();
    fs::write(dir.path().join(TRAIN_IMAGES), &gzip(&images(20, 3, 2))[..30]).unwrap();
    let error = read(dir.path(), Strictness::Exact).unwrap_err();
    assert!(
        error.to_string().contains("delete it and fetch it again (`danlu data fetch fashion-mnist`"),
        "{error}"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(TRAIN_IMAGES) && cause.ends_with("the gzip stream is cut off"), "{cause}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// One byte of a file is another, or its end is missing: a set or an error, and every label names a class.
    #[test]
    fn spoiled_files_never_panic(file in 0..4_usize, at in 0..40_usize, byte: u8, len in 0..130_usize, cut: bool) {
        let dir = small_set();
        let path = dir.path().join(FILES[file].name);
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let len = if cut { len.min(bytes.len()) } else { bytes.len() };
        fs::write(&path, &bytes[..len]).unwrap();
        if let Ok(parts) = IdxSet::detect(dir.path(), None).and_then(|set| match set {
            Some(set) => set.read(&Partition::default()),
            None => read(dir.path(), Strictness::WellFormed),
        }) {
            for part in [parts.train, parts.test] {
                prop_assert!(part.labels.iter().all(|&label| usize::from(label) < part.classes.len()));
                prop_assert_eq!(part.images.len(), part.len() * part.image_len());
            }
        }
    }
}
