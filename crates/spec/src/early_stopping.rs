//! When a run ends before its last epoch.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_share, check_value};
use crate::toml_text::TomlText;

/// Ends a run whose validation accuracy no longer rises. It needs a validation part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingSpec {
    /// Epochs in a row without a rise that end the run, at least 1.
    pub patience: usize,
    /// By how much the accuracy must exceed the highest before to count as a rise, from 0 to below 1; default 0: any
    /// rise counts.
    #[serde(default)]
    pub min_delta: f64,
}

impl EarlyStoppingSpec {
    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        check_value(self.patience > 0, "early_stopping.patience", self.patience, "1 or more")?;
        check_share("early_stopping.min_delta", self.min_delta)
    }

    pub(crate) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { patience, min_delta } = *self;
        text.table("[early_stopping]");
        text.key("patience", &patience)?;
        text.float("min_delta", min_delta);
        Ok(())
    }
}
