//! `--live`: a full screen that shows how a run learns, and listens to keys.
//!
//! The screen has a thread of its own, so that a slow terminal never holds up the training, which only leaves news
//! behind a lock that is never held while anything is drawn.

mod bars;
mod chart;
mod keys;
mod matrix;
mod news;
mod palette;
mod render;
mod study;
mod terminal;
mod view;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use metrics::Confusion;
use spec::EpochRecord;
use train::Step;

use crate::error::CliError;
use crate::live::news::Shared;
use crate::live::view::View;
use crate::output;

pub(crate) use study::{StudyScreen, StudyWish};
pub(crate) use terminal::restore;
pub(crate) use view::About;

/// How long the end of a run waits for the screen.
const PATIENCE: Duration = Duration::from_secs(1);

/// The screen of a run, as long as it is shown.
pub(crate) struct Live {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Puts the screen on, or says in a note why there is none.
    pub(crate) fn start(about: About) -> Result<Option<Self>, CliError> {
        if let Some(reason) = why_not() {
            output::note(&format!("note: --live needs a terminal, and {reason}; lines are printed instead"));
            return Ok(None);
        }
        let shared = Arc::new(Shared::default());
        let terminal = terminal::enter().map_err(CliError::Screen)?;
        let of_thread = Arc::clone(&shared);
        let screen = move || keys::show(terminal, View::new(about), &of_thread);
        let thread = thread::Builder::new().name("screen".into()).spawn(screen).map_err(|error| {
            restore();
            CliError::Thread(error)
        })?;
        Ok(Some(Self { shared, thread: Some(thread) }))
    }

    /// Whether it is on: the terminal may have gone away.
    pub(crate) fn is_shown(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    pub(crate) fn step(&self, step: &Step) {
        self.shared.step(step);
    }

    pub(crate) fn epoch(&self, record: &EpochRecord, confusion: Option<Confusion>) {
        self.shared.epoch(record, confusion);
    }

    /// Takes the screen away, for good.
    pub(crate) fn close(&mut self) {
        self.shared.close();
        let start = Instant::now();
        // Not joined: a terminal that hangs may keep it forever, and its panic was told when it happened.
        while self.is_shown() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(2));
        }
        self.thread = None;
        restore();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether the user wants the run to stop after its current epoch.
static AFTER_EPOCH: AtomicBool = AtomicBool::new(false);

pub(crate) fn wants_stop_after_epoch() -> bool {
    AFTER_EPOCH.load(Ordering::Relaxed)
}

/// Why there can be no screen.
fn why_not() -> Option<&'static str> {
    if !io::stdout().is_terminal() {
        return Some("standard output is none");
    }
    if !io::stderr().is_terminal() {
        return Some("standard error is none");
    }
    match std::env::var_os("TERM") {
        None => Some("TERM is not set"),
        Some(term) if term.is_empty() || term == "dumb" => Some("TERM names one without a cursor"),
        Some(_) => None,
    }
}
