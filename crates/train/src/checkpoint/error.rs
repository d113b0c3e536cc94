//! What can be wrong with a checkpoint file.

use safetensors::tensor::{Dtype, SafeTensorError};
use thiserror::Error;

/// Why a checkpoint cannot be written or gone on from.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// Too short to end in a checksum.
    #[error("the checkpoint is cut short: it has {n_bytes} bytes")]
    CutShort {
        /// Its length.
        n_bytes: usize,
    },
    /// Cut short, changed, or no checkpoint at all.
    #[error("the checkpoint is damaged: its contents have SHA-256 {found}, but it says {expected}")]
    Damaged {
        /// SHA-256 of all but the last 32 bytes.
        found: String,
        /// The last 32 bytes.
        expected: String,
    },
    /// Not a safetensors file.
    #[error("the checkpoint is not a whole safetensors file")]
    Format(#[source] SafeTensorError),
    /// The values could not be written.
    #[error("could not lay out the checkpoint")]
    Layout(#[source] SafeTensorError),
    /// A key of the header's metadata that is missing.
    #[error("the checkpoint has no `{key}` in its header")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// Written by another version of the program.
    #[error("the checkpoint has format version {found}, this program reads version {supported}")]
    Version {
        /// Its version.
        found: String,
        /// The version that this program reads and writes.
        supported: &'static str,
    },
    /// A checkpoint of a run with another spec.
    #[error("the checkpoint belongs to another run: its spec has SHA-256 {found}, this run's has {expected}")]
    OtherSpec {
        /// Of the checkpoint's spec.
        found: String,
        /// Of the spec that was given.
        expected: String,
    },
    /// The spec could not be written down, to be hashed.
    #[error("the spec of the checkpoint cannot be written")]
    Spec(#[from] spec::SpecError),
    /// The epochs are no JSON.
    #[error("the checkpoint's epochs cannot be read or written")]
    Epochs(#[source] serde_json::Error),
    /// Epochs that cannot be.
    #[error("the checkpoint's epochs are {found:?}, but must be 1, 2, 3, … up to {n_epochs} at most")]
    Order {
        /// Their numbers.
        found: Vec<usize>,
        /// Epochs of the run.
        n_epochs: usize,
    },
    /// A tensor that is not there.
    #[error("the checkpoint has no tensor `{name}`")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor of another shape or type.
    #[error("the checkpoint's tensor `{name}` is {found:?} of {dtype}, but must be {dims:?} of F32")]
    Tensor {
        /// Its name.
        name: String,
        /// Its dimensions.
        found: Vec<usize>,
        /// What its values are.
        dtype: Dtype,
        /// The dimensions that it must have.
        dims: Vec<usize>,
    },
}
