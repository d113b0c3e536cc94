//! From what is typed to pictures' paths: files, folders with all that is in them, and patterns.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use crate::error::CliError;

/// Folders inside each other that are followed; links make no circles, because links to folders are not followed.
const MAX_DEPTH: usize = 64;

/// The characters that make a name a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// As a shell matches: `*` takes no hidden file.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the order of what was typed; each folder's and pattern's sorted.
    pub(crate) pictures: Vec<PathBuf>,
    /// What leads to no picture.
    pub(crate) failures: Vec<CliError>,
}

/// Finds all pictures. A file that is named is taken for one whatever its ending; of folders only files whose names end
/// as pictures' do. A pattern (`*`, `?`, `[a-c]`, `**`) counts only where no file and no folder on the way has it as its name.
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
        if !is_wild(path.as_os_str()) {
            // Reading it tells why it is not there.
            return self.pictures.push(path.to_owned());
        }
        let pattern = path.display();
        let (base, steps) = match steps(path) {
            Ok(steps) => steps,
            Err(source) => {
                let pattern = pattern.to_string();
                return self.failures.push(CliError::Pattern { pattern, source });
            }
        };
        let mut matched = Found::default();
        matched.follow(&base, &steps, 0);
        // `**` may lead to a picture by several ways.
        let mut seen = BTreeSet::new();
        matched.pictures.retain(|path| seen.insert(path.clone()));
        if matched.pictures.is_empty() && matched.failures.is_empty() {
            matched.failures.push(CliError::NoMatch { pattern: pattern.to_string() });
        }
        self.pictures.extend(matched.pictures);
        self.failures.extend(matched.failures);
    }

    /// Adds what `steps` lead to from a folder. A link to a folder is not followed.
    fn follow(&mut self, dir: &Path, steps: &[Step], depth: usize) {
        let Some((step, rest)) = steps.split_first() else { return self.add_match(dir, depth) };
        match step {
            Step::Literal(name) if rest.is_empty() || !dir.join(name).is_symlink() => {
                let path = dir.join(name);
                if path.exists() {
                    self.follow(&path, rest, depth + 1);
                }
            }
            Step::Literal(_) => {}
            Step::Wild(pattern) => {
                for (path, kind) in self.list(dir) {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let is_match = pattern.matches_with(&name, OPTIONS);
                    if is_match && (rest.is_empty() || kind.is_dir()) {
                        self.follow(&path, rest, depth + 1);
                    }
                }
            }
            Step::AnyDepth => {
                self.follow(dir, rest, depth);
                // A folder that is taken whole has its subfolders in it.
                if rest.is_empty() || depth >= MAX_DEPTH {
                    return;
                }
                for (path, kind) in self.list(dir) {
                    if kind.is_dir() && !is_hidden(&path) {
                        self.follow(&path, steps, depth + 1);
                    }
                }
            }
        }
    }

    fn add_match(&mut self, path: &Path, depth: usize) {
        match path.as_os_str().is_empty() || path.is_dir() {
            true if depth > 0 && path.is_symlink() => {}
            true => self.add_folder(path),
            false => self.pictures.push(path.to_owned()),
        }
    }

    /// What is in a folder, sorted by name.
    fn list(&mut self, dir: &Path) -> Vec<(PathBuf, fs::FileType)> {
        let here = here(dir);
        let entries = fs::read_dir(here).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut entries = entries.unwrap_or_else(|error| {
            self.failures.push(CliError::io("look into", here)(error));
            vec![]
        });
        entries.sort_by_key(fs::DirEntry::file_name);
        let typed = |entry: fs::DirEntry| Some((dir.join(entry.file_name()), entry.file_type().ok()?));
        entries.into_iter().filter_map(typed).collect()
    }

    fn add_folder(&mut self, dir: &Path) {
        let n_before = (self.pictures.len(), self.failures.len());
        // Links are held against the folder's own place, so that a set of pictures shows nothing from elsewhere.
        match fs::canonicalize(here(dir)) {
            Ok(root) => self.walk(dir, &root, 0),
            Err(error) => self.failures.push(CliError::io("look into", dir)(error)),
        }
        if n_before == (self.pictures.len(), self.failures.len()) {
            self.failures.push(CliError::NoPictures { dir: dir.to_owned() });
        }
    }

    fn walk(&mut self, dir: &Path, root: &Path, depth: usize) {
        for (path, kind) in self.list(dir) {
            if is_hidden(&path) {
                continue;
            }
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

/// A path of no components is the folder that the program runs in.
fn here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

/// A component of a pattern.
enum Step {
    Literal(OsString),
    Wild(Pattern),
    /// `**`: any number of folders.
    AnyDepth,
}

/// The folder that a pattern begins with, through whatever links, and what follows it.
fn steps(pattern: &Path) -> Result<(PathBuf, Vec<Step>), PatternError> {
    let mut components = pattern.components().map(Component::as_os_str).peekable();
    let mut base = PathBuf::new();
    while let Some(name) = components.next_if(|name| !is_wild(name) || base.join(name).exists()) {
        base.push(name);
    }
    let mut steps = vec![];
    for name in components {
        let step = match &*name.to_string_lossy() {
            "**" if matches!(steps.last(), Some(Step::AnyDepth)) => continue,
            "**" => Step::AnyDepth,
            text if is_wild(name) => Step::Wild(Pattern::new(text)?),
            _ => Step::Literal(name.to_owned()),
        };
        steps.push(step);
    }
    Ok((base, steps))
}

fn is_wild(name: &OsStr) -> bool {
    name.to_string_lossy().contains(WILD)
}

/// What the listing of a data set passes over, too: dotfiles, and the folder that macOS puts into archives.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX"
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
        fs::create_dir(at("set [2]")).unwrap();
        fs::write(at("set [2]/d.png"), "").unwrap();
        assert_eq!(names(&[at("set [2]/*.png")]), (vec!["set [2]/d.png".into()], 0));
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

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_no_utf8_are_matched_too() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
        fs::create_dir(at(b"sub\xff")).unwrap();
        for name in [&b"n\xff.png"[..], b"sub\xff/a.png"] {
            fs::write(at(name), "").unwrap();
        }
        for typed in [&b"*.png"[..], b"n?.png"] {
            assert_eq!(find(&[at(typed)]).pictures, [at(b"n\xff.png")]);
        }
        for typed in [&b"*/*.png"[..], b"sub\xff/*.png", b"sub?/a.png"] {
            assert_eq!(find(&[at(typed)]).pictures, [at(b"sub\xff/a.png")]);
        }
    }

    #[test]
    fn hidden_files_are_passed_over_unless_they_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("set/.thumbs")).unwrap();
        fs::create_dir_all(at("set/__MACOSX")).unwrap();
        for name in ["set/a.png", "set/._a.png", "set/.thumbs/b.png", "set/__MACOSX/a.png"] {
            fs::write(at(name), "").unwrap();
        }
        for typed in ["set", "set/*.png", "set/**/*.png", "s*"] {
            assert_eq!(find(&[at(typed)]).pictures, [at("set/a.png")], "{typed}");
        }
        assert_eq!(find(&[at("set/.*.png")]).pictures, [at("set/._a.png")]);
        assert_eq!(find(&[at("set/.thumbs/b.png")]).pictures, [at("set/.thumbs/b.png")]);
    }

    #[cfg(unix)]
    #[test]
    fn patterns_follow_no_links_to_folders() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("set/x/y")).unwrap();
        fs::create_dir_all(at("out")).unwrap();
        for name in ["set/a.png", "set/x/y/b.png", "out/c.png"] {
            fs::write(at(name), "").unwrap();
        }
        symlink(at("set"), at("set/x/circle")).unwrap();
        symlink(at("set"), at("set/x/circle2")).unwrap();
        symlink(at("out"), at("set/x/out")).unwrap();
        symlink(at("set"), at("link")).unwrap();
        let all = ["set/a.png", "set/x/y/b.png"].map(at).to_vec();
        for typed in ["set/**/*.png", "set/**/**/*.png", "set/**", "s*"] {
            assert_eq!(find(&[at(typed)]).pictures, all, "{typed}");
        }
        assert_eq!(find(&[at("link/**")]).pictures.len(), 2);
        let deep = [("set/*/y/*.png", 1), ("set/x/*/*.png", 1), ("set/*/circle/*.png", 0), ("set/x/o*", 0)];
        for (typed, n) in deep {
            assert_eq!(find(&[at(typed)]).pictures.len(), n, "{typed}");
        }
        assert_eq!(find(&[at("link/*.png")]).pictures, [at("link/a.png")], "what is typed out is followed");
    }
}
