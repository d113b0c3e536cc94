//! From bytes to numbers: what is asked for.

use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::SpecError;
use crate::error::check_value;

/// What becomes of the bytes of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizationSpec {
    /// 0 to 255 becomes 0 to 1, as torchvision's `ToTensor` does.
    #[default]
    Unit,
    /// Each channel to mean 0 and standard deviation 1, measured on the training part alone.
    Standard,
    /// 0 to 255 becomes the first to the second of these numbers.
    Range(#[serde(deserialize_with = "two_numbers")] [f64; 2]),
}

/// serde's own reading of an array stops at its length and lets more numbers pass.
fn two_numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[f64; 2], D::Error> {
    let numbers = Vec::<f64>::deserialize(deserializer)?;
    let n_numbers = numbers.len();
    numbers.try_into().map_err(|_| D::Error::invalid_length(n_numbers, &"[low, high]"))
}

impl NormalizationSpec {
    /// Checks the numbers; the error names the key.
    pub(crate) fn validate(self) -> Result<(), SpecError> {
        let Self::Range([low, high]) = self else { return Ok(()) };
        // A step of a pixel, and both ends, as the engine sees them.
        let step = ((high - low) / 255.0) as f32;
        let ok = step > 0.0 && step.is_finite() && (low as f32).is_finite() && (high as f32).is_finite();
        let found = format_args!("{:?}", [low, high]).to_string();
        check_value(
            ok,
            "normalization.range",
            found,
            "two numbers in single precision, the second above the first",
        )
    }
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
