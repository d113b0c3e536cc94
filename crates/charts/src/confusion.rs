//! The confusion matrix as a picture: a row for each class, a column for each prediction, the number of samples in each
//! cell, and its share of the row as color. Right predictions are blue, mistakes vermilion.

use metrics::Confusion;
use plotters::prelude::*;

use crate::canvas::{self, Area, Drawing, Drawn, Scale};
use crate::colors::{GRID, INK, PALE, rgb};
use crate::pen::{Pen, Place};
use crate::{ChartError, LOSS, TEST, class_name, shortened};

/// The matrix is about so wide, as far as cells can be read.
const SIDE: u32 = 720;
/// Sides of the cells of few and of many classes.
const CELL: (u32, u32) = (8, 60);
/// Cells below this side hold no numbers.
const MIN_TEXT_CELL: u32 = 20;
/// Cells from this side on have room for a percentage with its sign.
const WIDE_CELL: u32 = 36;
const MARGIN: u32 = 18;
const TITLE: u32 = 44;
/// Width of a letter of it, most letters being narrower.
const TITLE_LETTER: u32 = 8;
/// The rows' and columns' own names ("label", "predicted").
const AXIS: u32 = 24;
/// Recall beside the rows, precision below the columns.
const FIGURES: u32 = 62;
/// Letters of a class's name that are shown.
const MAX_NAME: usize = 18;

/// Samples of each class and what they are taken for.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// What it is of.
    pub title: &'a str,
    /// Number of samples of each pair.
    pub counts: &'a Confusion,
    /// The classes' names; see [`class_name`].
    pub classes: &'a [String],
}

/// The matrix as a PNG file.
pub fn png(matrix: &Matrix<'_>) -> Result<Vec<u8>, ChartError> {
    let layout = Layout::new(matrix);
    canvas::png(layout.size(), &Sheet { matrix, layout })
}

/// Where things are, in units.
#[derive(Clone, Copy, Debug)]
struct Layout {
    n: u32,
    cell: u32,
    /// Room for the classes' names.
    names: u32,
    /// Height of the letters in the cells, and of the names.
    text: u32,
    /// Room for the title.
    title: u32,
}

impl Layout {
    fn new(matrix: &Matrix<'_>) -> Self {
        let n = matrix.counts.n_classes() as u32;
        let roomy = if n > 24 { 2 * SIDE } else { SIDE };
        let cell = (roomy / n.max(1)).clamp(CELL.0, CELL.1);
        let text = (cell * 2 / 5).clamp(9, 15);
        let longest = (0..n as usize).map(|class| matrix.name(class).chars().count()).max().unwrap_or(0);
        let title = TITLE_LETTER * matrix.title.chars().count() as u32;
        Self { n, cell, names: 14 + (longest as u32 * text / 2).max(20), text, title }
    }

    fn left(self) -> u32 {
        MARGIN + AXIS + self.names
    }

    fn top(self) -> u32 {
        MARGIN + TITLE
    }

    fn side(self) -> u32 {
        self.n * self.cell
    }

    fn size(self) -> (u32, u32) {
        let width = self.left() + self.side() + FIGURES + MARGIN;
        let height = self.top() + self.side() + FIGURES / 2 + self.names + AXIS + MARGIN;
        (width.max(480).max(self.title + 2 * MARGIN), height)
    }
}

impl Matrix<'_> {
    fn name(&self, class: usize) -> String {
        shortened(&class_name(self.classes, class), MAX_NAME)
    }
}

struct Sheet<'a> {
    matrix: &'a Matrix<'a>,
    layout: Layout,
}

impl Drawing for Sheet<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        area.fill(&WHITE)?;
        let pen = Pen { area, scale };
        pen.text(self.matrix.title, (MARGIN as i32, (MARGIN + 8) as i32), 18, INK, Place::Right)?;
        for row in 0..self.layout.n as usize {
            self.draw_row(&pen, row)?;
        }
        self.draw_frame(&pen)?;
        self.draw_names(&pen)?;
        self.draw_figures(&pen)
    }
}

