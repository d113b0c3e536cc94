//! Colors from the 256 that nearly every terminal has, nearest to those of Okabe & Ito in the picture files.

use ratatui::style::Color;

/// Vermilion, (215, 95, 0).
pub(super) const LOSS: Color = Color::Indexed(166);
/// Sky blue, (95, 175, 255).
pub(super) const TRAIN: Color = Color::Indexed(75);
/// Bluish green, (0, 175, 135).
pub(super) const VALIDATION: Color = Color::Indexed(36);
/// Blue, (0, 135, 215): a little lighter than in the files, for dark backgrounds.
pub(super) const TEST: Color = Color::Indexed(32);
/// What should not draw the eye, on dark and light.
pub(super) const PALE: Color = Color::Indexed(244);
