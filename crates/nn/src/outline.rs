//! A network while it is being built: what fits already, and what does not.

use spec::{LayerSpec, NetworkSpec, NodeSpec, SpecError};

use crate::builder::Misfit;
use crate::graph::Graph;
use crate::{LayerSummary, Plan, PlanError};

/// What can be said of a network that need not fit together.
#[derive(Debug)]
pub struct Outline {
    /// One row for each node before the first one that does not fit.
    pub layers: Vec<LayerSummary>,
    /// The first mistake.
    pub fault: Option<Fault>,
}

/// A mistake in a network, with its place.
#[derive(Debug)]
pub struct Fault {
    /// The index of the node that is to be mended, where it is one node.
    pub node: Option<usize>,
    /// The mistake.
    pub error: PlanError,
}

/// Shapes, parameters and multiply-adds as far as the network fits, and its first mistake: it has one if and only if
/// [`Plan::compile`] refuses it.
pub fn outline(spec: &NetworkSpec) -> Outline {
    match spec.validate() {
        Ok(()) => outline_well_formed(spec),
        Err(error) => outline_malformed(spec, error.into()),
    }
}

fn outline_well_formed(spec: &NetworkSpec) -> Outline {
    let error = match Plan::compile(spec) {
        Ok(plan) => return Outline { layers: plan.summary().to_vec(), fault: None },
        Err(error) => error,
    };
    match Graph::build(spec) {
        // Its parts fit, but not into memory.
        Ok(graph) => Outline { layers: graph.rows, fault: Some(Fault { node: None, error }) },
        Err(Misfit { rows, node, error }) => Outline { layers: rows, fault: Some(Fault { node, error }) },
    }
}

/// The nodes before the first that is not well-formed are outlined as a network of their own; a misfit among them comes
/// first.
fn outline_malformed(spec: &NetworkSpec, error: PlanError) -> Outline {
    let with = |nodes: &[NodeSpec]| NetworkSpec { nodes: nodes.to_vec(), ..spec.clone() };
    let any_node = NodeSpec { name: None, inputs: None, layer: LayerSpec::Relu };
    if spec.nodes.is_empty() || with(&[any_node]).validate().is_err() {
        return Outline { layers: vec![], fault: Some(Fault { node: None, error }) };
    }
    let lengths: Vec<usize> = (1..spec.nodes.len()).collect();
    let n_fine = lengths.partition_point(|&n_nodes| with(&spec.nodes[..n_nodes]).validate().is_ok());
    let error = match with(&spec.nodes[..=n_fine]).validate() {
        // That it names a later node is seen in the whole network only.
        Err(SpecError::UnknownInput { .. }) | Ok(()) => error,
        Err(error) => error.into(),
    };
    let fault = Fault { node: Some(n_fine), error };
    if n_fine == 0 {
        return Outline { layers: vec![], fault: Some(fault) };
    }
    match Graph::build(&with(&spec.nodes[..n_fine])) {
        Err(Misfit { rows, node: Some(node), error }) if node == rows.len() => {
            Outline { layers: rows, fault: Some(Fault { node: Some(node), error }) }
        }
        Err(Misfit { rows, .. }) | Ok(Graph { rows, .. }) => Outline { layers: rows, fault: Some(fault) },
    }
}

#[cfg(test)]
mod tests {
    use spec::RunFile;

    use super::*;

    /// The names of the nodes that fit, the node to be mended, and the message.
    fn outlined(nodes: &[&str]) -> (Vec<String>, Option<usize>, String) {
        let network = "name = 'x', input = [1, 8, 8], classes = 2";
        let text = format!("network = {{ {network}, node = [{}] }}", nodes.join(", "));
        let Some(spec::NetworkSource::Inline(spec)) = RunFile::from_toml(&text).unwrap().network else {
            panic!("the network stands in the file");
        };
        let outline = outline(&spec);
        assert_eq!(outline.fault.is_some(), Plan::compile(&spec).is_err(), "{nodes:?}");
        let names = outline.layers.into_iter().map(|row| row.name).collect();
        let (node, text) = outline.fault.map_or((None, String::new()), |f| (f.node, f.error.to_string()));
        (names, node, text)
    }

    const CONV: &str = "{ name = 'c', layer = { conv2d = { out_channels = 2, kernel = 3 } } }";
    const FLATTEN: &str = "{ name = 'f', layer = 'flatten' }";
    const LINEAR: &str = "{ name = 'y', layer = { linear = { out_features = 2 } } }";

    /// Nodes; those that fit; the node to be mended; a part of the message.
    type Case = (&'static [&'static str], &'static [&'static str], Option<usize>, &'static str);

    #[test]
    fn the_first_mistake_is_told_with_its_node_and_all_before_it_has_shapes() {
        const LARGE: &str = "{ name = 'l', layer = { max_pool2d = { kernel = 9 } } }";
        const ZERO: &str = "{ name = 'z', layer = { max_pool2d = { kernel = 0 } } }";
        const LATER: &str = "{ name = 'a', inputs = ['c', 'f'], layer = 'add' }";
        const THREE: &str = "{ name = 't', layer = { linear = { out_features = 3 } } }";
        let cases: [Case; 11] = [
            (&[ZERO, CONV, FLATTEN, LINEAR], &[], Some(0), "kernel"),
            (&[LATER, CONV, FLATTEN, LINEAR], &[], Some(0), "`c`"),
            (&[CONV, FLATTEN, LINEAR], &["c", "f", "y"], None, ""),
            (&[CONV, LARGE, FLATTEN, LINEAR], &["c"], Some(1), "kernel"),
            (&[CONV, LARGE, ZERO, FLATTEN, LINEAR], &["c"], Some(1), "kernel"),
            (&[CONV, ZERO, LARGE, FLATTEN, LINEAR], &["c"], Some(1), "kernel"),
            (&[CONV, CONV, FLATTEN, LINEAR], &["c"], Some(1), "`c`"),
            (&[CONV, LATER, FLATTEN, LINEAR], &["c"], Some(1), "must name nodes before it"),
            (&[CONV, LINEAR], &["c"], Some(1), "flatten"),
            (&[CONV, FLATTEN, THREE], &["c", "f", "t"], Some(2), "[2]"),
            (&[], &[], None, "node"),
        ];
        for (nodes, fitting, node, message) in cases {
            let (names, found, text) = outlined(nodes);
            assert_eq!(
                (names.as_slice(), found),
                (&fitting.iter().map(ToString::to_string).collect::<Vec<_>>()[..], node),
                "{nodes:?}: {text}"
            );
            assert!(text.contains(message) && text.is_empty() == message.is_empty(), "{nodes:?}: {text}");
        }
    }
}
