//! When each buffer is needed, and so where it lies in the arena.

use std::ops::Range;

use crate::graph::{Graph, Layer, Op};
use crate::memory::{Request, place};
use crate::plan::{GradientUse, PlannedOp};

/// Places in one arena of lane vectors, by value or by operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) len: usize,
    /// Vectors of values that are alive at once, at most; of the forward pass alone.
    pub(crate) peak: usize,
    pub(crate) values: Vec<Range<usize>>,
    pub(crate) gradients: Vec<Range<usize>>,
    /// What an operation keeps from its forward for its backward pass.
    pub(crate) kept: Vec<Range<usize>>,
    /// A place for a gradient that is added to another.
    pub(crate) added: Vec<Range<usize>>,
}

/// Time runs from the picture (0) over the operations forward (1 to n) and the loss (n + 1) to the operations
/// backward (2n + 1 down to n + 2, so that the last operation is the first).
struct Timeline {
    n_ops: usize,
}

impl Timeline {
    fn forward(&self, op: usize) -> usize {
        op + 1
    }

    fn loss(&self) -> usize {
        self.n_ops + 1
    }

    fn backward(&self, op: usize) -> usize {
        2 * self.n_ops + 1 - op
    }

    /// From the first operation that writes a value to the last that reads it in the forward pass.
    fn value(&self, graph: &Graph, value: usize) -> Request {
        let writer = graph.ops.iter().position(|op| op.output == value);
        let reader = graph.ops.iter().rposition(|op| op.inputs.contains(&value) || op.output == value);
        let last_read = reader.map_or(0, |op| self.forward(op));
        let last = if value == graph.logits { self.loss() } else { last_read };
        // A value that an operation in place has taken over has no writer and no place of its own.
        let len = if writer.is_none() && value != 0 { 0 } else { graph.values[value] };
        Request { len, first: writer.map_or(0, |op| self.forward(op)), last }
    }

    /// A value's gradient: from its last reader (or the loss) back to its first writer.
    fn gradient(&self, graph: &Graph, value: usize, learns: bool) -> Request {
        let reader = graph.ops.iter().rposition(|op| op.inputs.contains(&value) && op.output != value);
        let first = match reader {
            Some(op) if value != graph.logits => self.backward(op),
            _ => self.loss(),
        };
        // The picture's gradient stays for whoever asks after the pass.
        let writer = graph.ops.iter().position(|op| op.output == value).unwrap_or(0);
        let len = if learns { self.value(graph, value).len } else { 0 };
        Request { len, first, last: self.backward(writer) }
    }
}

/// Places for the forward pass alone.
pub(crate) fn inference_layout(graph: &Graph) -> Layout {
    let time = Timeline { n_ops: graph.ops.len() };
    let requests: Vec<_> = (0..graph.values.len()).map(|value| time.value(graph, value)).collect();
    let peak = (0..=time.loss()).map(|step| alive_at(&requests, step)).max().unwrap_or(0);
    let (values, len) = place(&requests);
    Layout { len, peak, values, kept: vec![0..0; graph.ops.len()], ..Layout::default() }
}

/// What is alive at a step, whatever place it has.
fn alive_at(requests: &[Request], step: usize) -> usize {
    requests.iter().filter(|one| one.first <= step && step <= one.last).map(|one| one.len).sum()
}

