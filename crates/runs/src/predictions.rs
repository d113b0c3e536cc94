//! `predictions.safetensors`: what the model of the last whole epoch says of each test sample.
//!
//! Tensors `predicted` U8 [N], `confidence` F32 [N] and `loss` F32 [N], as in [`Predictions`].

use std::path::Path;

use metrics::Predictions;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::{RunsError, input_file};

/// The file's contents, for [`crate::RunFolder::write`].
pub fn predictions_to_bytes(predictions: &Predictions) -> Result<Vec<u8>, RunsError> {
    let n = predictions.len();
    let [confidence, loss] = [&predictions.confidence, &predictions.loss].map(|numbers| bytes(numbers));
    let tensors = [
        ("predicted", Dtype::U8, predictions.predicted.as_slice()),
        ("confidence", Dtype::F32, &confidence),
        ("loss", Dtype::F32, &loss),
    ];
    let view = |(name, dtype, bytes)| Ok((name, TensorView::new(dtype, vec![n], bytes)?));
    let views: Result<Vec<_>, _> = tensors.into_iter().map(view).collect();
    let file = views.and_then(|views| safetensors::serialize(views, None));
    file.map_err(RunsError::WritePredictions)
}

/// Reads the file; all tensors must be there, of one length.
pub fn read_predictions(path: &Path) -> Result<Predictions, RunsError> {
    let none = |reason: String| RunsError::NoPredictions { path: path.to_owned(), reason };
    let bytes = input_file::read(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| none(error.to_string()))?;
    let tensor = |name: &str, dtype: Dtype| {
        let tensor = file.tensor(name).map_err(|error| none(error.to_string()))?;
        let is_right = tensor.dtype() == dtype && tensor.shape().len() == 1;
        is_right.then(|| tensor.data().to_vec()).ok_or_else(|| none(format!("`{name}` is not {dtype:?} [N]")))
    };
    let predictions = Predictions {
        predicted: tensor("predicted", Dtype::U8)?,
        confidence: numbers(&tensor("confidence", Dtype::F32)?),
        loss: numbers(&tensor("loss", Dtype::F32)?),
    };
    let n = predictions.len();
    match predictions.confidence.len() == n && predictions.loss.len() == n {
        true => Ok(predictions),
        false => Err(none("its tensors have different lengths".into())),
    }
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_what_is_spoiled_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let predictions = Predictions {
            predicted: vec![3, 0],
            confidence: vec![0.5, 1.0],
            loss: vec![f32::INFINITY, 0.25],
        };
        let bytes = predictions_to_bytes(&predictions).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_predictions(&path).unwrap(), predictions);
        for len in 0..bytes.len() {
            std::fs::write(&path, &bytes[..len]).unwrap();
            assert!(read_predictions(&path).is_err(), "{len} bytes");
        }
    }
}
