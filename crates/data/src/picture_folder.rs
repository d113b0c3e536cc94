//! A folder of pictures with one subfolder a class: what is in it, before a picture is read.
//!
//! ```text
//! ROOT/CLASS/PICTURE                    cut into parts by seed
//! ROOT/{train,val,test}/CLASS/PICTURE   in parts already
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::Split;
use crate::error::DataError;
use crate::partition::Rejected;
use crate::picture::is_picture;

/// Endings of names whose files must be pictures; the last four are of formats that are not read, and not passed over
/// silently either.
const ENDINGS: [&str; 14] =
    ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "webp", "gif", "tif", "tiff", "heic", "avif", "jxl"];

/// What a run's folder has in it from before its first epoch, and a study's from its beginning.
const RUN_FILES: [&str; 4] = ["run.toml", ".run.toml.pending", "study.toml", "study.db"];

/// The pictures that runs draw.
const RUN_PICTURES: [&str; 3] = ["curves.png", "confusion.png", "hardest.png"];

/// All that a run leaves which ended before it had any of them.
const RUN_LOCK: &str = ".lock";

/// Labels are bytes.
const MAX_CLASSES: usize = 256;

/// A folder of pictures.
#[derive(Clone, Debug)]
pub(crate) struct PictureFolder {
    /// Its path without links and dots.
    pub(crate) root: PathBuf,
    pub(crate) name: String,
    /// The names of the classes' folders, sorted.
    pub(crate) classes: Vec<String>,
    /// The parts that it was given in, and their folders from the root; the training part alone where there are none.
    pub(crate) parts: Vec<(Split, PathBuf)>,
    /// By part, class and name.
    pub(crate) entries: Vec<Entry>,
    /// What lies where a picture should and is none at first sight.
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) n_skipped: usize,
}

/// A file that should be a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From the root.
    pub(crate) path: PathBuf,
    /// The part that it was given in; training where there are no parts.
    pub(crate) split: Split,
    pub(crate) label: u8,
    /// Bytes.
    pub(crate) len: u64,
    /// Last change, nanoseconds since 1970; 0 where the system does not tell.
    pub(crate) modified_ns: u128,
    /// See [`file_state`].
    pub(crate) state: [i64; 3],
}

impl PictureFolder {
    /// Lists the folder. `None`: it has no subfolders.
    ///
    /// # Errors
    /// Subfolders that make no data set: one class, more than 256, a class without files, names that are no text, a
    /// test class that training lacks, parts without one for training.
    pub(crate) fn detect(dir: &Path) -> Result<Option<Self>, DataError> {
        let root = fs::canonicalize(dir).map_err(DataError::io("look into", dir))?;
        let mut lister = Lister { root: &root, rejected: vec![], n_skipped: 0, links: vec![] };
        let top = lister.subfolders(Path::new(""))?;
        if top.is_empty() {
            return Ok(None);
        }
        let listed = lister.parts(top)?;
        let parts = listed.iter().map(|(split, dir, _)| (*split, dir.clone())).collect();
        let (classes, entries) = lister.entries(listed)?;
        let entries = lister.without_aliases(entries);
        let Lister { mut rejected, n_skipped, .. } = lister;
        rejected.sort_by(|a, b| a.path.cmp(&b.path));
        let name = root.file_name().map_or("pictures".into(), |name| name.to_string_lossy().into_owned());
        Ok(Some(Self { root, name, classes, parts, entries, rejected, n_skipped }))
    }

    /// Whether any picture was given in this part.
    pub(crate) fn has(&self, split: Split) -> bool {
        self.entries.iter().any(|entry| entry.split == split)
    }
}

struct Lister<'a> {
    root: &'a Path,
    rejected: Vec<Rejected>,
    n_skipped: usize,
    /// Links to what is in the root.
    links: Vec<PathBuf>,
}

