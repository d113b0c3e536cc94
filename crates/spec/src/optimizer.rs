//! What optimizer is asked for.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::SpecError;
use crate::toml_text::TomlText;

mod adam;
mod adamw;
mod rmsprop;
mod sgd;

pub use adam::AdamSpec;
pub use adamw::AdamwSpec;
pub use rmsprop::RmspropSpec;
pub use sgd::SgdSpec;

/// An optimizer with its numbers; names, meaning and defaults are PyTorch's. In a file it is a table, such as
/// `[optimizer.adam]`; a bare name, `optimizer = "sgd"`, means that one's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerSpec {
    /// Adam (Kingma & Ba 2014), PyTorch's `torch.optim.Adam`.
    Adam(AdamSpec),
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2017), PyTorch's `torch.optim.AdamW`.
    Adamw(AdamwSpec),
    /// Stochastic gradient descent, PyTorch's `torch.optim.SGD`.
    Sgd(SgdSpec),
    /// Gradients divided by their root mean square (Tieleman & Hinton 2012), PyTorch's `torch.optim.RMSprop`.
    Rmsprop(RmspropSpec),
}

/// Which optimizer, without its numbers: what `--optimizer` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerKind {
    /// [`OptimizerSpec::Adam`].
    Adam,
    /// [`OptimizerSpec::Adamw`].
    Adamw,
    /// [`OptimizerSpec::Sgd`].
    Sgd,
    /// [`OptimizerSpec::Rmsprop`].
    Rmsprop,
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
            OptimizerKind::Adamw => Self::Adamw(AdamwSpec::default()),
            OptimizerKind::Sgd => Self::Sgd(SgdSpec::default()),
            OptimizerKind::Rmsprop => Self::Rmsprop(RmspropSpec::default()),
        }
    }
}

impl OptimizerSpec {
    /// Which one it is.
    pub fn kind(&self) -> OptimizerKind {
        match self {
            Self::Adam(_) => OptimizerKind::Adam,
            Self::Adamw(_) => OptimizerKind::Adamw,
            Self::Sgd(_) => OptimizerKind::Sgd,
            Self::Rmsprop(_) => OptimizerKind::Rmsprop,
        }
    }

    /// The step size, which every optimizer has. A [`crate::ScheduleSpec`] makes the rate of each step from it.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(adam) => adam.learning_rate,
            Self::Adamw(adamw) => adamw.learning_rate,
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::Rmsprop(rmsprop) => rmsprop.learning_rate,
        }
    }

    /// Puts another step size; not checked before [`OptimizerSpec::validate`].
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        match self {
            Self::Adam(adam) => adam.learning_rate = learning_rate,
            Self::Adamw(adamw) => adamw.learning_rate = learning_rate,
            Self::Sgd(sgd) => sgd.learning_rate = learning_rate,
            Self::Rmsprop(rmsprop) => rmsprop.learning_rate = learning_rate,
        }
    }

    /// Checks every number; the error names the key (`optimizer.adam.beta1`), the value and what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        match self {
            Self::Adam(adam) => adam.validate(),
            Self::Adamw(adamw) => adamw.validate(),
            Self::Sgd(sgd) => sgd.validate(),
            Self::Rmsprop(rmsprop) => rmsprop.validate(),
        }
    }

    pub(crate) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        match self {
            Self::Adam(adam) => {
                adam.write(text);
                Ok(())
            }
            Self::Adamw(adamw) => {
                adamw.write(text);
                Ok(())
            }
            Self::Sgd(sgd) => sgd.write(text),
            Self::Rmsprop(rmsprop) => rmsprop.write(text),
        }
    }
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adam => "adam",
            Self::Adamw => "adamw",
            Self::Sgd => "sgd",
            Self::Rmsprop => "rmsprop",
        })
    }
}

impl FromStr for OptimizerKind {
    type Err = SpecError;

