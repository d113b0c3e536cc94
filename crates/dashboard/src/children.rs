//! The trainings that this server started. They are processes of their own, in process groups of their own: they go on
//! when the server ends, and the next one finds them by their folders.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::DashboardError;
use crate::run_dir::{ASKED, LOG, RUN};

/// Trainings at a time; more would only be in each other's way.
const MAX_CHILDREN: usize = 4;

/// The names of the runs whose processes have not ended.
#[derive(Default)]
pub(crate) struct Children(Mutex<BTreeSet<String>>);

impl Children {
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// Starts `command` for that run, what it prints going to the end of its log.
    pub(crate) fn start(
        self: &Arc<Self>,
        id: &str,
        dir: &Path,
        mut command: Command,
    ) -> Result<(), DashboardError> {
        {
            let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if running.len() >= MAX_CHILDREN {
                return Err(DashboardError::conflict(format!("{MAX_CHILDREN} trainings are going on")));
            }
            if !running.insert(id.into()) {
                return Err(DashboardError::conflict(format!("{id} is going on")));
            }
        }
        let path = dir.join(LOG);
        let started = log(&path).and_then(|(out, err)| {
            own_group(&mut command);
            command.stdin(Stdio::null()).stdout(out).stderr(err).spawn()
        });
        let mut child = started.map_err(|error| {
            self.remove(id);
            DashboardError::io("start a training with", &path)(error)
        })?;
        let (children, id, dir) = (self.clone(), id.to_owned(), dir.to_owned());
        // Waits for the process, so that it leaves no entry in the system's table.
        let wait = move || {
            let _code = child.wait();
            if dir.join(RUN).exists() {
                let _is_gone = fs::remove_file(dir.join(ASKED));
            }
            children.remove(&id);
        };
        std::thread::Builder::new().spawn(wait).map(drop).map_err(|_| DashboardError::Worker)
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Both ends of what a process prints.
fn log(path: &Path) -> std::io::Result<(File, File)> {
    let file = File::options().create(true).append(true).open(path)?;
    Ok((file.try_clone()?, file))
}

/// Ctrl-C in the server's terminal is not for the training.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}
