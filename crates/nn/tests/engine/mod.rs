//! One network through the engine, with any lane type.

use lanes::{Lane, Scalar, WithLane};
use nn::{BatchStatistics, Loss, Mode, Params, Pass, Plan, ShardGradient, Targets, Workspace, forward};
use spec::{LossSpec, NetworkSpec, Seed};

/// A batch: pictures and labels of some samples, and parameters of the network.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) plan: Plan,
    pub(crate) params: Vec<f64>,
    pub(crate) pictures: Vec<Vec<f64>>,
    pub(crate) labels: Vec<u8>,
    pub(crate) loss: LossSpec,
}

/// What the engine makes of a batch. Gradients are of the sum of losses.
#[derive(Clone, Debug, Default)]
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
        Self { plan, params, pictures, labels, loss: LossSpec::default() }
    }

    /// The sum of losses alone, at f64 with one lane.
    pub(crate) fn sum_of_losses(&self) -> f64 {
        self.run::<f64>().loss
    }

    /// The samples in lane groups of `V`, all of them one batch.
    pub(crate) fn run<V: Lane>(&self) -> Answer {
        let plan = &self.plan;
        let params: Vec<V::Scalar> = self.params.iter().map(|&x| V::Scalar::from_f64(x)).collect();
        let loss = Loss::<V::Scalar>::new(&self.loss, plan.classes());
        let n_groups = self.labels.len().div_ceil(V::LANES);
        let mut statistics = BatchStatistics::new(plan);
        let mut groups = vec![Workspace::<V>::new(plan, Mode::Training); n_groups];
        let mut answer = Answer::default();
        for stage in 0..plan.n_stages() {
            let pass = Pass { plan, params: &params, statistics: &statistics };
            let samples = self.pictures.chunks(V::LANES).zip(self.labels.chunks(V::LANES));
            for (workspace, (pictures, labels)) in groups.iter_mut().zip(samples) {
                if stage == 0 {
                    workspace.set_live(labels.len());
                    fill(pictures, V::as_scalars_mut(workspace.input_mut(plan)), V::LANES);
                }
                pass.forward_stage(stage, workspace);
                if stage + 1 == plan.n_stages() {
                    let tally = pass.loss(&loss, Targets::from(labels), V::Scalar::ONE, workspace);
                    answer.loss += tally.loss;
                    answer.n_correct += tally.n_correct;
                }
            }
            statistics.gather_forward(plan, stage, groups.iter());
        }
        self.backward(&params, &mut statistics, &mut groups, &mut answer);
        self.infer::<V>(&params, &mut answer);
        answer
    }

    /// Two shards, so that both the sum in a shard and the sum over shards are at work.
    fn backward<V: Lane>(
        &self,
        params: &[V::Scalar],
        statistics: &mut BatchStatistics<V::Scalar>,
        groups: &mut [Workspace<V>],
        answer: &mut Answer,
    ) {
        let plan = &self.plan;
        let n_first = groups.len().div_ceil(2);
        let mut shards = vec![ShardGradient::<V>::new(plan, n_first); 2];
        for stage in (0..plan.n_stages()).rev() {
            let pass = Pass { plan, params, statistics };
            for (shard, groups) in shards.iter_mut().zip(groups.chunks_mut(n_first)) {
                shard.reset(groups.len());
                for (idx, workspace) in groups.iter_mut().enumerate() {
                    pass.backward_stage(stage, idx, workspace, shard);
                }
            }
            statistics.gather_backward(plan, stage, &shards);
        }
        for (workspace, labels) in groups.iter().zip(self.labels.chunks(V::LANES)) {
            answer.d_pictures.extend(by_sample(workspace.input_gradient(plan).unwrap(), labels.len()));
        }
        let mut grads = vec![V::Scalar::ZERO; params.len()];
        for chunk in plan.chunks() {
            chunk.gather(&shards, &mut grads[chunk.range()]);
        }
        answer.d_params = grads[..plan.n_parameters()].iter().map(|g| g.to_f64()).collect();
    }

    /// The logits as in use after training.
    fn infer<V: Lane>(&self, params: &[V::Scalar], answer: &mut Answer) {
        let mut workspace = Workspace::<V>::new(&self.plan, Mode::Inference);
        for pictures in self.pictures.chunks(V::LANES) {
            fill(pictures, V::as_scalars_mut(workspace.input_mut(&self.plan)), V::LANES);
            forward(&self.plan, params, &mut workspace);
            answer.logits.extend(by_sample(workspace.logits(&self.plan), pictures.len()));
        }
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
