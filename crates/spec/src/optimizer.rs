//! What optimizer is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::check_value;
use crate::toml_text::TomlText;

/// An optimizer with its numbers; names, meaning and defaults are PyTorch's. In a file it is a table:
/// `[optimizer.adam]` or `[optimizer.sgd]`; a bare name, `optimizer = "sgd"`, means that one's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerSpec {
    /// Adam (Kingma & Ba 2014), PyTorch's `torch.optim.Adam`.
    Adam(AdamSpec),
    /// Stochastic gradient descent, PyTorch's `torch.optim.SGD`.
    Sgd(SgdSpec),
}

/// Parameters of [`OptimizerSpec::Adam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamSpec {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Decay of the mean of gradients; default 0.9.
    pub beta1: f64,
    /// Decay of the mean of squared gradients; default 0.999.
    pub beta2: f64,
    /// Added to the root of the mean square; default 1e-8.
    pub epsilon: f64,
    /// This times the weight is added to the gradient (L2, not AdamW's decoupled decay); default 0.
    pub weight_decay: f64,
}

/// Parameters of [`OptimizerSpec::Sgd`].
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

/// Which optimizer, without its numbers: what `--optimizer` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerKind {
    /// [`OptimizerSpec::Adam`].
    Adam,
    /// [`OptimizerSpec::Sgd`].
    Sgd,
}

impl Default for AdamSpec {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl Default for SgdSpec {
    fn default() -> Self {
        Self { learning_rate: 0.001, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl Default for OptimizerSpec {
    /// The tutorial's: Adam with its defaults.
    fn default() -> Self {
        OptimizerKind::Adam.into()
    }
}

impl From<OptimizerKind> for OptimizerSpec {
    /// The optimizer of that kind with its defaults.
    fn from(kind: OptimizerKind) -> Self {
        match kind {
            OptimizerKind::Adam => Self::Adam(AdamSpec::default()),
            OptimizerKind::Sgd => Self::Sgd(SgdSpec::default()),
        }
    }
}

impl OptimizerSpec {
    /// Which one it is.
    pub fn kind(&self) -> OptimizerKind {
        match self {
            Self::Adam(_) => OptimizerKind::Adam,
            Self::Sgd(_) => OptimizerKind::Sgd,
        }
    }

    /// The step size, which every optimizer has.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(adam) => adam.learning_rate,
            Self::Sgd(sgd) => sgd.learning_rate,
        }
    }

    /// Puts another step size; not checked before [`OptimizerSpec::validate`].
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        match self {
            Self::Adam(adam) => adam.learning_rate = learning_rate,
            Self::Sgd(sgd) => sgd.learning_rate = learning_rate,
        }
    }

    /// Checks every number; the error names the key (`optimizer.adam.beta1`), the value and what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        match self {
            Self::Adam(adam) => adam.validate(),
            Self::Sgd(sgd) => sgd.validate(),
        }
    }

    pub(crate) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        match self {
            Self::Adam(adam) => {
                adam.write(text);
                Ok(())
            }
            Self::Sgd(sgd) => sgd.write(text),
        }
    }
}

impl AdamSpec {
    fn validate(&self) -> Result<(), SpecError> {
        check_above_zero("optimizer.adam.learning_rate", self.learning_rate)?;
        check_share("optimizer.adam.beta1", self.beta1)?;
        check_share("optimizer.adam.beta2", self.beta2)?;
        check_above_zero("optimizer.adam.epsilon", self.epsilon)?;
        check_not_negative("optimizer.adam.weight_decay", self.weight_decay)
    }

    fn write(&self, text: &mut TomlText) {
        let Self { learning_rate, beta1, beta2, epsilon, weight_decay } = *self;
        text.table("[optimizer.adam]");
        text.float("learning_rate", learning_rate);
        text.float("beta1", beta1);
        text.float("beta2", beta2);
        text.float("epsilon", epsilon);
        text.float("weight_decay", weight_decay);
    }
}

impl SgdSpec {
    fn validate(&self) -> Result<(), SpecError> {
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

    fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { learning_rate, momentum, nesterov, weight_decay } = *self;
        text.table("[optimizer.sgd]");
        text.float("learning_rate", learning_rate);
        text.float("momentum", momentum);
        text.key("nesterov", &nesterov)?;
        text.float("weight_decay", weight_decay);
        Ok(())
    }
}

