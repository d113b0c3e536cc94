//! Networks that are made of decisions: a stem, layers that all follow one template, and a head.

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use std::fmt;

use crate::network::three_sizes;
use crate::parameter::ChoiceSpec;

/// `[grammar]` of a study file: which networks there are. A text `"$NAME"` in a node stands for the decision of that name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrammarSpec {
    /// Shape of one sample, channels, rows and columns. `None`: as the data have it.
    #[serde(default, deserialize_with = "optional_sizes")]
    pub input: Option<[usize; 3]>,
    /// Number of classes. `None`: as the data have them.
    #[serde(default)]
    pub classes: Option<usize>,
    /// How many layers there are: one of these.
    pub layers: Depths,
    /// Whether each layer decides which earlier layers it reads (Zoph & Le 2016, section 3.3). Else each reads the one before.
    #[serde(default)]
    pub skips: bool,
    /// Nodes before the layers, as in a network file.
    #[serde(default)]
    pub stem: Vec<toml::Table>,
    /// Nodes of each layer, at least one. `padding = "same"` of a convolution or pooling keeps the size but for the stride.
    pub layer: Vec<toml::Table>,
    /// Nodes behind the layers.
    #[serde(default)]
    pub head: Vec<toml::Table>,
    /// What is decided, in this order: for each layer, where its template has the name, else once.
    #[serde(default, rename = "decision")]
    pub decisions: Vec<DecisionSpec>,
}

/// One `[[grammar.decision]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionSpec {
    /// Its name: `filter_height`.
    pub name: String,
    /// What it may be, all different.
    pub choices: Vec<ChoiceSpec>,
}

/// A number of layers or a list of them in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depths(pub Vec<usize>);

fn optional_sizes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[usize; 3]>, D::Error> {
    three_sizes(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Depths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DepthsVisitor)
    }
}

/// A number or a list, told apart by type: serde's `untagged` would lose the error's place.
struct DepthsVisitor;

impl<'de> Visitor<'de> for DepthsVisitor {
    type Value = Depths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of layers or a list of such numbers")
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Depths, E> {
        let n = usize::try_from(n).map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))?;
        Ok(Depths(vec![n]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Depths, A::Error> {
        let mut depths = Vec::new();
        while let Some(depth) = list.next_element()? {
            depths.push(depth);
        }
        Ok(Depths(depths))
    }
}
