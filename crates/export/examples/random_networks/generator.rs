//! Random networks over the whole vocabulary of layers, small and always valid.

use std::collections::BTreeSet;

use nn::Shape;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use spec::{LayerSpec, LinearSpec, MergeSpec, NetworkSpec, NodeSpec, RbfSpec, ScaledTanhSpec, Seed};

use super::layers;

/// Nodes before those that join the ends and give the logits.
const MAX_BODY: usize = 7; // and concat, flatten, concat, tanh, rbf make twelve

/// Network number `idx` of a seed: at most twelve nodes on pictures of at most 12 × 12, with branches that join again.
/// Every call gives the same.
pub(crate) fn random_network(seed: Seed, idx: usize) -> NetworkSpec {
    let mut random = Random(seed.stream(&format!("network/{idx}")));
    let input = [random.among(1, 4), random.among(3, 12), random.among(3, 12)];
    let classes = random.among(2, 7);
    let naming = random.pick(&[Naming::Positions, Naming::Words, Naming::Modules, Naming::Mixed]);
    let picture = Value { name: "input".into(), shape: Shape::Map(input) };
    let mut builder =
        Builder { random, naming, nodes: vec![], values: vec![picture], unused: BTreeSet::from([0]) };
    for _ in 0..builder.random.among(2, MAX_BODY) {
        builder.grow();
    }
    builder.join();
    builder.classify(classes);
    NetworkSpec { name: format!("random {idx}"), input, classes, nodes: builder.nodes }
}

/// A stream of random choices.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// From `low` to `high`, both included.
    pub(crate) fn among(&mut self, low: usize, high: usize) -> usize {
        low + (self.0.next_u64() % (high - low + 1) as u64) as usize
    }

    pub(crate) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.among(0, items.len() - 1)].clone()
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.among(1, 100) <= percent
    }
}

/// How the nodes are called, which decides what modules the PyTorch class has.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    /// No names: `0`, `1`, …
    Positions,
    /// `relu_3`
    Words,
    /// `features.0`, `features.1`, …
    Modules,
    /// Of all kinds, with dots in them, and some that mean something else to Python.
    Mixed,
}

/// What a node gives, or the picture.
struct Value {
    name: String,
    shape: Shape,
}

struct Builder {
    random: Random,
    naming: Naming,
    nodes: Vec<NodeSpec>,
    /// Value 0 is the picture, value `i + 1` the output of node `i`.
    values: Vec<Value>,
    /// Values that nobody reads yet.
    unused: BTreeSet<usize>,
}

impl Builder {
    /// One more layer, mostly on the last value, sometimes on an older one.
    fn grow(&mut self) {
        let last = self.values.len() - 1;
        let from = if self.random.chance(70) { last } else { self.random.among(0, last) };
        loop {
            let kind = self.random.pick(&layers::KINDS);
            let others: Vec<_> = self.values.iter().map(|value| value.shape).collect();
            if let Some((layer, partners, shape)) = layers::merge(kind, from, &others, &mut self.random) {
                return self.push(layer, &[vec![from], partners].concat(), shape);
            }
            if let Some((layer, shape)) = layers::layer(kind, self.values[from].shape, &mut self.random) {
                return self.push(layer, &[from], shape);
            }
        }
    }

    fn push(&mut self, layer: LayerSpec, inputs: &[usize], shape: Shape) {
        let idx = self.nodes.len();
        for input in inputs {
            self.unused.remove(input);
        }
        // Said even where it need not be, now and then.
        let said = inputs != [idx] || self.random.chance(20);
        let names = said.then(|| inputs.iter().map(|&input| self.values[input].name.clone()).collect());
        let name = self.name(idx, layer.kind());
        let value_name = name.clone().unwrap_or_else(|| idx.to_string());
        self.nodes.push(NodeSpec { name, inputs: names, layer });
        self.values.push(Value { name: value_name, shape });
        self.unused.insert(idx + 1);
    }

    fn name(&mut self, idx: usize, kind: &str) -> Option<String> {
        const ODD: [&str; 8] = ["forward", "scale", "x", "F", "class", "a\"\"\"b\\", "logits", "鞋"];
        match self.naming {
            Naming::Positions => None,
            Naming::Words => Some(format!("{kind}_{idx}")),
            Naming::Modules => Some(format!("features.{idx}")),
            Naming::Mixed => match self.random.among(0, 4) {
                0 => None,
                1 => Some(format!("block.{kind}_{idx}")),
                2 => Some(format!("block.{kind}.{idx}.weight")),
                // In the module of the node before.
                3 if idx > 0 => Some(format!("{}.{kind}_{idx}", self.values[idx].name)),
                _ => Some(ODD.get(idx).map_or_else(|| format!(".{idx}."), ToString::to_string)),
            },
        }
    }

    /// Makes one value of those that nobody reads.
    fn join(&mut self) {
        // The first node reads the picture in any case.
        self.unused.remove(&0);
        self.concat(true);
        if let ([map], false) = (&self.ends(true)[..], self.ends(false).is_empty()) {
            self.flatten(*map);
        }
        self.concat(false);
    }

    /// The values that nobody reads, maps or flat ones.
    fn ends(&self, maps: bool) -> Vec<usize> {
        let is_map = |&&end: &&usize| matches!(self.values[end].shape, Shape::Map(_)) == maps;
        self.unused.iter().filter(is_map).copied().collect()
    }

    /// One value of all such ends, where there are several.
    fn concat(&mut self, maps: bool) {
        let ends = self.ends(maps);
        if ends.len() > 1 {
            let shape = layers::concatenated(ends.iter().map(|&end| self.values[end].shape));
            self.push(LayerSpec::Concat(MergeSpec { pad: maps }), &ends, shape);
        }
    }

    fn flatten(&mut self, from: usize) {
        let n = self.values[from].shape.n_values();
        self.push(LayerSpec::Flatten, &[from], Shape::Flat(n));
    }

    /// The logits: radial basis functions of numbers in ±1, or a linear layer.
    fn classify(&mut self, classes: usize) {
        if matches!(self.last(), Shape::Map(_)) {
            self.flatten(self.values.len() - 1);
        }
        let n = self.last().n_values();
        let learns = self.nodes.iter().any(|node| layers::learns(&node.layer));
        if n <= 100 && learns && self.random.chance(30) {
            let tanh = LayerSpec::ScaledTanh(ScaledTanhSpec { amplitude: 1.1, slope: 0.7 });
            self.push(tanh, &[self.values.len() - 1], Shape::Flat(n));
            let code =
                |random: &mut Random| (0..n).map(|_| if random.chance(50) { '#' } else { '.' }).collect();
            let codes = (0..classes).map(|_| code(&mut self.random)).collect();
            return self.push(
                LayerSpec::Rbf(RbfSpec { codes }),
                &[self.values.len() - 1],
                Shape::Flat(classes),
            );
        }
        let linear = LinearSpec { out_features: classes, bias: self.random.chance(80) };
        self.push(LayerSpec::Linear(linear), &[self.values.len() - 1], Shape::Flat(classes));
    }

    fn last(&self) -> Shape {
        self.values[self.values.len() - 1].shape
    }
}
