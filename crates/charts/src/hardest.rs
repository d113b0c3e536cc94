//! The images that a network predicts worst, with what they are and what they are taken for.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use plotters::prelude::*;

use crate::canvas::{self, Area, Drawing, Drawn, Scale};
use crate::colors::{INK, PALE, rgb};
use crate::pen::{Pen, Place};
use crate::{ChartError, LOSS, TEST, shortened};

/// Images in a row.
const N_COLUMNS: usize = 8;
/// The most images that are shown.
pub const N_IMAGES: usize = 40;
/// The longer side of an image, in units: whole multiples of 28 and, on a bitmap, of 32.
const SIDE: u32 = 112;
const GAP: u32 = 14;
/// Two lines of text below an image.
const LINES: u32 = 36;
const MARGIN: u32 = 18;
const TITLE: u32 = 36;
/// Letters of a label that are shown, and of a prediction, which its confidence stands beside.
const MAX_LABEL: usize = 15;
const MAX_PREDICTED: usize = 11;

/// One image and its prediction.
#[derive(Clone, Copy, Debug)]
pub struct HardImage<'a> {
    /// `[C][H][W]`, C is 1 (gray) or 3 (red, green, blue).
    pub pixels: &'a [u8],
    /// What it is.
    pub label: &'a str,
    /// What it is taken for.
    pub predicted: &'a str,
    /// Whether that is right.
    pub is_right: bool,
    /// The probability of the prediction, 0 to 1.
    pub confidence: f32,
}

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Hardest<'a> {
    /// What the images are of.
    pub title: &'a str,
    /// C, H and W.
    pub shape: [usize; 3],
    /// The worst first; those after the first [`N_IMAGES`] are left out.
    pub images: &'a [HardImage<'a>],
}

/// The images as a PNG file.
pub fn png(hardest: &Hardest<'_>) -> Result<Vec<u8>, ChartError> {
    let n_rows = hardest.shown().len().div_ceil(N_COLUMNS).max(1) as u32;
    let width = 2 * MARGIN + N_COLUMNS as u32 * (SIDE + GAP) - GAP;
    let height = 2 * MARGIN + TITLE + n_rows * (SIDE + LINES + GAP) - GAP;
    canvas::png((width, height), hardest)
}

impl Hardest<'_> {
    fn shown(&self) -> &[HardImage<'_>] {
        &self.images[..self.images.len().min(N_IMAGES)]
    }
}

impl Drawing for Hardest<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        area.fill(&WHITE)?;
        let pen = Pen { area, scale };
        pen.text(self.title, (MARGIN as i32, MARGIN as i32 + 8), 18, INK, Place::Right)?;
        for (idx, image) in self.shown().iter().enumerate() {
            let column = MARGIN + (idx % N_COLUMNS) as u32 * (SIDE + GAP);
            let row = MARGIN + TITLE + (idx / N_COLUMNS) as u32 * (SIDE + LINES + GAP);
            let corner = (column as i32, row as i32);
            draw_picture(&pen, self.shape, image.pixels, corner)?;
            draw_lines(&pen, image, (corner.0, corner.1 + SIDE as i32))?;
        }
        Ok(())
    }
}

fn draw_picture<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    shape: [usize; 3],
    pixels: &[u8],
    (left, top): (i32, i32),
) -> Drawn<DB> {
    let picture = fitted(&colored(shape, pixels), pen.scale.len(SIDE));
    let side = pen.scale.px(SIDE as i32);
    let (x, y) = (
        pen.scale.px(left) + (side - picture.width() as i32) / 2,
        pen.scale.px(top) + (side - picture.height() as i32) / 2,
    );
    let size = picture.dimensions();
    let element = BitMapElement::with_owned_buffer((x, y), size, picture.into_raw());
    pen.area.draw(&element.expect("three bytes for each pixel"))
}

fn colored([channels, height, width]: [usize; 3], pixels: &[u8]) -> RgbImage {
    let plane = height * width;
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        Rgb([0, 1, 2].map(|channel: usize| pixels[channel.min(channels - 1) * plane + at]))
    })
}

/// The picture with its longer side at most `side`: its pixels enlarged by a whole number, or averaged.
fn fitted(picture: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer > side {
        let shrunk = |len: u32| (len * side / longer).max(1);
        return imageops::resize(picture, shrunk(width), shrunk(height), FilterType::Triangle);
    }
    let zoom = side / longer;
    imageops::resize(picture, width * zoom, height * zoom, FilterType::Nearest)
}

fn draw_lines<DB: DrawingBackend>(pen: &Pen<'_, DB>, image: &HardImage<'_>, (x, y): (i32, i32)) -> Drawn<DB> {
    let color = rgb(if image.is_right { TEST } else { LOSS });
    pen.text(&shortened(image.label, MAX_LABEL), (x, y + 11), 14, INK, Place::Right)?;
    pen.text(&shortened(image.predicted, MAX_PREDICTED), (x, y + 27), 14, color, Place::Right)?;
    let confidence = format!("{:.0} %", 100.0 * image.confidence);
    pen.text(&confidence, (x + SIDE as i32, y + 27), 12, PALE, Place::Left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_enlarged_by_a_whole_number_or_averaged() {
        for (size, expected) in [((28, 28), (448, 448)), ((32, 16), (448, 224)), ((1000, 500), (448, 224))] {
            let picture = RgbImage::from_pixel(size.0, size.1, Rgb([9, 8, 7]));
            let fitted = fitted(&picture, 448);
            assert_eq!(fitted.dimensions(), expected, "{size:?}");
            assert!(fitted.pixels().all(|pixel| pixel.0 == [9, 8, 7]));
        }
    }

    #[test]
    fn planes_become_colors_and_gray_is_gray() {
        assert_eq!(colored([3, 1, 2], &[1, 2, 3, 4, 5, 6]).as_raw(), &[1, 3, 5, 2, 4, 6]);
        assert_eq!(colored([1, 2, 1], &[7, 8]).as_raw(), &[7, 7, 7, 8, 8, 8]);
    }

    #[test]
    fn the_sheet_grows_by_rows_and_has_an_end() {
        let name = "a very long name of a class";
        let image =
            HardImage { pixels: &[200; 4], label: name, predicted: "b", is_right: false, confidence: 1.0 };
        let height = |n: usize| {
            let images = vec![image; n];
            let hardest = Hardest { title: "t", shape: [1, 2, 2], images: &images };
            image::load_from_memory(&png(&hardest).unwrap()).unwrap().height()
        };
        let row = 2 * (SIDE + LINES + GAP);
        assert_eq!(height(0), height(8));
        assert_eq!(height(9), height(8) + row);
        assert_eq!(height(500), height(8) + 4 * row);
    }
}
