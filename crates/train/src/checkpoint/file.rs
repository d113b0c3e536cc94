//! A checkpoint as a file.
//!
//! It is a safetensors file, so that other tools can look into it. Its tensors are those of the model's state dict, each
//! with a prefix: `params.conv.0.weight`, `average.…`, `best.…`, and what the optimizer remembers, named as in PyTorch:
//! `exp_avg.conv.0.weight`. Metadata: `danlu_checkpoint`, the format's version; `spec_sha256`, of the run file; `epochs`,
//! the epochs' records as JSON. The last tensor, `sha256`, is the SHA-256 of all bytes before it, which are all others.

use std::collections::HashMap;

use nn::{Optimizer, Params, Plan, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use spec::{EpochRecord, TrainSpec};

use super::{Checkpoint, CheckpointError};

const VERSION: &str = "1";
const VERSION_KEY: &str = "danlu_checkpoint";
const SPEC_KEY: &str = "spec_sha256";
const EPOCHS_KEY: &str = "epochs";

const PARAMS: &str = "params";
const AVERAGE: &str = "average";
const BEST: &str = "best";

/// Sorts behind all others, because its type is shorter.
const CHECKSUM: &str = "sha256";
const CHECKSUM_LEN: usize = 32;

impl Checkpoint {
    /// The checkpoint of a run of `spec` as the bytes of a file.
    pub fn to_bytes(&self, plan: &Plan, spec: &TrainSpec) -> Result<Vec<u8>, CheckpointError> {
        let mut tensors: Vec<(String, &[usize], Vec<u8>)> = Vec::new();
        for (prefix, values) in self.lists(spec) {
            for tensor in plan.tensors().iter().filter(|tensor| tensor.range.end <= values.len()) {
                let bytes = values[tensor.range.clone()].iter().flat_map(|value| value.to_le_bytes());
                tensors.push((name(prefix, tensor), &tensor.dims, bytes.collect()));
            }
        }
        let mut views = Vec::new();
        for (name, dims, bytes) in &tensors {
            let view = TensorView::new(Dtype::F32, dims.to_vec(), bytes).map_err(CheckpointError::Layout)?;
            views.push((name.as_str(), view));
        }
        let zeros = [0; CHECKSUM_LEN];
        let checksum =
            TensorView::new(Dtype::U8, vec![CHECKSUM_LEN], &zeros).map_err(CheckpointError::Layout)?;
        views.push((CHECKSUM, checksum));
        let metadata = self.metadata(spec)?;
        let mut bytes = safetensors::serialize(views, Some(metadata)).map_err(CheckpointError::Layout)?;
        let end = bytes.len() - CHECKSUM_LEN;
        let (contents, end) = bytes.split_at_mut(end);
        end.copy_from_slice(&Sha256::digest(&*contents));
        Ok(bytes)
    }

    /// All lists of numbers with the prefixes of their tensors. A list may have the parameters alone, without the running
    /// statistics behind them.
    fn lists(&self, spec: &TrainSpec) -> impl Iterator<Item = (&'static str, &[f32])> {
        let optimizer = Optimizer::<f32>::state_names(&spec.optimizer).iter().copied();
        let params =
            [(PARAMS, Some(&self.params)), (AVERAGE, self.average.as_ref()), (BEST, self.best.as_ref())];
        let params = params.into_iter().filter_map(|(prefix, params)| Some((prefix, &params?.0[..])));
        params.chain(optimizer.zip(self.optimizer.iter().map(Vec::as_slice)))
    }

    fn metadata(&self, spec: &TrainSpec) -> Result<HashMap<String, String>, CheckpointError> {
        let epochs = serde_json::to_string(&self.epochs).map_err(CheckpointError::Epochs)?;
        let entries = [
            (VERSION_KEY, VERSION.to_owned()),
            (SPEC_KEY, sha256(spec.to_toml()?.as_bytes())),
            (EPOCHS_KEY, epochs),
        ];
        Ok(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Reads what [`Checkpoint::to_bytes`] gave for the same spec. Bytes that are cut short or changed anywhere, and a
    /// checkpoint of another run, are errors.
    pub fn from_bytes(bytes: &[u8], plan: &Plan, spec: &TrainSpec) -> Result<Self, CheckpointError> {
        check_sum(bytes)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(CheckpointError::Format)?;
        let metadata = header.metadata().as_ref();
        let value = |key: &'static str| {
            metadata.and_then(|metadata| metadata.get(key)).ok_or(CheckpointError::MissingKey { key })
        };
        let version = value(VERSION_KEY)?;
        if version != VERSION {
            return Err(CheckpointError::Version { found: version.clone(), supported: VERSION });
        }
        let (found, expected) = (value(SPEC_KEY)?, sha256(spec.to_toml()?.as_bytes()));
        if *found != expected {
            return Err(CheckpointError::OtherSpec { found: found.clone(), expected });
        }
        let epochs = read_epochs(value(EPOCHS_KEY)?, spec.epochs)?;
        let reader = Reader { plan, file: SafeTensors::deserialize(bytes).map_err(CheckpointError::Format)? };
        let has_validation = epochs.iter().any(|epoch| epoch.validation_accuracy.is_some());
        let optimizer = Optimizer::<f32>::state_names(&spec.optimizer).iter();
        Ok(Self {
            params: reader.params(PARAMS)?,
            average: spec.average.map(|_| reader.params(AVERAGE)).transpose()?,
            optimizer: optimizer
                .map(|prefix| reader.list(prefix, plan.n_parameters()))
                .collect::<Result<_, _>>()?,
            best: has_validation.then(|| reader.params(BEST)).transpose()?,
            epochs,
        })
    }
}

fn check_sum(bytes: &[u8]) -> Result<(), CheckpointError> {
    let Some((contents, end)) = bytes.split_last_chunk::<CHECKSUM_LEN>() else {
        return Err(CheckpointError::CutShort { n_bytes: bytes.len() });
    };
    let (found, expected) = (sha256(contents), hex(end));
    if found == expected { Ok(()) } else { Err(CheckpointError::Damaged { found, expected }) }
}

fn read_epochs(json: &str, n_epochs: usize) -> Result<Vec<EpochRecord>, CheckpointError> {
    let epochs: Vec<EpochRecord> = serde_json::from_str(json).map_err(CheckpointError::Epochs)?;
    let in_order = epochs.iter().enumerate().all(|(idx, epoch)| epoch.epoch == idx + 1);
    if in_order && epochs.len() <= n_epochs {
        return Ok(epochs);
    }
    Err(CheckpointError::Order { found: epochs.iter().map(|epoch| epoch.epoch).collect(), n_epochs })
}

struct Reader<'a> {
    plan: &'a Plan,
    file: SafeTensors<'a>,
}

impl Reader<'_> {
    fn params(&self, prefix: &str) -> Result<Params<f32>, CheckpointError> {
        self.list(prefix, self.plan.n_values()).map(Params)
    }

    /// The tensors of the first `n` numbers.
    fn list(&self, prefix: &str, n: usize) -> Result<Vec<f32>, CheckpointError> {
        let mut values = vec![0.0; n];
        for tensor in self.plan.tensors().iter().filter(|tensor| tensor.range.end <= n) {
            self.tensor(name(prefix, tensor), tensor, &mut values[tensor.range.clone()])?;
        }
        Ok(values)
    }

    fn tensor(&self, name: String, tensor: &Tensor, to: &mut [f32]) -> Result<(), CheckpointError> {
        let Ok(view) = self.file.tensor(&name) else { return Err(CheckpointError::MissingTensor { name }) };
        if view.dtype() != Dtype::F32 || view.shape() != tensor.dims {
            let (found, dims) = (view.shape().to_vec(), tensor.dims.clone());
            return Err(CheckpointError::Tensor { name, found, dtype: view.dtype(), dims });
        }
        for (to, &bytes) in to.iter_mut().zip(view.data().as_chunks::<4>().0) {
            *to = f32::from_le_bytes(bytes);
        }
        Ok(())
    }
}

fn name(prefix: &str, tensor: &Tensor) -> String {
    format!("{prefix}.{}", tensor.name)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
