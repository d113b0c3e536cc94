//! What a training makes small.

use serde::{Deserialize, Serialize};

use crate::error::check_value;
use crate::toml_text::TomlText;
use crate::{LayerSpec, NetworkSpec, SpecError};

/// The loss of one sample with logits z and label y.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossSpec {
    /// `−ln softmax(z)[y]`, PyTorch's `nn.CrossEntropyLoss`.
    CrossEntropy(CrossEntropySpec),
    /// LeNet-5's loss over the outputs −z of its radial basis functions.
    Map(MapSpec),
}

/// Parameters of [`LossSpec::CrossEntropy`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropySpec {
    /// Share of the target that is spread evenly over all classes, from 0 to below 1; default 0.
    #[serde(default)]
    pub label_smoothing: f64,
    /// A factor for each class; the mean over a batch is by weight. Default: none, all 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_weights: Vec<f64>,
}

/// Parameters of [`LossSpec::Map`]: `y + ln(e⁻ʲ + Σ e⁻ʸ)`, the maximum a posteriori criterion (LeCun et al. 1998,
/// equation 9), where y are the outputs −z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapSpec {
    /// j, the distance of the class of rubbish, above 0; default 1.
    #[serde(default = "one")]
    pub rubbish: f64,
}

impl Default for LossSpec {
    /// Cross-entropy as it is.
    fn default() -> Self {
        Self::CrossEntropy(CrossEntropySpec::default())
    }
}

impl Default for MapSpec {
    fn default() -> Self {
        Self { rubbish: one() }
    }
}

impl LossSpec {
    /// The loss that fits the network's outputs, for where nothing says by which one it learned: LeNet-5's own if they
    /// come from radial basis functions, else cross-entropy.
    pub fn fitting(network: &NetworkSpec) -> Self {
        match network.nodes.last().map(|node| &node.layer) {
            Some(LayerSpec::Rbf(_)) => Self::Map(MapSpec::default()),
            _ => Self::default(),
        }
    }

    /// Checks every number, and that there are weights for `classes` classes where there are any; the error names
    /// the key.
    pub fn validate(&self, classes: usize) -> Result<(), SpecError> {
        match self {
            Self::CrossEntropy(CrossEntropySpec { label_smoothing, class_weights }) => {
                let ok = (0.0..1.0).contains(label_smoothing);
                let key = "loss.cross_entropy.label_smoothing";
                check_value(ok, key, label_smoothing, "a number from 0 to below 1")?;
                check_weights(class_weights, classes)
            }
            Self::Map(MapSpec { rubbish }) => {
                let ok = rubbish.is_finite() && *rubbish > 0.0;
                check_value(ok, "loss.map.rubbish", rubbish, "a finite number above 0")
            }
        }
    }

    pub(crate) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        match self {
            Self::CrossEntropy(CrossEntropySpec { label_smoothing, class_weights }) => {
                text.table("[loss.cross_entropy]");
                text.float("label_smoothing", *label_smoothing);
                if !class_weights.is_empty() {
                    text.key("class_weights", class_weights)?;
                }
            }
            Self::Map(MapSpec { rubbish }) => {
                text.table("[loss.map]");
                text.float("rubbish", *rubbish);
            }
        }
        Ok(())
    }
}

fn check_weights(weights: &[f64], classes: usize) -> Result<(), SpecError> {
    let positive = |weight: &f64| (*weight as f32).is_finite() && *weight as f32 > 0.0;
    let ok = weights.is_empty() || (weights.len() == classes && weights.iter().all(positive));
    let allowed = format!("{classes} finite numbers above 0, one for each class");
    check_value(ok, "loss.cross_entropy.class_weights", format_args!("{weights:?}"), &allowed)
}

fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused_by_key() {
        let cross_entropy = |label_smoothing, class_weights: &[f64]| {
            LossSpec::CrossEntropy(CrossEntropySpec {
                label_smoothing,
                class_weights: class_weights.to_vec(),
            })
        };
        let cases = [
            (cross_entropy(1.0, &[]), "`loss.cross_entropy.label_smoothing` is 1, but must be"),
            (cross_entropy(f64::NAN, &[]), "`loss.cross_entropy.label_smoothing` is NaN, but must be"),
            (cross_entropy(0.1, &[1.0]), "`loss.cross_entropy.class_weights` is [1.0], but must be 2 finite"),
            (
                cross_entropy(0.1, &[1.0, 0.0]),
                "`loss.cross_entropy.class_weights` is [1.0, 0.0], but must be",
            ),
            (LossSpec::Map(MapSpec { rubbish: 0.0 }), "`loss.map.rubbish` is 0, but must be"),
        ];
        for (loss, expected) in cases {
            let message = loss.validate(2).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        cross_entropy(0.1, &[1.0, 2.0]).validate(2).unwrap();
        LossSpec::default().validate(2).unwrap();
    }

    #[test]
    fn the_loss_fits_the_outputs() {
        let of = |name| LossSpec::fitting(&crate::preset(name).unwrap());
        assert_eq!(of("lenet-5-1998"), LossSpec::Map(MapSpec { rubbish: 1.0 }));
        assert_eq!(of("lenet"), LossSpec::default());
    }
}
