//! From bytes to numbers: what is asked for.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::SpecError;

/// What becomes of the bytes of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizationSpec {
    /// 0 to 255 becomes 0 to 1, as torchvision's `ToTensor` does.
    #[default]
    Unit,
    /// Each channel to mean 0 and standard deviation 1, measured on the training part alone.
    Standard,
}

impl FromStr for NormalizationSpec {
    type Err = SpecError;

    /// `unit` or `standard`, else [`SpecError::Value`].
    fn from_str(name: &str) -> Result<Self, SpecError> {
        match name {
            "unit" => Ok(Self::Unit),
            "standard" => Ok(Self::Standard),
            _ => Err(SpecError::Value {
                key: "normalization".into(),
                value: format!("{name:?}"),
                allowed: "unit or standard".into(),
            }),
        }
    }
}
