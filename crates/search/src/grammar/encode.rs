//! From a network to the choices that stand for it.

use spec::{LayerSpec, MergeSpec, NetworkSpec};

use super::template::{Part, canonical};
use super::{Choices, Frame, Grammar, OutsideError};

/// A network without names: 0 is the picture, k + 1 the k-th node.
struct Reader<'a> {
    network: &'a NetworkSpec,
    names: Vec<String>,
    inputs: Vec<Vec<usize>>,
    /// The next node to be read.
    at: usize,
}

/// An error with the number of nodes that fit.
type Read<T> = Result<T, (usize, OutsideError)>;

impl Grammar {
    pub(super) fn read(&self, network: &NetworkSpec, frame: Frame) -> Result<Choices, OutsideError> {
        if network.input != frame.input {
            return Err(OutsideError::Input { found: network.input, expected: frame.input });
        }
        if network.classes != frame.classes {
            return Err(OutsideError::Classes { found: network.classes, expected: frame.classes });
        }
        let mut farthest: Option<(usize, OutsideError)> = None;
        for &depth in &self.depths {
            match Reader::new(network).network(self, depth) {
                Ok(choices) => return Ok(choices),
                Err(error) if farthest.as_ref().is_none_or(|(at, _)| error.0 > *at) => farthest = Some(error),
                Err(_) => {}
            }
        }
        Err(farthest.expect("a grammar has a depth").1)
    }
}

impl<'a> Reader<'a> {
    fn new(network: &'a NetworkSpec) -> Self {
        let names = network.node_names();
        let position = |name: &String| names.iter().position(|one| one == name).map_or(0, |idx| idx + 1);
        let inputs = network.nodes.iter().enumerate().map(|(idx, node)| match &node.inputs {
            Some(inputs) => inputs.iter().map(position).collect(),
            None => vec![idx],
        });
        let inputs = inputs.collect();
        Self { network, names, inputs, at: 0 }
    }

