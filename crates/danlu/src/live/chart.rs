//! The moving chart: loss on the left axis, accuracies on the right one, over the epochs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text;
use ratatui::widgets::canvas::{Canvas, Context, Line as Stroke};

use super::palette::{LOSS, PALE, TEST, TRAIN, VALIDATION};
use super::view::{Line, View};

/// Columns of an axis's numbers, with a blank.
const LABEL_LEN: u16 = 6;
/// Rows from one number to the next.
const LABEL_STEP: u16 = 4;
/// Columns from one epoch's number to the next, at least.
const TICK_LEN: u16 = 7;
/// Less is no chart.
const MIN_SIZE: (u16, u16) = (24, 4);
/// The axis of epochs has at least so many, as far as they are asked for.
const MIN_EPOCHS: f64 = 10.0;

/// From lowest to highest.
type Range = (f64, f64);

pub(super) fn color(line: Line) -> Color {
    match line {
        Line::Loss => LOSS,
        Line::Train => TRAIN,
        Line::Validation => VALIDATION,
        Line::Test => TEST,
    }
}

/// Name, with the letter that toggles it in brackets, and a shorter one.
fn names(line: Line) -> [&'static str; 2] {
    match line {
        Line::Loss => ["[l]oss"; 2],
        Line::Train => ["[t]rain acc", "[t]rain"],
        Line::Validation => ["[v]alidation acc", "[v]al"],
        Line::Test => ["te[s]t acc", "te[s]t"],
    }
}

/// The lines' names, colors and last values, in `width` columns if the shorter names can do that.
pub(super) fn legend(view: &View, width: u16) -> text::Line<'static> {
    let [long, short] = [0, 1].map(|length| legend_with(view, |line| names(line)[length]));
    if long.width() <= usize::from(width) { long } else { short }
}

fn legend_with(view: &View, name: impl Fn(Line) -> &'static str) -> text::Line<'static> {
    let mut spans = vec![" ".into()];
    for line in Line::ALL.into_iter().filter(|&line| view.has(line)) {
        let value = match (view.last(line), line) {
            (None, _) => String::new(),
            (Some(value), Line::Loss) => format!(" {value:.4}"),
            (Some(value), _) => format!(" {value:.3}"),
        };
        let is_hidden = view.is_hidden(line);
        spans.push(if is_hidden { "── ".fg(PALE) } else { "━━ ".fg(color(line)) });
        let text = format!("{}{value}   ", name(line));
        spans.push(if is_hidden { text.fg(PALE).crossed_out() } else { text.into() });
    }
    spans.into()
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, view: &View) {
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        return;
    }
    let [rows, epochs] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
    let label = Constraint::Length(LABEL_LEN);
    let [left, plot, right] = Layout::horizontal([label, Constraint::Min(0), label]).areas(rows);
    let x = epoch_range(view);
    let (losses, accuracies) = (loss_range(view), accuracy_range(view));
    let strokes = |context: &mut Context<'_>| draw_strokes(context, view, x, losses, accuracies);
    let canvas = Canvas::default().marker(Marker::Braille).x_bounds([0.0, 1.0]).y_bounds([0.0, 1.0]);
    frame.render_widget(canvas.paint(strokes), plot);
    draw_values(frame, left, losses, LOSS);
    draw_values(frame, right, accuracies, TEST);
    draw_epochs(frame, Rect { x: plot.x, width: plot.width, ..epochs }, x);
}

fn draw_strokes(context: &mut Context<'_>, view: &View, x: Range, losses: Range, accuracies: Range) {
    context.draw(&Stroke { x1: 0.0, y1: 0.0, x2: 1.0, y2: 0.0, color: PALE });
    // The test accuracy comes last, on top.
    for line in Line::ALL.into_iter().filter(|&line| !view.is_hidden(line)) {
        let y = if line == Line::Loss { losses } else { accuracies };
        let points: Vec<Range> =
            view.points(line).into_iter().map(|(at, value)| (within(at, x), within(value, y))).collect();
        let color = color(line);
        let stroke = |(x1, y1): Range, (x2, y2): Range| Stroke { x1, y1, x2, y2, color };
        points.windows(2).for_each(|pair| context.draw(&stroke(pair[0], pair[1])));
        if let [only] = points[..] {
            context.draw(&stroke(only, only));
        }
    }
}

/// Where in a range a value is, from 0 to 1.
fn within(value: f64, (low, high): Range) -> f64 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

/// The numbers of an axis, from the top row to the bottom one.
fn draw_values(frame: &mut Frame<'_>, area: Rect, (low, high): Range, color: Color) {
    let last = area.height.saturating_sub(1).max(1);
    for row in (0..area.height).step_by(usize::from(LABEL_STEP)) {
        let value = high - (high - low) * f64::from(row) / f64::from(last);
        let text = format!("{:^width$}", number(value, high - low), width = usize::from(LABEL_LEN));
        put(frame, area, (0, row), &text, Style::new().fg(color));
    }
}

