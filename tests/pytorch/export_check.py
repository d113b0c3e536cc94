"""Holds exported networks against PyTorch and onnxruntime.

FOLDER is what `cargo run --example random_networks` has written: a folder for each network with `model.py`,
`model.safetensors`, `model.onnx`, and in `expected.safetensors` pictures, labels and what Danlu makes of them. Checked:
    names      the class's state dict and the initializers of the ONNX file are called as the weights; names of classes
               are the same in both files, and none of them runs as code; lenet's load into the tutorial's classes
    torch      logits of the class in eval(); from bytes too
    onnx       onnx.checker's full check, and onnxruntime's logits, of all pictures at once and of one alone
    loss       of the class in train(), in double precision
    running    statistics of batch normalizations after that batch
    gradients  of each parameter and of the pictures, in double precision, but of the presets; dropout is left out, but
               must have been asked for with the right probabilities
Prints the largest differences and exits 1 if one is out of bounds.
"""

import argparse
import importlib.util
import json
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import onnx
import onnxruntime
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from tutorial import NETWORKS

BOUND = 1e-4
# Gradients that are 0 but for rounding, as that of a bias before a batch normalization, have no size of their own to be
# held against: all are held against at least this share of the largest of the network.
FLOOR = 1e-2


class Difference(NamedTuple):
    """`what` is one of the checks above."""

    what: str
    title: str
    detail: str
    relative: float


