//! The two lines of progress.

use std::time::Duration;

use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};

use super::palette::{PALE, TEST};
use super::view::{View, Wish};
use crate::table::thousands;

/// Columns of the bar itself, at most.
const BAR_LEN: usize = 40;
/// Columns that the text beside it takes.
const TEXT_LEN: usize = 52;

/// The running epoch: steps, the last loss, speed.
pub(super) fn epoch(view: &View, width: u16) -> Line<'static> {
    let Some(step) = &view.step else { return Line::from(" the first step …".fg(PALE)) };
    let share = step.step as f64 / step.n_steps as f64;
    let is_measured = step.step == step.n_steps && view.epochs.len() < step.epoch;
    let measuring = if is_measured { ", measuring" } else { "" };
    let mut text = format!(" {}/{} steps{measuring}, loss {:.4}", step.step, step.n_steps, step.loss);
    if !is_measured && let Some(speed) = view.images_per_s {
        text.push_str(&format!(", {} images/s", thousands(speed as u64)));
    }
    bar(&format!(" epoch {:<5}", step.epoch), share, text, width)
}

/// The whole run: how much is done, time so far and left, and what it was asked to do.
pub(super) fn run(view: &View, width: u16) -> Line<'static> {
    let share = view.position() / view.about.n_epochs.max(1) as f64;
    let mut line =
        bar(&format!(" of {:<8}", view.about.n_epochs), share, format!(" {:.0} %", 100.0 * share), width);
    let wish = match view.wish {
        Wish::GoOn => "",
        Wish::StopAfterEpoch => ", ends after this epoch",
        Wish::StopNow => ", stopping …",
    };
    let left = view.left().map(|left| format!(", {} left", clock(left)));
    let times = format!(", {} so far{}", clock(view.elapsed()), left.unwrap_or_default());
    line.extend([wish.bold(), times.into()]);
    line
}

fn bar(name: &str, share: f64, text: String, width: u16) -> Line<'static> {
    let len = usize::from(width).saturating_sub(name.len() + TEXT_LEN).min(BAR_LEN);
    let n_full = ((share.clamp(0.0, 1.0) * len as f64).round() as usize).min(len);
    Line::from(vec![
        Span::raw(name.to_owned()),
        Span::styled("━".repeat(n_full), Style::new().fg(TEST)),
        Span::styled("─".repeat(len - n_full), Style::new().fg(PALE)),
        Span::raw(text),
    ])
}

/// `1:02:03`, or `2:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_do() {
        let cases = [(0, "0:00"), (75, "1:15"), (3600, "1:00:00"), (360_061, "100:01:01")];
        for (seconds, expected) in cases {
            assert_eq!(clock(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn bars_are_as_full_as_the_share() {
        for (share, n_full) in [(0.0, 0), (0.5, 20), (1.0, 40), (2.0, 40), (f64::NAN, 0)] {
            let line = bar("x", share, String::new(), 200);
            let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
            assert_eq!(text.chars().filter(|&c| c == '━').count(), n_full, "{share}");
            assert_eq!(text.chars().count(), 41);
        }
    }
}
