//! From what is typed to pictures' paths: files, folders with all that is in them, and patterns.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// Folders inside each other that are followed; links make no circles, because links to folders are not followed.
const MAX_DEPTH: usize = 64;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the order of what was typed; each folder's and pattern's sorted.
    pub(crate) pictures: Vec<PathBuf>,
    /// What leads to no picture.
    pub(crate) failures: Vec<CliError>,
}

/// Finds all pictures. A file that is named is taken for one whatever its ending; of folders only files whose names end
/// as pictures' do. A pattern (`*`, `?`, `[a-c]`, `**`) counts only where no file has it as its name.
pub(crate) fn find(typed: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in typed {
        if path.is_dir() {
            found.add_folder(path);
        } else if path.exists() {
            found.pictures.push(path.clone());
        } else {
            found.add_pattern(path);
        }
    }
    found
}

impl Found {
    fn add_pattern(&mut self, path: &Path) {
        let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']));
        let Some(pattern) = pattern else {
            // Reading it tells why it is not there.
            return self.pictures.push(path.to_owned());
        };
        let matches = match glob::glob(pattern) {
            Ok(matches) => matches,
            Err(source) => {
                let pattern = pattern.to_owned();
                return self.failures.push(CliError::Pattern { pattern, source });
            }
        };
        let n_before = (self.pictures.len(), self.failures.len());
        for path in matches {
            match path {
                Ok(path) if path.is_dir() => self.add_folder(&path),
                Ok(path) => self.pictures.push(path),
                Err(error) => {
                    let path = error.path().to_owned();
                    self.failures.push(CliError::io("look into", path)(error.into()));
                }
            }
        }
        if n_before == (self.pictures.len(), self.failures.len()) {
            self.failures.push(CliError::NoMatch { pattern: pattern.to_owned() });
        }
    }

    fn add_folder(&mut self, dir: &Path) {
        let n_before = (self.pictures.len(), self.failures.len());
        // Links are held against the folder's own place, so that a set of pictures shows nothing from elsewhere.
        match fs::canonicalize(dir) {
            Ok(root) => self.walk(dir, &root, 0),
            Err(error) => self.failures.push(CliError::io("look into", dir)(error)),
        }
        if n_before == (self.pictures.len(), self.failures.len()) {
            self.failures.push(CliError::NoPictures { dir: dir.to_owned() });
        }
    }

    fn walk(&mut self, dir: &Path, root: &Path, depth: usize) {
        let entries = fs::read_dir(dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.failures.push(CliError::io("look into", dir)(error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < MAX_DEPTH {
                self.walk(&path, root, depth + 1);
            } else if data::is_named_as_picture(&path) && !path.is_dir() {
                match kind.is_symlink()
                    && fs::canonicalize(&path).is_ok_and(|target| !target.starts_with(root))
                {
                    true => self.failures.push(CliError::LinkOut { path }),
                    false => self.pictures.push(path),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_patterns_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("set/deep")).unwrap();
        for name in ["set/b.png", "set/a.JPG", "set/deep/c.webp", "set/notes.txt", "[x].png", "y.dat"] {
            fs::write(at(name), "").unwrap();
        }
        let names = |typed: &[PathBuf]| {
            let found = find(typed);
            let strip = |path: PathBuf| path.strip_prefix(dir.path()).unwrap().display().to_string();
            (found.pictures.into_iter().map(strip).collect::<Vec<_>>(), found.failures.len())
        };
        let all = ["set/a.JPG", "set/b.png", "set/deep/c.webp"].map(String::from).to_vec();
        assert_eq!(names(&[at("set")]), (all.clone(), 0));
        assert_eq!(names(&[at("s*")]), (all, 0));
        assert_eq!(names(&[at("set/?.png"), at("y.dat")]), (vec!["set/b.png".into(), "y.dat".into()], 0));
        assert_eq!(names(&[at("[x].png"), at("gone.png")]), (vec!["[x].png".into(), "gone.png".into()], 0));
        assert_eq!(names(&[at("set/*.bmp"), at("set/[")]), (vec![], 2));
        fs::create_dir(at("empty")).unwrap();
        assert_eq!(names(&[at("empty")]), (vec![], 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out_of_a_folder() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("set")).unwrap();
        fs::write(at("out.png"), "").unwrap();
        fs::write(at("set/in.png"), "").unwrap();
        symlink(at("out.png"), at("set/a.png")).unwrap();
        symlink(at("set/in.png"), at("set/b.png")).unwrap();
        symlink(at("set"), at("set/circle")).unwrap();
        let found = find(&[at("set")]);
        assert_eq!(found.pictures, [at("set/b.png"), at("set/in.png")]);
        assert!(matches!(&found.failures[..], [CliError::LinkOut { .. }]), "{:?}", found.failures);
    }
}
