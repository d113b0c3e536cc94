//! The test part of a run's data, and what its model says of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use data::{Dataset, Partition, Source};
use metrics::Predictions;
use spec::RunRecord;

use crate::error::DashboardError;
use crate::kept::Stamp;
use crate::run_dir::{PREDICTIONS, RECORD, RunDir};
use crate::state::State;

/// The test part as it was when the run began. Heavy: it may read the whole data set.
pub(crate) fn load(state: &State, run: &RunDir) -> Result<Arc<Dataset>, DashboardError> {
    let read = state.sources.records.load(run)?;
    let record = &read.record;
    // Runs of the same data share it: its hash is in the place of a path.
    let key = PathBuf::from(&record.data.test_sha256);
    let stamp = Stamp::of(&run.file(RECORD)?).ok_or_else(|| DashboardError::no("record in this run"))?;
    if let Some((_, dataset)) = state.test_parts.latest(&key) {
        return Ok(dataset);
    }
    let dataset = Arc::new(find(state, record)?);
    state.test_parts.put(&key, stamp, dataset.clone());
    Ok(dataset)
}

/// The data as the spec names it, or where the record says that it was.
fn find(state: &State, record: &RunRecord) -> Result<Dataset, DashboardError> {
    let named = read(state, record, Path::new(&record.spec.data));
    let dataset = match named {
        Ok(dataset) if dataset.sha256 == record.data.test_sha256 => dataset,
        named => match read(state, record, Path::new(&record.data.dir)) {
            Ok(dataset) => dataset,
            Err(error) => named.map_err(|_| error)?,
        },
    };
    match dataset.sha256 == record.data.test_sha256 {
        true => Ok(dataset),
        false => Err(DashboardError::conflict(format!(
            "the test images of {} are not those that the run began with",
            record.data.name
        ))),
    }
}

fn read(state: &State, record: &RunRecord, data: &Path) -> Result<Dataset, DashboardError> {
    let places = (state.places)(data).map_err(DashboardError::conflict)?;
    let places = data::Places { url: None, ..places };
    let (shape, partition) = (record.spec.network.input, Partition::default());
    let source = Source::open(&places, &mut |_| {})?;
    Ok(source.read_test(shape, &partition, state.picture_cache.as_deref(), &mut |_| {})?)
}

/// What the run's model says of the test part, in its order.
pub(crate) fn predictions(run: &RunDir, test: &Dataset) -> Result<Predictions, DashboardError> {
    let predictions = runs::read_predictions(&run.file(PREDICTIONS)?)?;
    let n_classes = test.classes.len();
    let fit = predictions.len() == test.len()
        && predictions.predicted.iter().all(|&class| usize::from(class) < n_classes);
    match fit {
        true => Ok(predictions),
        false => Err(DashboardError::conflict("the predictions are not of these test images")),
    }
}

/// The image of that index.
pub(crate) fn image(test: &Dataset, idx: usize) -> Result<&[u8], DashboardError> {
    match idx < test.len() {
        true => Ok(test.image(idx)),
        false => Err(DashboardError::no(format!("test image {idx}; there are {}", test.len()))),
    }
}
