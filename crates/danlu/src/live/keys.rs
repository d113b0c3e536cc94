//! The screen's thread: frames and keys.

use std::io;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::news::Shared;
use super::render;
use super::terminal::{self, Tty};
use super::view::{Line, View, Wish};
use crate::interrupt;
use crate::live::AFTER_EPOCH;

/// Between two frames: five a second look smooth, and take half of what ten take from the training.
const FRAME: Duration = Duration::from_millis(200);
/// A key is answered so soon after the last frame at the earliest.
const ANSWER: Duration = Duration::from_millis(100);
/// How often the end of the run is looked for.
const POLL: Duration = Duration::from_millis(25);

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Toggle(Line),
    Matrix,
    Help,
    CloseHelp,
    StopAfterEpoch,
    StopNow,
    /// As Ctrl-C would without the screen.
    Signal,
}

/// Shows the run until it is over or the terminal is gone.
pub(super) fn show(mut terminal: Tty, mut view: View, shared: &Shared) {
    let mut has_keys = true;
    loop {
        let news = shared.take();
        if news.is_over {
            return;
        }
        view.hear(news);
        if interrupt::stop_flag().load(Ordering::Relaxed) {
            view.wish = Wish::StopNow;
        }
        if !terminal::draw(&mut terminal, |frame| render::draw(frame, &view)) {
            terminal::restore();
            return;
        }
        has_keys = obey_until_due(&mut view, has_keys, shared);
    }
}

/// Does what keys say until the next frame is due. `false`: no key can be read.
fn obey_until_due(view: &mut View, mut has_keys: bool, shared: &Shared) -> bool {
    let drawn = Instant::now();
    let mut due = drawn + FRAME;
    loop {
        let wait = due.saturating_duration_since(Instant::now()).min(POLL);
        if wait.is_zero() || shared.is_over() {
            return has_keys;
        }
        if !has_keys {
            thread::sleep(wait);
            continue;
        }
        match next_event(wait) {
            Ok(Some(Event::Key(key))) => {
                if let Some(action) = action(key) {
                    obey(action, view);
                    due = drawn + ANSWER;
                }
            }
            Ok(Some(Event::Resize(..))) => due = drawn + ANSWER,
            Ok(_) => {}
            Err(_) => has_keys = false,
        }
    }
}

fn next_event(wait: Duration) -> io::Result<Option<Event>> {
    if event::poll(wait)? { event::read().map(Some) } else { Ok(None) }
}

fn action(key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Action::Signal);
    }
    match key.code {
        KeyCode::Esc => Some(Action::CloseHelp),
        KeyCode::Char(c) => match c.to_ascii_lowercase() {
            'l' | '1' => Some(Action::Toggle(Line::Loss)),
            't' | '2' => Some(Action::Toggle(Line::Train)),
            'v' | '3' => Some(Action::Toggle(Line::Validation)),
            's' | '4' => Some(Action::Toggle(Line::Test)),
            'm' => Some(Action::Matrix),
            '?' | 'h' => Some(Action::Help),
            'e' => Some(Action::StopAfterEpoch),
            'q' => Some(Action::StopNow),
            _ => None,
        },
        _ => None,
    }
}

fn obey(action: Action, view: &mut View) {
    match action {
        Action::Toggle(line) => view.toggle(line),
        Action::Matrix => view.shows_matrix = !view.shows_matrix,
        Action::Help => view.shows_help = !view.shows_help,
        Action::CloseHelp => view.shows_help = false,
        Action::StopAfterEpoch => {
            view.wish = match view.wish {
                Wish::GoOn => Wish::StopAfterEpoch,
                Wish::StopAfterEpoch => Wish::GoOn,
                Wish::StopNow => Wish::StopNow,
            };
            AFTER_EPOCH.store(view.wish == Wish::StopAfterEpoch, Ordering::Relaxed);
        }
        Action::StopNow => interrupt::request_stop(),
        Action::Signal => interrupt::signal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::view::About;

    fn pressed(c: char) -> Option<Action> {
        action(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
    }

    #[test]
    fn keys_mean_what_the_help_says() {
        assert_eq!(pressed('l'), Some(Action::Toggle(Line::Loss)));
        assert_eq!(pressed('V'), Some(Action::Toggle(Line::Validation)));
        assert_eq!(pressed('q'), Some(Action::StopNow));
        assert_eq!(pressed('x'), None);
        let control = |c| action(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!((control('c'), control('q')), (Some(Action::Signal), None));
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(action(released), None);
    }

    #[test]
    fn the_wish_to_stop_after_the_epoch_can_be_taken_back() {
        let mut view = View::new(About::default());
        obey(Action::StopAfterEpoch, &mut view);
        assert!(view.wish == Wish::StopAfterEpoch && AFTER_EPOCH.load(Ordering::Relaxed));
        obey(Action::StopAfterEpoch, &mut view);
        assert!(view.wish == Wish::GoOn && !AFTER_EPOCH.load(Ordering::Relaxed));
    }
}
