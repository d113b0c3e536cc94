//! When each buffer is needed, and so where it lies.

use std::ops::Range;

use crate::graph::{Graph, Layer, Op};
use crate::memory::{Request, place};
use crate::plan::{GradientUse, PlannedOp};

/// Places in one arena of lane vectors, by value or by operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Vectors that a lane group keeps.
    pub(crate) len: usize,
    /// Behind these, vectors that no other stage reads, for whichever lane group is at work; see [`crate::arena`].
    pub(crate) passing_len: usize,
    /// Vectors of values that are alive at once, at most; of the forward pass alone.
    pub(crate) peak: usize,
    pub(crate) values: Vec<Range<usize>>,
    pub(crate) gradients: Vec<Range<usize>>,
    /// What an operation keeps from its forward for its backward pass.
    pub(crate) kept: Vec<Range<usize>>,
    /// A place for a gradient that is added to another.
    pub(crate) added: Vec<Range<usize>>,
    /// Operations whose output is computed once more when their stage goes backward.
    repeated: Vec<usize>,
}

impl Layout {
    pub(crate) fn is_repeated(&self, op: usize) -> bool {
        self.repeated.contains(&op)
    }
}

/// Time runs from the picture (0) over the operations forward (1 to n) and the loss (n + 1) to the stages backward, the last
/// first: one step in which the input gradient of the batch normalization behind the stage is computed, then one for each of
/// its operations, the last first.
struct Timeline<'a> {
    graph: &'a Graph,
    stages: &'a [Range<usize>],
}

/// When something happens: during a stage forward or during a stage backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Forward(usize),
    Backward(usize),
}

impl Timeline<'_> {
    fn forward(&self, op: usize) -> usize {
        op + 1
    }

    fn n_ops(&self) -> usize {
        self.graph.ops.len()
    }

    fn loss(&self) -> usize {
        self.n_ops() + 1
    }

    /// The first step of a stage backward.
    fn begin_backward(&self, stage: usize) -> usize {
        self.loss() + self.n_ops() - self.stages[stage].end + self.stages.len() - stage
    }

    fn backward(&self, op: usize) -> usize {
        let stage = stage_of(self.stages, op);
        self.begin_backward(stage) + self.stages[stage].end - op
    }

    /// When an operation writes the gradients of its inputs, and is done with that of its output.
    fn input_gradients(&self, op: usize) -> usize {
        match (&self.graph.ops[op].layer, stage_of(self.stages, op).checked_sub(1)) {
            (Layer::BatchNorm2d(_), Some(before)) => self.begin_backward(before),
            _ => self.backward(op),
        }
    }

    /// Behind everything.
    fn end(&self) -> usize {
        self.begin_backward(0) + self.stages[0].end + 1
    }

    /// Nothing at the picture, at the loss and behind everything, which belong to all stages, and with a single stage, where
    /// nobody waits for anybody.
    fn phase(&self, step: usize) -> Option<Phase> {
        if self.stages.len() == 1 {
            return None;
        }
        if (1..=self.n_ops()).contains(&step) {
            return Some(Phase::Forward(stage_of(self.stages, step - 1)));
        }
        let is_at = |&stage: &usize| {
            let first = self.begin_backward(stage);
            (first..=first + self.stages[stage].len()).contains(&step)
        };
        (0..self.stages.len()).find(is_at).map(Phase::Backward)
    }

    /// Whether no other stage has to do with a buffer.
    fn is_passing(&self, request: &Request) -> bool {
        let is_within =
            |(first, last)| self.phase(first).is_some_and(|phase| self.phase(last) == Some(phase));
        request.times().all(is_within)
    }

    /// From the first operation that writes a value to the last that reads it in the forward pass.
    fn value(&self, value: usize) -> Request {
        let graph = self.graph;
        let writer = graph.ops.iter().position(|op| op.output == value);
        let reader = graph.ops.iter().rposition(|op| op.inputs.contains(&value) || op.output == value);
        let last_read = reader.map_or(0, |op| self.forward(op));
        let last = if value == graph.logits { self.loss() } else { last_read };
        let len = if writer.is_some_and(|op| graph.ops[op].layer.adds()) { 0 } else { self.value_len(value) };
        let written = |op| self.forward(op) - usize::from(op > 0 && graph.ops[op - 1].layer.adds());
        Request::new(len, writer.map_or(0, written), last)
    }

    /// A value that an operation in place has taken over has no writer and no place of its own.
    fn value_len(&self, value: usize) -> usize {
        let has_writer = value == 0 || self.graph.ops.iter().any(|op| op.output == value);
        if has_writer { self.graph.values[value] } else { 0 }
    }

    /// A value's gradient: from its last reader (or the loss) back to its first writer.
    fn gradient(&self, value: usize, learns: bool) -> Request {
        let graph = self.graph;
        let reader = graph.ops.iter().rposition(|op| op.inputs.contains(&value) && op.output != value);
        let first = match reader {
            Some(op) if value != graph.logits => self.input_gradients(op),
            _ => self.loss(),
        };
        // The picture's gradient stays for whoever asks after the pass.
        let writer = graph.ops.iter().position(|op| op.output == value);
        let last = writer.map_or(self.end(), |op| self.input_gradients(op));
        let len = if learns { self.value_len(value) } else { 0 };
        Request::new(len, first, last)
    }

    /// The steps of a stage backward in which the output of the batch normalization that begins it is read, if nobody reads
    /// that in another stage: then it need not be kept, since it is soon computed again.
    fn repetition(&self, op: usize) -> Option<(usize, usize)> {
        let ops = &self.graph.ops;
        let Op { layer: Layer::BatchNorm2d(_), output, .. } = &ops[op] else { return None };
        let stage = stage_of(self.stages, op);
        let has_it = |op: &Op| op.inputs.contains(output) || op.output == *output;
        let users: Vec<_> = (0..ops.len()).filter(|&i| has_it(&ops[i])).collect();
        let is_own = users.iter().all(|user| self.stages[stage].contains(user));
        let n_writers = users.iter().filter(|&&i| ops[i].output == *output).count();
        let first_reader = users.iter().find(|&&i| ops[i].layer.reads_inputs_backward() && i != op)?;
        let is_free = is_own && n_writers == 1 && *output != self.graph.logits;
        is_free.then(|| (self.begin_backward(stage), self.backward(*first_reader)))
    }
}

