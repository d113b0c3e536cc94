//! A network as the lines of `forward`.

use std::collections::BTreeSet;
use std::ops::Range;

use super::text::variable_name;
use super::tree::block_of_part;
use crate::wiring::{Node, Wiring};

/// One line of `forward`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A node by its position.
    Node(usize),
    /// Nodes `MODULE.0`, `MODULE.1`, … of which each reads the one before and nobody else does.
    Run {
        /// The name before the numbers.
        module: String,
        /// Their positions.
        nodes: Range<usize>,
    },
}

impl Step {
    fn first(&self) -> usize {
        match self {
            Self::Node(idx) => *idx,
            Self::Run { nodes, .. } => nodes.start,
        }
    }

    fn last(&self) -> usize {
        match self {
            Self::Node(idx) => *idx,
            Self::Run { nodes, .. } => nodes.end - 1,
        }
    }

    /// The values that it reads.
    pub(super) fn inputs<'a>(&self, wiring: &'a Wiring<'_>) -> &'a [usize] {
        &wiring.nodes[self.first()].inputs
    }

    /// The value that it gives.
    pub(super) fn output(&self, wiring: &Wiring<'_>) -> usize {
        wiring.nodes[self.last()].output
    }
}

/// Whether the nodes are one chain and called `0`, `1`, … from the first to the last.
pub(super) fn is_sequential(wiring: &Wiring<'_>) -> bool {
    let readers = wiring.readers();
    let in_chain = |(idx, node): (usize, &Node<'_>)| {
        node.name == idx.to_string() && node.inputs == [idx] && readers[idx].len() == 1
    };
    wiring.nodes.iter().enumerate().all(in_chain)
}

/// All nodes in their order.
pub(super) fn steps(wiring: &Wiring<'_>) -> Vec<Step> {
    let readers = wiring.readers();
    let mut steps = Vec::new();
    let mut idx = 0;
    while idx < wiring.nodes.len() {
        let step = run(wiring, &readers, idx).unwrap_or(Step::Node(idx));
        idx = step.last() + 1;
        steps.push(step);
    }
    steps
}

/// The longest run from that node on, if all nodes of its module are in it.
fn run(wiring: &Wiring<'_>, readers: &[Vec<usize>], start: usize) -> Option<Step> {
    let nodes = &wiring.nodes;
    let module = nodes[start].name.strip_suffix(".0")?;
    if nodes[start].layer.merges() || block_of_part(wiring, module).is_some() {
        return None;
    }
    let follows = |&idx: &usize| {
        let node = &nodes[idx];
        node.name == format!("{module}.{}", idx - start) && node.inputs == [idx] && readers[idx] == [idx]
    };
    let end = start + 1 + (start + 1..nodes.len()).take_while(follows).count();
    let inside = format!("{module}.");
    let of_module = |node: &Node<'_>| node.name == module || node.name.starts_with(&inside);
    let outside = nodes[..start].iter().chain(&nodes[end..]).any(of_module);
    (!outside).then(|| Step::Run { module: module.into(), nodes: start..end })
}

/// The variable that holds each value: `x` where only the next line reads it, else one of its own.
pub(super) fn variables(wiring: &Wiring<'_>, steps: &[Step]) -> Vec<String> {
    let mut variables = vec!["x".to_owned(); wiring.shapes.len()];
    let mut taken = BTreeSet::from(["x".to_owned()]);
    let outputs = [0].into_iter().chain(steps.iter().map(|step| step.output(wiring)));
    for (next, value) in outputs.enumerate() {
        let read_later = steps.iter().skip(next + 1).any(|step| step.inputs(wiring).contains(&value));
        if read_later {
            let name = if value == 0 { "picture" } else { &wiring.nodes[value - 1].name };
            variables[value] = free_name(&mut taken, variable_name(name));
        }
    }
    variables
}

fn free_name(taken: &mut BTreeSet<String>, wanted: String) -> String {
    let candidates = (2..).map(|n| format!("{wanted}_{n}"));
    let mut free = [wanted.clone()].into_iter().chain(candidates).filter(|name| !taken.contains(name));
    let name = free.next().expect("there are more numbers than names");
    taken.insert(name.clone());
    name
}
