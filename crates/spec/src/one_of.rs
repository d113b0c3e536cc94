//! Reading a choice: a table with exactly one key, or a bare name where the choice has nothing more to say.
//!
//! serde's derived enums read the same files, but say `expected newtype variant` of `layer = "linear"` and
//! `wanted exactly 1 element` of two optimizers in one file.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{LayerSpec, LossSpec, OptimizerSpec, PrunerSpec, SamplerSpec, ScheduleSpec};

/// The value of a choice that has no parameters: `relu = {}`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// Reads a choice `$spec`, called `$what` (`an optimizer`, one of them `one optimizer`) in errors, with a rule for a
/// table of two keys. Each line is one choice and how it is read: `Bare` has nothing more to say, `Default` may be a
/// bare name or a table, `Table` must be one, with the keys of the hint.
macro_rules! one_of {
    (
        $spec:ident, $tags:ident, $visitor:ident, $what:literal, $one:literal, $rule:literal;
        $($kind:ident $tag:ident $($hint:literal)?,)*
    ) => {
        #[derive(Clone, Copy, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum $tags {
            $($tag,)*
        }

        struct $visitor;

        impl<'de> Deserialize<'de> for $spec {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($visitor)
            }
        }

        impl<'de> Visitor<'de> for $visitor {
            type Value = $spec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($what, "'s name or a table of ", $one))
            }

            /// A name alone: that choice with its defaults.
            fn visit_str<E: de::Error>(self, name: &str) -> Result<$spec, E> {
                match $tags::deserialize(de::value::StrDeserializer::new(name))? {
                    $($tags::$tag => one_of!(@bare $spec $kind $tag name $($hint)?),)*
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$spec, A::Error> {
                let tag: Option<$tags> = map.next_key()?;
                let tag = tag.ok_or_else(|| de::Error::custom(concat!("empty table, expected ", $one)))?;
                let choice = match tag {
                    $($tags::$tag => one_of!(@read $spec $kind $tag map),)*
                };
                expect_end(map, $rule)?;
                Ok(choice)
            }
        }
    };
    (@bare $spec:ident Bare $tag:ident $name:ident) => { Ok($spec::$tag) };
    (@bare $spec:ident Default $tag:ident $name:ident) => { Ok($spec::$tag(Default::default())) };
    (@bare $spec:ident Table $tag:ident $name:ident $hint:literal) => { Err(needs_table($name, $hint)) };
    (@read $spec:ident Bare $tag:ident $map:ident) => {{
        $map.next_value::<Empty>()?;
        $spec::$tag
    }};
    (@read $spec:ident $kind:ident $tag:ident $map:ident) => { $spec::$tag($map.next_value()?) };
}

one_of! {
    LayerSpec, LayerTag, LayerVisitor, "a layer", "one layer", "a node has one layer";
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

one_of! {
    LossSpec, LossTag, LossVisitor, "a loss", "one loss", "a run has one loss";
    Default CrossEntropy,
    Default Map,
}

one_of! {
    OptimizerSpec, OptimizerTag, OptimizerVisitor, "an optimizer", "one optimizer", "a run has one optimizer";
    Default Adam,
    Default Adamw,
    Default Sgd,
    Default Rmsprop,
}

one_of! {
    ScheduleSpec, ScheduleTag, ScheduleVisitor, "a schedule", "one schedule", "a run has one schedule";
    Default Constant,
    Default Step,
    Default Cosine,
    Default OneCycle,
}

one_of! {
    SamplerSpec, SamplerTag, SamplerVisitor, "a sampler", "one sampler", "a study has one sampler";
    Bare Grid,
    Bare Random,
    Bare Sobol,
    Default Tpe,
    Default Evolution,
    Default Nsga2,
    Bare LocalSearch,
    Default Controller,
    Default SoftmaxTable,
}

one_of! {
    PrunerSpec, PrunerTag, PrunerVisitor, "a pruner", "one pruner", "a study has one pruner";
    Bare None,
    Default Median,
    Default Halving,
    Default Hyperband,
}

fn needs_table<E: de::Error>(name: &str, keys: &str) -> E {
    E::custom(format_args!("`{name}` needs numbers: write {{ {name} = {{ {keys} }} }}"))
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
