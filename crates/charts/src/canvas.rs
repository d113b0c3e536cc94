//! What is drawn on: SVG text, or a bitmap that becomes a PNG file.

use std::io::Cursor;
use std::sync::{Once, OnceLock};

use ab_glyph::{Font, FontRef};
use image::{ImageFormat, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use crate::ChartError;
use crate::colors::INK;

/// Any installed font of that kind in an SVG file; in a bitmap the one that this crate carries.
const FONT: &str = "sans-serif";
/// Pixels of a PNG file for each unit of a drawing: fine enough for screens of high density.
const PIXELS: u32 = 2;
/// A bitmap is drawn finer by this factor and then averaged, since the library draws slanted lines without in-between
/// colors and sets letters at whole pixels.
const FINER: u32 = 2;
/// No file has more pixels in a row or column.
const MAX_SIDE: u32 = 1 << 14;

pub(crate) type Area<DB> = DrawingArea<DB, Shift>;
pub(crate) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Sizes on a canvas: what a unit of the drawing is in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale(u32);

impl Scale {
    pub(crate) fn px(self, units: i32) -> i32 {
        units * self.0 as i32
    }

    pub(crate) fn len(self, units: u32) -> u32 {
        units * self.0
    }

    pub(crate) fn font(self, size: u32) -> TextStyle<'static> {
        (FONT, self.len(size)).into_font().color(&INK)
    }
}

/// A drawing that both kinds of canvas can show.
pub(crate) trait Drawing {
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB>;
}

/// The drawing as an SVG file of `size` units, width first.
pub(crate) fn svg(size: (u32, u32), drawing: &impl Drawing) -> Result<String, ChartError> {
    register();
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    drawing.draw(&area, Scale(1)).and_then(|()| area.present()).map_err(refused)?;
    drop(area);
    Ok(text)
}

/// The drawing as a PNG file, [`PIXELS`] to a unit.
pub(crate) fn png((width, height): (u32, u32), drawing: &impl Drawing) -> Result<Vec<u8>, ChartError> {
    register();
    let factor = PIXELS * FINER;
    if width.max(height) > MAX_SIDE / PIXELS {
        return Err(ChartError::TooLarge {
            width: width.saturating_mul(PIXELS),
            height: height.saturating_mul(PIXELS),
        });
    }
    let size @ (fine_width, fine_height) = (width * factor, height * factor);
    let mut fine = vec![0; 3 * fine_width as usize * fine_height as usize];
    let area = BitMapBackend::with_buffer(&mut fine, size).into_drawing_area();
    drawing.draw(&area, Scale(factor)).and_then(|()| area.present()).map_err(refused)?;
    drop(area);
    encode(&averaged(&fine, width * PIXELS, height * PIXELS))
}

/// Means of squares of [`FINER`] by [`FINER`] pixels.
fn averaged(fine: &[u8], width: u32, height: u32) -> RgbImage {
    let row_len = (3 * width * FINER) as usize;
    let mut picture = RgbImage::new(width, height);
    let rows = picture.chunks_exact_mut(3 * width as usize);
    for (row, of) in rows.zip(fine.chunks_exact(row_len * FINER as usize)) {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            for (channel, value) in pixel.iter_mut().enumerate() {
                let first = 3 * FINER as usize * x + channel;
                let sum: u32 = [first, first + 3, first + row_len, first + row_len + 3]
                    .map(|at| u32::from(of[at]))
                    .iter()
                    .sum();
                *value = (sum / (FINER * FINER)) as u8;
            }
        }
    }
    picture
}

fn encode(picture: &RgbImage) -> Result<Vec<u8>, ChartError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn refused<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Draw { reason: error.to_string() }
}

/// Whether the font of bitmaps has all letters of a text; the others would be empty boxes.
pub(crate) fn has_letters(text: &str) -> bool {
    static LETTERS: OnceLock<FontRef<'_>> = OnceLock::new();
    let font = LETTERS.get_or_init(|| {
        FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT)
            .expect("the font is a constant that can be read")
    });
    text.chars().all(|c| font.glyph_id(c).0 != 0)
}

/// Puts the font into the library's table, which text of any canvas is measured by.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = epaint_default_fonts::UBUNTU_LIGHT;
        let registered = register_font(FONT, FontStyle::Normal, font);
        assert!(registered.is_ok(), "the font is a constant that can be read");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_the_font_lacks_are_known() {
        for (text, expected) in
            [("T-shirt/top …", true), ("Öl мышь αβγ", true), ("猫头鹰", false), ("owl 猫", false)]
        {
            assert_eq!(has_letters(text), expected, "{text}");
        }
    }

    #[test]
    fn four_pixels_become_their_mean() {
        let fine: Vec<u8> = (0..2 * 4).flat_map(|at| [at, 10 * at, 255]).collect();
        let picture = averaged(&fine, 2, 1);
        // Columns 0 and 1, then 2 and 3, of the rows 0 to 3 and 4 to 7.
        assert_eq!(picture.get_pixel(0, 0).0, [2, 25, 255]);
        assert_eq!(picture.get_pixel(1, 0).0, [4, 45, 255]);
    }

    struct Nothing;

    impl Drawing for Nothing {
        fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, _scale: Scale) -> Drawn<DB> {
            area.fill(&WHITE)
        }
    }

    #[test]
    fn sizes_are_those_asked_for_up_to_a_limit() {
        let picture = image::load_from_memory(&png((7, 3), &Nothing).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (14, 6));
        assert!(matches!(png((9000, 1), &Nothing), Err(ChartError::TooLarge { width: 18_000, height: 2 })));
    }
}