/// A number in five letters at most, as fine as the axis needs.
fn number(value: f64, range: f64) -> String {
    match value.abs() {
        1e5.. => format!("{value:.0e}"),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ if range < 0.1 => format!("{value:.3}"),
        _ => format!("{value:.2}"),
    }
}

fn draw_epochs(frame: &mut Frame<'_>, area: Rect, (_, end): Range) {
    let step = tick_step(end, area.width / TICK_LEN);
    let last = area.width.saturating_sub(1);
    for tick in 0..=(end / step) as usize {
        let epoch = tick as f64 * step;
        let text = format!("{epoch:.0}");
        let at = (epoch / end * f64::from(last)).round() as u16;
        let len = text.len() as u16;
        let start = at.saturating_sub(len / 2).min(area.width.saturating_sub(len));
        put(frame, area, (start, 0), &text, Style::new().fg(PALE));
    }
}

/// The least of 1, 2, 5, 10, 20 … that goes into `end` at most `n_max` times.
fn tick_step(end: f64, n_max: u16) -> f64 {
    let steps = (0..).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power)));
    let mut fitting = steps.skip_while(|step| end / step > f64::from(n_max.max(1)));
    fitting.next().expect("the steps grow without end")
}

/// Text at a place in an area, cut at its end.
pub(super) fn put(frame: &mut Frame<'_>, area: Rect, (x, y): (u16, u16), text: &str, style: Style) {
    let area = area.intersection(frame.area());
    if x < area.width && y < area.height {
        let len = usize::from(area.width - x);
        frame.buffer_mut().set_stringn(area.x + x, area.y + y, text, len, style);
    }
}

/// From the start to the run's end, or for long runs to a round number beyond what is done.
fn epoch_range(view: &View) -> Range {
    let asked = view.about.n_epochs.max(1) as f64;
    let wanted = (1.2 * view.position()).max(MIN_EPOCHS);
    let mut round = 10f64.powf(wanted.log10().floor());
    while round < wanted {
        round += 10f64.powf(wanted.log10().floor());
    }
    (0.0, asked.min(round))
}

fn loss_range(view: &View) -> Range {
    let values = view.points(Line::Loss).into_iter().map(|(_, loss)| loss);
    let (low, high) = extent(values).unwrap_or((0.0, 1.0));
    let margin = (0.05 * (high - low)).max(1e-3 * high.abs()).max(1e-6);
    ((low - margin).max(0.0), high + margin)
}

fn accuracy_range(view: &View) -> Range {
    let lines = [Line::Train, Line::Validation, Line::Test];
    let values = lines.into_iter().flat_map(|line| view.points(line)).map(|(_, accuracy)| accuracy);
    let (low, high) = extent(values).unwrap_or((0.0, 1.0));
    (((low - 0.02) * 20.0).floor().max(0.0) / 20.0, (((high + 0.02) * 20.0).ceil() / 20.0).min(1.0))
}

fn extent(values: impl Iterator<Item = f64>) -> Option<Range> {
    values.map(|y| (y, y)).reduce(|(low, high), (y, _)| (low.min(y), high.max(y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::view::{About, tests::epoch};

    fn view(n_epochs: usize, n_done: usize) -> View {
        let earlier = (1..=n_done).map(|n| epoch(n, 1.0 / n as f64, 0.8, 0.7)).collect();
        View::new(About { n_epochs, earlier, ..About::default() })
    }

    #[test]
    fn the_axis_of_epochs_grows_with_a_long_run() {
        let cases = [
            (3, 1, 3.0),
            (10, 0, 10.0),
            (1000, 5, 10.0),
            (1000, 9, 20.0),
            (1000, 90, 200.0),
            (100, 99, 100.0),
        ];
        for (asked, done, end) in cases {
            assert_eq!(epoch_range(&view(asked, done)), (0.0, end), "{done} of {asked}");
        }
    }

    #[test]
    fn ticks_are_round() {
        for (end, n_max, step) in
            [(10.0, 10, 1.0), (10.0, 5, 2.0), (30.0, 6, 5.0), (10_000.0, 7, 2000.0), (3.0, 0, 5.0)]
        {
            assert_eq!(tick_step(end, n_max), step, "{end} in {n_max}");
        }
    }

    #[test]
    fn numbers_of_an_axis_are_short() {
        let cases = [
            (0.912, 0.5, "0.91"),
            (0.912, 0.05, "0.912"),
            (12.34, 1.0, "12.3"),
            (1234.5, 9.0, "1234"),
            (3e7, 1e7, "3e7"),
        ];
        for (value, range, expected) in cases {
            assert_eq!(number(value, range), expected);
        }
    }

    #[test]
    fn axes_hold_all_values_and_are_not_empty() {
        for n_done in [0, 1, 2, 50] {
            let view = view(100, n_done);
            let (losses, accuracies) = (loss_range(&view), accuracy_range(&view));
            assert!(losses.0 < losses.1 && accuracies.0 < accuracies.1, "{losses:?} {accuracies:?}");
            for (_, loss) in view.points(Line::Loss) {
                assert!(losses.0 <= loss && loss <= losses.1);
            }
        }
    }
}