/// The stage to which an operation belongs.
pub(crate) fn stage_of(stages: &[Range<usize>], op: usize) -> usize {
    stages.partition_point(|stage| stage.end <= op)
}

/// Places for the forward pass alone.
pub(crate) fn inference_layout(graph: &Graph) -> Layout {
    let time = Timeline { graph, stages: &[] };
    let requests: Vec<_> = (0..graph.values.len()).map(|value| time.value(value)).collect();
    let peak = (0..=time.loss()).map(|step| alive_at(&requests, step)).max().unwrap_or(0);
    let (values, len) = place(&requests);
    Layout { len, peak, values, kept: vec![0..0; graph.ops.len()], ..Layout::default() }
}

/// What is alive at a step, whatever place it has.
fn alive_at(requests: &[Request], step: usize) -> usize {
    requests.iter().filter(|one| one.first <= step && step <= one.last).map(|one| one.len).sum()
}

/// Places for forward and backward.
pub(crate) fn training_layout(
    graph: &Graph,
    planned: &[PlannedOp],
    stages: &[Range<usize>],
    learns: &[bool],
) -> Layout {
    let n_values = graph.values.len();
    let n_ops = graph.ops.len();
    let time = Timeline { graph, stages };
    let mut requests: Vec<_> = (0..n_values).map(|value| time.value(value)).collect();
    let mut repeated = Vec::new();
    for op in 0..n_ops {
        if let Some(again) = time.repetition(op) {
            requests[graph.ops[op].output].again = Some(again);
            repeated.push(op);
        }
    }
    for (i, op) in graph.ops.iter().enumerate() {
        let inputs = op.inputs.iter().filter(|_| op.layer.reads_inputs_backward());
        let output = [op.output].into_iter().filter(|_| op.layer.reads_output_backward());
        for value in inputs.copied().chain(output) {
            let request = &mut requests[value];
            if request.again.is_none() {
                request.last = request.last.max(time.input_gradients(i));
            }
        }
    }
    let mut d_values: Vec<_> = (0..n_values).map(|value| time.gradient(value, learns[value])).collect();
    let mut owners = gradient_owners(planned, &mut d_values);
    share_gradients(planned, &time, &mut owners, &mut d_values);
    requests.extend(d_values);
    requests.extend(
        graph
            .ops
            .iter()
            .enumerate()
            .map(|(i, op)| Request::new(kept_len(graph, op), time.forward(i), time.backward(i))),
    );
    requests.extend(planned.iter().enumerate().map(|(i, planned)| {
        let step = time.input_gradients(i);
        Request::new(added_len(graph, planned), step, step)
    }));
    let (mut places, len, passing_len) = place_by_stay(&requests, &time);
    let added = places.split_off(2 * n_values + n_ops);
    let kept = places.split_off(2 * n_values);
    let mut gradients = places.split_off(n_values);
    for (value, &owner) in owners.iter().enumerate() {
        gradients[value] = gradients[owner].clone();
    }
    Layout { len, passing_len, peak: 0, values: places, gradients, kept, added, repeated }
}

