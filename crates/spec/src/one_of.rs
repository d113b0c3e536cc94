//! Reading a choice: a table with exactly one key, or a bare name where the choice has nothing more to say.
//!
//! serde's derived enums read the same files, but say `expected newtype variant` of `layer = "linear"` and
//! `wanted exactly 1 element` of two optimizers in one file.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{CrossEntropySpec, LayerSpec, LossSpec, MapSpec, OptimizerKind, OptimizerSpec};

/// The value of a choice that has no parameters: `relu = {}`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// The tags of all layers and how each is read: `Bare` has nothing more to say, `Default` may be a bare name or a
/// table, `Table` must be one, with the keys of the hint.
macro_rules! layers {
    ($($kind:ident $tag:ident $($hint:literal)?,)*) => {
        #[derive(Clone, Copy, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum LayerTag {
            $($tag,)*
        }

        impl LayerTag {
            fn bare<E: de::Error>(self, name: &str) -> Result<LayerSpec, E> {
                match self {
                    $(Self::$tag => layers!(@bare $kind $tag name $($hint)?),)*
                }
            }

            fn read<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<LayerSpec, A::Error> {
                match self {
                    $(Self::$tag => layers!(@read $kind $tag map),)*
                }
            }
        }
    };
    (@bare Bare $tag:ident $name:ident) => { Ok(LayerSpec::$tag) };
    (@bare Default $tag:ident $name:ident) => { Ok(LayerSpec::$tag(Default::default())) };
    (@bare Table $tag:ident $name:ident $hint:literal) => { Err(needs_table($name, $hint)) };
    (@read Bare $tag:ident $map:ident) => { $map.next_value::<Empty>().map(|_| LayerSpec::$tag) };
    (@read $kind:ident $tag:ident $map:ident) => { Ok(LayerSpec::$tag($map.next_value()?)) };
}

layers! {
    Table Conv2d "out_channels = …, kernel = …",
    Table PartialConv2d "kernel = …, connections = …",
    Table Linear "out_features = …",
    Table Rbf "codes = …",
    Default BatchNorm2d,
    Default LayerNorm,
    Table GroupNorm "groups = …",
    Table Dropout "p = …",
    Table SpatialDropout "p = …",
    Bare Relu,
    Table LeakyRelu "slope = …",
    Bare Sigmoid,
    Bare Tanh,
    Default ScaledTanh,
    Bare Gelu,
    Bare Silu,
    Bare HardSwish,
    Table MaxPool2d "kernel = …",
    Table AvgPool2d "kernel = …",
    Bare GlobalAvgPool,
    Table Subsample "kernel = …",
    Table Pad "top = …, bottom = …, left = …, right = …",
    Bare Flatten,
    Default Add,
    Default Multiply,
    Default Concat,
    Table SqueezeExcite "reduced = …",
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
        LayerTag::deserialize(de::value::StrDeserializer::new(name))?.bare(name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LayerSpec, A::Error> {
        let tag: Option<LayerTag> = map.next_key()?;
        let tag = tag.ok_or_else(|| de::Error::custom("empty table, expected one layer"))?;
        let layer = tag.read(&mut map)?;
        expect_end(map, "a node has one layer")?;
        Ok(layer)
    }
}

fn needs_table<E: de::Error>(name: &str, keys: &str) -> E {
    E::custom(format_args!("`{name}` needs numbers: write {{ {name} = {{ {keys} }} }}"))
}

struct LossVisitor;

impl<'de> Deserialize<'de> for LossSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LossVisitor)
    }
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum LossTag {
    CrossEntropy,
    Map,
}

impl<'de> Visitor<'de> for LossVisitor {
    type Value = LossSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a loss's name or a table of one loss")
    }

    /// A name alone: that loss with its defaults.
    fn visit_str<E: de::Error>(self, name: &str) -> Result<LossSpec, E> {
        Ok(match LossTag::deserialize(de::value::StrDeserializer::new(name))? {
            LossTag::CrossEntropy => LossSpec::CrossEntropy(CrossEntropySpec::default()),
            LossTag::Map => LossSpec::Map(MapSpec::default()),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LossSpec, A::Error> {
        let tag = map.next_key()?.ok_or_else(|| de::Error::custom("empty table, expected one loss"))?;
        let loss = match tag {
            LossTag::CrossEntropy => LossSpec::CrossEntropy(map.next_value()?),
            LossTag::Map => LossSpec::Map(map.next_value()?),
        };
        expect_end(map, "a run has one loss")?;
        Ok(loss)
    }
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
