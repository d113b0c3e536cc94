//! How near each layer of a network comes to the peak, alone.

use std::time::Instant;

use lanes::{Lane, WithLane};
use nn::{
    BatchStatistics, Loss, Mode, Params, Pass, Plan, Shape, ShardGradient, Targets, Workspace, evaluate_group,
};
use spec::{LayerSpec, LossSpec, NetworkSpec, NodeSpec, Pair, PoolSpec, Seed};

use crate::{Setup, TrainError};

/// One layer's speed on one thread, in GFLOP/s of dense multiply-adds (each counts as two).
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSpeed {
    /// The node's name.
    pub name: String,
    /// Forward.
    pub forward: f64,
    /// Forward and both gradients.
    pub training: f64,
}

/// Measures every convolution and linear layer of the network in a small network of its own: the layer, for a
/// convolution a pooling of each map to one value, and the loss. Their time counts too, so the figures are a few
/// per cent low for small layers.
///
/// Layers that cannot be measured so (more than 256 outputs) are left out.
pub fn measure_layers(network: &NetworkSpec, setup: Setup) -> Result<Vec<LayerSpeed>, TrainError> {
    let Ok(plan) = Plan::compile(network) else { return Ok(Vec::new()) };
    let pool = Setup { threads: 1, ..setup }.pool()?;
    let mut speeds = Vec::new();
    for (idx, node) in network.nodes.iter().enumerate() {
        let Some(alone) = alone(network, &plan, idx) else { continue };
        let Ok(plan) = Plan::with_input_gradient(&alone) else { continue };
        let name = node.name.clone().unwrap_or_else(|| idx.to_string());
        let (forward, training) = pool.install(|| setup.isa.run(Measure(&plan)));
        speeds.push(LayerSpeed { name, forward, training });
    }
    Ok(speeds)
}

/// The network of one layer; `None` where the layer has no multiply-adds.
fn alone(network: &NetworkSpec, plan: &Plan, idx: usize) -> Option<NetworkSpec> {
    let node = &network.nodes[idx];
    let source = match node.inputs.as_ref().map(|inputs| inputs[0].as_str()) {
        None => idx.checked_sub(1),
        Some(name) => network.node_names().iter().position(|other| other == name),
    };
    let input = source.map_or(Shape::Map(network.input), |source| plan.summary()[source].output);
    let [head, tail] = match (&node.layer, plan.summary()[idx].output) {
        (LayerSpec::Conv2d(_), Shape::Map([_, h, w])) => {
            let window = PoolSpec::new(Pair::new(h, w));
            [vec![], vec![LayerSpec::MaxPool2d(window), LayerSpec::Flatten]]
        }
        (LayerSpec::Linear(_), _) => [vec![LayerSpec::Flatten], vec![]],
        _ => return None,
    };
    let classes = match plan.summary()[idx].output {
        Shape::Map([c, _, _]) => c,
        Shape::Flat(n) => n,
    };
    let input = match input {
        Shape::Map(dims) => dims,
        Shape::Flat(n) => [n, 1, 1],
    };
    let layers = head.into_iter().chain([node.layer.clone()]).chain(tail);
    let nodes = layers.map(|layer| NodeSpec { name: None, inputs: None, layer }).collect();
    Some(NetworkSpec { name: "layer".into(), input, classes, nodes })
}

/// The best of some runs, each of so many lane groups that it takes some milliseconds.
const N_RUNS: usize = 15;
const RUN_FLOPS: f64 = 3e8;

struct Measure<'a>(&'a Plan);

impl WithLane for Measure<'_> {
    /// GFLOP/s forward and in training.
    type Output = (f64, f64);
    fn run<V: Lane<Scalar = f32>>(self) -> (f64, f64) {
        let plan = self.0;
        let params = Params::<f32>::init(plan, Seed(1));
        let loss = Loss::new(&LossSpec::default(), plan.classes());
        let statistics = BatchStatistics::new(plan);
        let pass = Pass { plan, params: &params.0, statistics: &statistics };
        let labels = [0; lanes::GROUP];
        let mut inference = Workspace::<V>::new(plan, Mode::Inference);
        let forward = best(plan.multiply_adds(), || {
            evaluate_group(plan, &params.0, &loss, &labels, &mut inference);
        });
        let mut workspace = Workspace::<V>::new(plan, Mode::Training);
        let mut gradient = ShardGradient::<V>::new(plan, 1);
        let mut grads = vec![0.0; plan.n_parameters()];
        let chunks = plan.chunks();
        let training = best(plan.training_multiply_adds(), || {
            gradient.reset(1);
            pass.run((&loss, Targets::from(&labels[..]), 1.0), 0, &mut workspace, &mut gradient);
            for chunk in &chunks {
                chunk.gather(std::slice::from_ref(&gradient), &mut grads[chunk.range()]);
            }
        });
        (forward, training)
    }
}

/// The highest rate of `run`, which does that many multiply-adds for each lane, in GFLOP/s.
fn best(multiply_adds: u64, mut run: impl FnMut()) -> f64 {
    let flops = (2 * multiply_adds * lanes::GROUP as u64) as f64;
    let n = (RUN_FLOPS / flops).ceil().max(1.0) as usize;
    let mut best = 0.0f64;
    for _ in 0..N_RUNS {
        let start = Instant::now();
        for _ in 0..n {
            run();
        }
        best = best.max(n as f64 * flops / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}