/// Places for what a lane group keeps, and behind them for what passes; and the lengths of both.
fn place_by_stay(requests: &[Request], time: &Timeline<'_>) -> (Vec<Range<usize>>, usize, usize) {
    let only = |passing: bool| -> Vec<_> {
        let is_one = |request: &Request| time.is_passing(request) == passing;
        requests.iter().map(|one| Request { len: if is_one(one) { one.len } else { 0 }, ..*one }).collect()
    };
    let (mut places, len) = place(&only(false));
    let (passing, passing_len) = place(&only(true));
    for (place, passing) in places.iter_mut().zip(passing) {
        if !passing.is_empty() {
            *place = len + passing.start..len + passing.end;
        }
    }
    (places, len, passing_len)
}

/// For each value whose place its gradient has: its own, or that of an operation's output for an input, where the
/// operation has nothing to change. What others ask for goes to the request of the owner.
fn gradient_owners(planned: &[PlannedOp], requests: &mut [Request]) -> Vec<usize> {
    let mut owners: Vec<_> = (0..requests.len()).collect();
    for planned in planned.iter().rev() {
        let Some(input) = planned.passed_on().next() else { continue };
        let owner = owners[planned.op.output];
        owners[input] = owner;
        let of = std::mem::replace(&mut requests[input].len, 0);
        debug_assert_eq!(of, requests[owner].len, "shapes stay");
        requests[owner].last = requests[owner].last.max(requests[input].last);
    }
    owners
}

/// Lets the other inputs of a sum have its output's gradient as theirs too, without a copy: those whose own gradient nobody
/// changes, where what is in the shared place stays as it is until it has been read for them.
fn share_gradients(
    planned: &[PlannedOp],
    time: &Timeline<'_>,
    owners: &mut [usize],
    requests: &mut [Request],
) {
    for (op, sum) in planned.iter().enumerate().filter(|(_, one)| matches!(one.op.layer, Layer::Add)) {
        let owner = owners[sum.op.output];
        for input in sum.passed_on() {
            let has_place_alone = (0..owners.len()).all(|value| (owners[value] == input) == (value == input));
            let is_changed = changes(planned, time, |value| value == input).next().is_some();
            let (given, read) = (time.backward(op), requests[input].last);
            let stays = |step| step <= given || step > read;
            if has_place_alone
                && !is_changed
                && changes(planned, time, |value| owners[value] == owner).all(stays)
            {
                owners[input] = owner;
                requests[input].len = 0;
                requests[owner].last = requests[owner].last.max(read);
            }
        }
    }
}

