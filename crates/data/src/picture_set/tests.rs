use std::fs;

use tempfile::TempDir;

use super::*;
use crate::testing::write_pictures;

const SHAPE: [usize; 3] = [1, 5, 6];

/// A folder of 3 classes with 20 pictures each in `set`, one of them broken, beside a place for the cache.
struct Ground {
    root: TempDir,
}

impl Ground {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        write_pictures(&root.path().join("set"), "", &["a", "b", "c"], 20);
        fs::write(root.path().join("set/b/007.png"), "text").unwrap();
        Self { root }
    }

    fn read(&self) -> Result<Parts, DataError> {
        self.read_with(&mut |_| {})
    }

    fn read_with(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Parts, DataError> {
        let folder = PictureFolder::detect(&self.root.path().join("set")).unwrap().unwrap();
        let cache = self.root.path().join("cache");
        folder.read(SHAPE, &Partition::default(), Some(&cache), progress)
    }

    fn cache_file(&self) -> std::path::PathBuf {
        let files = fs::read_dir(self.root.path().join("cache")).unwrap();
        let mut files = files.map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|ending| ending == "pictures")).unwrap()
    }
}

/// Whether both are the same data, whatever there is to be said of them.
fn assert_same(one: &Parts, other: &Parts) {
    assert_eq!((&one.train, &one.validation, &one.test), (&other.train, &other.validation, &other.test));
    assert_eq!((&one.rejected, &one.original_sizes), (&other.rejected, &other.original_sizes));
}

#[test]
fn pictures_are_read_cut_and_broken_ones_listed() {
    let parts = Ground::new().read().unwrap();
    assert_eq!(parts.train.class_counts(), [16, 15, 16]);
    assert_eq!(parts.validation.as_ref().unwrap().class_counts(), [2; 3]);
    assert_eq!(parts.test.class_counts(), [2; 3]);
    for part in [&parts.train, &parts.test] {
        let brightness = (0..part.len()).map(|idx| part.image(idx)[0]);
        assert!(brightness.zip(&part.labels).all(|(pixel, label)| pixel / 20 == *label));
    }
    let reason = "is neither PNG, JPEG, BMP nor WebP".to_owned();
    assert_eq!(parts.rejected, [Rejected { path: "b/007.png".into(), reason }]);
    assert_eq!((parts.original_sizes, parts.notes), (vec![[6, 5]; 59], Vec::<String>::new()));
}

#[test]
fn parts_that_say_nothing_of_a_class_are_told_of() {
    let dir = tempfile::tempdir().unwrap();
    for (part, classes) in [("train", &["a", "b", "c"][..]), ("val", &["a"]), ("test", &["b", "c"])] {
        write_pictures(dir.path(), part, classes, 3);
    }
    let folder = PictureFolder::detect(dir.path()).unwrap().unwrap();
    let parts = folder.read(SHAPE, &Partition::default(), None, &mut |_| {}).unwrap();
    let expected =
        ["the validation part has no picture of class b, c", "the test part has no picture of class a"];
    assert_eq!(parts.notes, expected);
}

#[test]
fn a_class_without_pictures_is_not_told_of_others_files() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "", &["a", "b"], 3);
    for folder in ["c", "a/c"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let folder = PictureFolder::detect(dir.path()).unwrap().unwrap();
    let error = folder.read(SHAPE, &Partition::default(), None, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, DataError::EmptyClass { class, n_rejected: 0, .. } if class == "c"), "{error}");
}

#[test]
fn the_second_time_nothing_is_decoded() {
    let ground = Ground::new();
    let mut n_news = 0;
    let first = ground.read_with(&mut |_| n_news += 1).unwrap();
    assert!(n_news > 1, "nothing was told before the first picture");
    let second = ground.read_with(&mut |progress| panic!("{progress:?}")).unwrap();
    assert_same(&first, &second);
    assert!(second.notes.is_empty());
}

#[test]
fn a_useless_cache_is_made_anew_with_a_note() {
    let ground = Ground::new();
    let first = ground.read().unwrap();
    let whole = fs::read(ground.cache_file()).unwrap();
    let mut spoiled = whole.clone();
    spoiled[100] ^= 1;
    fs::write(ground.cache_file(), spoiled).unwrap();
    let again = ground.read().unwrap();
    assert_same(&first, &again);
    assert!(again.notes[0].ends_with("was damaged; the pictures are decoded anew"), "{:?}", again.notes);
    assert_eq!(fs::read(ground.cache_file()).unwrap(), whole);
    fs::remove_file(ground.root.path().join("set/b/007.png")).unwrap();
    let changed = ground.read().unwrap();
    assert!(changed.notes[0].contains("have changed since"), "{:?}", changed.notes);
    assert_eq!((changed.rejected.len(), &changed.train), (0, &first.train));
}

