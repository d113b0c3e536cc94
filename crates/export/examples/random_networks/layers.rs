//! Random layers that fit a given shape.

use nn::Shape;
use spec::{
    BatchNorm2dSpec, Conv2dSpec, DropoutSpec, GroupNormSpec, LayerNormSpec, LayerSpec, LeakyReluSpec,
    LinearSpec, MergeSpec, PadSpec, Pair, PartialConv2dSpec, PoolSpec, ScaledTanhSpec, SqueezeExciteSpec,
    SubsampleSpec,
};

use super::generator::Random;

/// The layers that may stand anywhere; radial basis functions come last in a network.
pub(crate) const KINDS: [&str; 26] = [
    "conv2d",
    "partial_conv2d",
    "linear",
    "batch_norm2d",
    "layer_norm",
    "group_norm",
    "dropout",
    "spatial_dropout",
    "relu",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "scaled_tanh",
    "gelu",
    "silu",
    "hard_swish",
    "max_pool2d",
    "avg_pool2d",
    "global_avg_pool",
    "subsample",
    "pad",
    "flatten",
    "add",
    "multiply",
    "concat",
    "squeeze_excite",
];

/// Rows or columns at most, and numbers at most of a value.
const MAX_SIDE: usize = 16;
const MAX_VALUES: usize = 1500;

/// Whether the layer has weights.
pub(crate) fn learns(layer: &LayerSpec) -> bool {
    matches!(
        layer,
        LayerSpec::Conv2d(_)
            | LayerSpec::PartialConv2d(_)
            | LayerSpec::Linear(_)
            | LayerSpec::BatchNorm2d(_)
            | LayerSpec::LayerNorm(_)
            | LayerSpec::GroupNorm(_)
            | LayerSpec::Subsample(_)
            | LayerSpec::SqueezeExcite(_)
    )
}

/// A layer of one input and the shape that it gives, or `None` where it does not fit.
pub(crate) fn layer(kind: &str, shape: Shape, random: &mut Random) -> Option<(LayerSpec, Shape)> {
    if let Some(layer) = of_any_shape(kind, random) {
        return Some((layer, shape));
    }
    let (layer, shape) = match shape {
        Shape::Map(dims) => of_map(kind, dims, random)?,
        Shape::Flat(_) if kind == "linear" => {
            let out_features = random.among(1, 16);
            (
                LayerSpec::Linear(LinearSpec { out_features, bias: random.chance(70) }),
                Shape::Flat(out_features),
            )
        }
        Shape::Flat(_) => return None,
    };
    let fits = shape.n_values() <= MAX_VALUES && shape.dims()[1..].iter().all(|&side| side <= MAX_SIDE);
    fits.then_some((layer, shape))
}

fn of_any_shape(kind: &str, random: &mut Random) -> Option<LayerSpec> {
    Some(match kind {
        "layer_norm" => LayerSpec::LayerNorm(LayerNormSpec { epsilon: epsilon(random) }),
        "dropout" => LayerSpec::Dropout(DropoutSpec { p: random.pick(&[0.0, 0.25, 0.5]) }),
        "relu" => LayerSpec::Relu,
        "leaky_relu" => LayerSpec::LeakyRelu(LeakyReluSpec { slope: random.pick(&[0.01, 0.1, -0.3, 1.5]) }),
        "sigmoid" => LayerSpec::Sigmoid,
        "tanh" => LayerSpec::Tanh,
        "scaled_tanh" => LayerSpec::ScaledTanh(ScaledTanhSpec {
            amplitude: random.pick(&[1.7159, -0.5]),
            slope: random.pick(&[2.0 / 3.0, 1.5]),
        }),
        "gelu" => LayerSpec::Gelu,
        "silu" => LayerSpec::Silu,
        "hard_swish" => LayerSpec::HardSwish,
        _ => return None,
    })
}

/// Not so small that a channel with hardly any variance makes rounding large.
fn epsilon(random: &mut Random) -> f64 {
    random.pick(&[1e-3, 1e-2, 0.1])
}

