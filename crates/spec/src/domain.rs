//! What a parameter of a study may be, and what it was.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Domain {
    /// A number.
    Float(FloatDomain),
    /// A whole number.
    Int(IntDomain),
    /// One of these, at least one, all different, in no order.
    Categorical(Vec<Category>),
}

/// The numbers from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct FloatDomain {
    /// Smallest, finite.
    pub low: f64,
    /// Largest, finite, not below `low`; with a step, `low` and a whole number of steps.
    pub high: f64,
    /// What is as far apart as what.
    pub scale: Scale,
    /// Distance of neighbors, above 0; `None`: any number. Never with [`Scale::Log`].
    pub step: Option<f64>,
}

/// The whole numbers `low`, `low + step`, … up to `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct IntDomain {
    /// Smallest.
    pub low: i64,
    /// Largest: `low` and a whole number of steps.
    pub high: i64,
    /// What is as far apart as what.
    pub scale: Scale,
    /// Distance of neighbors, at least 1; 1 with [`Scale::Log`].
    pub step: i64,
}

/// What is as far apart as what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 1 and 2 as 2 and 3.
    #[default]
    Linear,
    /// 1 and 10 as 10 and 100; all values are above 0.
    Log,
}

/// One of the values of a categorical parameter: what Optuna's schema can hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Category {
    /// Python's `None`; Danlu itself makes none.
    None,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text, also the label of what is no single value.
    Text(String),
}

/// The value of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ParamValue {
    /// Of a [`Domain::Float`].
    Float(f64),
    /// Of a [`Domain::Int`].
    Int(i64),
    /// Position among the categories of a [`Domain::Categorical`].
    Category(usize),
}

/// Values by the parameters' names. A parameter whose condition does not hold is absent.
pub type Assignment = BTreeMap<String, ParamValue>;

impl Domain {
    /// Whether the value is one of the domain's.
    pub fn contains(&self, value: ParamValue) -> bool {
        match (self, value) {
            (Self::Float(domain), ParamValue::Float(x)) => {
                // As exactly as Optuna asks for it.
                let is_on_step = |step: f64| {
                    let n_steps = (x - domain.low) / step;
                    (n_steps - n_steps.round()).abs() < 1e-8
                };
                domain.low <= x && x <= domain.high && domain.step.is_none_or(is_on_step)
            }
            (Self::Int(domain), ParamValue::Int(x)) => {
                domain.low <= x
                    && x <= domain.high
                    && x.abs_diff(domain.low) % domain.step.unsigned_abs() == 0
            }
            (Self::Categorical(categories), ParamValue::Category(idx)) => idx < categories.len(),
            _ => false,
        }
    }

    /// The value as a person reads it.
    pub fn show(&self, value: ParamValue) -> String {
        match (self, value) {
            (Self::Categorical(categories), ParamValue::Category(idx)) => {
                categories.get(idx).map_or_else(|| format!("category {idx}"), Category::to_string)
            }
            (_, ParamValue::Float(x)) => format!("{x}"),
            (_, ParamValue::Int(x)) => format!("{x}"),
            (_, ParamValue::Category(idx)) => format!("category {idx}"),
        }
    }
}

impl IntDomain {
    /// How many values there are; one less for all 2^64.
    pub fn n_values(&self) -> u64 {
        (self.high.abs_diff(self.low) / self.step.unsigned_abs()).saturating_add(1)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_knows_its_values() {
        let int = IntDomain { low: 4, high: 10, scale: Scale::Linear, step: 3 };
        assert_eq!(int.n_values(), 3);
        let int = Domain::Int(int);
        let widest = Domain::Int(IntDomain { low: i64::MIN, high: i64::MAX, scale: Scale::Linear, step: 1 });
        let float = Domain::Float(FloatDomain { low: 0.0, high: 1.0, scale: Scale::Linear, step: None });
        let categories = Domain::Categorical(vec![Category::Text("a".into()), Category::Bool(true)]);
        let cases = [
            (&int, ParamValue::Int(7), true),
            (&int, ParamValue::Int(8), false),
            (&int, ParamValue::Int(13), false),
            (&int, ParamValue::Float(7.0), false),
            (&widest, ParamValue::Int(i64::MAX), true),
            (&float, ParamValue::Float(1.0), true),
            (&float, ParamValue::Float(f64::NAN), false),
            (&categories, ParamValue::Category(1), true),
            (&categories, ParamValue::Category(2), false),
        ];
        for (domain, value, expected) in cases {
            assert_eq!(domain.contains(value), expected, "{domain:?} {value:?}");
        }
        assert_eq!(categories.show(ParamValue::Category(1)), "true");
    }
}
