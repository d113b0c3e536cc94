use proptest::prelude::*;

use super::*;

/// Records whose label counts up and whose pixels are 1, 2 and 3 in the channels.
fn records(n: usize) -> Vec<u8> {
    let record = |idx: usize| {
        let planes = (1..=3).flat_map(|channel| std::iter::repeat_n(channel, IMAGE_LEN / 3));
        std::iter::once((idx % 10) as u8).chain(planes)
    };
    (0..n).flat_map(record).collect()
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in 1..=5 {
        fs::write(dir.path().join(format!("data_batch_{n}.bin")), records(20)).unwrap();
    }
    fs::write(dir.path().join("test_batch.bin"), records(10)).unwrap();
    dir
}

fn read(dir: &Path) -> Result<Parts, DataError> {
    CifarSet::detect(dir)?.expect("there are files").read(&Partition::default())
}

#[test]
fn batches_become_parts() {
    let dir = folder();
    fs::write(dir.path().join("batches.meta.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n").unwrap();
    let parts = read(dir.path()).unwrap();
    assert_eq!((parts.train.len(), parts.test.len(), parts.validation), (100, 10, None));
    assert_eq!((parts.train.shape, parts.train.classes[9].as_str()), ([3, 32, 32], "j"));
    assert_eq!([0, 1024, 3071].map(|at| parts.test.image(9)[at]), [1, 2, 3]);
    assert_eq!(parts.train.class_counts(), [10; 10]);
}

#[test]
fn missing_batches_are_told_of() {
    let dir = folder();
    let notes = || CifarSet::detect(dir.path()).unwrap().unwrap().notes;
    assert!(notes().is_empty());
    for file in ["data_batch_3.bin", "test_batch.bin"] {
        fs::remove_file(dir.path().join(file)).unwrap();
    }
    let file = |name: &str| format!("{} is missing", dir.path().join(name).display());
    assert_eq!(notes(), [file("data_batch_3.bin"), file("test_batch.bin")]);
}

#[test]
fn the_archives_folder_is_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    fs::rename(folder().keep(), dir.path().join(SUBFOLDER)).unwrap();
    assert_eq!(read(dir.path()).unwrap().train.classes[0], "airplane");
    assert!(CifarSet::detect(tempfile::tempdir().unwrap().path()).unwrap().is_none());
}

#[test]
fn ill_formed_files_are_refused() {
    let mut wrong_label = records(3);
    wrong_label[2 * RECORD_LEN] = 10;
    let cases = [
        (vec![], "0 bytes"),
        (
            records(2)[..6000].to_vec(),
            "test_batch.bin has 6000 bytes, which is no whole number of records of 3073",
        ),
        (wrong_label, "byte 6146: label 2 is 10, but there are 10 classes (0 to 9)"),
    ];
    for (bytes, expected) in cases {
        let dir = folder();
        fs::write(dir.path().join("test_batch.bin"), bytes).unwrap();
        let message = read(dir.path()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let dir = folder();
    fs::write(dir.path().join("batches.meta.txt"), "alone").unwrap();
    assert!(read(dir.path()).unwrap_err().to_string().contains("has 1 class"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spoiled_files_never_panic(len in 0..3 * RECORD_LEN, at in 0..3 * RECORD_LEN, byte: u8) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = records(3);
        bytes[at] = byte;
        for bytes in [&bytes[..], &bytes[..len]] {
            fs::write(dir.path().join("data_batch_1.bin"), bytes).unwrap();
            match read(dir.path()) {
                Ok(parts) => prop_assert!(parts.train.labels.iter().all(|&label| label < 10)),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
