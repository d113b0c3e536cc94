"""Writes crates/nn/tests/golden.json: what PyTorch computes for small networks, every layer with its geometries.

In f64, so that Danlu's f64 lane can be held to 1e-12. Run again only when a layer is added:
    $(scripts/python-env.sh) tests/pytorch/golden.py
"""

import json
from pathlib import Path

import torch
from torch import nn

OUT = Path(__file__).resolve().parents[2] / "crates/nn/tests/golden.json"
CLASSES = 4
SAMPLES = 3

Layer = tuple[str, nn.Module]  # as a network file writes it, and as PyTorch does


def conv(c: int, out: int, kernel: tuple, stride: tuple = (1, 1), padding: tuple = (0, 0)) -> Layer:
    spec = f"{{ conv2d = {{ out_channels = {out}, kernel = {list(kernel)}, stride = {list(stride)}, padding = {list(padding)} }} }}"
    return spec, nn.Conv2d(c, out, kernel, stride, padding)


def pool(kernel: tuple, stride: tuple | None = None) -> Layer:
    steps = "" if stride is None else f", stride = {list(stride)}"
    return f"{{ max_pool2d = {{ kernel = {list(kernel)}{steps} }} }}", nn.MaxPool2d(kernel, stride)


def leaky(slope: float) -> Layer:
    return f"{{ leaky_relu = {{ slope = {slope} }} }}", nn.LeakyReLU(slope)


def linear(inputs: int, outputs: int) -> Layer:
    return f"{{ linear = {{ out_features = {outputs} }} }}", nn.Linear(inputs, outputs)


RELU: Layer = ('"relu"', nn.ReLU())
FLATTEN: Layer = ('"flatten"', nn.Flatten())

CASES: dict[str, tuple[tuple[int, int, int], list[Layer]]] = {
    "conv2d 3x2": ((2, 5, 4), [conv(2, 3, (3, 2))]),
    "conv2d stride 2x3": ((1, 6, 7), [conv(1, 2, (2, 3), (2, 3))]),
    "conv2d padding 1x2": ((2, 3, 4), [conv(2, 2, (3, 5), (1, 1), (1, 2))]),
    "conv2d stride and padding": ((3, 5, 5), [conv(3, 7, (3, 3), (2, 2), (1, 1))]),
    "linear": ((1, 3, 5), [FLATTEN, linear(15, 7)]),
    "leaky_relu": ((2, 3, 3), [conv(2, 3, (1, 1)), leaky(0.1)]),
    "leaky_relu, negative slope": ((2, 3, 3), [conv(2, 3, (1, 1)), leaky(-0.25)]),
    "relu": ((2, 3, 3), [conv(2, 3, (1, 1)), RELU]),
    "max_pool2d": ((2, 4, 6), [pool((2, 2))]),
    "max_pool2d with a rest": ((2, 5, 5), [pool((2, 3))]),
    "max_pool2d overlapping": ((1, 5, 6), [pool((3, 2), (1, 2))]),
    "rectifier before pooling": ((1, 6, 6), [conv(1, 2, (3, 3)), leaky(0.2), pool((2, 2))]),
    "plateau before pooling": ((1, 5, 5), [conv(1, 2, (2, 2)), RELU, pool((2, 2))]),
}


def golden(name: str, shape: tuple[int, int, int], layers: list[Layer]) -> dict:
    modules = nn.Sequential(*(module for _, module in layers), nn.Flatten())
    n_features = modules(torch.zeros(1, *shape)).shape[1]
    head = [FLATTEN, linear(n_features, CLASSES)]
    net = nn.Sequential(*(module for _, module in layers + head)).double()
    # Multiples of 1/8 make ties in the poolings.
    x = (torch.randint(-16, 17, (SAMPLES, *shape)) / 8).double().requires_grad_()
    labels = torch.arange(SAMPLES) % CLASSES
    logits = net(x)
    loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
    loss.backward()
    nodes = "\n".join(f"[[node]]\nlayer = {spec}" for spec, _ in layers + head)
    header = f'version = 1\nname = "golden"\ninput = {list(shape)}\nclasses = {CLASSES}\n'
    flat = lambda tensors: torch.cat([t.flatten() for t in tensors]).tolist()
    return {
        "name": name,
        "network": header + nodes + "\n",
        "pictures": [picture.flatten().tolist() for picture in x],
        "labels": labels.tolist(),
        "params": flat(net.parameters()),
        "loss": loss.item(),
        "logits": logits.tolist(),
        "d_pictures": [picture.flatten().tolist() for picture in x.grad],
        "d_params": flat(p.grad for p in net.parameters()),
    }


def main() -> None:
    torch.manual_seed(7)
    cases = [golden(name, shape, layers) for name, (shape, layers) in CASES.items()]
    OUT.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases in {OUT}")


if __name__ == "__main__":
    main()