    /// `adam`, `adamw`, `sgd` or `rmsprop`, else [`SpecError::Value`].
    fn from_str(name: &str) -> Result<Self, SpecError> {
        match name {
            "adam" => Ok(Self::Adam),
            "adamw" => Ok(Self::Adamw),
            "sgd" => Ok(Self::Sgd),
            "rmsprop" => Ok(Self::Rmsprop),
            _ => Err(SpecError::Value {
                key: "optimizer".into(),
                value: format!("{name:?}"),
                allowed: "adam, adamw, sgd or rmsprop".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [OptimizerKind; 4] =
        [OptimizerKind::Adam, OptimizerKind::Adamw, OptimizerKind::Sgd, OptimizerKind::Rmsprop];

    #[test]
    fn kinds_read_back_from_their_names() {
        for kind in KINDS {
            assert_eq!(kind.to_string().parse::<OptimizerKind>().unwrap(), kind);
            assert_eq!(OptimizerSpec::from(kind).kind(), kind);
        }
        let error = "lamb".parse::<OptimizerKind>().unwrap_err();
        assert_eq!(error.to_string(), "`optimizer` is \"lamb\", but must be adam, adamw, sgd or rmsprop");
    }

    #[test]
    fn learning_rate_is_read_and_put_for_every_kind() {
        for (kind, default) in KINDS.into_iter().zip([0.001, 0.001, 0.001, 0.01]) {
            let mut spec = OptimizerSpec::from(kind);
            assert_eq!(spec.learning_rate(), default);
            spec.set_learning_rate(0.25);
            assert_eq!(spec.learning_rate(), 0.25);
            spec.validate().unwrap();
        }
    }

    #[test]
    fn impossible_numbers_are_refused_by_key_value_and_range() {
        let adam = AdamSpec::default();
        let adamw = AdamwSpec::default();
        let sgd = SgdSpec::default();
        let rmsprop = RmspropSpec::default();
        let cases: [(OptimizerSpec, &str, &str); 16] = [
            (OptimizerSpec::Adam(AdamSpec { learning_rate: 0.0, ..adam }), "adam.learning_rate", "0.0"),
            (OptimizerSpec::Adam(AdamSpec { learning_rate: f64::NAN, ..adam }), "adam.learning_rate", "NaN"),
            (OptimizerSpec::Adam(AdamSpec { beta1: 1.0, ..adam }), "adam.beta1", "1.0"),
            (OptimizerSpec::Adam(AdamSpec { beta2: -0.1, ..adam }), "adam.beta2", "-0.1"),
            (OptimizerSpec::Adam(AdamSpec { epsilon: 0.0, ..adam }), "adam.epsilon", "0.0"),
            (OptimizerSpec::Adam(AdamSpec { weight_decay: -1e-9, ..adam }), "adam.weight_decay", "-1e-9"),
            (OptimizerSpec::Adamw(AdamwSpec { beta1: 1.0, ..adamw }), "adamw.beta1", "1.0"),
            (OptimizerSpec::Adamw(AdamwSpec { weight_decay: -0.1, ..adamw }), "adamw.weight_decay", "-0.1"),
            (OptimizerSpec::Sgd(SgdSpec { learning_rate: f64::INFINITY, ..sgd }), "sgd.learning_rate", "inf"),
            (OptimizerSpec::Sgd(SgdSpec { momentum: 1.0, ..sgd }), "sgd.momentum", "1.0"),
            (OptimizerSpec::Sgd(SgdSpec { momentum: f64::NAN, ..sgd }), "sgd.momentum", "NaN"),
            (OptimizerSpec::Sgd(SgdSpec { nesterov: true, ..sgd }), "sgd.nesterov", "true"),
            (OptimizerSpec::Sgd(SgdSpec { weight_decay: f64::INFINITY, ..sgd }), "sgd.weight_decay", "inf"),
            (OptimizerSpec::Rmsprop(RmspropSpec { alpha: 1.0, ..rmsprop }), "rmsprop.alpha", "1.0"),
            (OptimizerSpec::Rmsprop(RmspropSpec { epsilon: -1.0, ..rmsprop }), "rmsprop.epsilon", "-1.0"),
            (OptimizerSpec::Rmsprop(RmspropSpec { momentum: 2.0, ..rmsprop }), "rmsprop.momentum", "2.0"),
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
