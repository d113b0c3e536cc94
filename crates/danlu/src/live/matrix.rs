//! A small confusion matrix of the test images, or the commonest mistakes where there is no room for it.

use metrics::Confusion;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use spec::Testing;

use super::palette::{LOSS, PALE, TEST};
use super::view::View;
use crate::table::{Align, fitted};

/// Columns of a class's name.
const NAME_LEN: usize = 10;
/// Columns of a cell.
const CELL: usize = 2;
/// Mistakes that are listed at most.
const N_MISTAKES: usize = 8;
/// From empty to full. They show the share without colors too.
const SHADES: [&str; 5] = ["··", "░░", "▒▒", "▓▓", "██"];

/// Columns that the panel wants.
pub(super) fn width(view: &View) -> u16 {
    let n_classes = view.about.classes.len().min(13);
    (NAME_LEN + 4 + CELL * n_classes).max(30) as u16
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let Some(confusion) = &view.confusion else {
        let why = match view.about.testing {
            Testing::EachEpoch => "after the first epoch",
            Testing::AtEnd => "measured after the last epoch",
            Testing::Never => "not looked at in this run",
        };
        frame.render_widget(Paragraph::new(why.fg(PALE)), area);
        return;
    };
    let n = confusion.n_classes();
    let fits = usize::from(area.height) > n && usize::from(area.width) >= NAME_LEN + 4 + CELL * n;
    let mut lines = Vec::new();
    if fits {
        lines.push(header(n));
        lines.extend((0..n).map(|label| row(confusion, &view.about.classes, label)));
        lines.push(Line::default());
    }
    let room = usize::from(area.height).saturating_sub(lines.len()).min(N_MISTAKES);
    lines.extend(mistakes(confusion, &view.about.classes, room));
    frame.render_widget(Paragraph::new(lines), area);
}

fn header(n: usize) -> Line<'static> {
    let numbers: String = (0..n).map(|class| format!("{:>CELL$}", class % 100)).collect();
    format!("{:NAME_LEN$}   {numbers}", "").fg(PALE).into()
}

fn row(confusion: &Confusion, classes: &[String], label: usize) -> Line<'static> {
    let counts = confusion.row(label);
    let n: usize = counts.iter().sum();
    let mut spans = vec![
        Span::raw(name(classes, label, Align::Right)),
        Span::styled(format!("{label:>3}"), Style::new().fg(PALE)),
    ];
    spans.extend(counts.iter().enumerate().map(|(class, &count)| {
        let share = count as f64 / n.max(1) as f64;
        match (count, class == label) {
            (0, _) => SHADES[0].fg(PALE),
            (_, true) => shade(share).fg(TEST),
            (_, false) if share < 0.01 => SHADES[0].fg(LOSS),
            // As in the picture file, few mistakes should be seen too.
            (_, false) => shade(share.sqrt()).fg(LOSS),
        }
    }));
    spans.into()
}

fn shade(strength: f64) -> &'static str {
    SHADES[1 + ((strength * 4.0) as usize).min(3)]
}

fn mistakes(confusion: &Confusion, classes: &[String], n: usize) -> Vec<Line<'static>> {
    let line = |confused: metrics::Confused| {
        let label = name(classes, confused.label, Align::Right);
        let predicted = name(classes, confused.predicted, Align::Left);
        Line::from(vec![
            Span::raw(format!("{label} ")),
            format!("as {predicted}").fg(LOSS),
            format!(" {:>5}", confused.n).into(),
        ])
    };
    confusion.most_confused(n).into_iter().map(line).collect()
}

/// [`NAME_LEN`] columns.
fn name(classes: &[String], class: usize, align: Align) -> String {
    match classes.get(class) {
        Some(name) => fitted(&crate::output::printable(name), NAME_LEN, align),
        None => fitted(&class.to_string(), NAME_LEN, align),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_rise_with_the_share() {
        let cases = [(0.0, "░░"), (0.3, "▒▒"), (0.6, "▓▓"), (0.9, "██"), (1.0, "██")];
        for (share, expected) in cases {
            assert_eq!(shade(share), expected);
        }
    }
}
