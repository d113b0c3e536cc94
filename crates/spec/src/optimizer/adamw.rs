//! Numbers of AdamW.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_above_zero, check_not_negative, check_share};
use crate::toml_text::TomlText;

/// Parameters of [`crate::OptimizerSpec::Adamw`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamwSpec {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Decay of the mean of gradients; default 0.9.
    pub beta1: f64,
    /// Decay of the mean of squared gradients; default 0.999.
    pub beta2: f64,
    /// Added to the root of the mean square; default 1e-8.
    pub epsilon: f64,
    /// Each step takes this times the learning rate off the weight, beside Adam's own step; default 0.01.
    pub weight_decay: f64,
}

impl Default for AdamwSpec {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamwSpec {
    pub(super) fn validate(&self) -> Result<(), SpecError> {
        check_above_zero("optimizer.adamw.learning_rate", self.learning_rate)?;
        check_share("optimizer.adamw.beta1", self.beta1)?;
        check_share("optimizer.adamw.beta2", self.beta2)?;
        check_above_zero("optimizer.adamw.epsilon", self.epsilon)?;
        check_not_negative("optimizer.adamw.weight_decay", self.weight_decay)
    }

    pub(super) fn write(&self, text: &mut TomlText) {
        let Self { learning_rate, beta1, beta2, epsilon, weight_decay } = *self;
        text.table("[optimizer.adamw]");
        text.float("learning_rate", learning_rate);
        text.float("beta1", beta1);
        text.float("beta2", beta2);
        text.float("epsilon", epsilon);
        text.float("weight_decay", weight_decay);
    }
}
