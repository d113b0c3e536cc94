use std::fs;

use tempfile::TempDir;

use super::*;
use crate::testing::write_pictures;

fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "", &["b", "a", "c"], 3);
    dir
}

fn write_empty(dir: &Path, files: &[&str]) {
    for file in files {
        let file = dir.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
}

fn detect(dir: &Path) -> Result<PictureFolder, DataError> {
    PictureFolder::detect(dir).map(|folder| folder.expect("there are subfolders"))
}

fn refusal(dir: &TempDir) -> String {
    detect(dir.path()).unwrap_err().to_string()
}

#[test]
fn subfolders_are_classes_by_name() {
    let dir = folder();
    fs::create_dir(dir.path().join(".cache")).unwrap();
    fs::write(dir.path().join("readme.txt"), "").unwrap();
    let folder = detect(dir.path()).unwrap();
    assert_eq!(folder.classes, ["a", "b", "c"]);
    assert_eq!(
        folder.entries.iter().map(|entry| entry.label).collect::<Vec<_>>(),
        [0, 0, 0, 1, 1, 1, 2, 2, 2]
    );
    assert_eq!(folder.entries[3].path, Path::new("b/000.png"));
    assert!(folder.entries.iter().all(|entry| entry.split == Split::Train && entry.modified_ns > 0));
    assert_eq!((folder.n_skipped, folder.rejected), (2, vec![]));
    assert!(PictureFolder::detect(tempfile::tempdir().unwrap().path()).unwrap().is_none());
}

#[test]
fn what_is_no_picture_is_skipped_and_what_should_be_one_is_not() {
    let dir = folder();
    let at = |name: &str| dir.path().join("a").join(name);
    fs::rename(at("000.png"), at("000.dat")).unwrap();
    for other in ["Thumbs.db", "labels.txt", ".hidden.png"] {
        fs::write(at(other), "text").unwrap();
    }
    fs::write(at("text.gif"), "text").unwrap();
    fs::create_dir(at("x.png")).unwrap();
    let folder = detect(dir.path()).unwrap();
    assert_eq!(folder.n_skipped, 3);
    let names: Vec<_> = folder.entries.iter().take(4).map(|entry| entry.path.to_str().unwrap()).collect();
    assert_eq!(names, ["a/000.dat", "a/001.png", "a/002.png", "a/text.gif"]);
    let reason = "is a folder in a picture's place".to_owned();
    assert_eq!(folder.rejected, [Rejected { path: "a/x.png".into(), reason }]);
}

#[test]
fn runs_are_no_classes() {
    let dir = folder();
    write_empty(
        dir.path(),
        &[
            "runs/lenet-1/run.toml",
            "runs/lenet-2/.run.toml.pending",
            "runs/lenet-3/.lock",
            "runs/.DS_Store",
            "runs/notes.txt",
            "runs/events/of-a-run.tfevents",
            "mine/run.toml",
            "killed/lenet-1/.lock",
            "studies/a/study.toml",
            "studies/a/trials/0000/run.toml",
            "study/study.db",
        ],
    );
    let found = detect(dir.path()).unwrap();
    assert_eq!((found.classes.len(), found.n_skipped), (3, 5));
    fs::write(dir.path().join("runs/a.png"), "").unwrap();
    assert_eq!(detect(dir.path()).unwrap().classes, ["a", "b", "c", "runs"]);
}

#[test]
fn classes_and_parts_with_a_run_among_them_stay() {
    let dir = folder();
    write_empty(dir.path(), &["a/lenet-1/run.toml", "b/.lock"]);
    assert_eq!(detect(dir.path()).unwrap().classes, ["a", "b", "c"]);
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "train", &["a", "b"], 2);
    write_empty(dir.path(), &["train/lenet-1/run.toml"]);
    assert_eq!(detect(dir.path()).unwrap().classes, ["a", "b"]);
}

#[cfg(unix)]
#[test]
fn a_picture_counts_under_one_name() {
    use std::os::unix::fs::symlink;
    let dir = folder();
    let before = detect(dir.path()).unwrap().entries;
    let root = fs::canonicalize(dir.path()).unwrap();
    let first = &before[0].path;
    symlink(root.join(first), root.join("b/again.png")).unwrap();
    symlink(root.join("a"), root.join("copy")).unwrap();
    let found = detect(dir.path()).unwrap();
    assert_eq!((found.classes.len(), &found.entries), (4, &before));
    assert_eq!(found.rejected.len(), 1 + before.iter().filter(|entry| entry.path.starts_with("a")).count());
    let reason = format!("is {} by another name", first.display());
    assert_eq!(found.rejected[0], Rejected { path: "b/again.png".into(), reason });
    // What lies elsewhere in the folder and has no other name here is taken.
    fs::create_dir(root.join(".pool")).unwrap();
    fs::rename(root.join(first), root.join(".pool/one.png")).unwrap();
    fs::remove_file(root.join("copy")).unwrap();
    symlink("../.pool/one.png", root.join(first)).unwrap();
    let found = detect(dir.path()).unwrap();
    assert_eq!(found.entries.len(), before.len());
}

