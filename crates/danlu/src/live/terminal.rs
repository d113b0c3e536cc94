//! The terminal's own state: raw keys and the alternate screen. Whoever ends the program puts it back by [`restore`].

use std::io::{self, Stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, TryLockError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// How often, and how many times, [`restore`] asks whether a frame is done.
const PATIENCE: (Duration, usize) = (Duration::from_millis(5), 40);

/// Whether the terminal's state is ours.
static IS_ON: AtomicBool = AtomicBool::new(false);
/// Held while a frame is written, so that none comes after the screen is left.
static FRAME: Mutex<()> = Mutex::new(());

pub(super) type Tty = Terminal<CrosstermBackend<Stdout>>;

/// Puts the alternate screen on. A panic anywhere takes it away before it is told.
pub(super) fn enter() -> io::Result<Tty> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
    });
    IS_ON.store(true, Ordering::SeqCst);
    let terminal = enable_raw_mode()
        .and_then(|()| execute!(io::stdout(), EnterAlternateScreen))
        .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
    terminal.inspect_err(|_| restore())
}

/// Writes a frame, if the screen is on. `false`: it is not, or can no longer be written to.
pub(super) fn draw(terminal: &mut Tty, render: impl FnOnce(&mut Frame<'_>)) -> bool {
    let _frame = FRAME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    IS_ON.load(Ordering::SeqCst) && terminal.draw(render).is_ok()
}

/// Gives the terminal back as it was. Does nothing where that is done; may be called by any thread at any time.
pub(crate) fn restore() {
    if !IS_ON.swap(false, Ordering::SeqCst) {
        return;
    }
    let (pause, n_times) = PATIENCE;
    // A panic while drawing comes here with the lock held, and a terminal that hangs never lets go of it.
    for _ in 0..n_times {
        match FRAME.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(pause),
            Ok(_) | Err(TryLockError::Poisoned(_)) => break,
        }
    }
    // Where the terminal is gone there is nothing to give back.
    let _gone = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _gone = disable_raw_mode();
}
