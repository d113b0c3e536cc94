//! A model as a Python file with a class of PyTorch.
//!
//! The names in its `state_dict` are the plan's: a node `conv.0` is the module `0` of the module `conv`. Nodes `conv.0`,
//! `conv.1`, … that follow each other become one `nn.Sequential`, as one would write them by hand; of the others those
//! with parameters are modules, the rest are calls in `forward`.
//!
//! Names come from outside: what stands in the file of them is an identifier made of ASCII letters, digits and `_`, or
//! a string literal in which everything else is escaped.

mod calls;
mod helpers;
mod modules;
mod steps;
mod text;
mod tree;

use std::env;

use crate::wiring::Wiring;
use crate::{ExportError, Model};
use steps::{Step, is_sequential, steps, variables};
use text::{class_name, escaped, indented, list, literal};

/// The text of a `.py` file whose class computes logits [N, classes] from raw pixels [N, C, H, W].
///
/// Its `load` reads the file of the same name that ends in `.safetensors`, which the caller writes beside it from
/// [`nn::to_safetensors`]. In `train()` it learns as the network does. Panics if `plan` is not that of `network`.
pub fn pytorch(model: &Model<'_>) -> Result<String, ExportError> {
    model.check()?;
    let wiring = Wiring::of(model);
    tree::check(&wiring, &steps(&wiring))?;
    let classes: Vec<String> = model.classes.iter().map(|name| literal(name)).collect();
    let parts = [
        preamble(model),
        format!("CLASSES = {}\n", list(&classes, '[', ']')),
        helpers::needed(&wiring),
        class(model, &wiring),
    ];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n"))
}

fn preamble(model: &Model<'_>) -> String {
    let (name, version) = (escaped(&model.network.name), env!("CARGO_PKG_VERSION"));
    let ([c, h, w], classes) = (model.network.input, model.network.classes);
    format!(
        "\"\"\"The network `{name}` as a class of PyTorch, written by danlu {version}.

Pictures go in as they are, [N, {c}, {h}, {w}] with values from 0 to 255, and logits [N, {classes}] come out, in the order
of CLASSES. `{class}.load()` takes the weights from the file beside this one. Comments show the shape of one sample.
\"\"\"

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
",
        class = class_name(&model.network.name),
    )
}

fn class(model: &Model<'_>, wiring: &Wiring<'_>) -> String {
    let normalization = normalization(model);
    let (base, init, forward) = match is_sequential(wiring) {
        true => {
            let modules = modules::arguments(wiring, 0..wiring.nodes.len());
            let init = format!("super().__init__{modules}\n{}", normalization.trim_end());
            ("nn.Sequential", init, "return super().forward(self.normalize(x))".into())
        }
        false => {
            let steps = steps(wiring);
            let modules = tree::init(wiring, &steps);
            ("nn.Module", format!("super().__init__()\n{normalization}{modules}"), forward(wiring, &steps))
        }
    };
    format!(
        "
class {class}({base}):
    \"\"\"{name}, {n_parameters} parameters.\"\"\"

    def __init__(self) -> None:
        {init}

    @classmethod
    def load(cls, path: str | Path = Path(__file__).with_suffix(\".safetensors\")) -> \"{class}\":
        \"\"\"The network with the weights in a safetensors file, in eval().\"\"\"
        network = cls()
        network.load_state_dict(load_file(path), strict=True)
        return network.eval()

    def normalize(self, x: Tensor) -> Tensor:
        \"\"\"From pixels to what the network learned from.\"\"\"
        return x * self.scale + self.shift

    def forward(self, x: Tensor) -> Tensor:
        {forward}
",
        class = class_name(&model.network.name),
        name = escaped(&model.network.name),
        n_parameters = model.plan.n_parameters(),
        init = indented(&init, 8),
        forward = indented(&forward, 8),
    )
}

/// Lines of `__init__` for buffers that stand in no file of weights.
fn normalization(model: &Model<'_>) -> String {
    let buffer = |name: &str, values: &[f32]| {
        format!(
            "self.register_buffer(\"{name}\", torch.tensor({values:?}).view(-1, 1, 1), persistent=False)\n"
        )
    };
    buffer("scale", model.normalization.scale) + &buffer("shift", model.normalization.shift)
}

fn forward(wiring: &Wiring<'_>, steps: &[Step]) -> String {
    let variables = variables(wiring, steps);
    let mut lines = vec![format!("{} = self.normalize(x)", variables[0])];
    for (idx, step) in steps.iter().enumerate() {
        let last = idx + 1 == steps.len();
        let output = step.output(wiring);
        let expression = calls::call(wiring, step, &variables);
        let shape = wiring.shapes[output];
        lines.push(match last {
            true => format!("return {expression}"),
            false => format!("{} = {expression}  # {shape}", variables[output]),
        });
    }
    lines.join("\n")
}
