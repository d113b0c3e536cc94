//! A trial of a study: what was tried and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::domain::{Domain, ParamValue};

/// What is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smaller values.
    Minimize,
    /// Larger values.
    Maximize,
}

/// How far a trial came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TrialState {
    /// Somebody wants it tried, or whoever tried it is gone.
    Waiting,
    /// Somebody tries it.
    Running,
    /// It has one value for each objective, in their order.
    Complete {
        /// Never NaN.
        #[serde(with = "number::list")]
        values: Vec<f64>,
    },
    /// It was ended early, as it did not look good.
    Pruned {
        /// As [`TrialState::Complete`]; empty where the trial had no intermediate value.
        #[serde(with = "number::list")]
        values: Vec<f64>,
    },
    /// It could not be tried, or gave no number.
    Failed,
}

/// A parameter of a trial with what it could have been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// What it could have been.
    pub domain: Domain,
    /// What it was, a value of `domain`.
    pub value: ParamValue,
}

/// Everything that a store holds of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRecord {
    /// From 0, in the order in which they were begun or enqueued, without gaps.
    pub number: u64,
    /// How far it came.
    pub state: TrialState,
    /// By name.
    pub params: BTreeMap<String, Param>,
    /// By step, the epoch counted from 1; may be NaN or infinite.
    #[serde(with = "number::map")]
    pub intermediate: BTreeMap<u64, f64>,
    /// When it was begun, milliseconds of Unix time (UTC).
    pub started_ms: Option<i64>,
    /// When it ended, milliseconds of Unix time (UTC).
    pub completed_ms: Option<i64>,
    /// What people and Danlu note of it.
    pub user_attributes: BTreeMap<String, Json>,
    /// What programs need to know of it: Optuna's `constraints`, `fixed_params` and so on.
    pub system_attributes: BTreeMap<String, Json>,
}

impl TrialState {
    /// Whether it stays as it is.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// The values of a whole trial.
    pub fn complete_values(&self) -> Option<&[f64]> {
        match self {
            Self::Complete { values } => Some(values),
            _ => None,
        }
    }
}

impl Direction {
    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimize => "minimize",
            Self::Maximize => "maximize",
        }
    }

    /// The value as one that is better when smaller.
    pub fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

impl TrialRecord {
    /// How far it is outside of what is allowed, one number for each constraint, above 0 where it is violated: Optuna's
    /// system attribute `constraints`. Empty: nothing is known or asked.
    pub fn constraints(&self) -> Vec<f64> {
        let list = self.system_attributes.get("constraints").and_then(Json::as_array);
        list.map_or_else(Vec::new, |list| list.iter().map(|x| x.as_f64().unwrap_or(f64::INFINITY)).collect())
    }

    /// Whether no constraint is violated.
    pub fn is_feasible(&self) -> bool {
        self.constraints().iter().all(|&violation| violation <= 0.0)
    }
}

pub use number::Number;

/// Numbers in JSON, which has none that are not finite: those become texts.
mod number {
    use std::collections::BTreeMap;
    use std::fmt;

    use serde::de::{self, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A number that may be NaN or infinite.
    #[derive(Clone, Copy, Debug)]
    pub struct Number(pub f64);

    impl Serialize for Number {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                x if x.is_finite() => serializer.serialize_f64(x),
                x => serializer.collect_str(&x),
            }
        }
    }

    impl<'de> Deserialize<'de> for Number {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(NumberVisitor)
        }
    }

    struct NumberVisitor;

    impl Visitor<'_> for NumberVisitor {
        type Value = Number;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
        }

        fn visit_f64<E>(self, x: f64) -> Result<Number, E> {
            Ok(Number(x))
        }

        fn visit_i64<E>(self, x: i64) -> Result<Number, E> {
            Ok(Number(x as f64))
        }

        fn visit_u64<E>(self, x: u64) -> Result<Number, E> {
            Ok(Number(x as f64))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
            match text {
                "NaN" | "inf" | "-inf" => Ok(Number(text.parse().expect("Rust's own words"))),
                _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }
    }

    pub(super) mod list {
        use super::*;

        pub(in super::super) fn serialize<S: Serializer>(
            list: &[f64],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(list.iter().map(|&x| Number(x)))
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Vec<f64>, D::Error> {
            Ok(Vec::<Number>::deserialize(deserializer)?.into_iter().map(|number| number.0).collect())
        }
    }

    pub(super) mod map {
        use super::*;

        pub(in super::super) fn serialize<S: Serializer>(
            map: &BTreeMap<u64, f64>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_map(map.iter().map(|(step, &x)| (step, Number(x))))
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<BTreeMap<u64, f64>, D::Error> {
            let map = BTreeMap::<u64, Number>::deserialize(deserializer)?;
            Ok(map.into_iter().map(|(step, number)| (step, number.0)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, FloatDomain, Scale};

    #[test]
    fn a_trial_reads_back_from_json() {
        let domain = Domain::Float(FloatDomain { low: 1e-4, high: 0.1, scale: Scale::Log, step: None });
        let choice = Domain::Categorical(vec![Category::Text("a".into()), Category::None]);
        let trial = TrialRecord {
            number: 7,
            state: TrialState::Pruned { values: vec![f64::INFINITY, 0.1 + 0.2] },
            params: BTreeMap::from([
                ("x".into(), Param { domain, value: ParamValue::Float(0.1) }),
                ("c".into(), Param { domain: choice, value: ParamValue::Category(1) }),
            ]),
            intermediate: BTreeMap::from([(1, 0.5), (2, f64::NEG_INFINITY)]),
            started_ms: Some(1),
            completed_ms: None,
            user_attributes: BTreeMap::from([("a".into(), Json::from(vec![1, 2]))]),
            system_attributes: BTreeMap::new(),
        };
        let text = serde_json::to_string(&trial).unwrap();
        assert_eq!(serde_json::from_str::<TrialRecord>(&text).unwrap(), trial);
        let diverged = TrialRecord { intermediate: BTreeMap::from([(1, f64::NAN)]), ..trial };
        let text = serde_json::to_string(&diverged).unwrap();
        assert!(serde_json::from_str::<TrialRecord>(&text).unwrap().intermediate[&1].is_nan());
    }
}