class Case:
    """One network's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weights = load_file(folder / "model.safetensors")
        self.expected = load_file(folder / "expected.safetensors")
        with safe_open(folder / "expected.safetensors", "pt") as file:
            metadata = file.metadata()
        self.title: str = metadata["title"]
        self.loss: dict[str, dict[str, Any]] = json.loads(metadata["loss"])
        self.layers = [node["layer"] for node in tomllib.loads((folder / "network.toml").read_text())["node"]]

    def difference(self, what: str, detail: str, got: Tensor, expected: Tensor, floor: float = 0.0) -> Difference:
        """Largest difference, relative to the largest value expected, or to `floor` where that is smaller."""
        if got.shape != expected.shape:
            sys.exit(f"{self.title}: {what} {detail} is {list(got.shape)}, expected {list(expected.shape)}")
        size = max(expected.abs().max().item(), floor, 1e-30)
        apart = (got.double() - expected.double()).abs().max().item() / size
        return Difference(what, self.title, detail, apart if apart == apart else float("inf"))

    def named(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        """What is expected of each weight that the prefix stands before."""
        names = [name for name in self.expected if name.startswith(prefix)]
        return ((name.removeprefix(prefix), self.expected[name]) for name in names)

    def insist(self, holds: bool, what: str) -> None:
        if not holds:
            sys.exit(f"{self.title} ({self.folder}): {what}")

    def loss_of(self, logits: Tensor) -> Tensor:
        """The sum over the samples."""
        labels = self.expected["labels"].long()
        if "map" in self.loss:
            rubbish = logits.new_full((len(logits), 1), -self.loss["map"]["rubbish"])
            return F.cross_entropy(torch.cat([logits, rubbish], 1), labels, reduction="sum")
        settings = self.loss["cross_entropy"]
        weights = logits.new_tensor(settings.get("class_weights", [1.0] * logits.shape[1]))
        smoothing = settings["label_smoothing"]
        return F.cross_entropy(logits, labels, weights, label_smoothing=smoothing, reduction="sum")


def load_class(case: Case) -> tuple[type[nn.Module], list[str]]:
    """The exported class, and the names of the network's classes."""
    spec = importlib.util.spec_from_file_location(f"model_{case.folder.name}", case.folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    classes = [found for found in vars(module).values() if isinstance(found, type) and hasattr(found, "load")]
    case.insist(len(classes) == 1, f"classes {classes}")
    case.insist("DANLU_INJECTED" not in os.environ, "a name was run as code")
    return classes[0], module.CLASSES


def check_names(case: Case, network: nn.Module) -> None:
    names = {name for name in network.state_dict() if not name.endswith(".num_batches_tracked")}
    case.insist(names == set(case.weights), f"state dict {sorted(names)}, weights {sorted(case.weights)}")
    preset = case.title.removeprefix("preset ")
    if preset in NETWORKS:
        NETWORKS[preset]().load_state_dict(case.weights, strict=True)


@torch.inference_mode()
def check_torch(case: Case, network: nn.Module) -> Iterator[Difference]:
    for detail, n in [("all", None), ("one", 1)]:
        pictures, logits = case.expected["pictures"][:n], case.expected["logits"][:n]
        yield case.difference("torch", detail, network(pictures), logits)
    pixels = case.expected["pictures"].to(torch.uint8)
    case.insist(torch.equal(network(pixels), network(pixels.float())), "bytes give other logits than floats")


def check_onnx(case: Case, classes: list[str]) -> Iterator[Difference]:
    model = onnx.load(case.folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    names = {tensor.name for tensor in model.graph.initializer}
    case.insist(set(case.weights) <= names, f"initializers {sorted(names)}, weights {sorted(case.weights)}")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    case.insist(json.loads(metadata["classes"]) == classes, f"classes {metadata['classes']}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for detail, n in [("all", None), ("one", 1)]:
        pictures, logits = case.expected["pictures"][:n], case.expected["logits"][:n]
        [got] = session.run(["logits"], {"input": pictures.numpy()})
        yield case.difference("onnx", detail, torch.from_numpy(got), logits)


def check_training(case: Case, network: nn.Module) -> Iterator[Difference]:
    asked: list[tuple[float, bool]] = []

    def dropout(x: Tensor, p: float, training: bool, inplace: bool = False) -> Tensor:
        asked.append((p, training))
        return x

    network.train().double()
    pictures = case.expected["pictures"].double().requires_grad_()
    with mock.patch.object(F, "dropout", dropout), mock.patch.object(F, "dropout2d", dropout):
        loss = case.loss_of(network(pictures))
    loss.backward()
    wanted = [(layer[kind]["p"], True) for layer in case.layers for kind in layer if kind.endswith("dropout")]
    case.insist(asked == wanted, f"dropout {asked}, expected {wanted}")
    yield case.difference("loss", "", loss.detach(), case.expected["loss"])

    tensors = network.state_dict(keep_vars=True)
    for name, statistics in case.named("running."):
        yield case.difference("running", name, tensors[name], statistics)

    if case.title.startswith("preset "):
        # Of a million activations one is so close to a kink that rounding decides on which side; of a few thousand none.
        return
    got = {name: tensor.grad for name, tensor in tensors.items() if tensor.requires_grad}
    expected = dict(case.named("d."))
    # Danlu's are of the normalized pictures.
    got["pictures"], expected["pictures"] = pictures.grad / network.scale, case.expected["d_pictures"]
    case.insist(set(got) == set(expected), f"gradients {sorted(got)}, expected {sorted(expected)}")
    floor = FLOOR * max(gradient.abs().max().item() for gradient in expected.values())
    for name, gradient in expected.items():
        yield case.difference("gradients", name, got[name], gradient, floor)


def check(folder: Path) -> Iterator[Difference]:
    case = Case(folder)
    network_class, classes = load_class(case)
    network = network_class.load()
    check_names(case, network)
    yield from check_torch(case, network)
    yield from check_onnx(case, classes)
    yield from check_training(case, network)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="check only the networks whose title contains this")
    args = parser.parse_args()
    torch.set_num_threads(1)
    folders = sorted(folder for folder in args.folder.iterdir() if args.only in Case(folder).title)
    differences = [difference for folder in folders for difference in check(folder)]
    failed = [difference for difference in differences if not difference.relative <= BOUND]
    for what, title, detail, relative in failed:
        print(f"FAILED {what} {detail} of {title}: {relative:.1e}")
    worst = {difference.what: difference for difference in sorted(differences, key=lambda found: found.relative)}
    figures = ", ".join(f"{what} {found.relative:.1e} ({' '.join([found.title, found.detail]).strip()})" for what, found in worst.items())
    n_failed = len({difference.title for difference in failed})
    print(f"{len(folders)} exported networks, {n_failed} failed; largest relative difference: {figures}; bound {BOUND:g}")
    sys.exit(bool(failed) or not folders)


if __name__ == "__main__":
    main()
