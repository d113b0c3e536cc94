"""PyTorch's side of the layers in `make bench`: how long each layer takes it, alone, on one thread.

Reads the JSON of `danlu bench --layers --json` on standard input and prints, as JSON, a list with [forward, training]
for each layer of it: nanoseconds for one sample, training being forward and backward with the gradients of inputs and
parameters. Each is the least of several runs over a batch of 256, as contiguous tensors or channels last, whichever is
faster.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BATCH = 256
N_RUNS = 7
RUN_S = 0.02


class PartialConv2d(nn.Module):
    """A convolution with a mask over its weights, as one would write LeNet-5's C3."""

    def __init__(self, channels: int, kernel: list[int], connections: list[list[int]]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, len(connections), kernel)
        mask = torch.zeros(len(connections), channels, 1, 1)
        for filter_idx, inputs in enumerate(connections):
            mask[filter_idx, inputs] = 1
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.conv.weight * self.mask, self.conv.bias)


class Rbf(nn.Module):
    def __init__(self, codes: list[str]) -> None:
        super().__init__()
        self.register_buffer("codes", torch.tensor([[1.0 if c == "#" else -1.0 for c in code] for code in codes]))

    def forward(self, x: Tensor) -> Tensor:
        return -((x[:, None, :] - self.codes) ** 2).sum(2)


class Subsample(nn.Module):
    def __init__(self, channels: int, kernel: list[int]) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(kernel)
        self.n = kernel[0] * kernel[1]
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x) * (self.n * self.weight) + self.bias


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(channels, reduced), nn.Linear(reduced, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class Function(nn.Module):
    """A layer without parameters."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


def module(kind: str, p: dict[str, Any], shape: list[int]) -> nn.Module:
    """PyTorch's own form of a layer; `shape` is that of its (first) input, without the batch."""
    channels = shape[0]
    pool = {"kernel_size": p.get("kernel"), "stride": p.get("stride"), "padding": p.get("padding", 0)}
    makers: dict[str, Callable[[], nn.Module]] = {
        "conv2d": lambda: nn.Conv2d(
            channels, p["out_channels"], p["kernel"], p["stride"], p["padding"], p.get("dilation", 1), p.get("groups", 1)
        ),
        "partial_conv2d": lambda: PartialConv2d(channels, p["kernel"], p["connections"]),
        "linear": lambda: nn.Linear(channels, p["out_features"]),
        "rbf": lambda: Rbf(p["codes"]),
        "batch_norm2d": lambda: nn.BatchNorm2d(channels),
        "layer_norm": lambda: nn.LayerNorm(shape),
        "group_norm": lambda: nn.GroupNorm(p["groups"], channels),
        "dropout": lambda: nn.Dropout(p["p"]),
        "spatial_dropout": lambda: nn.Dropout2d(p["p"]),
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(p["slope"]),
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "scaled_tanh": lambda: Function(lambda x: p["amplitude"] * torch.tanh(p["slope"] * x)),
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "hard_swish": nn.Hardswish,
        "max_pool2d": lambda: nn.MaxPool2d(**pool),
        "avg_pool2d": lambda: nn.AvgPool2d(**pool),
        "global_avg_pool": lambda: nn.AdaptiveAvgPool2d(1),
        "subsample": lambda: Subsample(channels, p["kernel"]),
        "pad": lambda: Function(lambda x: F.pad(x, (p["left"], p["right"], p["top"], p["bottom"]), value=p["value"])),
        "add": lambda: Function(torch.add),
        "multiply": lambda: Function(torch.mul),
        "concat": lambda: Function(lambda *inputs: torch.cat(inputs, 1)),
        "squeeze_excite": lambda: SqueezeExcite(channels, p["reduced"]),
    }
    return makers[kind]()


def least_ns(call: Callable[[], None]) -> float:
    """Of one sample."""
    call()
    start = time.perf_counter()
    call()
    n_calls = max(1, int(RUN_S / (time.perf_counter() - start)))
    least = float("inf")
    for _ in range(N_RUNS):
        start = time.perf_counter()
        for _ in range(n_calls):
            call()
        least = min(least, (time.perf_counter() - start) / n_calls)
    return least * 1e9 / BATCH


def measure(layer: dict[str, Any] | str, shapes: list[list[int]], layout: torch.memory_format) -> tuple[float, float]:
    kind, parameters = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
    net = module(kind, parameters, shapes[0])
    inputs = [torch.randn(BATCH, *shape) for shape in shapes]
    if len(shapes[0]) == 3:
        net = net.to(memory_format=layout)
        inputs = [x.contiguous(memory_format=layout) for x in inputs]
    net.eval()
    with torch.inference_mode():
        forward = least_ns(lambda: net(*inputs))
        d_output = torch.ones_like(net(*inputs))
    net.train()
    d_output = d_output.clone()
    for x in inputs:
        x.requires_grad_()

    def train() -> None:
        for tensor in [*inputs, *net.parameters()]:
            tensor.grad = None
        net(*inputs).backward(d_output)

    return forward, least_ns(train)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    figures = []
    for case in json.load(sys.stdin)["layers"]:
        layouts = [torch.contiguous_format, torch.channels_last]
        both = [measure(case["layer"], case["inputs"], layout) for layout in layouts]
        figures.append([min(forward for forward, _ in both), min(training for _, training in both)])
        print(f"  {case['name']}", file=sys.stderr)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