fn of_map(kind: &str, [c, h, w]: [usize; 3], random: &mut Random) -> Option<(LayerSpec, Shape)> {
    let same = Shape::Map([c, h, w]);
    Some(match kind {
        "conv2d" => conv2d([c, h, w], random)?,
        "partial_conv2d" => {
            let kernel = Pair::new(random.among(1, h.min(3)), random.among(1, w.min(3)));
            let connections = (0..random.among(1, 6)).map(|_| subset(c, random)).collect::<Vec<_>>();
            let shape = Shape::Map([connections.len(), h + 1 - kernel.h, w + 1 - kernel.w]);
            (LayerSpec::PartialConv2d(PartialConv2dSpec { kernel, connections }), shape)
        }
        "batch_norm2d" => {
            let momentum = random.pick(&[0.1, 0.3, 1.0]);
            (LayerSpec::BatchNorm2d(BatchNorm2dSpec { epsilon: epsilon(random), momentum }), same)
        }
        "group_norm" => {
            let (groups, epsilon) = (divisor(c, random), epsilon(random));
            (LayerSpec::GroupNorm(GroupNormSpec { groups, epsilon }), same)
        }
        "spatial_dropout" => {
            (LayerSpec::SpatialDropout(DropoutSpec { p: random.pick(&[0.0, 0.25, 0.5]) }), same)
        }
        "max_pool2d" | "avg_pool2d" => pool(kind, [c, h, w], random)?,
        "global_avg_pool" => (LayerSpec::GlobalAvgPool, Shape::Map([c, 1, 1])),
        "subsample" => {
            let kernel = Pair::new(random.among(1, h.min(3)), random.among(1, w.min(3)));
            (LayerSpec::Subsample(SubsampleSpec { kernel }), Shape::Map([c, h / kernel.h, w / kernel.w]))
        }
        "pad" => {
            let [top, bottom, left, right] = [(); 4].map(|()| random.among(0, 2));
            let value = random.pick(&[0.0, 0.0, -0.75, 1.25]);
            let shape = Shape::Map([c, h + top + bottom, w + left + right]);
            (LayerSpec::Pad(PadSpec { top, bottom, left, right, value }), shape)
        }
        // Not too often, as only few layers follow it.
        "flatten" if random.chance(30) => (LayerSpec::Flatten, Shape::Flat(c * h * w)),
        "squeeze_excite" => {
            (LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: random.among(1, 4) }), same)
        }
        _ => return None,
    })
}

fn conv2d([c, h, w]: [usize; 3], random: &mut Random) -> Option<(LayerSpec, Shape)> {
    let mut pair = |low, high| Pair::new(random.among(low, high), random.among(low, high));
    let (kernel, stride, padding, dilation) = (pair(1, 4), pair(1, 3), pair(0, 2), pair(1, 2));
    let groups = divisor(c, random);
    let out_channels = groups * random.among(1, (8 / groups).max(1));
    let out = |size: usize, kernel: usize, stride: usize, padding: usize, dilation: usize| {
        Some((size + 2 * padding).checked_sub(dilation * (kernel - 1) + 1)? / stride + 1)
    };
    let out_h = out(h, kernel.h, stride.h, padding.h, dilation.h)?;
    let out_w = out(w, kernel.w, stride.w, padding.w, dilation.w)?;
    let bias = random.chance(70);
    let conv = Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, bias };
    Some((LayerSpec::Conv2d(conv), Shape::Map([out_channels, out_h, out_w])))
}

fn pool(kind: &str, [c, h, w]: [usize; 3], random: &mut Random) -> Option<(LayerSpec, Shape)> {
    let kernel = Pair::new(random.among(1, 3), random.among(1, 3));
    let padding = Pair::new(random.among(0, kernel.h / 2), random.among(0, kernel.w / 2));
    let stride = random.chance(50).then(|| Pair::new(random.among(1, 3), random.among(1, 3)));
    let step = stride.unwrap_or(kernel);
    let out_h = (h + 2 * padding.h).checked_sub(kernel.h)? / step.h + 1;
    let out_w = (w + 2 * padding.w).checked_sub(kernel.w)? / step.w + 1;
    let pool = PoolSpec { kernel, stride, padding };
    let layer = if kind == "max_pool2d" { LayerSpec::MaxPool2d(pool) } else { LayerSpec::AvgPool2d(pool) };
    Some((layer, Shape::Map([c, out_h, out_w])))
}