/// When the gradients of some values change that were there before.
fn changes(
    planned: &[PlannedOp],
    time: &Timeline<'_>,
    is_one: impl Fn(usize) -> bool,
) -> impl Iterator<Item = usize> {
    let is_change = move |PlannedOp { op, input_gradients, .. }: &PlannedOp| {
        let mut inputs = op.inputs.iter().zip(input_gradients);
        inputs.any(|(&input, &use_of)| is_one(input) && (use_of == GradientUse::Add || input == op.output))
    };
    (0..planned.len()).filter(move |&op| is_change(&planned[op])).map(|op| time.input_gradients(op))
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
    if matches!(planned.op.layer, Layer::Add | Layer::Concat | Layer::RowConv2d(_)) {
        return 0;
    }
    let inputs = planned.op.inputs.iter().zip(&planned.input_gradients);
    let added = inputs.filter(|(_, use_of)| **use_of == GradientUse::Add);
    added.map(|(&input, _)| graph.values[input]).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use spec::{Conv2dSpec, LayerSpec, LinearSpec, NetworkSpec, NodeSpec, Pair, preset};

    use crate::Plan;

    #[test]
    fn a_sum_passes_its_gradient_on_without_a_copy_where_that_is_safe() {
        let text = |inputs: &str| {
            let node = |name: &str, inputs: &str, layer: &str| {
                format!("[[node]]\nname = \"{name}\"\ninputs = [{inputs}]\nlayer = {layer}\n")
            };
            let conv = "{ conv2d = { out_channels = 2, kernel = 1 } }";
            "version = 1\nname = \"sums\"\ninput = [2, 2, 2]\nclasses = 8\n".to_owned()
                + &node("a", "\"input\"", conv)
                + &node("b", "\"a\"", "\"batch_norm2d\"")
                + &node("c", "\"a\"", conv)
                + &node("sum", inputs, "\"add\"")
                + &node("all", "\"sum\"", "\"flatten\"")
        };
        let n_places = |inputs: &str| {
            let plan = Plan::compile(&NetworkSpec::from_toml(&text(inputs)).unwrap()).unwrap();
            let sum = plan.ops.last().unwrap();
            let places = sum.op.inputs.iter().map(|&value| plan.training.gradients[value].start);
            places.collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!(n_places("\"b\", \"c\""), 1);
        // The gradient of `a` grows before that of `b` or `c` is done with.
        assert_eq!(n_places("\"a\", \"b\", \"c\""), 3);
        assert_eq!(n_places("\"b\", \"a\", \"c\""), 2);
    }

    #[test]
    fn what_goes_into_a_sum_alone_is_never_in_memory() {
        let lens = |inputs: [&str; 2]| {
            let node = |name: &str, inputs: &[&str], layer| NodeSpec {
                name: Some(name.into()),
                inputs: (!inputs.is_empty()).then(|| inputs.iter().map(|&input| input.into()).collect()),
                layer,
            };
            let nodes = vec![
                node("skip", &[], LayerSpec::Conv2d(Conv2dSpec::new(2, Pair::square(1)))),
                node("conv", &[], LayerSpec::Conv2d(Conv2dSpec::new(2, Pair::square(1)))),
                node("norm", &[], LayerSpec::BatchNorm2d(Default::default())),
                node("relu", &[], LayerSpec::Relu),
                node("sum", &inputs, LayerSpec::Add(Default::default())),
                node("flat", &[], LayerSpec::Flatten),
            ];
            let network = NetworkSpec { name: "sum".into(), input: [2, 2, 2], classes: 8, nodes };
            let plan = Plan::compile(&network).unwrap();
            let normalized = plan.batch_norms().next().unwrap().0.op.output;
            [&plan.training, &plan.inference].map(|layout| layout.values[normalized].len())
        };
        assert_eq!(lens(["skip", "relu"]), [0, 0]);
        assert_eq!(lens(["relu", "skip"]), [0, 0]);
        // Where the sum wants the input of the normalization too, that would be read and written at once.
        assert_eq!(lens(["relu", "conv"]), [8, 8]);
        assert_eq!(lens(["relu", "relu"]), [8, 8]);
    }

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
        // A batch normalization with the sum behind it: its input, which may wait for another sum, the skip and the sum.
        let named = |inputs: &[&str]| Some(inputs.iter().map(|&input| input.into()).collect());
        let conv = || LayerSpec::Conv2d(Conv2dSpec::new(2, Pair::square(1)));
        let mut nodes = vec![
            node("skip", None, conv()),
            node("conv", None, conv()),
            node("norm", None, LayerSpec::BatchNorm2d(Default::default())),
            node("sum", named(&["norm", "skip"]), LayerSpec::Add(Default::default())),
            node("flat", None, LayerSpec::Flatten),
        ];
        let bytes = |nodes: &[NodeSpec]| {
            let nodes = nodes.to_vec();
            let network = NetworkSpec { name: "sum".into(), input: [2, 2, 2], classes: 8, nodes };
            Plan::compile(&network).unwrap().activation_bytes()
        };
        assert_eq!(bytes(&nodes), 4 * (8 + 8 + 8));
        nodes.insert(4, node("again", named(&["sum", "conv"]), LayerSpec::Add(Default::default())));
        assert_eq!(bytes(&nodes), 4 * (8 + 8 + 8));
    }
}
