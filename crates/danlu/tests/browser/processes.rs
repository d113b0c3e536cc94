//! The programs that the test starts; each ends with its value, also when the test panics.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A program that told where it listens.
pub(crate) struct Listening {
    child: Child,
    /// What followed the words that were waited for, to the end of the line.
    pub(crate) told: String,
}

impl Listening {
    /// Starts it and reads its standard output up to these words.
    fn start(command: &mut Command, words: &str) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
            panic!("{}: {error}; `make browser` installs what is missing", command.get_program().display())
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.by_ref().find_map(|line| Some(line.ok()?.split_once(words)?.1.to_owned()));
        // A pipe that nobody reads would stop it some day.
        thread::spawn(move || lines.for_each(drop));
        let told = told.unwrap_or_else(|| panic!("it ended without a word of where it listens"));
        Self { child, told }
    }

    /// `danlu dashboard` on a free port; `told` is its address.
    pub(crate) fn dashboard(runs: &Path, studies: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_danlu"));
        command.args(["dashboard", "--port", "0", "--runs"]).arg(runs).arg("--studies").arg(studies);
        Self::start(&mut command, "the page is at ")
    }

    /// `chromedriver` on a free port; `told` is that port.
    pub(crate) fn chromedriver() -> Self {
        let mut driver =
            Self::start(Command::new("chromedriver").arg("--port=0"), "started successfully on port ");
        driver.told = driver.told.trim_end_matches('.').to_owned();
        driver
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
