//! `danlu search`, on small data and in a space of few networks.

mod files;
mod going;
mod refusals;

use crate::support::Place;

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

/// A search file of the search `s`.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) trials: u64,
    pub(crate) sampler: &'a str,
    /// Further keys at the top.
    pub(crate) keys: &'a str,
    /// Further keys of the run.
    pub(crate) run: &'a str,
    pub(crate) grammar: &'a str,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Self { trials: 5, sampler: "\"random\"", keys: "retrain = { best = 0 }", run: "", grammar: GRAMMAR }
    }
}

impl Asked<'_> {
    pub(crate) fn text(&self) -> String {
        let Self { trials, sampler, keys, run, grammar } = self;
        format!(
            "name = \"s\"\nobjectives = [\"validation_accuracy\"]\nsampler = {sampler}\nbudget.trials = {trials}\n{keys}\n\
             [run]\ndata = \"data\"\nepochs = 2\nbatch_size = 32\nvalidation = 0.2\nsubset = 0.5\n{run}\n{grammar}"
        )
    }

    /// A folder with the data and this as the search file `s.toml`.
    pub(crate) fn place(&self) -> Place {
        let place = Place::new();
        place.write("s.toml", self.text());
        place
    }
}
