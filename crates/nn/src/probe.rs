//! What each node of a network gives, one after the other, for whoever wants to look inside.

use lanes::Lane;
use spec::NetworkSpec;

use crate::graph::Graph;
use crate::pass::forward::infer;
use crate::{Mode, Plan, PlanError, Workspace};

/// A network of which every node can be looked at.
///
/// Its plan leaves out what [`Plan::compile`] simplifies: there an activation moves behind a pooling or becomes part of it,
/// a rectifier writes over its input, a batch normalization rectifies and does the sum behind it, and what comes before these
/// steps is never in memory. Parameters lie as in the other plan; the logits are the same numbers, but for the rounding of smooth
/// activations before a pooling.
#[derive(Clone, Debug)]
pub struct Probe {
    plan: Plan,
    /// The value that each node gives; a flatten's is that of its input.
    node_values: Vec<usize>,
}

impl Probe {
    /// As [`Plan::compile`].
    ///
    /// # Errors
    /// Those of [`Plan::compile`].
    pub fn compile(spec: &NetworkSpec) -> Result<Self, PlanError> {
        spec.validate()?;
        let graph = Graph::build(spec).map_err(|misfit| misfit.error)?;
        let node_values = graph.node_values.clone();
        Ok(Self { plan: Plan::of_graph(spec, graph, false)?, node_values })
    }

    /// What workspaces are made for; [`Plan::summary`] has the shape of each node's output.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// As [`crate::forward`], and shows the output of each node, by its index in the network, as soon as it is there:
    /// `[C][H][W]` or `[features]`. Panics if the workspace is not one for inference of [`Probe::plan`].
    pub fn forward<V: Lane>(
        &self,
        params: &[V::Scalar],
        workspace: &mut Workspace<V>,
        mut show: impl FnMut(usize, &[V]),
    ) {
        assert_eq!(workspace.mode, Mode::Inference, "the workspace is not for inference");
        let (plan, layout) = (&self.plan, &self.plan.inference);
        let mut ops = plan.ops.iter().enumerate().peekable();
        for (node, &value) in self.node_values.iter().enumerate() {
            while let Some((op_idx, _)) = ops.next_if(|(_, planned)| planned.op.node == node) {
                infer(op_idx, plan, params, workspace);
            }
            show(node, &workspace.arena[layout.values[value].clone()]);
        }
    }
}
