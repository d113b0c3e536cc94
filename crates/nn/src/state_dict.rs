//! Parameters as safetensors, named as PyTorch's state dict names them.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use thiserror::Error;

use crate::{Params, Plan, Tensor};

/// What is wrong with a weight file.
#[derive(Debug, Error)]
pub enum StateDictError {
    /// Not a safetensors file, or cut short.
    #[error("not a whole safetensors file")]
    Format(#[source] SafeTensorError),
    /// The values could not be written.
    #[error("could not lay out the weights")]
    Layout(#[source] SafeTensorError),
    /// The header could not be put in order.
    #[error("could not write the header")]
    Header(#[source] serde_json::Error),
    /// The network has a tensor that the file does not have.
    #[error("tensor `{name}` {dims:?} is missing; the file has {found}")]
    Missing {
        /// The tensor's name.
        name: String,
        /// Its dimensions.
        dims: Vec<usize>,
        /// What the file has, or how many.
        found: String,
    },
    /// The file has a tensor that the network does not have.
    #[error("the network has no tensor `{name}`")]
    Unexpected {
        /// The tensor's name.
        name: String,
    },
    /// The same name, another shape.
    #[error("tensor `{name}` is {found:?}, the network needs {dims:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its dimensions in the file.
        found: Vec<usize>,
        /// Its dimensions in the network.
        dims: Vec<usize>,
    },
    /// Not 32-bit floats.
    #[error("tensor `{name}` is of type {found:?}, F32 is needed")]
    Type {
        /// The tensor's name.
        name: String,
        /// Its type in the file.
        found: Dtype,
    },
    /// A running variance below 0.
    #[error("tensor `{name}` holds {value} at index {idx}, but is a variance")]
    NegativeVariance {
        /// The tensor's name.
        name: String,
        /// Where in it.
        idx: usize,
        /// What stands there.
        value: f32,
    },
    /// NaN or infinity.
    #[error("tensor `{name}` holds {value} at index {idx}")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Where in the tensor, row by row.
        idx: usize,
        /// The value.
        value: f32,
    },
}

/// The file's bytes: every tensor of the plan as F32, and `metadata` in the header.
pub fn to_safetensors(
    plan: &Plan,
    params: &Params<f32>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, StateDictError> {
    let bytes: Vec<u8> = params.0.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut views = Vec::new();
    for tensor in plan.tensors() {
        let data = &bytes[tensor.range.start * 4..tensor.range.end * 4];
        let view = TensorView::new(Dtype::F32, tensor.dims.clone(), data).map_err(StateDictError::Layout)?;
        views.push((tensor.name.as_str(), view));
    }
    let metadata: HashMap<String, String> = metadata.clone().into_iter().collect();
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(StateDictError::Layout)?;
    sort_header(&bytes)
}

/// The same file with its header's keys in order: the library writes metadata in a random one, and equal models
/// should be equal files. The header is JSON, padded with spaces to a multiple of 8, behind its length in 8 bytes.
fn sort_header(bytes: &[u8]) -> Result<Vec<u8>, StateDictError> {
    let (n, _) = SafeTensors::read_metadata(bytes).map_err(StateDictError::Format)?;
    let (header, data) = bytes[8..].split_at(n);
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(StateDictError::Header)?;
    let mut header = serde_json::to_vec(&header).map_err(StateDictError::Header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes(), &header[..], data].concat())
}

/// The plan's parameters from a file's bytes. As with PyTorch's `strict=True`, the names must be exactly the
/// plan's, but for `num_batches_tracked` of batch norms, which counts and computes nothing; all values must be finite.
pub fn from_safetensors(plan: &Plan, bytes: &[u8]) -> Result<Params<f32>, StateDictError> {
    let file = SafeTensors::deserialize(bytes).map_err(StateDictError::Format)?;
    let mut params = Params(vec![0.0; plan.n_values()]);
    for tensor in plan.tensors() {
        let view = file.tensor(&tensor.name).map_err(|_| missing(tensor, &file))?;
        read_tensor(tensor, &view, &mut params.0[tensor.range.clone()])?;
    }
    let has = |name: &str| plan.tensors().iter().any(|tensor| tensor.name == name);
    let is_counter = |name: &str| {
        name.strip_suffix("num_batches_tracked").is_some_and(|node| has(&format!("{node}running_var")))
    };
    let known = |name: &str| has(name) || is_counter(name);
    match file.names().into_iter().filter(|name| !known(name)).min() {
        Some(name) => Err(StateDictError::Unexpected { name: name.into() }),
        None => Ok(params),
    }
}

/// The header's metadata.
pub fn metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>, StateDictError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(StateDictError::Format)?;
    Ok(header.metadata().clone().unwrap_or_default().into_iter().collect())
}

fn missing(tensor: &Tensor, file: &SafeTensors<'_>) -> StateDictError {
    let mut names = file.names();
    names.sort_unstable();
    let found = if names.len() <= 24 { names.join(", ") } else { format!("{} other tensors", names.len()) };
    StateDictError::Missing { name: tensor.name.clone(), dims: tensor.dims.clone(), found }
}

fn read_tensor(tensor: &Tensor, view: &TensorView<'_>, to: &mut [f32]) -> Result<(), StateDictError> {
    let name = || tensor.name.clone();
    if view.shape() != tensor.dims {
        return Err(StateDictError::Shape {
            name: name(),
            found: view.shape().to_vec(),
            dims: tensor.dims.clone(),
        });
    }
    if view.dtype() != Dtype::F32 {
        return Err(StateDictError::Type { name: name(), found: view.dtype() });
    }
    let is_variance = !tensor.learned && tensor.name.ends_with(".running_var");
    let values = view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    for (idx, (to, value)) in to.iter_mut().zip(values).enumerate() {
        if !value.is_finite() {
            return Err(StateDictError::NotFinite { name: name(), idx, value });
        }
        if is_variance && value < 0.0 {
            return Err(StateDictError::NegativeVariance { name: name(), idx, value });
        }
        *to = value;
    }
    Ok(())
}
