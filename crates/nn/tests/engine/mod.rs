//! One network through the engine, with any lane type.

use std::ops::Range;

use lanes::{Lane, Scalar, WithLane};
use nn::{
    BatchStatistics, Init, Loss, Mode, Params, Pass, Plan, Scratch, ShardGradient, Targets, Workspace,
    forward,
};
use rand_chacha::ChaCha8Rng;
use spec::{LossSpec, NetworkSpec, Seed};

/// A batch: pictures and labels of some samples, and parameters of the network.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) plan: Plan,
    pub(crate) params: Vec<f64>,
    pub(crate) pictures: Vec<Vec<f64>>,
    pub(crate) labels: Vec<u8>,
    pub(crate) loss: LossSpec,
    /// With mixup: for each sample the other class and the share of the first.
    pub(crate) mixed: Option<(Vec<u8>, Vec<f64>)>,
    /// The number of each sample's stream of random numbers.
    pub(crate) stream_ids: Vec<u64>,
}

/// What the engine makes of a batch. Gradients are of the sum of losses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) loss: f64,
    pub(crate) n_correct: usize,
    /// As in use after training.
    pub(crate) logits: Vec<Vec<f64>>,
    pub(crate) d_pictures: Vec<Vec<f64>>,
    pub(crate) d_params: Vec<f64>,
    /// The running statistics after the batch.
    pub(crate) running: Vec<f64>,
}

impl Batch {
    /// Random pictures in ±1 and labels, PyTorch's initial parameters where those are random and others near them
    /// elsewhere; all multiples of 2⁻¹² so that they are the same numbers in f32 and in f64.
    pub(crate) fn random(spec: &NetworkSpec, n: usize, seed: u64) -> Self {
        let plan = Plan::with_input_gradient(spec).unwrap();
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        };
        let mut params = Params::<f64>::init(&plan, Seed(seed)).0;
        for tensor in plan.tensors().iter().filter(|tensor| matches!(tensor.init, Init::Constant(_))) {
            params[tensor.range.clone()].iter_mut().for_each(|w| *w += 0.8 * random() - 0.4);
        }
        params.iter_mut().for_each(|w| *w = rounded(*w));
        let n_values = spec.input.iter().product();
        let pictures =
            (0..n).map(|_| (0..n_values).map(|_| rounded(2.0 * random() - 1.0)).collect()).collect();
        let n_labels = spec.classes.min(256) as f64;
        let labels = (0..n).map(|_| (random() * n_labels) as u8).collect();
        let (loss, mixed, stream_ids) = (LossSpec::default(), None, (0..n as u64).collect());
        Self { plan, params, pictures, labels, loss, mixed, stream_ids }
    }

    /// The samples of these numbers, in that order.
    pub(crate) fn select(&self, samples: &[usize]) -> Self {
        let mixed = self.mixed.as_ref().map(|(others, shares)| {
            let of = |i: &usize| (others[*i], shares[*i]);
            samples.iter().map(of).unzip()
        });
        Self {
            pictures: samples.iter().map(|&i| self.pictures[i].clone()).collect(),
            labels: samples.iter().map(|&i| self.labels[i]).collect(),
            stream_ids: samples.iter().map(|&i| self.stream_ids[i]).collect(),
            mixed,
            ..self.clone()
        }
    }

    /// The stream of random numbers of each sample.
    pub(crate) fn streams(&self) -> Vec<ChaCha8Rng> {
        let stream = |&id: &u64| {
            let mut stream = epoch();
            stream.set_stream(id);
            stream
        };
        self.stream_ids.iter().map(stream).collect()
    }

    /// Sample `i`'s other class and the share of the first.
    pub(crate) fn mixed_with(&self, i: usize) -> Option<(u8, f64)> {
        self.mixed.as_ref().map(|(others, shares)| (others[i], shares[i]))
    }

    /// The sum of losses alone, at f64 with one lane.
    pub(crate) fn sum_of_losses(&self) -> f64 {
        let mut statistics = BatchStatistics::new(&self.plan);
        let mut answer = Answer::default();
        self.forward::<f64>(&self.params, &mut statistics, &mut answer);
        answer.loss
    }

    /// The samples in lane groups of `V`, all of them one batch.
    pub(crate) fn run<V: Lane>(&self) -> Answer {
        let mut params = numbers(&self.params);
        let mut statistics = BatchStatistics::new(&self.plan);
        let mut answer = Answer::default();
        let mut groups = self.forward::<V>(&params, &mut statistics, &mut answer);
        self.backward(&params, &mut statistics, &mut groups, &mut answer);
        self.infer::<V>(&params, &mut answer);
        statistics.update_running(&self.plan, &mut params);
        answer.running = params[self.plan.n_parameters()..].iter().map(|x| x.to_f64()).collect();
        answer
    }

    fn forward<V: Lane>(
        &self,
        params: &[V::Scalar],
        statistics: &mut BatchStatistics<V::Scalar>,
        answer: &mut Answer,
    ) -> Vec<Workspace<V>> {
        let plan = &self.plan;
        let mut groups: Vec<_> = (0..self.labels.len())
            .step_by(V::LANES)
            .map(|first| self.workspace::<V>(first..self.labels.len().min(first + V::LANES)))
            .collect();
        let mut scratch = Scratch::new(plan);
        for stage in 0..plan.n_stages() {
            let pass = Pass { plan, params, statistics };
            for workspace in &mut groups {
                pass.forward_stage(stage, workspace, &mut scratch);
            }
            statistics.gather_forward(plan, stage, groups.iter());
        }
        let pass = Pass { plan, params, statistics };
        let loss = Loss::<V::Scalar>::new(&self.loss, plan.classes());
        for (idx, workspace) in groups.iter_mut().enumerate() {
            let first = idx * V::LANES;
            let labels = &self.labels[first..self.labels.len().min(first + V::LANES)];
            let mixed = self.mixed.as_ref().map(|(others, shares)| (others, numbers(shares)));
            let mixed = mixed.as_ref().map(|(others, shares)| {
                (&others[first..first + labels.len()], &shares[first..first + labels.len()])
            });
            let tally = pass.loss(&loss, Targets { labels, mixed }, V::Scalar::ONE, workspace);
            answer.loss += tally.loss;
            answer.n_correct += tally.n_correct;
        }
        groups
    }

    /// A workspace with these samples.
    fn workspace<V: Lane>(&self, samples: Range<usize>) -> Workspace<V> {
        let mut workspace = Workspace::<V>::new(&self.plan, Mode::Training);
        workspace.set_live(samples.len());
        workspace.set_streams(&epoch(), self.stream_ids[samples.clone()].iter().copied());
        let input = V::as_scalars_mut(workspace.input_mut(&self.plan));
        fill(&self.pictures[samples], input, V::LANES);
        workspace
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
        let mut scratch = Scratch::new(plan);
        for stage in (0..plan.n_stages()).rev() {
            let pass = Pass { plan, params, statistics };
            for (shard, groups) in shards.iter_mut().zip(groups.chunks_mut(n_first)) {
                shard.reset(groups.len());
                for (idx, workspace) in groups.iter_mut().enumerate() {
                    pass.backward_stage(stage, idx, (workspace, &mut scratch), shard);
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

/// The stream from which those of the samples come.
fn epoch() -> ChaCha8Rng {
    Seed(7).stream("dropout/1")
}

fn numbers<S: Scalar>(xs: &[f64]) -> Vec<S> {
    xs.iter().map(|&x| S::from_f64(x)).collect()
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
