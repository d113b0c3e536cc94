//! `danlu search`, on small data and in a space of few networks.

mod files;
mod going;
mod refusals;

use crate::study::Asked;

/// Means of 4 × 4 pixels, then two convolutions without border: of two kernels of 5 the second finds no room.
pub(crate) const GRAMMAR: &str = r#"
[grammar]
input = [1, 28, 28]
layers = 2
stem = [{ name = "small", layer = { avg_pool2d = { kernel = 4 } } }]
layer = [
    { name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = "$kernel" } } },
    { name = "act", layer = "relu" },
]
head = [{ name = "flatten", layer = "flatten" }, { name = "fc", layer = { linear = { out_features = "$classes" } } }]

[[grammar.decision]]
name = "kernel"
choices = [1, 3, 5]

[[grammar.decision]]
name = "filters"
choices = [2, 4]
"#;

pub(crate) const RUN: &str =
    "[run]\ndata = \"data\"\nepochs = 2\nbatch_size = 32\nvalidation = 0.2\nsubset = 0.5\n";

/// A search file of the search `s`.
pub(crate) fn searched() -> Asked<'static> {
    Asked { trials: 5, run: RUN, parameters: GRAMMAR, ..Asked::default() }
}