/// A training whose folder was a class, by mistake.
#[test]
fn a_class_in_which_a_run_was_kept_stays_without_what_the_run_drew() {
    let dir = folder();
    let before = detect(dir.path()).unwrap().entries;
    write_empty(dir.path(), &["b/run.toml", "b/record.json", "b/confusion.png"]);
    let found = detect(dir.path()).unwrap();
    assert_eq!((&found.classes[..], found.entries), (&["a", "b", "c"].map(String::from)[..], before));
    write_empty(dir.path(), &["mine/run.toml", "mine/confusion.png", "mine/hardest.png"]);
    assert_eq!(detect(dir.path()).unwrap().classes, ["a", "b", "c"]);
}

#[test]
fn parts_are_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (part, n) in [("train", 3), ("Valid", 2), ("test", 1)] {
        write_pictures(dir.path(), part, &["a", "b"], n);
    }
    let folder = detect(dir.path()).unwrap();
    let count = |split| folder.entries.iter().filter(|entry| entry.split == split).count();
    assert_eq!([Split::Train, Split::Validation, Split::Test].map(count), [6, 4, 2]);
    assert_eq!(folder.classes, ["a", "b"]);
    assert!(folder.has(Split::Test));
    fs::create_dir(dir.path().join("other")).unwrap();
    assert!(refusal(&dir).contains("other lies beside the folder for training"));
}

#[test]
fn parts_without_one_for_training_are_told_so() {
    for parts in [&["val"][..], &["test"], &["Validation", "test"]] {
        let dir = tempfile::tempdir().unwrap();
        parts.iter().for_each(|part| write_pictures(dir.path(), part, &["a", "b"], 2));
        let said = format!("has a folder {} of a part, but no folder train with a folder for", parts[0]);
        assert!(refusal(&dir).contains(&said), "{}", refusal(&dir));
        // Pictures without a folder for each class teach nothing either.
        write_pictures(dir.path(), "", &["train"], 2);
        assert!(refusal(&dir).contains(&said), "{}", refusal(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "", &["test", "val"], 2);
    assert!(refusal(&dir).contains("no folder train"), "{}", refusal(&dir));
}

#[test]
fn a_class_may_be_called_test() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "", &["test", "plane"], 2);
    assert_eq!(detect(dir.path()).unwrap().classes, ["plane", "test"]);
}

#[test]
fn a_class_may_be_called_train() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "", &["train", "plane", "ship"], 2);
    assert_eq!(detect(dir.path()).unwrap().classes, ["plane", "ship", "train"]);
}

#[test]
fn folders_that_make_no_data_set_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "", &["a"], 2);
    assert!(refusal(&dir).ends_with("has 1 class; there must be from 2 to 256"));
    let dir = tempfile::tempdir().unwrap();
    for class in 0..257 {
        fs::create_dir(dir.path().join(class.to_string())).unwrap();
    }
    assert!(refusal(&dir).ends_with("has 257 classes; there must be from 2 to 256"));
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "train", &["a", "b"], 2);
    write_pictures(dir.path(), "test", &["a", "z"], 2);
    assert!(refusal(&dir).ends_with("z is a class of the test part that the training part does not have"));
    let dir = tempfile::tempdir().unwrap();
    for part in ["train", "val", "validation"] {
        write_pictures(dir.path(), part, &["a", "b"], 2);
    }
    assert!(refusal(&dir).contains("are both there"));
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let (dir, outside) = (folder(), folder());
    let at = |name: &str| dir.path().join(name);
    symlink(outside.path().join("a/000.png"), at("a/out.png")).unwrap();
    symlink(outside.path().join("a"), at("z")).unwrap();
    fs::create_dir(at(".pool")).unwrap();
    fs::copy(at("b/000.png"), at(".pool/in.png")).unwrap();
    symlink(at(".pool/in.png"), at("a/in.png")).unwrap();
    symlink(at("none"), at("a/gone.png")).unwrap();
    let folder = detect(dir.path()).unwrap();
    assert_eq!(folder.classes, ["a", "b", "c"]);
    assert!(folder.entries.iter().any(|entry| entry.path == Path::new("a/in.png")));
    let rejected: Vec<_> = folder
        .rejected
        .iter()
        .map(|rejected| (rejected.path.to_str().unwrap(), rejected.reason.as_str()))
        .collect();
    let out = "is a link that leads out of the folder";
    assert_eq!(rejected.len(), 3, "{rejected:?}");
    assert_eq!([rejected[1], rejected[2]], [("a/out.png", out), ("z", out)]);
    assert!(rejected[0].1.starts_with("cannot be looked at: "), "{rejected:?}");
}

#[cfg(unix)]
#[test]
fn a_class_has_a_name_in_text() {
    use std::os::unix::ffi::OsStrExt;
    let dir = folder();
    fs::create_dir(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
    assert!(refusal(&dir).ends_with("is not valid UTF-8"));
}
