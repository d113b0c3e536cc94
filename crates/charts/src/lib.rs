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

use spec::RunRecord;

pub use colors::{LOSS, TEST, TRAIN, VALIDATION};
pub use error::ChartError;

/// Letters of the network's name that a title has, and of the data set's.
const MAX_SUBJECT: usize = 24;

/// What a title begins with: `lenet on fashion-mnist`, of long names the beginning, and other words for those that the
/// font has no letters for.
pub fn subject(record: &RunRecord) -> String {
    let of = |name: &str, else_said: &str| match canvas::has_letters(name) {
        true => shortened(name, MAX_SUBJECT),
        false => else_said.into(),
    };
    format!("{} on {}", of(&record.spec.network.name, "network"), of(&record.data.name, "data"))
}

/// How a class is called in a picture: by its name, or by its number where it has none or the font lacks one of its letters.
pub fn class_name(classes: &[String], class: usize) -> String {
    match classes.get(class) {
        Some(name) if !name.is_empty() && canvas::has_letters(name) => name.clone(),
        _ => class.to_string(),
    }
}

/// A name of at most `max` letters, the last of them an ellipsis where there were more.
fn shortened(name: &str, max: usize) -> String {
    match name.chars().count() > max {
        true => name.chars().take(max - 1).chain(['…']).collect(),
        false => name.into(),
    }
}
