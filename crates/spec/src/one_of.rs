//! Reading a choice: a table with exactly one key, or a bare name where the choice has nothing more to say.
//!
//! serde's derived enums read the same files, but say `expected newtype variant` of `layer = "linear"` and
//! `wanted exactly 1 element` of two optimizers in one file.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{LayerSpec, OptimizerKind, OptimizerSpec};

/// The value of a choice that has no parameters: `relu = {}`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum LayerTag {
    Conv2d,
    LeakyRelu,
    Relu,
    MaxPool2d,
    Flatten,
    Linear,
    Add,
}

struct LayerVisitor;

impl<'de> Deserialize<'de> for LayerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LayerVisitor)
    }
}

impl<'de> Visitor<'de> for LayerVisitor {
    type Value = LayerSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a layer's name or a table of one layer")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<LayerSpec, E> {
        match LayerTag::deserialize(de::value::StrDeserializer::new(name))? {
            LayerTag::Relu => Ok(LayerSpec::Relu),
            LayerTag::Flatten => Ok(LayerSpec::Flatten),
            LayerTag::Add => Ok(LayerSpec::Add),
            LayerTag::Conv2d => Err(needs_table(name, "out_channels = …, kernel = …")),
            LayerTag::LeakyRelu => Err(needs_table(name, "slope = …")),
            LayerTag::MaxPool2d => Err(needs_table(name, "kernel = …")),
            LayerTag::Linear => Err(needs_table(name, "out_features = …")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LayerSpec, A::Error> {
        let tag = map.next_key()?.ok_or_else(|| de::Error::custom("empty table, expected one layer"))?;
        let layer = match tag {
            LayerTag::Conv2d => LayerSpec::Conv2d(map.next_value()?),
            LayerTag::LeakyRelu => LayerSpec::LeakyRelu(map.next_value()?),
            LayerTag::Relu => map.next_value::<Empty>().map(|_| LayerSpec::Relu)?,
            LayerTag::MaxPool2d => LayerSpec::MaxPool2d(map.next_value()?),
            LayerTag::Flatten => map.next_value::<Empty>().map(|_| LayerSpec::Flatten)?,
            LayerTag::Linear => LayerSpec::Linear(map.next_value()?),
            LayerTag::Add => map.next_value::<Empty>().map(|_| LayerSpec::Add)?,
        };
        expect_end(map, "a node has one layer")?;
        Ok(layer)
    }
}

fn needs_table<E: de::Error>(name: &str, keys: &str) -> E {
    E::custom(format_args!("`{name}` needs numbers: write {{ {name} = {{ {keys} }} }}"))
}

struct OptimizerVisitor;

impl<'de> Deserialize<'de> for OptimizerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OptimizerVisitor)
    }
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum OptimizerTag {
    Adam,
    Sgd,
}

impl<'de> Visitor<'de> for OptimizerVisitor {
    type Value = OptimizerSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an optimizer's name or a table of one optimizer")
    }

    /// A name alone: that optimizer with its defaults.
    fn visit_str<E: de::Error>(self, name: &str) -> Result<OptimizerSpec, E> {
        Ok(match OptimizerTag::deserialize(de::value::StrDeserializer::new(name))? {
            OptimizerTag::Adam => OptimizerKind::Adam.into(),
            OptimizerTag::Sgd => OptimizerKind::Sgd.into(),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OptimizerSpec, A::Error> {
        let tag = map.next_key()?.ok_or_else(|| de::Error::custom("empty table, expected one optimizer"))?;
        let optimizer = match tag {
            OptimizerTag::Adam => OptimizerSpec::Adam(map.next_value()?),
            OptimizerTag::Sgd => OptimizerSpec::Sgd(map.next_value()?),
        };
        expect_end(map, "a run has one optimizer")?;
        Ok(optimizer)
    }
}

fn expect_end<'de, A: MapAccess<'de>>(mut map: A, rule: &str) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        None => Ok(()),
        Some(key) => {
            map.next_value::<IgnoredAny>()?;
            Err(de::Error::custom(format_args!("`{key}` is one too many: {rule}")))
        }
    }
}