    fn network(mut self, grammar: &Grammar, depth: usize) -> Read<Choices> {
        let n_decisions = grammar.decisions.len();
        let mut single = vec![None; n_decisions];
        let stem = self.part(&grammar.parts.stem, "", 0, &mut single)?;
        let (mut outputs, mut layers, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for layer in 0..depth {
            let prefix = format!("{layer}.");
            let read = if grammar.skips { self.reads(stem, &outputs) } else { Vec::new() };
            let before = outputs.last().copied().unwrap_or(stem);
            let alone = if grammar.skips { stem } else { before };
            let sources = read.iter().map(|&from: &usize| outputs[from]).collect();
            let input = self.joined(&prefix, sources, alone)?;
            let mut decided = vec![None; n_decisions];
            outputs.push(self.part(&grammar.parts.layer, &prefix, input, &mut decided)?);
            layers.push(known(decided));
            reads.push(read);
        }
        let mut choices = Choices { layers, reads, single: Vec::new() };
        let unread = choices.unread(grammar.skips).into_iter().map(|layer| outputs[layer]).collect();
        let last = self.joined("head.", unread, stem)?;
        self.part(&grammar.parts.head, "", last, &mut single)?;
        choices.single = known(single);
        match self.network.nodes.get(self.at) {
            None => Ok(choices),
            Some(node) => {
                let (node, layer) = (self.names[self.at].clone(), node.layer.kind());
                Err((self.at, OutsideError::More { node, layer }))
            }
        }
    }

    /// Which layers the next one reads: those that are joined here, or the one that the next node reads.
    fn reads(&self, stem: usize, outputs: &[usize]) -> Vec<usize> {
        let Some(inputs) = self.inputs.get(self.at) else { return Vec::new() };
        let from = |source: &usize| outputs.iter().position(|output| output == source);
        let joined: Option<Vec<usize>> = inputs.iter().map(from).collect();
        // A layer may begin with a node of that kind itself, but what that reads is one and the same.
        let is_join = is_join(&self.network.nodes[self.at].layer);
        match joined.filter(|joined| is_join && joined.len() > 1 && joined.is_sorted_by(|a, b| a < b)) {
            Some(joined) => joined,
            None => inputs.first().filter(|&&input| input != stem).and_then(from).into_iter().collect(),
        }
    }

    /// The node that brings several sources together, if there are several.
    fn joined(&mut self, prefix: &str, sources: Vec<usize>, alone: usize) -> Read<usize> {
        match sources[..] {
            [] => Ok(alone),
            [one] => Ok(one),
            _ => {
                let expected = format!("{prefix}join");
                self.expect(&expected)?;
                if !is_join(&self.network.nodes[self.at].layer) {
                    return Err(self.differs(&expected, "is concat with pad"));
                }
                self.check_inputs(&expected, &sources)?;
                self.at += 1;
                Ok(self.at)
            }
        }
    }

    /// Reads a part's nodes and what was decided in them; returns what it gives.
    fn part(
        &mut self,
        part: &Part,
        prefix: &str,
        input: usize,
        decided: &mut [Option<usize>],
    ) -> Read<usize> {
        let first = self.at;
        for (idx, node) in part.nodes.iter().enumerate() {
            let expected = part.node_name(prefix, idx);
            self.expect(&expected)?;
            let sources = node.inputs.iter().map(|source| source.map_or(input, |idx| first + idx + 1));
            self.check_inputs(&expected, &sources.collect::<Vec<_>>())?;
            let found = canonical(self.network.nodes[self.at].layer.clone());
            let is_found = |&variant: &usize| node.layer(variant, self.network.classes) == found;
            let variant = (0..node.variants.len()).find(is_found);
            let Some(variant) = variant else { return Err(self.differs_in_layer(&expected, node)) };
            for (&(decision, _), choice) in node.decisions.iter().zip(node.digits(variant)) {
                let earlier = *decided[decision].get_or_insert(choice);
                if earlier != choice {
                    return Err(self.differs(&expected, "is decided otherwise by an earlier node"));
                }
            }
            self.at += 1;
        }
        Ok(if part.nodes.is_empty() { input } else { self.at })
    }

    fn differs_in_layer(
        &self,
        expected: &str,
        node: &super::template::TemplateNode,
    ) -> (usize, OutsideError) {
        let kind = node.variants[0].kind();
        let found = serde_json::to_string(&self.network.nodes[self.at].layer).unwrap_or_default();
        let reason = match node.variants.len() {
            1 => format!("is always {}", serde_json::to_string(&node.variants[0]).unwrap_or_default()),
            _ => format!("is {kind} in {} ways, none of them {found}", node.variants.len()),
        };
        self.differs(expected, &reason)
    }

    fn check_inputs(&self, expected: &str, sources: &[usize]) -> Read<()> {
        if self.inputs[self.at] == sources {
            return Ok(());
        }
        let name = |&source: &usize| source.checked_sub(1).map_or("input", |idx| &self.names[idx]);
        let reads: Vec<&str> = sources.iter().map(name).collect();
        Err(self.differs(expected, &format!("reads {}", reads.join(", "))))
    }

    fn expect(&self, expected: &str) -> Read<()> {
        match self.at < self.network.nodes.len() {
            true => Ok(()),
            false => Err((self.at, OutsideError::Ends { expected: expected.into() })),
        }
    }

    fn differs(&self, expected: &str, reason: &str) -> (usize, OutsideError) {
        let (node, layer) = (self.names[self.at].clone(), self.network.nodes[self.at].layer.kind());
        (self.at, OutsideError::Node { node, layer, expected: expected.into(), reason: reason.into() })
    }
}

fn is_join(layer: &LayerSpec) -> bool {
    *layer == LayerSpec::Concat(MergeSpec { pad: true })
}

/// The choices; a decision that stands elsewhere has none here.
fn known(decided: Vec<Option<usize>>) -> Vec<usize> {
    decided.into_iter().map(|choice| choice.unwrap_or(0)).collect()
}
