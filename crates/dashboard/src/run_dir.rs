//! The folder of a run, found by its name, and the files in it. Nothing outside of the runs folder is reached: a name is
//! a single component, and what a link leads to must lie inside.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(crate) use runs::{MODEL, PENDING, PREDICTIONS, PROGRESS, RECORD, RUN};

use crate::error::DashboardError;

/// The run file that a training was started with from the page, until it has one of its own.
pub(crate) const ASKED: &str = "asked.toml";
/// What a training that was started from the page prints.
pub(crate) const LOG: &str = "log.txt";

/// The files that the page offers, with their types.
pub(crate) const FILES: [(&str, &str); 8] = [
    (RUN, "text/plain; charset=utf-8"),
    (RECORD, "application/json"),
    (MODEL, "application/octet-stream"),
    (runs::BEST, "application/octet-stream"),
    (runs::CURVES, "image/svg+xml"),
    ("curves.png", "image/png"),
    ("confusion.png", "image/png"),
    ("hardest.png", "image/png"),
];

/// One of these makes a folder a run's.
const MARKS: [&str; 4] = [RECORD, RUN, PENDING, ASKED];

/// A file of a run is not read beyond this.
const MAX_LEN: u64 = 1 << 30;

/// Bytes of a log that are shown.
const MAX_WORDS: usize = 4000;

/// A run's folder below the runs folder, which is there.
#[derive(Clone, Debug)]
pub(crate) struct RunDir {
    pub(crate) id: String,
    /// Without links.
    dir: PathBuf,
    root: PathBuf,
}

impl RunDir {
    /// The run of that name; `root` is the runs folder without links.
    pub(crate) fn find(root: &Path, id: &str) -> Result<Self, DashboardError> {
        match is_plain_name(id) {
            true => Self::below(root, id, Path::new(id)),
            false => Err(DashboardError::no("such run")),
        }
    }

    /// The run `id` in a folder below `root`, which is without links.
    pub(crate) fn below(root: &Path, id: &str, folder: &Path) -> Result<Self, DashboardError> {
        let missing = || DashboardError::no("such run");
        let dir = root.join(folder).canonicalize().map_err(|_| missing())?;
        let run = Self { id: id.into(), dir, root: root.to_owned() };
        let is_inside = run.dir.starts_with(root) && run.dir != root && run.dir.is_dir();
        match is_inside && MARKS.iter().any(|mark| run.has(mark)) {
            true => Ok(run),
            false => Err(missing()),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether there is a file of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.dir.join(name).is_file()
    }

    /// Where a file is, without links.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf, DashboardError> {
        let missing = || DashboardError::no(format!("{name} in this run"));
        let path = self.dir.join(name).canonicalize().map_err(|_| missing())?;
        match path.starts_with(&self.root) && path.is_file() {
            true => Ok(path),
            false => Err(missing()),
        }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, DashboardError> {
        let path = self.file(name)?;
        let file = fs::File::open(&path).map_err(DashboardError::io("read", &path))?;
        let mut bytes = Vec::new();
        file.take(MAX_LEN).read_to_end(&mut bytes).map_err(DashboardError::io("read", &path))?;
        Ok(bytes)
    }

    pub(crate) fn read_text(&self, name: &str) -> Result<String, DashboardError> {
        Ok(String::from_utf8_lossy(&self.read(name)?).into_owned())
    }

    /// Whether a process holds the folder for its run.
    pub(crate) fn is_held(&self) -> bool {
        runs::is_locked(&self.dir)
    }
}

/// Whether a name from outside is one component of a path, of a folder that is not hidden. On Windows `C:a` is more than one.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\') || cfg!(windows) && c == ':';
    !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && !name.contains(is_odd)
}

/// The last lines of a text that are not empty; of very long ones their end.
pub(crate) fn last_lines(text: &str, n: usize) -> Vec<&str> {
    let start = text.len().saturating_sub(MAX_WORDS);
    let start = (start..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    let lines: Vec<&str> = text[start..].lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(n)..].to_vec()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_of_the_runs_folder_is_found() {
        let outer = tempfile::tempdir().unwrap();
        let outer = outer.path().canonicalize().unwrap();
        let root = outer.join("runs");
        for dir in ["runs/a", "runs/b", "runs/lr=0.1: a?#%", "secret", "runs/empty"] {
            fs::create_dir_all(outer.join(dir)).unwrap();
        }
        fs::write(outer.join("secret/record.json"), "secret").unwrap();
        fs::write(root.join("record.json"), "of no run").unwrap();
        fs::write(root.join("a/record.json"), "a").unwrap();
        fs::write(root.join("lr=0.1: a?#%/record.json"), "named oddly").unwrap();
        symlink(outer.join("secret"), root.join("out")).unwrap();
        symlink(root.join("a"), root.join("in")).unwrap();
        symlink(".", root.join("self")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink(outer.join("secret/record.json"), root.join("b/record.json")).unwrap();
        symlink("/dev/zero", root.join("a/model.safetensors")).unwrap();
        let found = |id: &str| RunDir::find(&root, id).is_ok();
        let names = ["", ".", "..", "../secret", "a/../a", "a/", "/", "empty", "out", "self", "loop", "none"];
        assert!(names.iter().all(|name| !found(name)));
        assert!(!found("a\0") && !found("a\\..\\..") && !found(&"a".repeat(300)) && !found("a/record.json"));
        assert!(found("a") && found("in") && found("lr=0.1: a?#%"));
        assert_eq!(RunDir::find(&root, "in").unwrap().read("record.json").unwrap(), b"a");
        let of_a = RunDir::find(&root, "a").unwrap();
        for name in ["../b/record.json", "model.safetensors", "../../secret/record.json", "", "."] {
            assert!(of_a.read(name).is_err(), "{name}");
        }
        assert!(RunDir::find(&root, "b").unwrap().read("record.json").is_err());
    }
}