fn check_above_zero(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (value as f32).is_finite() && value as f32 > 0.0;
    check_value(ok, key, format_args!("{value:?}"), "a finite number above 0, in single precision too")
}

fn check_not_negative(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (value as f32).is_finite() && value >= 0.0;
    check_value(ok, key, format_args!("{value:?}"), "a finite number, 0 or above")
}

fn check_share(key: &str, value: f64) -> Result<(), SpecError> {
    let ok = (0.0..1.0).contains(&value);
    check_value(ok, key, format_args!("{value:?}"), "a number from 0 to below 1")
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adam => "adam",
            Self::Sgd => "sgd",
        })
    }
}

impl FromStr for OptimizerKind {
    type Err = SpecError;

    /// `adam` or `sgd`, else [`SpecError::Value`].
    fn from_str(name: &str) -> Result<Self, SpecError> {
        match name {
            "adam" => Ok(Self::Adam),
            "sgd" => Ok(Self::Sgd),
            _ => Err(SpecError::Value {
                key: "optimizer".into(),
                value: format!("{name:?}"),
                allowed: "adam or sgd".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_back_from_their_names() {
        for kind in [OptimizerKind::Adam, OptimizerKind::Sgd] {
            assert_eq!(kind.to_string().parse::<OptimizerKind>().unwrap(), kind);
            assert_eq!(OptimizerSpec::from(kind).kind(), kind);
        }
        let error = "rmsprop".parse::<OptimizerKind>().unwrap_err();
        assert_eq!(error.to_string(), "`optimizer` is \"rmsprop\", but must be adam or sgd");
    }

    #[test]
    fn learning_rate_is_read_and_put_for_every_kind() {
        for kind in [OptimizerKind::Adam, OptimizerKind::Sgd] {
            let mut spec = OptimizerSpec::from(kind);
            assert_eq!(spec.learning_rate(), 0.001);
            spec.set_learning_rate(0.25);
            assert_eq!(spec.learning_rate(), 0.25);
            spec.validate().unwrap();
        }
    }

    #[test]
    fn impossible_numbers_are_refused_by_key_value_and_range() {
        let adam = AdamSpec::default();
        let sgd = SgdSpec::default();
        let cases: [(OptimizerSpec, &str, &str); 11] = [
            (OptimizerSpec::Adam(AdamSpec { learning_rate: 0.0, ..adam }), "adam.learning_rate", "0.0"),
            (OptimizerSpec::Adam(AdamSpec { learning_rate: f64::NAN, ..adam }), "adam.learning_rate", "NaN"),
            (OptimizerSpec::Adam(AdamSpec { beta1: 1.0, ..adam }), "adam.beta1", "1.0"),
            (OptimizerSpec::Adam(AdamSpec { beta2: -0.1, ..adam }), "adam.beta2", "-0.1"),
            (OptimizerSpec::Adam(AdamSpec { epsilon: 0.0, ..adam }), "adam.epsilon", "0.0"),
            (OptimizerSpec::Adam(AdamSpec { weight_decay: -1e-9, ..adam }), "adam.weight_decay", "-1e-9"),
            (OptimizerSpec::Sgd(SgdSpec { learning_rate: f64::INFINITY, ..sgd }), "sgd.learning_rate", "inf"),
            (OptimizerSpec::Sgd(SgdSpec { momentum: 1.0, ..sgd }), "sgd.momentum", "1.0"),
            (OptimizerSpec::Sgd(SgdSpec { momentum: f64::NAN, ..sgd }), "sgd.momentum", "NaN"),
            (OptimizerSpec::Sgd(SgdSpec { nesterov: true, ..sgd }), "sgd.nesterov", "true"),
            (OptimizerSpec::Sgd(SgdSpec { weight_decay: f64::INFINITY, ..sgd }), "sgd.weight_decay", "inf"),
        ];
        for (spec, key, value) in cases {
            let message = spec.validate().unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("`optimizer.{key}` is {value}, but must be ")),
                "{key}: {message}"
            );
        }
        OptimizerSpec::Sgd(SgdSpec { momentum: 0.9, nesterov: true, ..sgd }).validate().unwrap();
    }
}
