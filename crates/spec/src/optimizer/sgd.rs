//! Numbers of stochastic gradient descent.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_above_zero, check_not_negative, check_share, check_value};
use crate::toml_text::TomlText;

/// Parameters of [`crate::OptimizerSpec::Sgd`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdSpec {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Share of the last step's direction that is kept; default 0. Dampening is 0, as in PyTorch.
    pub momentum: f64,
    /// Nesterov's variant of momentum; default off.
    pub nesterov: bool,
    /// This times the weight is added to the gradient; default 0.
    pub weight_decay: f64,
}

impl Default for SgdSpec {
    fn default() -> Self {
        Self { learning_rate: 0.001, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl SgdSpec {
    pub(super) fn validate(&self) -> Result<(), SpecError> {
        check_above_zero("optimizer.sgd.learning_rate", self.learning_rate)?;
        check_share("optimizer.sgd.momentum", self.momentum)?;
        check_value(
            !self.nesterov || self.momentum > 0.0,
            "optimizer.sgd.nesterov",
            self.nesterov,
            "false where `optimizer.sgd.momentum` is 0",
        )?;
        check_not_negative("optimizer.sgd.weight_decay", self.weight_decay)
    }

    pub(super) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { learning_rate, momentum, nesterov, weight_decay } = *self;
        text.table("[optimizer.sgd]");
        text.float("learning_rate", learning_rate);
        text.float("momentum", momentum);
        text.key("nesterov", &nesterov)?;
        text.float("weight_decay", weight_decay);
        Ok(())
    }
}
