//! What the lines of all charts are told apart by: colors of Okabe & Ito's palette ("Color Universal Design", 2002), which
//! color-blind people can tell apart as well.

use plotters::style::RGBColor;

/// Red, green and blue of the loss: vermilion.
pub const LOSS: [u8; 3] = [213, 94, 0];
/// The train accuracy: sky blue.
pub const TRAIN: [u8; 3] = [86, 180, 233];
/// The validation accuracy: bluish green.
pub const VALIDATION: [u8; 3] = [0, 158, 115];
/// The test accuracy: blue.
pub const TEST: [u8; 3] = [0, 114, 178];

/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(64, 64, 64);
/// Text of less weight.
pub(crate) const PALE: RGBColor = RGBColor(128, 128, 128);
/// What should hardly be seen.
pub(crate) const GRID: RGBColor = RGBColor(226, 226, 226);

pub(crate) const fn rgb([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}
