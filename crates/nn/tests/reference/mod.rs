//! A network computed the plain way, in f64, number by number, from its specification alone: no plan, no lanes, no
//! tiles, no rewriting, and no backward pass, as the gradients come from the [`tape`]. The engine is held against it.

mod functions;
mod layers;
mod norms;
mod tape;
mod windows;

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use spec::{LossSpec, NetworkSpec};
use tape::{Tape, Var};

use crate::engine::{Answer, Batch};

/// A tensor of one sample; a flat one has one row and one column.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) shape: [usize; 3],
    pub(crate) values: Vec<Var>,
}

/// A pass over one batch.
pub(crate) struct Context {
    tape: Tape,
    /// Learned ones, then running statistics.
    params: Vec<Var>,
    next_param: usize,
    /// Where the running statistics of the next normalization lie; `None` in training, which does not read them.
    next_running: Option<usize>,
    /// The stream of each sample.
    streams: Vec<ChaCha8Rng>,
    /// What the batch gives the running statistics, by normalization and channel.
    running: Vec<Vec<Update>>,
}

/// A batch's share in the running statistics of one channel: mean, variance with N − 1, and the momentum.
struct Update {
    batch: [f64; 2],
    momentum: f64,
}

impl Context {
    fn new(batch: &Batch, next_running: Option<usize>) -> Self {
        let mut tape = Tape::default();
        let params = batch.params.iter().map(|&w| tape.leaf(w)).collect();
        let streams = batch.streams();
        Self { tape, params, next_param: 0, next_running, streams, running: vec![] }
    }

    /// The next `n` parameters.
    fn take(&mut self, n: usize) -> Vec<Var> {
        self.next_param += n;
        self.params[self.next_param - n..self.next_param].to_vec()
    }

    /// The logits of every sample.
    fn network(&mut self, spec: &NetworkSpec, pictures: &[Vec<Var>]) -> Vec<Vec<Var>> {
        let picture = |values: &Vec<Var>| Map { shape: spec.input, values: values.clone() };
        let mut values = vec![pictures.iter().map(picture).collect::<Vec<_>>()];
        for (idx, node) in spec.nodes.iter().enumerate() {
            let inputs: Vec<_> = sources(spec, idx).into_iter().map(|i| values[i].clone()).collect();
            values.push(self.layer(&node.layer, &inputs));
        }
        values.pop().unwrap().into_iter().map(|map| map.values).collect()
    }
}

/// The values that a node reads: 0 is the input, 1 + i is node i.
fn sources(spec: &NetworkSpec, idx: usize) -> Vec<usize> {
    let mut known: BTreeMap<String, usize> = BTreeMap::from([("input".into(), 0)]);
    for (i, node) in spec.nodes[..idx].iter().enumerate() {
        known.insert(node.name.clone().unwrap_or_else(|| i.to_string()), i + 1);
    }
    match &spec.nodes[idx].inputs {
        None => vec![idx],
        Some(names) => names.iter().map(|name| known[name]).collect(),
    }
}

/// What the engine should make of the batch.
pub(crate) fn answer(spec: &NetworkSpec, batch: &Batch) -> Answer {
    let mut cx = Context::new(batch, None);
    let pictures: Vec<Vec<Var>> =
        batch.pictures.iter().map(|picture| picture.iter().map(|&x| cx.tape.leaf(x)).collect()).collect();
    let logits = cx.network(spec, &pictures);
    let mut losses = vec![];
    let mut n_correct = 0;
    for (i, z) in logits.iter().enumerate() {
        let targets = targets(&batch.loss, z.len(), batch.labels[i], batch.mixed_with(i));
        losses.push(cx.loss(&batch.loss, z, &targets));
        let z: Vec<_> = z.iter().map(|&z| cx.tape.value(z)).collect();
        let best = (1..z.len()).fold(0, |best, k| if z[k] > z[best] { k } else { best });
        let mixed = batch.mixed.as_ref().filter(|(_, shares)| shares[i] < 0.5);
        let label = mixed.map_or(batch.labels[i], |(others, _)| others[i]);
        n_correct += usize::from(best == usize::from(label));
    }
    let loss = cx.tape.sum(losses);
    let gradient = cx.tape.gradient(loss);
    let n_learned = cx.next_param;
    Answer {
        loss: cx.tape.value(loss),
        n_correct,
        logits: inference(spec, batch, n_learned),
        d_pictures: pictures.iter().map(|picture| gradient.by(picture)).collect(),
        d_params: gradient.by(&cx.params[..n_learned]),
        running: updated(&batch.params[n_learned..], &cx.running),
    }
}

/// The logits as in use after training.
fn inference(spec: &NetworkSpec, batch: &Batch, n_learned: usize) -> Vec<Vec<f64>> {
    let mut cx = Context::new(batch, Some(n_learned));
    let pictures: Vec<Vec<Var>> =
        batch.pictures.iter().map(|picture| picture.iter().map(|&x| cx.tape.leaf(x)).collect()).collect();
    let logits = cx.network(spec, &pictures);
    logits.iter().map(|z| z.iter().map(|&z| cx.tape.value(z)).collect()).collect()
}

/// The running statistics after the batch.
fn updated(before: &[f64], updates: &[Vec<Update>]) -> Vec<f64> {
    let mut after = vec![];
    for channels in updates {
        for which in 0..2 {
            for update in channels {
                let old = before[after.len()];
                after.push((1.0 - update.momentum) * old + update.momentum * update.batch[which]);
            }
        }
    }
    after
}

/// How much of the target each class is.
fn targets(loss: &LossSpec, classes: usize, label: u8, mixed: Option<(u8, f64)>) -> Vec<f64> {
    let mut shares = vec![0.0; classes];
    let (other, share) = mixed.unwrap_or((label, 1.0));
    shares[usize::from(label)] += share;
    shares[usize::from(other)] += 1.0 - share;
    let LossSpec::CrossEntropy(loss) = loss else { return shares };
    for (k, target) in shares.iter_mut().enumerate() {
        *target = *target * (1.0 - loss.label_smoothing) + loss.label_smoothing / classes as f64;
        *target *= loss.class_weights.get(k).unwrap_or(&1.0);
    }
    shares
}

impl Context {
    /// Σ target · (ln Σ e^z − z), with one more class of rubbish under the sum in LeNet-5's loss.
    fn loss(&mut self, loss: &LossSpec, logits: &[Var], targets: &[f64]) -> Var {
        let mut all = logits.to_vec();
        if let LossSpec::Map(map) = loss {
            all.push(self.tape.leaf(-map.rubbish));
        }
        let max = all.iter().map(|&z| self.tape.value(z)).fold(f64::MIN, f64::max);
        let max = self.tape.leaf(max);
        let mut exponentials = vec![];
        for z in all {
            let shifted = self.tape.sub(z, max);
            exponentials.push(self.exp(shifted));
        }
        let sum = self.tape.sum(exponentials);
        let ln = self.tape.function(sum, self.tape.value(sum).ln(), 1.0 / self.tape.value(sum));
        let ln_sum = self.tape.add(ln, max);
        let mut parts = vec![];
        for (&z, &target) in logits.iter().zip(targets) {
            let minus_ln = self.tape.sub(ln_sum, z);
            parts.push(self.tape.scale(minus_ln, target));
        }
        self.tape.sum(parts)
    }
}
