//! What the predictions for a data set's samples say of a network: which classes are taken for which, how well each is
//! found, and which samples are the hardest. Pure computation over plain numbers.

mod confusion;
mod predictions;
mod probabilities;

pub use confusion::{ClassFigures, Confused, Confusion};
pub use predictions::Predictions;
pub use probabilities::{softmax, top};
