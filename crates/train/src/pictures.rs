//! Pictures from a data set into lanes, and whether they fit the network.

use data::{Dataset, Normalization};
use lanes::{GROUP, Lane, pack_bytes};
use nn::{Plan, Workspace};

use crate::TrainError;

/// Fills the workspace with a lane group of pictures; at most as many as there are lanes.
pub(crate) fn pack<V: Lane<Scalar = f32>>(
    plan: &Plan,
    dataset: &Dataset,
    normalization: Normalization,
    samples: impl ExactSizeIterator<Item = usize>,
    workspace: &mut Workspace<V>,
) {
    let n = samples.len();
    let mut pictures: [&[u8]; GROUP] = [&[]; GROUP];
    for (picture, sample) in pictures.iter_mut().zip(samples) {
        *picture = dataset.image(sample);
    }
    pack_bytes(&pictures[..n], normalization.scale, normalization.shift, workspace.input_mut(plan));
}

/// Pictures and labels must be what the network takes; [`crate::train`] and [`crate::evaluate`] check it too.
pub fn check_fit(plan: &Plan, dataset: &Dataset) -> Result<(), TrainError> {
    let name = || dataset.name.clone();
    if plan.input() != dataset.shape {
        return Err(TrainError::InputShape { name: name(), network: plan.input(), data: dataset.shape });
    }
    if plan.classes() != dataset.classes.len() {
        let (network, data) = (plan.classes(), dataset.classes.len());
        return Err(TrainError::Classes { name: name(), network, data });
    }
    let n_values: usize = dataset.shape.iter().product();
    let (n_images, n_labels) = (dataset.images.len() / n_values, dataset.labels.len());
    if n_images != n_labels || n_images == 0 || !dataset.images.len().is_multiple_of(n_values) {
        return Err(TrainError::Lengths { name: name(), n_bytes: dataset.images.len(), n_values, n_labels });
    }
    match dataset.labels.iter().position(|&label| usize::from(label) >= plan.classes()) {
        Some(idx) => Err(TrainError::Label { name: name(), idx, label: dataset.labels[idx] }),
        None => Ok(()),
    }
}
