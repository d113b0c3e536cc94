//! Ctrl-C, and the other signals that ask a program to end.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::error::CliError;
use crate::{live, output};

const EXIT_CODE: i32 = 130;

/// How long a signal may wait while something is being loaded.
const POLL: Duration = Duration::from_millis(50);

/// Whether the command tidies up by itself after a signal.
static TIDIES_UP: AtomicBool = AtomicBool::new(false);
/// Whether a signal came.
static SIGNALED: AtomicBool = AtomicBool::new(false);
/// Whether another process wants this one to end.
static ENDED: AtomicBool = AtomicBool::new(false);
/// Ends a training before its next step.
static STOP: AtomicBool = AtomicBool::new(false);

/// From here on the first SIGINT, SIGTERM or SIGHUP ends the program, or asks it to end if it called
/// [`tidy_up`]; the second ends it in any case.
pub(crate) fn install() -> Result<(), CliError> {
    ctrlc::set_handler(signal).map_err(CliError::Signals)
}

/// What a signal does. A terminal that gives its keys to us sends none for Ctrl-C.
pub(crate) fn signal() {
    STOP.store(true, Ordering::Relaxed);
    if SIGNALED.swap(true, Ordering::Relaxed) || !TIDIES_UP.load(Ordering::Relaxed) {
        live::restore();
        output::note("interrupted");
        process::exit(EXIT_CODE);
    }
}

/// As a first signal, after which the first real one is still no second: a terminal sends Ctrl-C to a process and to the one
/// that ends it.
pub(crate) fn end() {
    STOP.store(true, Ordering::Relaxed);
    ENDED.store(true, Ordering::Relaxed);
}

/// The caller promises to look at [`stop_flag`] or [`is_signaled`] often.
pub(crate) fn tidy_up() {
    TIDIES_UP.store(true, Ordering::Relaxed);
}

/// For [`train::Job::stop`]; set by signals and by [`request_stop`].
pub(crate) fn stop_flag() -> &'static AtomicBool {
    &STOP
}

/// Ends a training as a signal would, for another reason.
pub(crate) fn request_stop() {
    STOP.store(true, Ordering::Relaxed);
}

/// The next training is not to end for what ended this one.
pub(crate) fn withdraw_stop() {
    STOP.store(false, Ordering::Relaxed);
    // A signal may have come in between.
    if is_signaled() {
        request_stop();
    }
}

pub(crate) fn is_signaled() -> bool {
    SIGNALED.load(Ordering::Relaxed) || ENDED.load(Ordering::Relaxed)
}

/// Runs `work` on a thread of its own and does not wait for it after a signal.
pub(crate) fn abandon_on_signal<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    let (sender, receiver) = mpsc::channel();
    // The receiver is gone after a signal; then nobody wants the result.
    let send = move || drop(sender.send(work()));
    let worker = thread::Builder::new().spawn(send).map_err(CliError::Thread)?;
    loop {
        match receiver.recv_timeout(POLL) {
            _ if is_signaled() => return Err(CliError::InterruptedEarly),
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return join_panicked(worker),
        }
    }
}

/// Carries the panic of a thread that gave no result over to this one.
fn join_panicked<T>(worker: thread::JoinHandle<()>) -> T {
    match worker.join() {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => unreachable!("a thread that ends well has sent its result"),
    }
}
