//! Why a picture could not be drawn.

use thiserror::Error;

/// Why a picture could not be drawn.
#[derive(Debug, Error)]
pub enum ChartError {
    /// The drawing library gave up.
    #[error("the picture cannot be drawn: {reason}")]
    Draw {
        /// What it says.
        reason: String,
    },
    /// The file's bytes could not be made.
    #[error("the picture cannot be written as PNG")]
    Png(#[from] image::ImageError),
    /// It would be larger than any program shows.
    #[error("the picture would have {width} × {height} pixels")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
}
