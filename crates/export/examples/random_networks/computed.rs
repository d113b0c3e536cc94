//! Random weights and pictures for a network, and what the engine makes of them.

use std::collections::HashMap;
use std::error::Error;

use lanes::{Isa, Lane, Scalar, WithLane};
use nn::{Init, Mode, Params, Plan, Workspace, forward};
use rand_core::Rng;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};
use spec::{LayerSpec, LeakyReluSpec, LossSpec, NetworkSpec, Seed};

use crate::engine::{Answer, Batch};

/// More than one lane group, and one that is not full.
const N_SAMPLES: usize = 21;

/// A network with numbers.
pub(crate) struct Computed {
    pub(crate) plan: Plan,
    pub(crate) params: Params<f32>,
    /// For each channel.
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    input: [usize; 3],
    /// From 0 to 255, but no whole numbers: sums of those are often equal, and then rounding would choose what a max
    /// pooling takes.
    pictures: Vec<f32>,
    labels: Vec<u8>,
    loss: LossSpec,
    logits: Vec<f64>,
    training: Answer,
}

impl Computed {
    /// The same for the same seed.
    pub(crate) fn new(network: &NetworkSpec, loss: LossSpec, seed: Seed) -> Result<Self, nn::PlanError> {
        let plan = Plan::compile(network)?;
        let (scale, shift) = random_normalization(network.input[0], seed);
        let mut computed = Self {
            params: random_params(&plan, seed),
            plan,
            scale,
            shift,
            input: network.input,
            pictures: random_pictures(network.input, seed),
            labels: random_labels(network.classes, seed),
            loss,
            logits: vec![],
            training: Answer::default(),
        };
        let mut batch = Batch::random(&without_dropout(network), N_SAMPLES, 0);
        batch.params = computed.params.0.iter().map(|&x| f64::from(x)).collect();
        batch.pictures = computed.normalized();
        batch.labels.clone_from(&computed.labels);
        batch.loss = computed.loss.clone();
        let (plan, params) = (&computed.plan, &computed.params.0);
        let isa = Isa::detect();
        computed.logits = isa.run(Inference { plan, params, pictures: &batch.pictures });
        computed.training = isa.run(&batch);
        Ok(computed)
    }

    /// What the network sees of each picture.
    fn normalized(&self) -> Vec<Vec<f64>> {
        let [channels, h, w] = self.input;
        let pixel =
            |(idx, x): (usize, &f32)| f64::from(self.scale[idx / (h * w)] * x + self.shift[idx / (h * w)]);
        let pictures = self.pictures.chunks(channels * h * w);
        pictures.map(|picture| picture.iter().enumerate().map(pixel).collect()).collect()
    }

    /// All of it but the weights.
    pub(crate) fn to_safetensors(&self, title: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let [c, h, w] = self.input;
        let of_training = self.plan.tensors().iter().map(|tensor| {
            // Running statistics lie behind all parameters.
            let (prefix, values) = match tensor.range.start.checked_sub(self.plan.n_parameters()) {
                None => ("d.", &self.training.d_params[tensor.range.clone()]),
                Some(start) => ("running.", &self.training.running[start..][..tensor.range.len()]),
            };
            (format!("{prefix}{}", tensor.name), Dtype::F32, tensor.dims.clone(), floats(values))
        });
        let pictures = self.pictures.iter().flat_map(|x| x.to_le_bytes()).collect();
        let d_pictures = floats(&self.training.d_pictures.concat());
        let fixed = [
            ("pictures".to_owned(), Dtype::F32, vec![N_SAMPLES, c, h, w], pictures),
            ("labels".to_owned(), Dtype::U8, vec![N_SAMPLES], self.labels.clone()),
            ("logits".to_owned(), Dtype::F32, vec![N_SAMPLES, self.plan.classes()], floats(&self.logits)),
            ("loss".to_owned(), Dtype::F32, vec![], floats(&[self.training.loss])),
            ("d_pictures".to_owned(), Dtype::F32, vec![N_SAMPLES, c, h, w], d_pictures),
        ];
        let tensors: Vec<_> = fixed.into_iter().chain(of_training).collect();
        let metadata = HashMap::from([
            ("title".to_owned(), title.to_owned()),
            ("loss".to_owned(), serde_json::to_string(&self.loss)?),
        ]);
        let views = tensors.iter().map(|(name, dtype, dims, bytes)| {
            Ok((name.clone(), TensorView::new(*dtype, dims.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>, SafeTensorError>>()?;
        Ok(safetensors::serialize(views, Some(metadata))?)
    }
}

/// Values in ±1, multiples of 2⁻²³.
fn uniform(seed: Seed, stream: &str) -> impl FnMut() -> f32 + use<> {
    let mut random = seed.stream(stream);
    move || (random.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// Initial values, moved where they are all 1 or 0, so that it shows where they are left out.
fn random_params(plan: &Plan, seed: Seed) -> Params<f32> {
    let mut params = Params::init(plan, seed);
    for tensor in plan.tensors() {
        let mut random = uniform(seed, &format!("moved/{}", tensor.name));
        if let Init::Constant(_) = tensor.init {
            params.0[tensor.range.clone()].iter_mut().for_each(|value| *value += 0.5 * random());
        }
    }
    params
}

fn random_pictures(input: [usize; 3], seed: Seed) -> Vec<f32> {
    let mut random = uniform(seed, "pictures");
    (0..N_SAMPLES * input.iter().product::<usize>()).map(|_| 127.5 * (random() + 1.0)).collect()
}

fn random_labels(classes: usize, seed: Seed) -> Vec<u8> {
    let mut random = seed.stream("labels");
    (0..N_SAMPLES).map(|_| (random.next_u64() % classes as u64) as u8).collect()
}

/// From bytes to about ±1, each channel in its own way.
fn random_normalization(channels: usize, seed: Seed) -> (Vec<f32>, Vec<f32>) {
    let mut random = uniform(seed, "normalization");
    (0..channels).map(|_| ((2.0 + random()) / 255.0, -1.0 + 0.5 * random())).unzip()
}

/// The same with nothing in the place of dropout.
fn without_dropout(network: &NetworkSpec) -> NetworkSpec {
    let mut network = network.clone();
    for node in &mut network.nodes {
        if let LayerSpec::Dropout(_) | LayerSpec::SpatialDropout(_) = node.layer {
            node.layer = LayerSpec::LeakyRelu(LeakyReluSpec { slope: 1.0 });
        }
    }
    network
}

fn floats(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect()
}

/// The logits of all pictures, one after the other.
struct Inference<'a> {
    plan: &'a Plan,
    params: &'a [f32],
    pictures: &'a [Vec<f64>],
}

impl WithLane for Inference<'_> {
    type Output = Vec<f64>;

    fn run<V: Lane<Scalar = f32>>(self) -> Vec<f64> {
        let mut workspace = Workspace::<V>::new(self.plan, Mode::Inference);
        let mut logits = Vec::new();
        for pictures in self.pictures.chunks(V::LANES) {
            let lanes = V::as_scalars_mut(workspace.input_mut(self.plan));
            for (lane, picture) in pictures.iter().enumerate() {
                let places = lanes.iter_mut().skip(lane).step_by(V::LANES);
                places.zip(picture).for_each(|(place, &x)| *place = x as f32);
            }
            forward(self.plan, self.params, &mut workspace);
            let lanes = V::as_scalars(workspace.logits(self.plan));
            for lane in 0..pictures.len() {
                logits.extend(lanes.iter().skip(lane).step_by(V::LANES).map(|x| x.to_f64()));
            }
        }
        logits
    }
}