/// Length and time of last change are all that some programs keep of a file.
#[cfg(unix)]
#[test]
fn files_that_are_exchanged_are_decoded_anew() {
    let ground = Ground::new();
    let at = |name: &str| ground.root.path().join("set").join(name);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for (class, brightness) in [("a", 200), ("b", 100)] {
        let path = at(class).join("x.bmp");
        image::GrayImage::from_pixel(6, 5, image::Luma([brightness])).save(&path).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    let first = ground.read().unwrap();
    for (from, to) in [("a/x.bmp", "x"), ("b/x.bmp", "a/x.bmp"), ("x", "b/x.bmp")] {
        fs::rename(at(from), at(to)).unwrap();
    }
    let exchanged = ground.read().unwrap();
    assert!(exchanged.notes[0].contains("have changed since"), "{:?}", exchanged.notes);
    let of_a = |parts: &Parts| {
        let parts = [Some(&parts.train), parts.validation.as_ref(), Some(&parts.test)];
        let sums = parts.into_iter().flatten().map(|part| {
            let own = (0..part.len()).filter(|&idx| part.labels[idx] == 0);
            own.map(|idx| u64::from(part.image(idx)[0])).sum::<u64>()
        });
        sums.sum::<u64>()
    };
    assert_eq!(of_a(&first) - of_a(&exchanged), 100);
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let ground = Ground::new();
    fs::write(ground.root.path().join("cache"), "a file in the folder's place").unwrap();
    let parts = ground.read().unwrap();
    assert!(parts.notes[0].starts_with("the pictures are not kept decoded: "), "{:?}", parts.notes);
    assert_eq!(parts.train.len(), 47);
}

/// A file that is gone stands for all that the file system refuses: no right to read, too many open files.
#[test]
fn what_the_file_system_refuses_is_tried_again() {
    let ground = Ground::new();
    let at = |name: &str| ground.root.path().join(name);
    let folder = PictureFolder::detect(&at("set")).unwrap().unwrap();
    let read = || folder.read(SHAPE, &Partition::default(), Some(&at("cache")), &mut |_| {}).unwrap();
    fs::rename(at("set/a/003.png"), at("away")).unwrap();
    let (first, second) = (read(), read());
    assert_same(&first, &second);
    assert_eq!(second.notes, ["the pictures are not kept decoded, since the file system refuses 1 of them"]);
    assert_eq!(second.rejected.len(), 2);
    fs::rename(at("away"), at("set/a/003.png")).unwrap();
    let whole = read();
    assert_eq!((whole.rejected.len(), whole.train.len(), whole.notes.len()), (1, 47, 0));
    assert_eq!(fs::read_dir(at("cache")).unwrap().count(), 2, "the lock and the cache");
}

#[test]
fn given_parts_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for (part, n) in [("train", 10), ("val", 3), ("test", 2)] {
        write_pictures(dir.path(), part, &["a", "b"], n);
    }
    let folder = PictureFolder::detect(dir.path()).unwrap().unwrap();
    let parts = folder.read(SHAPE, &Partition::default(), None, &mut |_| {}).unwrap();
    assert_eq!((parts.train.len(), parts.validation.unwrap().len(), parts.test.len()), (20, 6, 4));
    assert_eq!(parts.test.class_counts(), [2, 2]);
}

#[test]
fn a_class_without_pictures_is_refused() {
    let ground = Ground::new();
    for idx in 0..20 {
        fs::write(ground.root.path().join(format!("set/b/{idx:03}.png")), "text").unwrap();
    }
    let message = ground.read().unwrap_err().to_string();
    assert!(message.contains("the class b has no picture to learn from (20 cannot be read)\n"), "{message}");
    assert!(message.ends_with("\n  b/004.png: is neither PNG, JPEG, BMP nor WebP"), "{message}");
}

#[test]
fn a_given_part_without_pictures_is_refused() {
    for (part, name) in [("val", "validation"), ("Test", "test")] {
        let dir = tempfile::tempdir().unwrap();
        write_pictures(dir.path(), "train", &["a", "b"], 20);
        let read = || {
            let folder = PictureFolder::detect(dir.path()).unwrap().unwrap();
            folder.read(SHAPE, &Partition::default(), None, &mut |_| {}).unwrap_err().to_string()
        };
        fs::create_dir(dir.path().join(part)).unwrap();
        let says = |n| format!("{part}: the {name} part has no picture in a folder of a class ({n} cannot");
        assert!(read().contains(&says(0)), "{}", read());
        write_pictures(dir.path(), part, &["a", "b"], 1);
        for class in ["a", "b"] {
            fs::write(dir.path().join(part).join(class).join("000.png"), "text").unwrap();
        }
        let message = read();
        assert!(message.contains(&says(2)), "{message}");
        let last = format!("\n  {part}/b/000.png: is neither PNG, JPEG, BMP nor WebP");
        assert!(message.ends_with(&last), "{message}");
    }
}

#[test]
fn shapes_are_checked_before_anything_is_read() {
    let ground = Ground::new();
    let folder = PictureFolder::detect(&ground.root.path().join("set")).unwrap().unwrap();
    let read = |shape| folder.read(shape, &Partition::default(), None, &mut |_| {}).unwrap_err();
    assert!(matches!(read([2, 5, 6]), DataError::Channels { channels: 2 }));
    assert!(matches!(read([3, usize::MAX / 2, 6]), DataError::TooLarge { .. }));
    assert!(
        matches!(read([1, 1 << 28, 1 << 28]), DataError::TooLarge { .. }),
        "can be addressed, but not had"
    );
}
