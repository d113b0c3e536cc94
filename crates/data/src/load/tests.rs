use std::fs;

use tempfile::TempDir;

use super::*;
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

fn train(dir: &TempDir) -> Result<Dataset, DataError> {
    load(dir.path(), Split::Train, Strictness::WellFormed)
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
    let test = load(dir.path(), Split::Test, Strictness::WellFormed).unwrap();
    assert_eq!(
        (test.len(), test.name.as_str(), test.classes[9].as_str()),
        (10, "fashion-mnist", "Ankle boot")
    );
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
    let error = load(&nowhere, Split::Train, Strictness::WellFormed).unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not exist", nowhere.display()));
    let file = dir.path().join(TRAIN_IMAGES);
    let error = load(&file, Split::Train, Strictness::WellFormed).unwrap_err();
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
    let message = train(&dir).unwrap_err().to_string();
    assert!(message.ends_with("byte 11: label 3 is 10, but there are 10 classes (0 to 9)"), "{message}");
}

#[test]
fn mnist_is_refused_everywhere() {
    let dir = small_set();
    let counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    let digits: Vec<u8> = (0..10).zip(counts).flat_map(|(label, n)| std::iter::repeat_n(label, n)).collect();
    fs::write(dir.path().join("t10k-labels-idx1-ubyte"), labels(&digits)).unwrap();
    fs::write(dir.path().join(TEST_IMAGES), images(10_000, 3, 2)).unwrap();
    for strictness in [Strictness::WellFormed, Strictness::Exact] {
        let error = load(dir.path(), Split::Test, strictness).unwrap_err();
        assert!(matches!(error, DataError::Mnist { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("the files in {} are MNIST's", dir.path().display())));
    }
}

#[test]
fn test_images_must_have_the_train_images_shape() {
    let dir = small_set();
    fs::write(dir.path().join(TEST_IMAGES), images(10, 3, 3)).unwrap();
    let message = load(dir.path(), Split::Test, Strictness::WellFormed).unwrap_err().to_string();
    assert!(message.contains("holds images of 3 × 3 but"), "{message}");
    assert!(message.contains("of 3 × 2 (rows × columns)"), "{message}");
    fs::remove_file(dir.path().join(TRAIN_IMAGES)).unwrap();
    assert_eq!(load(dir.path(), Split::Test, Strictness::WellFormed).unwrap().shape, [1, 3, 3]);
}

#[test]
fn a_place_that_must_hold_fashion_mnist_holds_nothing_else() {
    let dir = small_set();
    let error = load(dir.path(), Split::Train, Strictness::Exact).unwrap_err();
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
    let error = load(dir.path(), Split::Train, Strictness::Exact).unwrap_err();
    assert!(
        error.to_string().contains("delete it and fetch it again (`danlu data fetch fashion-mnist`"),
        "{error}"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(TRAIN_IMAGES) && cause.ends_with("the gzip stream is cut off"), "{cause}");
}
