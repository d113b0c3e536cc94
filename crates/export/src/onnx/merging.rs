//! Layers of several inputs as nodes of ONNX.

use super::graph_builder::LayerBuilder;
use super::proto::AttributeProto;
use crate::wiring::border;

/// Sum of all inputs, smaller ones with a border of zeros where `pad` says so.
pub(super) fn add(layer: &mut LayerBuilder<'_, '_>, pad: bool) {
    let inputs = padded(layer, pad);
    layer.result("Sum", &strs(&inputs), vec![]);
}

/// Product of all inputs; those of one row and column count for all, as they do in ONNX.
pub(super) fn multiply(layer: &mut LayerBuilder<'_, '_>, pad: bool) {
    let inputs = padded(layer, pad);
    let (last, others) = inputs.split_last().expect("a product has inputs");
    let (first, others) = others.split_first().expect("a product has two inputs or more");
    let mut product = first.clone();
    for factor in others {
        product = layer.step("Mul", &[&product, factor], vec![]);
    }
    layer.result("Mul", &[&product, last], vec![]);
}

/// Channels, or numbers where they are flat, one after the other.
pub(super) fn concat(layer: &mut LayerBuilder<'_, '_>, pad: bool) {
    let inputs = padded(layer, pad);
    layer.result("Concat", &strs(&inputs), vec![AttributeProto::int("axis", 1)]);
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The inputs with their borders.
fn padded(layer: &mut LayerBuilder<'_, '_>, pad: bool) -> Vec<String> {
    let mut inputs = layer.inputs.clone();
    for (input, &shape) in inputs.iter_mut().zip(&layer.shapes.clone()) {
        if let Some(border) = border(shape, layer.shape, pad) {
            let pads = layer.ints("pads", &borders(border));
            *input = layer.step("Pad", &[input, &pads], vec![]);
        }
    }
    inputs
}

/// `pads` of the operator Pad for [N, C, H, W]: begin of each dimension, then end of each.
pub(super) fn borders([top, left, bottom, right]: [usize; 4]) -> [i64; 8] {
    [0, 0, top as i64, left as i64, 0, 0, bottom as i64, right as i64]
}
