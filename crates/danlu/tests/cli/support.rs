//! A folder to work in, small data, and a way to run the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const N_TRAIN: usize = 320;
pub(crate) const N_TEST: usize = 64;

/// A folder with a data set in `data`, where the program runs.
pub(crate) struct Place {
    root: TempDir,
}

/// How the program ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        write_split(&root.path().join("data"), "train", N_TRAIN);
        write_split(&root.path().join("data"), "t10k", N_TEST);
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// The program with these arguments, separated by blanks.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_danlu"));
        command.args(arguments.split_whitespace()).current_dir(self.root.path()).stdin(Stdio::null());
        for name in ["DANLU_DATA", "DANLU_ISA", "DANLU_URL"] {
            command.env_remove(name);
        }
        command.env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Trains on the small data in batches of 64, which 5 steps make an epoch of.
    pub(crate) fn train(&self, arguments: &str) -> Ran {
        self.run(&format!("train --data data --batch-size 64 {arguments}"))
    }

    /// The hash that the record of a run holds.
    pub(crate) fn hash(&self, run: &str) -> String {
        self.record(run).parameters_hash.expect("an epoch was done")
    }

    pub(crate) fn record(&self, run: &str) -> spec::RunRecord {
        spec::RunRecord::from_json(&self.read(&format!("{run}/record.json"))).unwrap()
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran =
            Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran
    }

    /// It did what it should.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// It ended with that code and said all of this.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for words in said {
            assert!(self.stderr.contains(words), "{words:?} is not in: {}", self.stderr);
        }
        self
    }
}

/// Two files in the IDX format: classes in turn, each a bright bar at a height of its own, and some noise.
fn write_split(dir: &Path, name: &str, n: usize) {
    fs::create_dir_all(dir).unwrap();
    let header = |magic: u32, sizes: &[usize]| -> Vec<u8> {
        let sizes = sizes.iter().map(|&size| u32::try_from(size).unwrap());
        std::iter::once(magic).chain(sizes).flat_map(u32::to_be_bytes).collect()
    };
    let mut images = header(0x803, &[n, 28, 28]);
    images.extend((0..n).flat_map(picture));
    let mut labels = header(0x801, &[n]);
    labels.extend((0..n).map(|idx| (idx % 10) as u8));
    fs::write(dir.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
    fs::write(dir.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
}

/// The 28 × 28 pixels of image `idx`, which is of class `idx % 10`.
pub(crate) fn picture(idx: usize) -> Vec<u8> {
    let class = idx % 10;
    let pixel = |row: usize, column: usize| {
        let noise = (idx * 31 + row * 17 + column * 7) % 60;
        let is_bar = (4 + 2 * class..6 + 2 * class).contains(&row) && (4..24).contains(&column);
        (noise + if is_bar { 190 } else { 0 }) as u8
    };
    (0..28).flat_map(|row| (0..28).map(move |column| pixel(row, column))).collect()
}
