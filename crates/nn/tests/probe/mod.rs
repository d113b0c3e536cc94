//! What a probe shows: the same logits as the plan in use, and outputs that their own definitions give.

use lanes::{Isa, Lane, WithLane};
use nn::{Mode, Params, Plan, Probe, Workspace, forward};
use spec::{LayerSpec, NetworkSpec, PRESETS, Seed, preset};

use crate::cases;

/// The values of the first lane: those of each node, and the logits of the plan in use.
struct Shown {
    nodes: Vec<Vec<f32>>,
    logits: Vec<f32>,
}

struct ShowTask<'a>(&'a NetworkSpec);

impl WithLane for ShowTask<'_> {
    type Output = Shown;
    fn run<V: Lane<Scalar = f32>>(self) -> Shown {
        let (plan, probe) = (Plan::compile(self.0).unwrap(), Probe::compile(self.0).unwrap());
        let params = Params::<f32>::init(&plan, Seed(3));
        assert_eq!(params, Params::init(probe.plan(), Seed(3)));
        let first =
            |values: &[V]| V::as_scalars(values).iter().step_by(V::LANES).copied().collect::<Vec<_>>();
        let mut workspace = Workspace::<V>::new(&plan, Mode::Inference);
        fill(V::as_scalars_mut(workspace.input_mut(&plan)));
        forward(&plan, &params.0, &mut workspace);
        let logits = first(workspace.logits(&plan));
        let mut workspace = Workspace::<V>::new(probe.plan(), Mode::Inference);
        fill(V::as_scalars_mut(workspace.input_mut(probe.plan())));
        let mut nodes = Vec::new();
        probe.forward(&params.0, &mut workspace, |node, values| {
            assert_eq!(node, nodes.len());
            nodes.push(first(values));
        });
        Shown { nodes, logits }
    }
}

fn fill(pixels: &mut [f32]) {
    for (idx, pixel) in pixels.iter_mut().enumerate() {
        *pixel = ((idx * 7919 + idx / 16 * 31) % 255) as f32 / 128.0 - 1.0;
    }
}

#[test]
fn the_last_node_gives_the_logits_and_every_node_its_shape() {
    let presets = PRESETS.map(|known| (known.name, preset(known.name).unwrap()));
    let cases = cases::cases().into_iter().map(|case| (case.name, case.spec));
    for (name, spec) in cases.chain(presets) {
        let Shown { nodes, logits } = Isa::detect().run(ShowTask(&spec));
        assert!(logits.iter().all(|logit| logit.is_finite()), "{name}");
        // The plan in use may have taken the largest of other values that differ by rounding.
        for (shown, logit) in nodes.last().unwrap().iter().zip(&logits) {
            let tolerance = if is_smooth_before_pooling(&spec) { 1e-6 } else { 0.0 };
            assert!((shown - logit).abs() <= tolerance, "{name}: {shown} and {logit}");
        }
        let plan = Plan::compile(&spec).unwrap();
        let lens: Vec<usize> = plan.summary().iter().map(|row| row.output.dims().iter().product()).collect();
        assert_eq!(nodes.iter().map(Vec::len).collect::<Vec<_>>(), lens, "{name}");
    }
}

fn is_smooth_before_pooling(spec: &NetworkSpec) -> bool {
    let is_smooth = |layer: &LayerSpec| {
        ["sigmoid", "tanh", "scaled_tanh", "gelu", "silu", "hard_swish"].contains(&layer.kind())
    };
    spec.nodes.windows(2).any(|pair| is_smooth(&pair[0].layer) && pair[1].layer.kind() == "max_pool2d")
}

/// Here the plan in use pools before it rectifies, and in place.
#[test]
fn rectifiers_and_poolings_are_shown_as_the_network_has_them() {
    let spec = preset("lenet").unwrap();
    let Shown { nodes, .. } = Isa::detect().run(ShowTask(&spec));
    let mut n_checked = 0;
    for (idx, node) in spec.nodes.iter().enumerate().skip(1) {
        if let LayerSpec::LeakyRelu(leaky) = &node.layer {
            let rectified = |x: &f32| if *x > 0.0 { *x } else { x * leaky.slope as f32 };
            assert_eq!(nodes[idx], nodes[idx - 1].iter().map(rectified).collect::<Vec<_>>());
            n_checked += 1;
        }
    }
    assert_eq!(n_checked, 3);
    let (rectified, pooled) = (&nodes[1], &nodes[2]);
    let largest = |row: usize, column: usize| {
        let at = |dy: usize, dx: usize| rectified[(2 * row + dy) * 24 + 2 * column + dx];
        at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
    };
    for (row, column) in [(0, 0), (3, 11), (11, 5)] {
        assert_eq!(pooled[row * 12 + column], largest(row, column));
    }
}
