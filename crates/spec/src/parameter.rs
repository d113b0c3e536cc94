//! A parameter of a study file: what it is called, where in the run it goes, what it may be, and when there is one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::error::check_value;
use crate::{Category, Domain, FloatDomain, IntDomain, Scale, SpecError};

/// One `[[parameter]]` of a study file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterSpec {
    /// Its name in the store.
    pub name: String,
    /// Where in the run it goes: one dotted key or several. `*` stands for every key of a table; a node is called by its
    /// name in quotes: `network.node."conv.0".layer.conv2d.kernel`. Absent: nowhere by itself, for choices that set keys and
    /// for studies of other programs.
    #[serde(default, deserialize_with = "one_or_many")]
    pub key: Vec<String>,
    /// A number.
    pub float: Option<FloatSpec>,
    /// A whole number.
    pub int: Option<IntSpec>,
    /// One of these.
    pub choices: Option<Vec<ChoiceSpec>>,
    /// It exists where each of these earlier parameters has one of these choices, by their labels.
    #[serde(default)]
    pub when: BTreeMap<String, Labels>,
}

/// `float = { low = 1e-4, high = 0.1, scale = "log" }`
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloatSpec {
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
    /// What is as far apart as what.
    #[serde(default)]
    pub scale: Scale,
    /// Distance of neighbors.
    pub step: Option<f64>,
}

/// `int = { low = 4, high = 16, step = 2 }`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntSpec {
    /// Smallest.
    pub low: i64,
    /// Largest.
    pub high: i64,
    /// What is as far apart as what.
    #[serde(default)]
    pub scale: Scale,
    /// Distance of neighbors; absent: 1.
    pub step: Option<i64>,
}

/// One choice: a value for the parameter's keys, or a table `{ label = …, set = { key = value, … } }` that sets keys of its
/// own.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceSpec {
    /// What the store holds and conditions name.
    pub category: Category,
    /// The value for the parameter's keys.
    pub value: Option<toml::Value>,
    /// Further keys and their values.
    pub set: Vec<(String, toml::Value)>,
}

/// Labels of choices: one or several.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels(pub Vec<toml::Value>);

/// Up to here a float, as which studies keep numbers, holds every whole number: 2^53.
pub const LARGEST_WHOLE: u64 = 1 << f64::MANTISSA_DIGITS;

impl ParameterSpec {
    /// What it may be. Fails if it is not exactly one of `float`, `int` and `choices`.
    pub fn domain(&self) -> Result<Domain, SpecError> {
        match (self.float, self.int, &self.choices) {
            (Some(FloatSpec { low, high, scale, step }), None, None) => {
                Ok(Domain::Float(FloatDomain { low, high, scale, step }))
            }
            (None, Some(IntSpec { low, high, scale, step }), None) => {
                Ok(Domain::Int(IntDomain { low, high, scale, step: step.unwrap_or(1) }))
            }
            (None, None, Some(choices)) => {
                Ok(Domain::Categorical(choices.iter().map(|choice| choice.category.clone()).collect()))
            }
            (None, None, None) => Err(self.fault("incomplete")),
            _ => Err(self.fault("more than one kind")),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        check_value(!self.name.is_empty(), "parameter.name", "\"\"", "a name")?;
        self.domain()?;
        let key = |of: &str| format!("parameter {:?}: {of}", self.name);
        for bound in self.int.iter().flat_map(|int| [int.low, int.high]) {
            let allowed = "between -2^53 and 2^53, as studies keep numbers as floats";
            check_value(bound.unsigned_abs() <= LARGEST_WHOLE, &key("bound"), bound, allowed)?;
        }
        for choice in self.choices.iter().flatten() {
            let is_finite = !matches!(choice.category, Category::Float(x) if !x.is_finite());
            check_value(is_finite, &key("choice"), &choice.category, "finite")?;
        }
        Ok(())
    }

    fn fault(&self, found: &str) -> SpecError {
        SpecError::Value {
            key: format!("parameter {:?}", self.name),
            value: found.into(),
            allowed: "one of `float`, `int` and `choices`".into(),
        }
    }
}

/// The label of a value: itself where it is a single one, else its TOML.
fn category(value: &toml::Value) -> Category {
    match value {
        toml::Value::Boolean(value) => Category::Bool(*value),
        toml::Value::Integer(value) => Category::Int(*value),
        toml::Value::Float(value) => Category::Float(*value),
        toml::Value::String(value) => Category::Text(value.clone()),
        value => Category::Text(value.to_string()),
    }
}

impl Labels {
    /// The categories that are meant.
    pub fn categories(&self) -> Vec<Category> {
        self.0.iter().map(category).collect()
    }
}

impl<'de> Deserialize<'de> for ChoiceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let is_long = |table: &toml::Table| table.contains_key("label");
        match value {
            toml::Value::Table(table) if is_long(&table) => long_choice(table).map_err(de::Error::custom),
            value => Ok(Self { category: category(&value), value: Some(value), set: Vec::new() }),
        }
    }
}

/// `{ label = "one-cycle", value = …, set = { "schedule" = … } }`
fn long_choice(mut table: toml::Table) -> Result<ChoiceSpec, String> {
    let label = table.remove("label").expect("looked at before");
    let value = table.remove("value");
    let set = match table.remove("set") {
        None => Vec::new(),
        Some(toml::Value::Table(set)) => set.into_iter().collect(),
        Some(other) => return Err(format!("`set` is {other}, but must be a table of keys and values")),
    };
    match table.keys().next() {
        Some(key) => Err(format!("unknown field `{key}` of a choice, expected `label`, `value` or `set`")),
        None => Ok(ChoiceSpec { category: category(&label), value, set }),
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match toml::Value::deserialize(deserializer)? {
            toml::Value::Array(labels) => labels,
            label => vec![label],
        }))
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Keys;

    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a key of a run file or a list of keys")
        }

        fn visit_str<E: de::Error>(self, key: &str) -> Result<Vec<String>, E> {
            Ok(vec![key.into()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<Vec<String>, A::Error> {
            let mut all = Vec::new();
            while let Some(key) = keys.next_element()? {
                all.push(key);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Keys)
}
