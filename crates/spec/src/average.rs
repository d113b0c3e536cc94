//! The average of the parameters over the steps.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::check_share;
use crate::toml_text::TomlText;

/// An exponential moving average of all parameters and running statistics. It is what is evaluated and saved; the
/// parameters themselves are what is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AverageSpec {
    /// Share of the average that a step keeps, from 0 to below 1. See [`AverageSpec::keep`].
    pub decay: f64,
}

impl AverageSpec {
    /// What update `step`, counted from 0, keeps of the average: the smaller of the decay and (1 + step) / (10 + step),
    /// so that the first steps do not weigh for long (TensorFlow's `ExponentialMovingAverage` with `num_updates`).
    pub fn keep(&self, step: usize) -> f64 {
        let step = step as f64;
        self.decay.min((1.0 + step) / (10.0 + step))
    }

    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        check_share("average.decay", self.decay)
    }

    pub(crate) fn write(&self, text: &mut TomlText) {
        text.table("[average]");
        text.float("decay", self.decay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_steps_keep_less() {
        let average = AverageSpec { decay: 0.9 };
        assert_eq!([0, 5, 80, 81, 1000].map(|step| average.keep(step)), [0.1, 0.4, 0.9, 0.9, 0.9]);
    }
}
