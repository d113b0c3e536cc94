//! Which shapes layers take and give: the rules of the engine's plan, without its buffers. The engine is the judge; a test
//! compares both (crates/study/tests).

use spec::{Conv2dSpec, LayerSpec, PadSpec, Pair, PoolSpec};

use super::template::Part;

/// Values of one activation at most, as the engine has it.
const MAX_ACTIVATION: usize = 1 << 20;

/// The shape of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Channels, rows, columns.
    Map([usize; 3]),
    /// Numbers in a row.
    Flat(usize),
}

/// The shape that a part gives for a picture or map of another; `Err`: the position of the node that does not take its
/// inputs. `variants` has the variant of each node. Where nobody `asks` for channels there is one, whatever the variants say:
/// the engine itself refuses networks that are too large with theirs.
pub(super) fn through(part: &Part, variants: &[usize], input: Shape, asks: bool) -> Result<Shape, usize> {
    let seen = |shape| if asks { shape } else { without_channels(shape) };
    let input = seen(input);
    let mut shapes: Vec<Shape> = Vec::with_capacity(part.nodes.len());
    for (idx, (node, &variant)) in part.nodes.iter().zip(variants).enumerate() {
        let inputs: Vec<Shape> =
            node.inputs.iter().map(|source| source.map_or(input, |node| shapes[node])).collect();
        let shape = output(&node.variants[variant], &inputs).map(seen);
        shapes.push(shape.filter(|&shape| map(shape).is_none_or(is_of_size)).ok_or(idx)?);
    }
    Ok(shapes.last().copied().unwrap_or(input))
}

fn without_channels(shape: Shape) -> Shape {
    match shape {
        Shape::Map([_, h, w]) => Shape::Map([1, h, w]),
        Shape::Flat(_) => Shape::Flat(1),
    }
}

/// Whether a layer fits depends on how many channels there are.
pub(super) fn asks_for_channels(layer: &LayerSpec) -> bool {
    match layer {
        LayerSpec::Conv2d(conv) => conv.groups != 1,
        LayerSpec::PartialConv2d(_) | LayerSpec::Rbf(_) | LayerSpec::GroupNorm(_) => true,
        LayerSpec::Add(_) | LayerSpec::Multiply(_) => true,
        _ => false,
    }
}

/// What a layer makes of shapes; `None`: it does not take them.
fn output(layer: &LayerSpec, inputs: &[Shape]) -> Option<Shape> {
    let input = inputs[0];
    match layer {
        LayerSpec::Conv2d(conv) => conv2d(conv, map(input)?),
        LayerSpec::PartialConv2d(conv) => {
            let [c, h, w] = map(input)?;
            let is_there = conv.connections.iter().flatten().all(|&channel| channel < c);
            let out = windowed([h, w], conv.kernel, Pair::square(1))?;
            is_there.then_some(Shape::Map([conv.connections.len(), out[0], out[1]]))
        }
        LayerSpec::Linear(linear) => flat(input).map(|_| Shape::Flat(linear.out_features)),
        LayerSpec::Rbf(rbf) => {
            let signs = rbf.signs();
            (flat(input)? == signs[0].len()).then_some(Shape::Flat(signs.len()))
        }
        LayerSpec::BatchNorm2d(_) | LayerSpec::SpatialDropout(_) | LayerSpec::SqueezeExcite(_) => {
            map(input).map(Shape::Map)
        }
        LayerSpec::GroupNorm(norm) => map(input).filter(|[c, ..]| c % norm.groups == 0).map(Shape::Map),
        LayerSpec::MaxPool2d(pool) | LayerSpec::AvgPool2d(pool) => pooled(pool, map(input)?),
        LayerSpec::Subsample(subsample) => pooled(&PoolSpec::new(subsample.kernel), map(input)?),
        LayerSpec::GlobalAvgPool => map(input).map(|[c, ..]| Shape::Map([c, 1, 1])),
        LayerSpec::Pad(pad) => map(input).map(|dims| padded(pad, dims)),
        LayerSpec::Flatten => Some(Shape::Flat(n_values(input))),
        LayerSpec::Add(merge) => {
            let inputs = same_size(inputs, merge.pad)?;
            inputs.iter().all(|other| *other == inputs[0]).then_some(inputs[0])
        }
        LayerSpec::Multiply(merge) => {
            let inputs = same_size(inputs, merge.pad)?;
            inputs[1..].iter().try_fold(inputs[0], |product, &other| scaled(product, other))
        }
        LayerSpec::Concat(merge) => concat(&same_size(inputs, merge.pad)?),
        LayerSpec::LayerNorm(_)
        | LayerSpec::Dropout(_)
        | LayerSpec::Relu
        | LayerSpec::LeakyRelu(_)
        | LayerSpec::Sigmoid
        | LayerSpec::Tanh
        | LayerSpec::ScaledTanh(_)
        | LayerSpec::Gelu
        | LayerSpec::Silu
        | LayerSpec::HardSwish => Some(input),
    }
}

