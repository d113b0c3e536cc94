//! What is known, drawn into a frame of any size.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::palette::PALE;
use super::view::View;
use super::{bars, chart, matrix};

/// The chart keeps at least so many columns when the matrix is beside it.
const MIN_CHART_LEN: u16 = 40;
/// Rows below which there are only lines of text.
const MIN_HEIGHT: u16 = 12;

const KEYS: &str = " e stop after this epoch   q stop now   l t v s lines   m matrix   ? help";
const HELP: &str = "\
l        loss on or off
t        train accuracy
v        validation accuracy
s        test accuracy
m        confusion matrix
e        stop after this epoch; again: go on
q        stop now
Ctrl-C   stop now; twice: at once
?        this help

A run that was stopped is kept up to its last
whole epoch; `danlu resume` goes on with it.";

pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let area = frame.area();
    if area.height < MIN_HEIGHT {
        draw_lines(frame, area, view);
    } else {
        let one = Constraint::Length(1);
        let [title, legend, body, epoch, run, keys] =
            Layout::vertical([one, one, Constraint::Min(0), one, one, one]).areas(area);
        draw_title(frame, title, view);
        frame.render_widget(chart::legend(view, area.width), legend);
        draw_body(frame, body, view);
        frame.render_widget(bars::epoch(view, area.width), epoch);
        frame.render_widget(bars::run(view, area.width), run);
        frame.render_widget(KEYS.fg(PALE), keys);
    }
    if view.shows_help {
        draw_help(frame, area);
    }
}