impl Sheet<'_> {
    fn draw_row<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, row: usize) -> Drawn<DB> {
        let Layout { cell, text, .. } = self.layout;
        let counts = self.matrix.counts.row(row);
        let n: usize = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate() {
            let share = count as f64 / n.max(1) as f64;
            let (x, y) = self.corner(row, column);
            let color = cell_color(share, row == column);
            pen.rectangle((x, y), (x + cell as i32, y + cell as i32), color.filled())?;
            if cell >= MIN_TEXT_CELL && count > 0 {
                let middle = (x + cell as i32 / 2, y + cell as i32 / 2);
                let ink = if luminance(color) > 0.55 { INK } else { WHITE };
                let size = fitting(&count.to_string(), text, cell);
                pen.text(&count.to_string(), middle, size, ink, Place::Middle)?;
            }
        }
        Ok(())
    }

    /// Upper left corner of a cell.
    fn corner(&self, row: usize, column: usize) -> (i32, i32) {
        let Layout { cell, .. } = self.layout;
        let at = |start: u32, idx: usize| (start + idx as u32 * cell) as i32;
        (at(self.layout.left(), column), at(self.layout.top(), row))
    }

    fn draw_frame<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>) -> Drawn<DB> {
        let n = self.layout.n as usize;
        let line = |style: RGBColor| style.stroke_width(pen.scale.len(1));
        // Lines between very small cells would hide them.
        if self.layout.cell >= MIN_TEXT_CELL {
            for idx in 1..n {
                pen.path([self.corner(idx, 0), self.corner(idx, n)], line(GRID))?;
                pen.path([self.corner(0, idx), self.corner(n, idx)], line(GRID))?;
            }
        }
        let (start, end) = (self.corner(0, 0), self.corner(n, n));
        pen.path([start, (end.0, start.1), end, (start.0, end.1), start], line(PALE))
    }

    fn draw_names<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>) -> Drawn<DB> {
        let Layout { n, cell, text, .. } = self.layout;
        let half = cell as i32 / 2;
        let below = (self.layout.top() + self.layout.side()) as i32 + (FIGURES / 2) as i32;
        for class in (0..n as usize).step_by(self.every_name()) {
            let name = self.matrix.name(class);
            let (x, y) = self.corner(class, class);
            let left = (self.layout.left() as i32 - 8, y + half);
            pen.text(&name, left, text, INK, Place::Left)?;
            pen.text(&name, (x + half, below + 4), text, INK, Place::Below)?;
        }
        let middle = (self.layout.side() / 2) as i32;
        let (left, top) = (self.layout.left() as i32, self.layout.top() as i32);
        pen.text("label", ((MARGIN + 4) as i32, top + middle), 15, INK, Place::Upward)?;
        let bottom = self.layout.size().1 - MARGIN - 6;
        pen.text("predicted", (left + middle, bottom as i32), 15, INK, Place::Middle)
    }

    /// Names stand beside every so many rows, so that they do not lie on each other.
    fn every_name(&self) -> usize {
        (self.layout.text + 1).div_ceil(self.layout.cell) as usize
    }

    fn draw_figures<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>) -> Drawn<DB> {
        let Layout { cell, text, .. } = self.layout;
        if cell < MIN_TEXT_CELL {
            return Ok(());
        }
        let n = self.layout.n as usize;
        let half = cell as i32 / 2;
        let (right, bottom) = self.corner(n, n);
        for figures in self.matrix.counts.per_class() {
            let (x, y) = self.corner(figures.class, figures.class);
            pen.text(&percent(figures.recall, cell), (right + 8, y + half), text, PALE, Place::Right)?;
            let precision = percent(figures.precision, cell);
            let size = fitting(&precision, text, cell);
            pen.text(&precision, (x + half, bottom + 14), size, PALE, Place::Middle)?;
        }
        let unit = if cell >= WIDE_CELL { "" } else { " %" };
        let above = self.layout.top() as i32 - 12;
        pen.text(&format!("recall{unit}"), (right + 8, above), text, PALE, Place::Right)?;
        let left = self.layout.left() as i32 - 8;
        pen.text(&format!("precision{unit}"), (left, bottom + 14), text, PALE, Place::Left)
    }
}

fn percent(share: f64, cell: u32) -> String {
    match (share.is_nan(), cell >= WIDE_CELL) {
        (true, _) => "–".into(),
        (false, true) => format!("{:.1} %", 100.0 * share),
        (false, false) => format!("{:.0}", 100.0 * share),
    }
}

/// The size at which the text fits into a cell, `size` if possible. A digit is about half as wide as high.
fn fitting(text: &str, size: u32, cell: u32) -> u32 {
    size.min((cell - 3) * 2 / text.chars().count().max(1) as u32).max(6)
}

/// White where there is nothing. Few mistakes should be seen too, so their share is spread by its square root.
fn cell_color(share: f64, is_right: bool) -> RGBColor {
    let (hue, strength) = if is_right { (TEST, share) } else { (LOSS, share.sqrt()) };
    let mixed = hue.map(|channel| 255.0 + (f64::from(channel) - 255.0) * strength.clamp(0.0, 1.0));
    rgb(mixed.map(|channel| channel.round() as u8))
}

/// 0 (black) to 1 (white), by the weights of ITU-R BT.709.
fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
    (0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue)) / 255.0
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn cells_have_the_color_of_their_share() {
        let (blue, vermilion) = (rgb(TEST), rgb(LOSS));
        assert_eq!((cell_color(1.0, true), cell_color(1.0, false)), (blue, vermilion));
        assert_eq!((cell_color(0.0, true), cell_color(0.0, false)), (WHITE, WHITE));
        let RGBColor(_, green, _) = cell_color(0.01, false);
        assert_eq!(green, (255.0 - 0.1 * f64::from(255 - LOSS[1])).round() as u8);
    }

    #[test]
    fn rows_are_labels_and_columns_predictions() {
        let counts = Confusion::new(2, &[0, 0, 1], &[1, 1, 1]);
        let names = ["a", "b"].map(String::from);
        let matrix = Matrix { title: "t", counts: &counts, classes: &names };
        let picture = image::load_from_memory(&png(&matrix).unwrap()).unwrap().to_rgb8();
        let layout = Layout::new(&matrix);
        let near_corner = |row: u32, column: u32| {
            let at = |start: u32, idx: u32| 2 * (start + idx * layout.cell + 4);
            *picture.get_pixel(at(layout.left(), column), at(layout.top(), row))
        };
        let white = Rgb([255; 3]);
        assert_eq!([near_corner(0, 0), near_corner(0, 1)], [white, Rgb(LOSS)]);
        assert_eq!([near_corner(1, 0), near_corner(1, 1)], [white, Rgb(TEST)]);
    }

    #[test]
    fn any_number_of_classes_can_be_drawn() {
        for n in [1, 10, 47, 256] {
            let labels: Vec<u8> = (0..n).map(|class| class as u8).collect();
            let counts = Confusion::new(n, &labels, &labels);
            let matrix = Matrix { title: "", counts: &counts, classes: &[] };
            let picture = image::load_from_memory(&png(&matrix).unwrap()).unwrap();
            assert!((480..8000).contains(&picture.width()), "{n} classes: {}", picture.width());
        }
    }
}
