//! What can be wrong with a network, told so that its author can mend it.

use std::fmt;

use spec::{Pair, SpecError};
use thiserror::Error;

/// The shape of one sample's activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Channels, rows, columns.
    Map([usize; 3]),
    /// A vector.
    Flat(usize),
}

impl Shape {
    /// Number of values.
    pub fn n_values(self) -> usize {
        match self {
            Shape::Map([c, h, w]) => c * h * w,
            Shape::Flat(n) => n,
        }
    }

    /// The dimensions, outermost first.
    pub fn dims(self) -> Vec<usize> {
        match self {
            Shape::Map(dims) => dims.to_vec(),
            Shape::Flat(n) => vec![n],
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

/// A mistake in a network. Every message names the node as `name` (layer).
#[derive(Debug, Error)]
pub enum PlanError {
    /// Names, wiring or single numbers are wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A kernel or window is larger than its input.
    #[error(
        "node {node}: kernel {kernel}{} does not fit its input {input}{}; {}",
        unless_usual(" with dilation ", .dilation, 1),
        unless_usual(" with padding ", .padding, 0),
        largest_kernel(.padded, .dilation)
    )]
    KernelTooLarge {
        /// Which node.
        node: String,
        /// Its kernel or window.
        kernel: Pair,
        /// The steps between its taps.
        dilation: Pair,
        /// The shape that it reads.
        input: Shape,
        /// Its padding.
        padding: Pair,
        /// Rows and columns of the input with its padding.
        padded: Pair,
    },
    /// A two-dimensional layer reads a vector.
    #[error("node {node}: needs an input of [channels, rows, columns], but `{from}` gives {input}")]
    NeedsMap {
        /// Which node.
        node: String,
        /// Whose output it reads.
        from: String,
        /// The shape of that.
        input: Shape,
    },
    /// A linear layer reads a map.
    #[error(
        "node {node}: needs a flat input, but `{from}` gives {input}; a flatten between them gives [{}]",
        .input.n_values()
    )]
    NeedsFlat {
        /// Which node.
        node: String,
        /// Whose output it reads.
        from: String,
        /// The shape of that.
        input: Shape,
    },
    /// The last node does not give one value for each class.
    #[error(
        "node {node} is the last and gives {output}, but the network has {classes} classes and needs [{classes}]"
    )]
    WrongClasses {
        /// Which node.
        node: String,
        /// What it gives.
        output: Shape,
        /// How many classes there are.
        classes: usize,
    },
    /// Inputs that are combined value by value have different shapes.
    #[error(
        "node {node}: its inputs have different shapes, `{first}` gives {first_shape} and `{other}` gives {other_shape}"
    )]
    UnequalShapes {
        /// Which node.
        node: String,
        /// Its first input.
        first: String,
        /// The shape of that.
        first_shape: Shape,
        /// The input that differs.
        other: String,
        /// The shape of that.
        other_shape: Shape,
    },
    /// Channels that cannot be cut into the groups.
    #[error(
        "node {node}: `groups` is {n}, but `{from}` gives {channels} channels, which {n} does not divide"
    )]
    Groups {
        /// Which node.
        node: String,
        /// Its groups.
        n: usize,
        /// Whose output it reads.
        from: String,
        /// Channels of that.
        channels: usize,
    },
    /// A connection to a channel that is not there.
    #[error(
        "node {node}: `connections` names channel {channel}, but `{from}` gives {channels}, counted from 0"
    )]
    NoSuchChannel {
        /// Which node.
        node: String,
        /// The channel.
        channel: usize,
        /// Whose output it reads.
        from: String,
        /// Channels of that.
        channels: usize,
    },
    /// Codes of another length than the input.
    #[error("node {node}: each of its codes has {n_signs} signs, but `{from}` gives [{n_inputs}]")]
    CodeLength {
        /// Which node.
        node: String,
        /// Signs of a code.
        n_signs: usize,
        /// Whose output it reads.
        from: String,
        /// Length of that.
        n_inputs: usize,
    },
    /// Two nodes whose names give the same name of a tensor.
    #[error(
        "node {node}: its weights have the name `{name}`, as those of node {other} have; another name tells them apart"
    )]
    TensorName {
        /// Which node.
        node: String,
        /// The one before it that has the name too.
        other: String,
        /// The tensor.
        name: String,
    },
    /// A node whose output nobody reads.
    #[error("node {node}: its output is not used by any other node, and it is not the last")]
    Unused {
        /// Which node.
        node: String,
    },
    /// So large that nobody means it.
    #[error("node {node}: {what} is {n}, which is more than {max}")]
    TooLarge {
        /// Which node.
        node: String,
        /// Which number.
        what: &'static str,
        /// Its value.
        n: u128,
        /// The largest allowed.
        max: usize,
    },
    /// Every node for itself is small enough, but not all together.
    #[error("the network needs {mib} MiB for {what} of each thread, more than {max_mib} MiB")]
    OutOfMemory {
        /// What for.
        what: &'static str,
        /// How much.
        mib: usize,
        /// The largest allowed.
        max_mib: usize,
    },
    /// Nothing to learn.
    #[error("the network has no layer with parameters, so there is nothing to train")]
    NoParameters,
}

fn unless_usual(name: &str, pair: &Pair, usual: usize) -> String {
    if *pair == Pair::square(usual) { String::new() } else { format!("{name}{pair}") }
}

fn largest_kernel(padded: &Pair, dilation: &Pair) -> String {
    let largest = |len: usize, dilation: usize| (len - 1) / dilation + 1;
    format!(
        "a kernel of at most {} fits",
        Pair::new(largest(padded.h, dilation.h), largest(padded.w, dilation.w))
    )
}