impl Lister<'_> {
    /// The names of the folders in a folder, sorted; files are passed over, and so are runs and studies, which a training
    /// that was started in the data set's folder leaves there.
    fn subfolders(&mut self, dir: &Path) -> Result<Vec<String>, DataError> {
        let mut names = vec![];
        for (path, name) in self.read(dir)? {
            let Some(metadata) = self.inside(&path) else { continue };
            if !metadata.is_dir() || holds_runs(&self.root.join(&path)) {
                self.n_skipped += 1;
                continue;
            }
            let Some(name) = name else { return Err(DataError::NameNotText { path: self.root.join(path) }) };
            names.push(name);
        }
        names.sort();
        Ok(names)
    }

    /// The folders that hold the classes, with the part that each is.
    fn parts(&mut self, top: Vec<String>) -> Result<Vec<(Split, PathBuf, Vec<String>)>, DataError> {
        let named = |split| top.iter().filter(move |name| split_named(name) == Some(split));
        let mut parts = vec![];
        // A class may be called `train`: then it holds pictures and no folders.
        let holds_folders = |name: &String| {
            let mut lister = Lister { root: self.root, rejected: vec![], n_skipped: 0, links: vec![] };
            lister.subfolders(Path::new(name)).map(|folders| !folders.is_empty())
        };
        if !named(Split::Train).next().map_or(Ok(false), holds_folders)? {
            self.check_no_parts(&top, holds_folders)?;
            return Ok(vec![(Split::Train, PathBuf::new(), top)]);
        }
        for split in [Split::Train, Split::Validation, Split::Test] {
            let folders: Vec<_> = named(split).collect();
            match folders[..] {
                [] => {}
                [folder] => parts.push((split, folder.into(), self.subfolders(Path::new(folder))?)),
                [one, other, ..] => {
                    let [one, other] = [one, other].map(|name| self.root.join(name));
                    return Err(DataError::TwoFiles { one, other });
                }
            }
        }
        if let Some(stray) = top.iter().find(|name| split_named(name).is_none()) {
            return Err(DataError::StrayFolder { dir: self.root.join(stray) });
        }
        Ok(parts)
    }

    /// Whether folders that are taken for classes are not parts in truth: of those for validation and for testing one that holds
    /// folders, or all of them where there is no other.
    fn check_no_parts(
        &self,
        top: &[String],
        holds_folders: impl Fn(&String) -> Result<bool, DataError>,
    ) -> Result<(), DataError> {
        let is_measured = |name: &&String| matches!(split_named(name), Some(Split::Validation | Split::Test));
        let are_all = top.iter().all(|name| is_measured(&name));
        for folder in top.iter().filter(is_measured) {
            if are_all || holds_folders(folder)? {
                return Err(DataError::NoTrainFolder { dir: self.root.into(), folder: folder.clone() });
            }
        }
        Ok(())
    }

    fn entries(
        &mut self,
        parts: Vec<(Split, PathBuf, Vec<String>)>,
    ) -> Result<(Vec<String>, Vec<Entry>), DataError> {
        let classes = parts[0].2.clone();
        if !(2..=MAX_CLASSES).contains(&classes.len()) {
            let dir = self.root.join(&parts[0].1);
            return Err(DataError::ClassCount { dir, n_classes: classes.len() });
        }
        let labels: BTreeMap<_, _> = classes.iter().zip(0..=u8::MAX).collect();
        let mut entries = vec![];
        for (split, part, part_classes) in parts {
            for class in part_classes {
                let dir = part.join(&class);
                let Some(&label) = labels.get(&class) else {
                    return Err(DataError::UnknownClass { dir: self.root.join(dir), split });
                };
                entries.extend(self.pictures(&dir, split, label)?);
            }
        }
        Ok((classes, entries))
    }

    /// Each file once: under two names it could be learned from and tested on.
    fn without_aliases(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        if self.links.is_empty() {
            return entries;
        }
        let (linked, mut kept): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| self.links.iter().any(|link| entry.path.starts_with(link)));
        let mut seen: BTreeSet<PathBuf> = kept.iter().map(|entry| entry.path.clone()).collect();
        for entry in linked {
            let target = fs::canonicalize(self.root.join(&entry.path)).unwrap_or_default();
            let target = target.strip_prefix(self.root).unwrap_or(&entry.path).to_owned();
            match seen.insert(target.clone()) {
                true => kept.push(entry),
                false => self.reject(entry.path, format!("is {} by another name", target.display())),
            }
        }
        kept.sort_by(|a, b| (a.split as usize, a.label, &a.path).cmp(&(b.split as usize, b.label, &b.path)));
        kept
    }

    /// The files of a class that should be pictures, by name.
    fn pictures(&mut self, dir: &Path, split: Split, label: u8) -> Result<Vec<Entry>, DataError> {
        let mut entries = vec![];
        let holds_run = is_run(&self.root.join(dir));
        for (path, _) in self.read(dir)? {
            let Some(metadata) = self.inside(&path) else { continue };
            if holds_run && is_drawn_by_run(&path) {
                self.n_skipped += 1;
            } else if !metadata.is_file() {
                let what = if metadata.is_dir() { "a folder" } else { "no file" };
                self.reject(path, format!("is {what} in a picture's place"));
            } else if has_picture_ending(&path) || is_picture(&self.root.join(&path)) {
                let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                let modified_ns = modified.map_or(0, |time| time.as_nanos());
                let (len, state) = (metadata.len(), file_state(&metadata));
                entries.push(Entry { path, split, label, len, modified_ns, state });
            } else {
                self.n_skipped += 1;
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// What is in a folder, but for what is hidden: paths from the root, and names that are text.
    fn read(&mut self, dir: &Path) -> Result<Vec<(PathBuf, Option<String>)>, DataError> {
        let whole = self.root.join(dir);
        let mut found = vec![];
        for entry in fs::read_dir(&whole).map_err(DataError::io("look into", &whole))? {
            let name = entry.map_err(DataError::io("look into", &whole))?.file_name();
            if is_hidden(&name) {
                self.n_skipped += 1;
            } else {
                found.push((dir.join(&name), name.into_string().ok()));
            }
        }
        Ok(found)
    }

    /// What a path leads to, if it stays in the root; links that lead out of it are not followed.
    fn inside(&mut self, path: &Path) -> Option<fs::Metadata> {
        let whole = self.root.join(path);
        let is_link = fs::symlink_metadata(&whole).is_ok_and(|metadata| metadata.is_symlink());
        if is_link && fs::canonicalize(&whole).is_ok_and(|target| !target.starts_with(self.root)) {
            self.reject(path.into(), "is a link that leads out of the folder".into());
            return None;
        }
        if is_link {
            self.links.push(path.into());
        }
        match fs::metadata(&whole) {
            Ok(metadata) => Some(metadata),
            Err(error) => {
                self.reject(path.into(), format!("cannot be looked at: {error}"));
                None
            }
        }
    }

    fn reject(&mut self, path: PathBuf, reason: String) {
        self.rejected.push(Rejected { path, reason });
    }
}

/// What tells two files of one length and one time of last change apart, as `rsync -t` and archives leave them: the inode's
/// number, and when it was last changed, in seconds and nanoseconds, which no program can set. Zeros where there are no inodes.
#[cfg(unix)]
fn file_state(metadata: &fs::Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    // Only ever compared, so that the sign is of no account.
    [metadata.ino() as i64, metadata.ctime(), metadata.ctime_nsec()]
}

#[cfg(not(unix))]
fn file_state(_: &fs::Metadata) -> [i64; 3] {
    [0; 3]
}

/// Whether a folder is a run's or a study's, or has such folders in it, and no pictures beside what they drew: a class in which
/// a run lies is still one, whether in a folder of its own or not, and so is a part.
fn holds_runs(dir: &Path) -> bool {
    let entries = visible(dir);
    // Told by the name alone, so that a class of many pictures costs nothing more.
    if entries.iter().any(|path| has_picture_ending(path) && !is_drawn_by_run(path)) {
        return false;
    }
    let (runs, others): (Vec<_>, Vec<_>) = entries.iter().partition(|path| is_run(path));
    let hold_pictures = || others.iter().flat_map(|path| visible(path)).any(|path| has_picture_ending(&path));
    is_run(dir) || (!runs.is_empty() && !hold_pictures())
}

fn is_drawn_by_run(path: &Path) -> bool {
    path.file_name().is_some_and(|name| RUN_PICTURES.iter().any(|picture| name == *picture))
}

fn is_run(dir: &Path) -> bool {
    let has = |file: &str| dir.join(file).is_file();
    RUN_FILES.iter().any(|file| has(file)) || has(RUN_LOCK) && visible(dir).is_empty()
}

/// What is in a folder and not hidden; nothing where it cannot be looked into.
fn visible(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| !is_hidden(&entry.file_name())).map(|entry| entry.path()).collect()
}

/// Such as `.DS_Store`, and the folder that macOS puts into archives.
fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX"
}

fn split_named(name: &str) -> Option<Split> {
    match name.to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Validation),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

fn has_picture_ending(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Whether a name's ending says that the file is a picture.
pub fn is_named_as_picture(path: &Path) -> bool {
    has_picture_ending(path)
}

#[cfg(test)]
mod tests;
