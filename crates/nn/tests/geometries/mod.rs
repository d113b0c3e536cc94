//! All small geometries of the layers that move a window.

use lanes::Isa;
use spec::{Conv2dSpec, LayerSpec, Pair, PoolSpec};

use crate::cases::classifier;
use crate::engine::Batch;
use crate::{assert_same, reference};

/// One axis of a window and its input.
#[derive(Clone, Copy, Debug)]
struct Axis {
    len: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

/// All with lengths up to `max_len`, kernels up to 3, strides 1 and 2, paddings up to `max_padding` and dilations up to
/// `max_dilation` that fit.
fn axes(max_len: usize, max_padding: usize, max_dilation: usize) -> Vec<Axis> {
    let mut all = vec![];
    for len in 1..=max_len {
        for kernel in 1..=3 {
            for stride in 1..=2 {
                for padding in 0..=max_padding {
                    // The dilation of a single tap is none.
                    for dilation in 1..=if kernel == 1 { 1 } else { max_dilation } {
                        all.push(Axis { len, kernel, stride, padding, dilation });
                    }
                }
            }
        }
    }
    all.retain(|axis| (axis.kernel - 1) * axis.dilation < axis.len + 2 * axis.padding);
    all
}

/// Every pair of axes: rows and columns.
fn pairs(axes: &[Axis]) -> impl Iterator<Item = (usize, Axis, Axis)> {
    let n = axes.len();
    (0..n * n).map(move |i| (i, axes[i / n], axes[i % n]))
}

fn check(seed: usize, input: [usize; 3], layer: LayerSpec) {
    let name = format!("{layer:?} of {input:?}");
    let spec = classifier(input, vec![layer]);
    let batch = Batch::random(&spec, 2, seed as u64);
    let want = reference::answer(&spec, &batch);
    assert_same(&name, &batch.run::<f64>(), &want, 1e-12);
    assert_same(&name, &Isa::detect().run(&batch), &want, 2e-5);
}

fn conv(out_channels: usize, groups: usize, r: Axis, q: Axis) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec {
        out_channels,
        kernel: Pair::new(r.kernel, q.kernel),
        stride: Pair::new(r.stride, q.stride),
        padding: Pair::new(r.padding, q.padding),
        dilation: Pair::new(r.dilation, q.dilation),
        groups,
        bias: groups == 1,
    })
}

#[test]
fn all_small_convolutions_equal_the_reference() {
    let axes = axes(6, 1, 1);
    // 15 pairs of length and kernel fit without padding, 18 with it, and there are two strides.
    assert_eq!(axes.len(), 2 * (15 + 18));
    for (seed, r, q) in pairs(&axes) {
        check(seed, [2, r.len, q.len], conv(3, 1, r, q));
    }
}

#[test]
fn all_small_dilated_and_grouped_convolutions_equal_the_reference() {
    let axes = axes(4, 1, 2);
    for (seed, r, q) in pairs(&axes) {
        // By turns dense, in two groups, depthwise, and depthwise with two filters a channel.
        let (channels, filters, groups) = [(2, 2, 1), (4, 2, 2), (3, 3, 3), (2, 4, 2)][seed % 4];
        if r.dilation * q.dilation > 1 || groups > 1 {
            check(seed, [channels, r.len, q.len], conv(filters, groups, r, q));
        }
    }
}

#[test]
fn all_small_poolings_equal_the_reference() {
    let mut axes = axes(6, 1, 1);
    axes.retain(|axis| axis.padding <= axis.kernel / 2);
    for (seed, r, q) in pairs(&axes) {
        let pool = PoolSpec {
            kernel: Pair::new(r.kernel, q.kernel),
            stride: Some(Pair::new(r.stride, q.stride)),
            padding: Pair::new(r.padding, q.padding),
        };
        check(seed, [2, r.len, q.len], LayerSpec::MaxPool2d(pool.clone()));
        check(seed, [2, r.len, q.len], LayerSpec::AvgPool2d(pool));
    }
}