/// Places for forward and backward.
pub(crate) fn training_layout(graph: &Graph, planned: &[PlannedOp], learns: &[bool]) -> Layout {
    let n_values = graph.values.len();
    let n_ops = graph.ops.len();
    let time = Timeline { n_ops };
    let mut requests: Vec<_> = (0..n_values).map(|value| time.value(graph, value)).collect();
    for (i, op) in graph.ops.iter().enumerate() {
        let inputs = op.inputs.iter().filter(|_| op.layer.reads_inputs_backward());
        let output = [op.output].into_iter().filter(|_| op.layer.reads_output_backward());
        for value in inputs.copied().chain(output) {
            requests[value].last = requests[value].last.max(time.backward(i));
        }
    }
    let mut d_values: Vec<_> =
        (0..n_values).map(|value| time.gradient(graph, value, learns[value])).collect();
    let owners = gradient_owners(planned, &mut d_values);
    requests.extend(d_values);
    requests.extend(graph.ops.iter().enumerate().map(|(i, op)| Request {
        len: kept_len(graph, op),
        first: time.forward(i),
        last: time.backward(i),
    }));
    requests.extend(planned.iter().enumerate().map(|(i, planned)| Request {
        len: added_len(graph, planned),
        first: time.backward(i),
        last: time.backward(i),
    }));
    let (mut places, len) = place(&requests);
    let added = places.split_off(2 * n_values + n_ops);
    let kept = places.split_off(2 * n_values);
    let mut gradients = places.split_off(n_values);
    for (value, &owner) in owners.iter().enumerate() {
        gradients[value] = gradients[owner].clone();
    }
    Layout { len, peak: 0, values: places, gradients, kept, added }
}

/// For each value whose place its gradient has: its own, or that of an operation's output for an input, where the
/// operation writes over it or has nothing to change. What others ask for goes to the request of the owner.
fn gradient_owners(planned: &[PlannedOp], requests: &mut [Request]) -> Vec<usize> {
    let mut owners: Vec<_> = (0..requests.len()).collect();
    for planned in planned.iter().rev() {
        let Some(input) = planned.takes_over_gradient() else { continue };
        let owner = owners[planned.op.output];
        owners[input] = owner;
        let of = std::mem::replace(&mut requests[input].len, 0);
        debug_assert_eq!(of, requests[owner].len, "shapes stay");
        requests[owner].last = requests[owner].last.max(requests[input].last);
    }
    owners
}

/// Vectors that an operation keeps for its backward pass.
fn kept_len(graph: &Graph, op: &Op) -> usize {
    match &op.layer {
        Layer::MaxPool2d(_) => graph.values[op.output],
        Layer::GatedMaxPool2d(_) => 2 * graph.values[op.output],
        Layer::Dropout(dropout) => dropout.n_masks,
        Layer::GroupNorm(norm) => norm.kept_len(),
        _ => 0,
    }
}

/// Vectors for a gradient that must be computed beside one that is there already.
fn added_len(graph: &Graph, planned: &PlannedOp) -> usize {
    if matches!(planned.op.layer, Layer::Add | Layer::Concat) {
        return 0;
    }
    let inputs = planned.op.inputs.iter().zip(&planned.input_gradients);
    let added = inputs.filter(|(_, use_of)| **use_of == GradientUse::Add);
    added.map(|(&input, _)| graph.values[input]).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use spec::{LayerSpec, LinearSpec, NetworkSpec, NodeSpec, preset};

    use crate::Plan;

    #[test]
    fn what_is_alive_at_once_is_counted() {
        // The first convolution's output, 6 × 24 × 24, with its pooled 6 × 12 × 12.
        let lenet = Plan::compile(&preset("lenet").unwrap()).unwrap();
        assert_eq!(lenet.activation_bytes(), 4 * (6 * 24 * 24 + 6 * 12 * 12));
        // The picture waits for the sum behind its logits.
        let node = |name: &str, inputs: Option<Vec<String>>, layer| NodeSpec {
            name: Some(name.into()),
            inputs,
            layer,
        };
        let linear = |n| LayerSpec::Linear(LinearSpec::new(n));
        let nodes = vec![
            node("flat", None, LayerSpec::Flatten),
            node("wide", None, linear(30)),
            node("back", None, linear(8)),
            node("sum", Some(vec!["flat".into(), "back".into()]), LayerSpec::Add(Default::default())),
            node("out", None, linear(2)),
        ];
        let network = NetworkSpec { name: "waits".into(), input: [1, 2, 4], classes: 2, nodes };
        assert_eq!(Plan::compile(&network).unwrap().activation_bytes(), 4 * (8 + 30 + 8));
    }
}
