//! Modules in modules, as the dots in the nodes' names say.

use std::collections::BTreeSet;

use spec::LayerSpec;

use super::modules;
use super::steps::Step;
use super::text::is_identifier;
use crate::ExportError;
use crate::wiring::{Node, Wiring};

/// Attributes of every `nn.Module` (PyTorch 2.15, `dir(nn.Module())` without those that begin with `_`), and those of the
/// class that is written: a module of that name would hide them or be hidden.
const ATTRIBUTES: [&str; 58] = [
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "normalize",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "scale",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "shift",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
];

/// `self.features` and the like: where the module of a node or a run is found.
///
/// A name that cannot be an attribute, as `0` or `forward`, is looked up among the children, which is what `state_dict`
/// goes by.
pub(super) fn access(wiring: &Wiring<'_>, name: &str) -> String {
    let mut text = String::from("self");
    let mut parent_is_layer = false;
    for (end, segment) in segments(name) {
        let plain = is_identifier(segment) && !ATTRIBUTES.contains(&segment) && !parent_is_layer;
        match plain {
            true => text += &format!(".{segment}"),
            false => text += &format!("._modules[{}]", super::text::literal(segment)),
        }
        parent_is_layer = is_layer(wiring, &name[..end]);
    }
    text
}

/// The parts of a name between its dots, each with the place where it ends.
fn segments(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    name.split('.').enumerate().map(move |(idx, segment)| {
        end += segment.len() + usize::from(idx > 0);
        (end, segment)
    })
}

/// Whether there is a layer of that name: a node which is a module, or a part of one.
fn is_layer(wiring: &Wiring<'_>, name: &str) -> bool {
    let is_node = wiring.nodes.iter().any(|node| node.name == name && has_module(node.layer));
    is_node || block_of_part(wiring, name).is_some()
}

/// The squeeze_excite node one of whose linear layers has that name.
pub(super) fn block_of_part<'a>(wiring: &Wiring<'_>, name: &'a str) -> Option<&'a str> {
    let (block, part) = name.rsplit_once('.')?;
    let is_block = |node: &Node<'_>| node.name == block && matches!(node.layer, LayerSpec::SqueezeExcite(_));
    (["0", "2"].contains(&part) && wiring.nodes.iter().any(is_block)).then_some(block)
}

/// Whether the layer has something to keep, and so is a module wherever it stands.
pub(super) fn has_module(layer: &LayerSpec) -> bool {
    matches!(
        layer,
        LayerSpec::Conv2d(_)
            | LayerSpec::PartialConv2d(_)
            | LayerSpec::Linear(_)
            | LayerSpec::Rbf(_)
            | LayerSpec::BatchNorm2d(_)
            | LayerSpec::LayerNorm(_)
            | LayerSpec::GroupNorm(_)
            | LayerSpec::Subsample(_)
            | LayerSpec::SqueezeExcite(_)
    )
}

/// Every module keeps its mode in the attribute `training`, and cannot have a child that is called so; nor can there be
/// two of one name.
pub(super) fn check(wiring: &Wiring<'_>, steps: &[Step]) -> Result<(), ExportError> {
    let module = |step: &Step| match step {
        Step::Node(idx) => {
            Some(&wiring.nodes[*idx]).filter(|node| has_module(node.layer)).map(|node| node.name.clone())
        }
        Step::Run { module, .. } => Some(module.clone()),
    };
    for node in steps.iter().filter_map(module) {
        if node.split('.').any(|segment| segment == "training") {
            return Err(ExportError::ModuleName { node });
        }
        if let Some(block) = block_of_part(wiring, &node) {
            return Err(ExportError::ModuleTaken { block: block.into(), node });
        }
    }
    Ok(())
}

/// The lines of `__init__` that make the modules.
pub(super) fn init(wiring: &Wiring<'_>, steps: &[Step]) -> String {
    let mut tree = Tree { wiring, made: BTreeSet::new(), lines: vec![] };
    for step in steps {
        tree.make_step(step);
    }
    tree.lines.join("\n")
}

struct Tree<'a> {
    wiring: &'a Wiring<'a>,
    /// Names of the modules that exist.
    made: BTreeSet<String>,
    lines: Vec<String>,
}

impl Tree<'_> {
    fn make_step(&mut self, step: &Step) {
        match step {
            Step::Node(idx) => {
                let node = &self.wiring.nodes[*idx];
                if has_module(node.layer) {
                    self.make(&node.name, modules::module(self.wiring, *idx));
                }
            }
            Step::Run { module, nodes } => {
                let arguments = modules::arguments(self.wiring, nodes.clone());
                self.make(module, format!("nn.Sequential{arguments}"));
            }
        }
    }

    /// One module, after those that it lies in.
    fn make(&mut self, name: &str, expression: String) {
        if !self.made.insert(name.to_owned()) {
            return;
        }
        if let Some((parent, _)) = name.rsplit_once('.') {
            self.make_parent(parent);
        }
        self.lines.push(format!("{} = {expression}", access(self.wiring, name)));
    }

    /// A node of that name, if there is one with a module, or the block that it is a part of, else an empty one.
    fn make_parent(&mut self, name: &str) {
        if self.made.contains(name) {
            return;
        }
        if let Some(block) = block_of_part(self.wiring, name) {
            return self.make_parent(block);
        }
        match self.wiring.nodes.iter().position(|node| node.name == name && has_module(node.layer)) {
            Some(idx) => self.make(name, modules::module(self.wiring, idx)),
            None => self.make(name, "nn.Module()".into()),
        }
    }
}
