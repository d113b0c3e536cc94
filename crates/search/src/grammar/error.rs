//! What can be wrong with a grammar, and why a network is none of its networks.

use spec::SpecError;

use crate::SpaceError;

/// Why a grammar is none, or cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GrammarError {
    #[error("`grammar.layers` is {depths:?}, but must be one or more numbers above 0 in ascending order")]
    Depths { depths: Vec<usize> },
    #[error("`grammar.layer` has no nodes")]
    NoLayer,
    #[error("a network of {layers} layers has up to {n} nodes, but at most {max} are allowed")]
    TooManyNodes { layers: usize, n: usize, max: usize },
    #[error("`grammar.{part}`, node {node}: {reason}")]
    Node { part: &'static str, node: String, reason: String },
    #[error(
        "`grammar.{part}`, node {node}: `${name}` is neither a decision nor `$classes`; there is {known}"
    )]
    Unknown { part: &'static str, node: String, name: String, known: String },
    #[error(
        "`grammar.{part}`, node {node}: `padding = \"same\"` needs an odd kernel (or an even dilation), but its extent is \
         {extent}"
    )]
    EvenKernel { part: &'static str, node: String, extent: i64 },
    #[error("`grammar.{part}`, node {node}: with {choices} it is no layer: {reason}")]
    Unusable { part: &'static str, node: String, choices: String, reason: String },
    #[error("`grammar.{part}`, node {node}: {one} and {other} are the same layer")]
    SameLayer { part: &'static str, node: String, one: String, other: String },
    #[error(
        "`grammar.{part}`, node {node}: its decisions have {n} combinations, but at most {max} are allowed"
    )]
    TooManyVariants { part: &'static str, node: String, n: usize, max: usize },
    #[error("decision `{name}`: {reason}")]
    Decision { name: String, reason: String },
    #[error(
        "decision `{name}` stands in `grammar.layer` and in `grammar.{part}`: it cannot be taken for each layer and once"
    )]
    TwoPlaces { name: String, part: &'static str },
    #[error(
        "`grammar.skips`: every layer must take any map and make none larger, but with {choices} node {node} does not take \
         or enlarges one of {size}×{size}; write `padding = \"same\"`"
    )]
    SkipSizes { choices: String, node: String, size: usize },
    #[error(
        "`grammar.input` must be given, as [channels, rows, columns]: whether the layers fit depends on it (with {choices} \
         node {node} does not take a map of {size}×{size})"
    )]
    InputNeeded { choices: String, node: String, size: usize },
    #[error(
        "node {node} fits no map, of whatever size: layers give maps, and the head must end in numbers in a row, as by \
         `flatten` and `linear`"
    )]
    NeverFits { node: String },
    #[error("no decisions give a network that fits pictures of {}×{}×{}: node {node} never fits", input[0], input[1], input[2])]
    NothingFits { input: [usize; 3], node: String },
    #[error("the grammar's sizes have more than {max} combinations, which are too many to look at")]
    TooManySizes { max: usize },
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error("the networks of the grammar are none")]
    Network(#[from] SpecError),
    #[error("`{name}` has no value, or one that is none of its choices")]
    NoValue { name: String },
}

/// Why a network is none of a grammar's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OutsideError {
    #[error("its input is {found:?}, but the grammar's is {expected:?}")]
    Input { found: [usize; 3], expected: [usize; 3] },
    #[error("it has {found} classes, but the grammar has {expected}")]
    Classes { found: usize, expected: usize },
    #[error("node `{node}` ({layer}) stands where the grammar has node `{expected}`, which {reason}")]
    Node { node: String, layer: &'static str, expected: String, reason: String },
    #[error("it ends where the grammar has node `{expected}`")]
    Ends { expected: String },
    #[error("node `{node}` ({layer}) stands behind the end of the grammar's networks")]
    More { node: String, layer: &'static str },
}