/// Where there is no room for a chart: what matters most comes first.
fn draw_lines(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let lines = vec![
        bars::epoch(view, area.width),
        bars::run(view, area.width),
        chart::legend(view, area.width),
        Line::from(KEYS.fg(PALE)),
        Line::from(format!(" {}", view.about.title)),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let recipe = Span::from(format!("{} ", view.about.recipe)).fg(PALE);
    let title = Span::from(view.about.title.clone()).bold();
    let room = usize::from(area.width).saturating_sub(title.width() + 3);
    if recipe.width() <= room {
        frame.render_widget(Line::from(recipe).alignment(Alignment::Right), area);
    }
    frame.render_widget(Line::from(vec![" ".into(), title]), area);
}

fn draw_body(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let width = matrix::width(view) + 2;
    if !view.shows_matrix || area.width < MIN_CHART_LEN + width {
        return chart::draw(frame, area, view);
    }
    let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    chart::draw(frame, left, view);
    let block =
        Block::new().borders(Borders::LEFT).border_style(PALE).title(" test images, by label ".fg(PALE));
    let inner = block.inner(right);
    frame.render_widget(block, right);
    matrix::draw(frame, inner, view);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<&str> = HELP.lines().collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as u16 + 4;
    let height = lines.len() as u16 + 2;
    let (width, height) = (width.min(area.width), height.min(area.height));
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let area = Rect { x, y, width, height };
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(" keys ");
    let lines: Vec<String> = lines.into_iter().map(|line| format!(" {line}")).collect();
    frame.render_widget(Paragraph::new(lines.join("\n")).block(block), area);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics::Confusion;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use spec::Testing;

    use super::*;
    use crate::live::news::News;
    use crate::live::view::{About, Line as Curve, Wish, tests::epoch, tests::last_epoch_ended};

    fn about(n_classes: usize) -> About {
        About {
            title: "lenet on fashion-mnist".into(),
            recipe: "adam 0.001, batches of 256, seed 1".into(),
            classes: (0..n_classes).map(|class| format!("class {class}")).collect(),
            n_epochs: 10,
            batch_size: 256,
            ..About::default()
        }
    }

    /// After `n_epochs`, in which two images of each class are right and one is taken for the next.
    fn view(n_classes: usize, n_epochs: usize) -> View {
        let mut view = View::new(about(n_classes));
        let labels: Vec<u8> = (0..3 * n_classes).map(|idx| (idx / 3) as u8).collect();
        let predicted: Vec<u8> =
            (0..3 * n_classes).map(|idx| ((idx / 3 + usize::from(idx % 3 == 2)) % n_classes) as u8).collect();
        for n in 1..=n_epochs {
            let share = n as f64 / 10.0;
            let confusion = Some(Confusion::new(n_classes, &labels, &predicted));
            let epochs = vec![epoch(n, 1.0 - share, share, 0.9 * share)];
            let shared = crate::live::news::Shared::default();
            shared.step(&train::Step {
                epoch: n,
                step: 235,
                n_steps: 235,
                loss: 1.0 - share,
                learning_rate: 0.001,
            });
            view.hear(News { epochs, confusion, ..shared.take() });
            last_epoch_ended(&mut view, Duration::from_secs(2 * n as u64));
        }
        view
    }

    fn screen(view: &View, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, view)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let row = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
        (0..height).map(row).collect()
    }

    fn braille(lines: &[String]) -> usize {
        lines.concat().chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count()
    }

    #[test]
    fn no_size_is_too_small() {
        for n_classes in [1, 2, 10, 47, 256] {
            for n_epochs in [0, 1, 9] {
                let mut view = view(n_classes, n_epochs);
                for shows_help in [false, true] {
                    view.shows_help = shows_help;
                    for width in (0..30).chain([40, 79, 80, 120, 300]) {
                        for height in (0..16).chain([24, 40, 100]) {
                            let _drawn = screen(&view, width, height);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn eighty_columns_and_twenty_four_rows_show_everything() {
        let lines = screen(&view(10, 3), 80, 24);
        let text = lines.join("\n");
        let expected = [
            "lenet on fashion-mnist",
            "seed 1",
            "[l]oss 0.",
            "[t]rain acc 0.300",
            "te[s]t acc 0.270",
            "235/235 steps, loss 0.7000",
            "30 %",
            "0:14 left",
            "class 9",
            "class 0 as class 1",
            "q stop now",
        ];
        for words in expected {
            assert!(text.contains(words), "{words:?} is not in\n{text}");
        }
        assert!(!text.contains("validation acc"), "{text}");
        assert!(braille(&lines) > 40, "{text}");
        // A class of which two thirds are right, and a third is taken for the next.
        let row = lines.iter().find(|line| line.contains("class 0  0")).unwrap();
        assert!(row.contains("▓▓▓▓····"), "{row}");
    }

    #[test]
    fn a_validation_part_and_a_wish_have_room_too() {
        let mut view = view(10, 3);
        view.epochs[2].validation_accuracy = Some(0.28);
        view.wish = Wish::StopAfterEpoch;
        let text = screen(&view, 80, 24).join("\n");
        for words in ["[v]al 0.280", "te[s]t 0.270", "30 %, ends after this epoch, 0:00 so far"] {
            assert!(text.contains(words), "{words:?} is not in\n{text}");
        }
        assert!(screen(&view, 40, 10).join("").contains("ends after this epoch"));
        assert!(screen(&view, 120, 24).join("").contains("[v]alidation acc 0.280   "));
    }

    #[test]
    fn names_of_wide_letters_keep_the_columns() {
        let mut view = view(3, 1);
        view.about.classes = ["短袖圆领T恤", "a", "乌鸦"].map(String::from).to_vec();
        let lines = screen(&view, 90, 24);
        // A letter of two columns fills the second with a blank here.
        let cells = |label: &str| lines.iter().find(|line| line.contains(label)).unwrap().chars().count();
        assert_eq!([cells("短 袖 圆 领 T  0"), cells("乌 鸦   2")], [90; 2], "{lines:?}");
    }

    #[test]
    fn without_a_matrix_the_reason_is_told() {
        let mut about = about(10);
        for (testing, words) in [(Testing::AtEnd, "after the last epoch"), (Testing::Never, "not looked at")]
        {
            about.testing = testing;
            assert!(screen(&View::new(about.clone()), 80, 24).join("").contains(words));
        }
    }

    #[test]
    fn a_small_screen_shows_numbers_and_many_classes_a_list() {
        let text = screen(&view(10, 3), 40, 5).join("\n");
        assert!(text.contains("235/235 steps") && text.contains("[l]oss"), "{text}");
        let text = screen(&view(47, 3), 120, 40).join("\n");
        assert!(text.contains("as class 1") && !text.contains("▓▓"), "{text}");
    }

    #[test]
    fn lines_matrix_and_help_come_and_go() {
        let mut view = view(10, 5);
        let before = screen(&view, 100, 30);
        for line in [Curve::Loss, Curve::Train, Curve::Test] {
            view.toggle(line);
        }
        let without = screen(&view, 100, 30);
        // The axis is left.
        assert!(braille(&without) < braille(&before), "{without:?}");
        assert!(without.iter().skip(2).take(20).all(|row| braille(std::slice::from_ref(row)) < 2));
        view.shows_matrix = false;
        assert!(!screen(&view, 100, 30).join("").contains("class 0"));
        view.shows_help = true;
        assert!(screen(&view, 100, 30).join("").contains("danlu resume"));
    }
}
