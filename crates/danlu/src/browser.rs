//! Showing the page in the user's browser.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::output;

/// Opens an address in the browser; whether there is one to ask.
pub(crate) fn open(address: &str) -> bool {
    if !has_screen() {
        return false;
    }
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    own_group(&mut command);
    command.spawn().is_ok()
}

/// Without a screen `xdg-open` may start a browser in this terminal.
fn has_screen() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].into_iter().any(is_set)
}

/// Shows a run on the dashboard of the folder in which the run's folder is: the one that is there, or else a process of
/// its own. The training does not depend on it; what goes wrong is told.
pub(crate) fn show_run(dir: &Path) {
    if let Err(error) = start_dashboard(dir) {
        output::note(&format!("note: the dashboard could not be started: {error}"));
    }
}

fn start_dashboard(dir: &Path) -> std::io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let (Some(runs), Some(name)) = (dir.parent(), dir.file_name()) else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    let mut command = Command::new(env::current_exe()?);
    command.args(["dashboard", "--while-used", "--open"]);
    command.arg("--runs").arg(runs).arg("--run").arg(name);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    own_group(&mut command);
    let mut child = command.spawn()?;
    let mut address = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut address)?;
    }
    match address.trim() {
        "" => Err(std::io::Error::other("it ended at once")),
        address => {
            output::note(address);
            Ok(())
        }
    }
}

/// Ctrl-C in this terminal is for the training alone.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}