fn conv2d(conv: &Conv2dSpec, [c, h, w]: [usize; 3]) -> Option<Shape> {
    let extent = |k: usize, d: usize| d * (k - 1) + 1;
    let kernel = Pair::new(extent(conv.kernel.h, conv.dilation.h), extent(conv.kernel.w, conv.dilation.w));
    let around = [h + 2 * conv.padding.h, w + 2 * conv.padding.w];
    if c % conv.groups != 0 || !is_of_size([c, around[0], around[1]]) {
        return None;
    }
    let [h, w] = windowed(around, kernel, conv.stride)?;
    Some(Shape::Map([conv.out_channels, h, w]))
}

fn pooled(pool: &PoolSpec, [c, h, w]: [usize; 3]) -> Option<Shape> {
    let around = [h + 2 * pool.padding.h, w + 2 * pool.padding.w];
    let [h, w] = windowed(around, pool.kernel, pool.stride.unwrap_or(pool.kernel))?;
    Some(Shape::Map([c, h, w])).filter(|_| is_of_size([c, around[0], around[1]]))
}

/// Positions of a window in rows and columns.
fn windowed([h, w]: [usize; 2], kernel: Pair, stride: Pair) -> Option<[usize; 2]> {
    Some([h.checked_sub(kernel.h)? / stride.h + 1, w.checked_sub(kernel.w)? / stride.w + 1])
}

fn padded(pad: &PadSpec, [c, h, w]: [usize; 3]) -> Shape {
    Shape::Map([c, h + pad.top + pad.bottom, w + pad.left + pad.right])
}

/// The inputs, where `pad` is asked for all with as many rows and columns as the largest.
fn same_size(inputs: &[Shape], pad: bool) -> Option<Vec<Shape>> {
    if !pad {
        return Some(inputs.to_vec());
    }
    let largest = |axis: usize| inputs.iter().filter_map(|&input| Some(map(input)?[axis])).max().unwrap_or(0);
    let (h, w) = (largest(1), largest(2));
    let widened = |input: &Shape| match *input {
        Shape::Map([c, ..]) => is_of_size([c, h, w]).then_some(Shape::Map([c, h, w])),
        flat => Some(flat),
    };
    inputs.iter().map(widened).collect()
}

/// The larger of two factors, if one counts for every row and column of the other.
fn scaled(a: Shape, b: Shape) -> Option<Shape> {
    let scales = |small: Shape, large: Shape| match (small, large) {
        (Shape::Map([c, 1, 1]), Shape::Map([channels, ..])) => c == channels,
        _ => false,
    };
    match () {
        () if a == b || scales(b, a) => Some(a),
        () if scales(a, b) => Some(b),
        () => None,
    }
}

fn concat(inputs: &[Shape]) -> Option<Shape> {
    let n: usize = inputs
        .iter()
        .map(|input| match input {
            Shape::Map([c, ..]) | Shape::Flat(c) => *c,
        })
        .sum();
    let with = |shape: &Shape| match *shape {
        Shape::Map([_, h, w]) => Shape::Map([n, h, w]),
        Shape::Flat(_) => Shape::Flat(n),
    };
    let first = with(&inputs[0]);
    let fits = inputs.iter().all(|input| with(input) == first) && n_values(first) <= MAX_ACTIVATION;
    fits.then_some(first)
}

fn n_values(shape: Shape) -> usize {
    match shape {
        Shape::Map([c, h, w]) => c * h * w,
        Shape::Flat(n) => n,
    }
}

fn is_of_size(dims: [usize; 3]) -> bool {
    dims.into_iter().try_fold(1usize, usize::checked_mul).is_some_and(|n| n <= MAX_ACTIVATION)
}

fn map(shape: Shape) -> Option<[usize; 3]> {
    if let Shape::Map(dims) = shape { Some(dims) } else { None }
}

fn flat(shape: Shape) -> Option<usize> {
    if let Shape::Flat(n) = shape { Some(n) } else { None }
}