fn divisor(n: usize, random: &mut Random) -> usize {
    let divisors: Vec<usize> = (1..=n).filter(|&d| n.is_multiple_of(d)).collect();
    random.pick(&divisors)
}

/// Some of the numbers below `n`, at least one, in order.
fn subset(n: usize, random: &mut Random) -> Vec<usize> {
    let sure = random.among(0, n - 1);
    (0..n).filter(|&item| item == sure || random.chance(50)).collect()
}

/// A layer of several inputs, the values that it reads beside `from`, and the shape that it gives; `None` where no other
/// value fits.
pub(crate) fn merge(
    kind: &str,
    from: usize,
    shapes: &[Shape],
    random: &mut Random,
) -> Option<(LayerSpec, Vec<usize>, Shape)> {
    let pad = random.chance(50);
    let fits = |&other: &usize| match kind {
        "add" => can_add(shapes[from], shapes[other], pad),
        "multiply" => {
            can_add(shapes[from], shapes[other], pad) || is_scale(shapes[other], shapes[from]) && !pad
        }
        "concat" => can_concat(shapes[from], shapes[other], pad),
        _ => false,
    };
    let others: Vec<usize> = (0..shapes.len()).filter(fits).collect();
    // A value and itself is no more than a special case.
    let is_alone = others.iter().all(|&other| other == from);
    if others.is_empty() || is_alone && !random.chance(5) {
        return None;
    }
    let partners: Vec<usize> = (0..random.among(1, 2)).map(|_| random.pick(&others)).collect();
    let inputs = || [from].into_iter().chain(partners.iter().copied()).map(|value| shapes[value]);
    let merge = MergeSpec { pad };
    let (layer, shape) = match kind {
        "add" => (LayerSpec::Add(merge), largest(inputs())),
        "multiply" => (LayerSpec::Multiply(merge), largest(inputs())),
        _ => (LayerSpec::Concat(merge), concatenated(inputs())),
    };
    (shape.n_values() <= MAX_VALUES).then_some((layer, partners, shape))
}

fn can_add(one: Shape, other: Shape, pad: bool) -> bool {
    match (one, other) {
        (Shape::Map([c, ..]), Shape::Map([channels, ..])) => one == other || pad && c == channels,
        _ => one == other,
    }
}

/// One number for each channel.
fn is_scale(small: Shape, large: Shape) -> bool {
    matches!((small, large), (Shape::Map([c, 1, 1]), Shape::Map([channels, ..])) if c == channels)
}

fn can_concat(one: Shape, other: Shape, pad: bool) -> bool {
    match (one, other) {
        (Shape::Map([_, h, w]), Shape::Map([_, rows, columns])) => pad || [h, w] == [rows, columns],
        (Shape::Flat(_), Shape::Flat(_)) => true,
        _ => false,
    }
}

/// As many rows and columns as the largest have.
fn largest(shapes: impl Iterator<Item = Shape>) -> Shape {
    let larger = |one, other| match (one, other) {
        (Shape::Map([c, h, w]), Shape::Map([_, rows, columns])) => {
            Shape::Map([c, h.max(rows), w.max(columns)])
        }
        (flat, _) => flat,
    };
    shapes.reduce(larger).expect("a layer has inputs")
}

/// All channels, or all numbers, with the largest rows and columns.
pub(crate) fn concatenated(shapes: impl Iterator<Item = Shape> + Clone) -> Shape {
    let n_first = shapes.clone().map(|shape| shape.dims()[0]).sum();
    match largest(shapes) {
        Shape::Map([_, h, w]) => Shape::Map([n_first, h, w]),
        Shape::Flat(_) => Shape::Flat(n_first),
    }
}
