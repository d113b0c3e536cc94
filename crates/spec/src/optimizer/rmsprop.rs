//! Numbers of RMSProp.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_above_zero, check_not_negative, check_share};
use crate::toml_text::TomlText;

/// Parameters of [`crate::OptimizerSpec::Rmsprop`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmspropSpec {
    /// Step size; default 0.01.
    pub learning_rate: f64,
    /// Decay of the mean of squared gradients; default 0.99.
    pub alpha: f64,
    /// Added to the root of the mean square; default 1e-8.
    pub epsilon: f64,
    /// Share of the last step's direction that is kept; default 0.
    pub momentum: f64,
    /// Whether gradients are divided by the root of their variance, not of their mean square (Graves 2013); default
    /// off.
    pub centered: bool,
    /// This times the weight is added to the gradient; default 0.
    pub weight_decay: f64,
}

impl Default for RmspropSpec {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            centered: false,
            weight_decay: 0.0,
        }
    }
}

impl RmspropSpec {
    pub(super) fn validate(&self) -> Result<(), SpecError> {
        check_above_zero("optimizer.rmsprop.learning_rate", self.learning_rate)?;
        check_share("optimizer.rmsprop.alpha", self.alpha)?;
        check_above_zero("optimizer.rmsprop.epsilon", self.epsilon)?;
        check_share("optimizer.rmsprop.momentum", self.momentum)?;
        check_not_negative("optimizer.rmsprop.weight_decay", self.weight_decay)
    }

    pub(super) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { learning_rate, alpha, epsilon, momentum, centered, weight_decay } = *self;
        text.table("[optimizer.rmsprop]");
        text.float("learning_rate", learning_rate);
        text.float("alpha", alpha);
        text.float("epsilon", epsilon);
        text.float("momentum", momentum);
        text.key("centered", &centered)?;
        text.float("weight_decay", weight_decay);
        Ok(())
    }
}
