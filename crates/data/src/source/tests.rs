use tempfile::TempDir;

use super::*;
use crate::testing::{write_pictures, write_set};

fn open(dir: &Path) -> Result<Source, DataError> {
    let places = Places { dir: Some(dir.to_owned()), ..Places::default() };
    Source::open(&places, &mut |_| panic!("nothing is to be waited for"))
}

fn cifar(dir: &Path) {
    fs::write(dir.join("data_batch_1.bin"), vec![1; 3073 * 40]).unwrap();
    fs::write(dir.join("test_batch.bin"), vec![2; 3073]).unwrap();
}

#[test]
fn formats_are_told_by_what_a_folder_holds() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    write_set(&at("idx"));
    write_set(&at("torchvision/raw"));
    fs::create_dir(at("cifar")).unwrap();
    cifar(&at("cifar"));
    write_pictures(&at("pictures"), "", &["a", "b"], 20);
    let cases = [
        ("idx", "IDX files", Some([1, 3, 2]), 10, true),
        ("idx/t10k-labels-idx1-ubyte", "IDX files", Some([1, 3, 2]), 10, true),
        ("torchvision", "IDX files", Some([1, 3, 2]), 10, true),
        ("cifar", "CIFAR-10's binary batches", Some([3, 32, 32]), 10, true),
        ("cifar/test_batch.bin", "CIFAR-10's binary batches", Some([3, 32, 32]), 10, true),
        ("pictures", "pictures, a folder for each class", None, 2, false),
    ];
    for (name, format, shape, n_classes, has_test) in cases {
        let source = open(&at(name)).unwrap();
        assert_eq!((source.format(), source.shape()), (format, shape), "{name}");
        assert_eq!((source.classes().len(), source.has(Split::Test)), (n_classes, has_test), "{name}");
        let shape = shape.unwrap_or([3, 4, 4]);
        let (partition, mut quiet) = (Partition::default(), |_: Progress<'_>| {});
        let parts = source.read(shape, &partition, None, &mut quiet).unwrap();
        assert_eq!(source.read_test(shape, &partition, None, &mut quiet).unwrap(), parts.test);
        assert_eq!(parts.train.shape, shape);
        assert_eq!(parts.train.name, source.name());
    }
}

#[test]
fn the_files_of_a_set_are_told_from_others() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    write_set(&at("idx"));
    fs::create_dir(at("cifar")).unwrap();
    cifar(&at("cifar"));
    write_pictures(&at("pictures"), "", &["a", "b"], 20);
    fs::write(at("pictures/sheet.png"), "").unwrap();
    let picture = fs::read_dir(at("pictures/a")).unwrap().next().unwrap().unwrap().path();
    let cases = [
        ("idx", at("idx/t10k-labels-idx1-ubyte")),
        ("cifar", at("cifar/../cifar/data_batch_1.bin")),
        ("pictures", picture),
    ];
    for (name, file) in cases {
        let source = open(&at(name)).unwrap();
        assert!(source.reads(&file), "{}", file.display());
        assert!(!source.reads(&at(name)) && !source.reads(&at("pictures/sheet.png")), "{name}");
    }
}

fn refusal(prepare: impl FnOnce(&Path)) -> String {
    let dir: TempDir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    open(dir.path()).unwrap_err().to_string()
}

#[test]
fn what_is_no_data_set_is_told() {
    assert!(refusal(|_| {}).contains("holds no data set: neither IDX files"));
    assert!(refusal(|dir| fs::write(dir.join("a.txt"), "hello").unwrap()).contains("holds no data set"));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), "hello").unwrap();
    assert!(open(&dir.path().join("a.txt")).unwrap_err().to_string().contains("a.txt holds no data set"));
}

#[test]
fn another_shape_than_the_files_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_set(dir.path());
    let source = open(dir.path()).unwrap();
    let read = source.read([1, 28, 28], &Partition::default(), None, &mut |_| {});
    assert!(
        read.unwrap_err().to_string().contains("are [1, 3, 2], not [1, 28, 28] (channels, rows, columns)")
    );
}

#[test]
fn a_known_set_is_read_from_where_it_is_found() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("cifar-10")).unwrap();
    cifar(&dir.path().join("cifar-10"));
    let known = crate::known_set("cifar-10").unwrap();
    let places = Places { known, env: Some(dir.path().to_owned()), ..Places::default() };
    let source = Source::open(&places, &mut |_| {}).unwrap();
    assert_eq!((source.name(), source.place), ("cifar-10", Place::Env));
}
