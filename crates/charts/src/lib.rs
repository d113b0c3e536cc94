//! The pictures of a run: its curves ([`curves`]), which classes are taken for which ([`confusion`]), the test images that
//! are predicted worst ([`hardest`]), and the search for a learning rate ([`lr_curve`]). Plain data in, the bytes of a
//! file out: nothing here reads or writes one, and no system font is used.

mod canvas;
mod colors;
pub mod confusion;
pub mod curves;
mod error;
pub mod hardest;
pub mod lr_curve;
mod pen;

/// A name of at most `max` letters, the last of them an ellipsis where there were more.
pub fn shortened(name: &str, max: usize) -> String {
    match name.chars().count() > max {
        true => name.chars().take(max - 1).chain(['…']).collect(),
        false => name.into(),
    }
}

pub use colors::{LOSS, TEST, TRAIN, VALIDATION};
pub use error::ChartError;
