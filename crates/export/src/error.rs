//! Why a model cannot be carried to another format.

use thiserror::Error;

/// Why a model cannot be written in another format.
#[derive(Debug, Error)]
pub enum ExportError {
    /// A name that no module of PyTorch can have, as it is where every module keeps its mode.
    #[error("node `{node}`: PyTorch has no place for a module called `training`; rename the node")]
    ModuleName {
        /// The node or the part of its name before the last dot.
        node: String,
    },
    /// A name that a part of another node has in PyTorch.
    #[error(
        "node `{node}`: the squeeze_excite `{block}` has a linear layer of that name in PyTorch; rename one of them"
    )]
    ModuleTaken {
        /// The node.
        node: String,
        /// The other node.
        block: String,
    },
    /// The normalization is for another number of channels.
    #[error(
        "the normalization has {scales} factors and {shifts} shifts, but the pictures have {channels} channels"
    )]
    NormalizationMisfit {
        /// Number of factors.
        scales: usize,
        /// Number of shifts.
        shifts: usize,
        /// Number of channels of the network's input.
        channels: usize,
    },
    /// As many names as classes are needed.
    #[error("there are {names} names for {classes} classes")]
    ClassesMisfit {
        /// Number of names.
        names: usize,
        /// Number of the network's classes.
        classes: usize,
    },
    /// Protobuf, and so an ONNX file, ends at 2 GiB.
    #[error("the model takes {mib} MiB, and an ONNX file holds less than {max_mib} MiB")]
    TooLarge {
        /// Size of the model.
        mib: usize,
        /// The largest size of a file.
        max_mib: usize,
    },
    /// Names of classes that JSON cannot hold.
    #[error("the names of the classes cannot be written as JSON")]
    Classes(#[source] serde_json::Error),
}
