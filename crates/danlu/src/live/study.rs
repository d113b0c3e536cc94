//! A full screen for a study: its history as a chart, and its last trials.

use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Row, Table};
use spec::{TrialRecord, TrialState};
use study::{StudyView, params_to_json};

use super::palette::{LOSS, PALE, TEST};
use super::terminal::{self, Tty};
use super::why_not;
use crate::error::CliError;
use crate::table::short;
use crate::{interrupt, output};

/// How long a look for keys takes; a look of no time at all would see none (crossterm 0.29, `tty.rs`).
const PEEK: Duration = Duration::from_millis(1);
/// Rows of the table of trials.
const N_ROWS: u16 = 8;

/// What a person at the keys wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StudyWish {
    /// Trials are let go and wait.
    StopNow,
    /// The running trials are the last.
    StopAfterTrials,
}

/// The screen, as long as it is shown.
pub(crate) struct StudyScreen {
    terminal: Tty,
}

impl StudyScreen {
    /// Puts the screen on, or says in a note why there is none.
    pub(crate) fn start() -> Result<Option<Self>, CliError> {
        if let Some(reason) = why_not() {
            output::note(&format!("note: --live needs a terminal, and {reason}"));
            return Ok(None);
        }
        Ok(Some(Self { terminal: terminal::enter().map_err(CliError::Screen)? }))
    }

    /// `line` tells how far the study is.
    pub(crate) fn draw(&mut self, view: &StudyView, line: &str) {
        // A terminal that is gone shows nothing; the study goes on.
        let _is_shown = terminal::draw(&mut self.terminal, |frame| draw(frame, view, line));
    }

