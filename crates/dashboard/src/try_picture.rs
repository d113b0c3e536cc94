//! One picture through the model: what it is taken for, and what each layer sees.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data::Normalization;
use lanes::pack_bytes;
use nn::{LayerSummary, Mode, Probe, Workspace};

use crate::error::DashboardError;
use crate::model::{Model, load};
use crate::pictures::png;
use crate::request::{MAX_PICTURE, Path, body};
use crate::state::Shared;
use crate::wire::{Filters, LayerMaps, Prediction, Tried};
use crate::{answer, test_part};

/// Maps of a layer that are sent, the first ones.
const MAX_MAPS: usize = 64;
/// Pixels of them, unless the first one has more.
const MAX_MAP_PIXELS: usize = 1 << 18;

/// `GET /api/runs/ID/try/IDX`
pub(crate) async fn test_image(
    State(shared): State<Shared>,
    Path((id, idx)): Path<(String, usize)>,
) -> Result<Response, DashboardError> {
    let run = shared.run(&id)?;
    let state = shared.clone();
    let work = move || {
        let test = test_part::load(&state, &run)?;
        let model = load(&state, &run)?;
        let pixels = test_part::image(&test, idx)?;
        Ok(answer::json(&look(&model, pixels, Some(test.labels[idx]))?))
    };
    shared.worker.run(work).await
}

/// `POST /api/runs/ID/try`: a picture file, fitted to the network as `danlu predict` does.
pub(crate) async fn picture(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, DashboardError> {
    let run = shared.run(&id)?;
    let bytes = body(&headers, sent, MAX_PICTURE).await?;
    let state = shared.clone();
    let work = move || {
        let model = load(&state, &run)?;
        let picture = data::decode_picture(&bytes, model.probe.plan().input())?;
        Ok(answer::json(&look(&model, &picture.pixels, None)?))
    };
    shared.worker.run(work).await
}

/// `GET /api/runs/ID/filters`
pub(crate) async fn filters(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, DashboardError> {
    let run = shared.run(&id)?;
    let state = shared.clone();
    let work = move || Ok(answer::json(&first_filters(&*load(&state, &run)?)?));
    shared.worker.run(work).await
}

/// The weights of the first convolution.
fn first_filters(model: &Model) -> Result<Filters, DashboardError> {
    let plan = model.probe.plan();
    let mut rows = plan.summary().iter();
    let node = rows.find(|row| row.layer == "conv2d").map(|row| row.name.clone());
    let node = node.ok_or_else(|| DashboardError::no("convolution in this network"))?;
    let name = format!("{node}.weight");
    let tensor = plan.tensors().iter().find(|tensor| tensor.name == name);
    let tensor = tensor.ok_or_else(|| DashboardError::no(format!("tensor {name}")))?;
    let values = model.params.0[tensor.range.clone()].to_vec();
    Ok(Filters { node, dims: tensor.dims.clone(), values })
}

/// C·H·W bytes through the network.
fn look(model: &Model, pixels: &[u8], label: Option<u8>) -> Result<Tried, DashboardError> {
    let plan = model.probe.plan();
    let (layers, logits) = layers(model, pixels);
    if !logits.iter().all(|logit| logit.is_finite()) {
        return Err(DashboardError::conflict("the model gives results that are no numbers"));
    }
    let best = metrics::top(&logits, logits.len()).into_iter();
    let image = STANDARD.encode(png(pixels, plan.input())?);
    Ok(Tried {
        image: format!("data:image/png;base64,{image}"),
        label,
        predictions: best
            .map(|(class, probability)| Prediction { class: model.classes[class].clone(), probability })
            .collect(),
        layers,
    })
}

/// What each node gives for a picture, of which that is made at once which is sent, as all of it may be much; and the logits.
///
/// One lane is enough for one picture, and spares this crate the kernels of every instruction set, with which it took longer
/// to build than any other. The numbers are the same.
fn layers(model: &Model, pixels: &[u8]) -> (Vec<LayerMaps>, Vec<f32>) {
    let Model { probe, params, normalization, .. } = model;
    let mut workspace = Workspace::<f32>::new(probe.plan(), Mode::Inference);
    pack(probe, normalization, pixels, &mut workspace);
    let mut layers = Vec::new();
    probe.forward(&params.0, &mut workspace, |node, values| {
        layers.push(maps(&probe.plan().summary()[node], values));
    });
    (layers, workspace.logits(probe.plan()).to_vec())
}

/// The picture into the network's input.
fn pack(probe: &Probe, normalization: &Normalization, pixels: &[u8], workspace: &mut Workspace<f32>) {
    let [_, height, width] = probe.plan().input();
    let planes = pixels.chunks_exact(height * width);
    let input = workspace.input_mut(probe.plan()).chunks_exact_mut(height * width);
    for (channel, (plane, values)) in planes.zip(input).enumerate() {
        let (scale, shift) = normalization.channel(channel);
        pack_bytes(&[plane], scale, shift, values);
    }
}

/// The first maps of a node's output, each over its own range; numbers without rows are one map.
fn maps(row: &LayerSummary, values: &[f32]) -> LayerMaps {
    let dims = row.output.dims();
    let map_len = if dims.len() == 3 { dims[1] * dims[2] } else { values.len() };
    let n_maps = (MAX_MAP_PIXELS / map_len.max(1)).clamp(1, MAX_MAPS);
    let mut bytes = Vec::new();
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    for map in values.chunks_exact(map_len.max(1)).take(n_maps) {
        let low = map.iter().copied().fold(f32::INFINITY, f32::min);
        let high = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
        bytes.extend(map.iter().map(|value| ((value - low) * scale).round() as u8));
        lows.push(low);
        highs.push(high);
    }
    LayerMaps {
        name: row.name.clone(),
        layer: row.layer,
        dims,
        shown: lows.len(),
        maps: STANDARD.encode(bytes),
        min: lows,
        max: highs,
    }
}

#[cfg(test)]
mod tests {
    use nn::Shape;

    use super::*;

    #[test]
    fn each_map_has_its_own_range() {
        let row = |output| LayerSummary {
            name: "a".into(),
            layer: "relu",
            output,
            parameters: 0,
            multiply_adds: 0,
        };
        let shown = maps(&row(Shape::Map([2, 1, 3])), &[-1.0, 0.0, 1.0, 5.0, 5.0, 5.0]);
        assert_eq!(STANDARD.decode(&shown.maps).unwrap(), [0, 128, 255, 0, 0, 0]);
        assert_eq!((shown.shown, shown.min, shown.max), (2, vec![-1.0, 5.0], vec![1.0, 5.0]));
        let flat = maps(&row(Shape::Flat(4)), &[0.0, 1.0, 2.0, 4.0]);
        assert_eq!((flat.shown, flat.dims), (1, vec![4]));
        assert_eq!(STANDARD.decode(&flat.maps).unwrap(), [0, 64, 128, 255]);
        let large = maps(&row(Shape::Map([8, 300, 300])), &vec![0.5; 8 * 300 * 300]);
        assert_eq!(large.shown, 2);
        let many = maps(&row(Shape::Map([100, 1, 1])), &[0.5; 100]);
        assert_eq!((many.shown, STANDARD.decode(&many.maps).unwrap().len()), (64, 64));
    }
}
