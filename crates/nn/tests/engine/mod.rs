//! One network through the engine, with any lane type.

use lanes::{Lane, Scalar, WithLane};
use nn::{Mode, Params, Plan, ShardGradient, Workspace, evaluate_group, forward, train_group};
use spec::{NetworkSpec, Seed};

/// A batch: pictures and labels of some samples, and parameters of the network.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) plan: Plan,
    pub(crate) params: Vec<f64>,
    pub(crate) pictures: Vec<Vec<f64>>,
    pub(crate) labels: Vec<u8>,
}

/// What the engine makes of a batch. Gradients are of the sum of losses.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) loss: f64,
    pub(crate) n_correct: usize,
    pub(crate) logits: Vec<Vec<f64>>,
    pub(crate) d_pictures: Vec<Vec<f64>>,
    pub(crate) d_params: Vec<f64>,
}

impl Batch {
    /// Random pictures in ±1 and labels, and PyTorch's initial parameters; all multiples of 2⁻¹² so that they
    /// are the same numbers in f32 and in f64.
    pub(crate) fn random(spec: &NetworkSpec, n: usize, seed: u64) -> Self {
        let plan = Plan::with_input_gradient(spec).unwrap();
        let params = Params::<f64>::init(&plan, Seed(seed)).0.iter().map(|x| rounded(*x)).collect();
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        };
        let n_values = spec.input.iter().product();
        let pictures =
            (0..n).map(|_| (0..n_values).map(|_| rounded(2.0 * random() - 1.0)).collect()).collect();
        let n_labels = spec.classes.min(256) as f64;
        let labels = (0..n).map(|_| (random() * n_labels) as u8).collect();
        Self { plan, params, pictures, labels }
    }

    /// The sum of losses alone, at f64 with one lane.
    pub(crate) fn loss(&self) -> f64 {
        let mut workspace = Workspace::<f64>::new(&self.plan, Mode::Inference);
        let losses = self.pictures.iter().zip(&self.labels).map(|(picture, &label)| {
            workspace.input_mut(&self.plan).copy_from_slice(picture);
            evaluate_group(&self.plan, &self.params, &[label], &mut workspace).loss
        });
        losses.sum()
    }

    /// The samples in lane groups of `V`, one after the other.
    pub(crate) fn run<V: Lane>(&self) -> Answer {
        let params: Vec<V::Scalar> = self.params.iter().map(|&x| V::Scalar::from_f64(x)).collect();
        let mut workspace = Workspace::<V>::new(&self.plan, Mode::Training);
        let mut inference = Workspace::<V>::new(&self.plan, Mode::Inference);
        let n_groups = self.labels.len().div_ceil(V::LANES);
        // Two shards, so that both the sum in a shard and the sum over shards are at work.
        let mut shards = vec![ShardGradient::<V>::new(&self.plan, n_groups); 2];
        let mut answer =
            Answer { loss: 0.0, n_correct: 0, logits: vec![], d_pictures: vec![], d_params: vec![] };
        for (pictures, labels) in self.pictures.chunks(V::LANES).zip(self.labels.chunks(V::LANES)) {
            let shard = &mut shards[usize::from(answer.logits.len() * 2 >= self.labels.len())];
            fill(pictures, V::as_scalars_mut(workspace.input_mut(&self.plan)), V::LANES);
            let loss = train_group(&self.plan, &params, labels, V::Scalar::ONE, &mut workspace, shard);
            answer.loss += loss.loss;
            answer.n_correct += loss.n_correct;
            fill(pictures, V::as_scalars_mut(inference.input_mut(&self.plan)), V::LANES);
            forward(&self.plan, &params, &mut inference);
            answer.logits.extend(by_sample(inference.logits(&self.plan), labels.len()));
            answer.d_pictures.extend(by_sample(workspace.input_gradient(&self.plan).unwrap(), labels.len()));
        }
        let mut grads = vec![V::Scalar::ZERO; params.len()];
        for chunk in self.plan.chunks() {
            chunk.gather(&shards, &mut grads[chunk.range()]);
        }
        answer.d_params = grads.iter().map(|g| g.to_f64()).collect();
        answer
    }
}

impl WithLane for &Batch {
    type Output = Answer;
    fn run<V: Lane<Scalar = f32>>(self) -> Answer {
        Batch::run::<V>(self)
    }
}

fn rounded(x: f64) -> f64 {
    (x * 4096.0).round() / 4096.0
}

/// Lanes without a sample keep numbers that would do harm if they counted.
fn fill<S: Scalar>(pictures: &[Vec<f64>], to: &mut [S], lanes: usize) {
    to.fill(S::from_f64(1e3));
    for (l, picture) in pictures.iter().enumerate() {
        for (i, &x) in picture.iter().enumerate() {
            to[i * lanes + l] = S::from_f64(x);
        }
    }
}

fn by_sample<V: Lane>(vectors: &[V], n: usize) -> Vec<Vec<f64>> {
    let lanes = V::as_scalars(vectors);
    (0..n).map(|l| lanes.iter().skip(l).step_by(V::LANES).map(|x| x.to_f64()).collect()).collect()
}