    /// What keys say since the last look.
    pub(crate) fn wish(&self) -> Option<StudyWish> {
        let mut wish = None;
        while event::poll(PEEK).unwrap_or(false) {
            match event::read() {
                Ok(Event::Key(key)) if is_interrupt(key) => interrupt::signal(),
                Ok(Event::Key(key)) => wish = wish_of(key).or(wish),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        wish
    }
}

impl Drop for StudyScreen {
    fn drop(&mut self) {
        terminal::restore();
    }
}

/// Ctrl-C, which a terminal that gives its keys to us sends as a key.
fn is_interrupt(key: KeyEvent) -> bool {
    key.kind != KeyEventKind::Release
        && key.modifiers.contains(KeyModifiers::CONTROL)
        && key.code == KeyCode::Char('c')
}

fn wish_of(key: KeyEvent) -> Option<StudyWish> {
    match key.code {
        _ if key.kind == KeyEventKind::Release => None,
        KeyCode::Char('q' | 'Q') => Some(StudyWish::StopNow),
        KeyCode::Char('e' | 'E') => Some(StudyWish::StopAfterTrials),
        _ => None,
    }
}

fn draw(frame: &mut Frame<'_>, view: &StudyView, line: &str) {
    let table_len = N_ROWS + 2;
    let rows =
        [Constraint::Length(1), Constraint::Min(5), Constraint::Length(table_len), Constraint::Length(1)];
    let [title, chart, table, keys] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(format!(" {} · {line}", view.spec().name).bold(), title);
    draw_chart(frame, chart, view);
    draw_trials(frame, table, view);
    frame.render_widget(" q stop now   e stop after the running trials".fg(PALE), keys);
}

/// The first objective of each whole or pruned trial, and the best so far.
struct Points {
    whole: Vec<(f64, f64)>,
    pruned: Vec<(f64, f64)>,
    best: Vec<(f64, f64)>,
}

fn points(view: &StudyView) -> Points {
    let direction = view.objectives()[0].direction;
    let mut points = Points { whole: Vec::new(), pruned: Vec::new(), best: Vec::new() };
    for trial in view.trials() {
        let x = trial.number as f64;
        match &trial.state {
            TrialState::Complete { values } if values[0].is_finite() => {
                points.whole.push((x, values[0]));
                let before = points.best.last().map(|&(_, y)| y);
                let is_better = |before| direction.cost(values[0]) < direction.cost(before);
                if trial.is_feasible() && before.is_none_or(is_better) {
                    points.best.extend(before.map(|y| (x, y)));
                    points.best.push((x, values[0]));
                }
            }
            TrialState::Pruned { values } => {
                points.pruned.extend(values.first().filter(|y| y.is_finite()).map(|&y| (x, y)))
            }
            _ => {}
        }
    }
    if let Some(&(_, y)) = points.best.last() {
        points.best.push((view.trials().len().saturating_sub(1) as f64, y));
    }
    points
}

fn draw_chart(frame: &mut Frame<'_>, area: Rect, view: &StudyView) {
    let Points { whole, pruned, best } = points(view);
    // A budget that is far away would press the trials against the left.
    let n_trials = view.trials().len() as u64;
    let n = view.spec().budget.trials.unwrap_or(0).min(2 * n_trials).max(n_trials).max(2) as f64;
    let (low, high) = range(&whole, &pruned);
    let dots = |points, color| {
        Dataset::default()
            .data(points)
            .marker(Marker::Dot)
            .graph_type(GraphType::Scatter)
            .style(Style::new().fg(color))
    };
    let sets = vec![
        dots(&pruned, PALE).name("pruned"),
        dots(&whole, TEST).name("trials"),
        Dataset::default()
            .name("best so far")
            .data(&best)
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::new().fg(LOSS)),
    ];
    let label = |y: f64| format!("{y:.4}");
    let x_axis = Axis::default().bounds([0.0, n]).labels(["0".to_owned(), format!("{n}")]);
    let y_axis =
        Axis::default().bounds([low, high]).labels([label(low), label((low + high) / 2.0), label(high)]);
    let title = format!(" {} ", view.objectives()[0].name);
    frame.render_widget(
        Chart::new(sets)
            .hidden_legend_constraints((Constraint::Ratio(1, 2), Constraint::Ratio(1, 2)))
            .block(Block::bordered().title(title))
            .x_axis(x_axis)
            .y_axis(y_axis),
        area,
    );
}

/// All but the worst tenth, which would press the rest together.
fn range(whole: &[(f64, f64)], pruned: &[(f64, f64)]) -> (f64, f64) {
    let mut values: Vec<f64> = whole.iter().chain(pruned).map(|&(_, y)| y).collect();
    values.sort_by(f64::total_cmp);
    let (Some(&first), Some(&last)) = (values.get(values.len() / 10), values.last()) else {
        return (0.0, 1.0);
    };
    let margin = (0.05 * (last - first)).max(1e-6);
    (first - margin, last + margin)
}

fn draw_trials(frame: &mut Frame<'_>, area: Rect, view: &StudyView) {
    let last = view.trials().iter().rev().take(usize::from(N_ROWS)).map(row);
    let widths = [Constraint::Length(7), Constraint::Length(9), Constraint::Length(9), Constraint::Min(10)];
    let header = Row::new(["trial", "state", "value", "values of its parameters"]).fg(PALE);
    frame.render_widget(Table::new(last, widths).header(header).block(Block::bordered()), area);
}

fn row(trial: &TrialRecord) -> Row<'static> {
    let (state, value) = match &trial.state {
        TrialState::Waiting => ("waiting", None),
        TrialState::Running => ("running", trial.intermediate.values().next_back().copied()),
        TrialState::Complete { values } => ("whole", values.first().copied()),
        TrialState::Pruned { values } => ("pruned", values.first().copied()),
        TrialState::Failed => ("failed", None),
    };
    let params = params_to_json(trial).into_iter().map(|(name, value)| match value.as_f64() {
        Some(x) if value.is_f64() => format!("{name} {}", short(x)),
        _ => format!("{name} {value}"),
    });
    let value = value.map_or_else(String::new, |value| format!("{value:.4}"));
    Row::new([
        trial.number.to_string(),
        state.into(),
        value,
        output::printable(&params.collect::<Vec<_>>().join("  ")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_screen_says() {
        let key = |c, modifiers| KeyEvent::new(KeyCode::Char(c), modifiers);
        assert_eq!(wish_of(key('q', KeyModifiers::NONE)), Some(StudyWish::StopNow));
        assert_eq!(wish_of(key('e', KeyModifiers::NONE)), Some(StudyWish::StopAfterTrials));
        assert_eq!(wish_of(key('x', KeyModifiers::NONE)), None);
        assert!(is_interrupt(key('c', KeyModifiers::CONTROL)) && !is_interrupt(key('c', KeyModifiers::NONE)));
    }

    #[test]
    fn the_worst_trials_do_not_press_the_rest_together() {
        let whole: Vec<(f64, f64)> =
            (0..20).map(|n| (f64::from(n), if n == 0 { 0.1 } else { 0.9 })).collect();
        let (low, high) = range(&whole, &[]);
        assert!(low > 0.89 && high < 0.91);
        assert_eq!(range(&[], &[]), (0.0, 1.0));
    }
}
