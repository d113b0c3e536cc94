//! The model of a run, ready to be looked into.

use std::sync::Arc;

use data::Normalization;
use nn::{Params, Probe};
use runs::model_file;

use crate::error::DashboardError;
use crate::kept::Stamp;
use crate::run_dir::{MODEL, RunDir};
use crate::state::State;

/// The model after the last whole epoch, which `danlu predict RUN` takes too.
pub(crate) struct Model {
    pub(crate) probe: Probe,
    pub(crate) params: Params<f32>,
    pub(crate) classes: Vec<String>,
    pub(crate) normalization: Normalization,
}

/// Heavy where the file has changed.
pub(crate) fn load(state: &State, run: &RunDir) -> Result<Arc<Model>, DashboardError> {
    if !run.has(MODEL) {
        let n_epochs = state.sources.records.load(run).map_or(0, |read| read.record.epochs.len());
        let what =
            if n_epochs > 0 { "model: its file is missing" } else { "model yet: not one epoch is finished" };
        return Err(DashboardError::no(what));
    }
    let path = run.file(MODEL)?;
    let stamp = Stamp::of(&path).ok_or_else(|| DashboardError::no("model in this run"))?;
    if let Some(model) = state.models.get(&path, stamp) {
        return Ok(model);
    }
    let read = model_file::load(&path)?;
    let model = Arc::new(Model {
        probe: Probe::compile(&read.network)?,
        params: read.params,
        classes: read.classes,
        normalization: read.normalization,
    });
    state.models.put(&path, stamp, model.clone());
    Ok(model)
}
