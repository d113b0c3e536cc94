"""Writes crates/nn/tests/golden.json: what PyTorch computes for small networks, every layer with its geometries.

In f64, so that Danlu's f64 lane can be held to 1e-12. Run again only when a layer is added:
    $(scripts/python-env.sh) tests/pytorch/golden.py
"""

import hashlib
import json
from pathlib import Path
from typing import Callable

import torch
import torch.nn.functional as F
from torch import nn

OUT = Path(__file__).resolve().parents[2] / "crates/nn/tests/golden.json"
CLASSES = 4
SAMPLES = 3

# A node: its name and inputs or None for the one before, the layer as a network file writes it, and what PyTorch does
# with the inputs.
Node = tuple[str | None, list[str] | None, str, nn.Module]


def node(spec: str, module: nn.Module, name: str | None = None, inputs: list[str] | None = None) -> Node:
    return name, inputs, spec, module


def table(layer: str, **keys) -> str:
    """The layer as a network file writes it."""
    if not keys:
        return json.dumps(layer)
    write = lambda value: json.dumps(list(value) if isinstance(value, tuple) else value)
    return f"{{ {layer} = {{ {', '.join(f'{key} = {write(value)}' for key, value in keys.items())} }} }}"


def conv(c: int, out: int, kernel, name=None, inputs=None, **keys) -> Node:
    spec = table("conv2d", out_channels=out, kernel=kernel, **keys)
    return node(spec, nn.Conv2d(c, out, kernel, **keys), name, inputs)


def max_pool(kernel, **keys) -> Node:
    return node(table("max_pool2d", kernel=kernel, **keys), nn.MaxPool2d(kernel, **keys))


def avg_pool(kernel, **keys) -> Node:
    return node(table("avg_pool2d", kernel=kernel, **keys), nn.AvgPool2d(kernel, **keys))


def leaky(slope: float) -> Node:
    return node(table("leaky_relu", slope=slope), nn.LeakyReLU(slope))


def linear(inputs: int, outputs: int, name=None, sources=None, **keys) -> Node:
    return node(table("linear", out_features=outputs, **keys), nn.Linear(inputs, outputs, **keys), name, sources)


def batch_norm(channels: int, name=None, inputs=None, **keys) -> Node:
    module = nn.BatchNorm2d(channels, keys.get("epsilon", 1e-5), keys.get("momentum", 0.1))
    return node(table("batch_norm2d", **keys), module, name, inputs)


def layer_norm(*shape: int, **keys) -> Node:
    return node(table("layer_norm", **keys), nn.LayerNorm(shape, keys.get("epsilon", 1e-5)))


def group_norm(groups: int, channels: int, **keys) -> Node:
    return node(table("group_norm", groups=groups, **keys), nn.GroupNorm(groups, channels, keys.get("epsilon", 1e-5)))


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


class PartialConv2d(nn.Module):
    """One filter for each list of channels; the weights of all connections are one tensor."""

    def __init__(self, kernel: int, connections: list[list[int]]):
        super().__init__()
        self.connections = connections
        self.weight = nn.Parameter(torch.empty(sum(map(len, connections)), kernel, kernel))
        self.bias = nn.Parameter(torch.empty(len(connections)))

    def forward(self, x):
        filters = torch.split(self.weight, [len(channels) for channels in self.connections])
        maps = [F.conv2d(x[:, channels], w[None]) for channels, w in zip(self.connections, filters)]
        return torch.cat(maps, 1) + self.bias[:, None, None]


class Subsample(nn.Module):
    def __init__(self, channels: int, kernel: tuple[int, int]):
        super().__init__()
        self.kernel = kernel
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x):
        sums = F.avg_pool2d(x, self.kernel, divisor_override=1)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, reduced: int):
        super().__init__()
        self.scale = nn.Sequential(nn.Linear(channels, reduced), nn.ReLU(), nn.Linear(reduced, channels), nn.Sigmoid())

    def forward(self, x):
        return x * self.scale(x.mean((2, 3)))[:, :, None, None]


def chacha8(key: bytes, stream: int, n: int) -> list[int]:
    """The first words of a stream (Bernstein 2008), 64 bits of counter and 64 of stream."""
    word = lambda i, of: int.from_bytes(of[4 * i : 4 * i + 4], "little")
    mask = 0xFFFFFFFF
    rotate = lambda x, by: (x << by | x >> (32 - by)) & mask

    def quarter(s, a, b, c, d):
        for first, second, last, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[first] = (s[first] + s[second]) & mask
            s[last] = rotate(s[last] ^ s[first], by)

    words = []
    for block in range(-(-n // 16)):
        start = [word(i, b"expand 32-byte k") for i in range(4)] + [word(i, key) for i in range(8)]
        start += [block & mask, block >> 32, stream & mask, stream >> 32]
        s = start[:]
        for _ in range(4):
            for i in range(4):
                quarter(s, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        words += [(a + b) & mask for a, b in zip(s, start)]
    return words[:n]


class Dropout(nn.Module):
    """PyTorch's, but with Danlu's random numbers: sample i's are of stream i of `dropout/1` of seed 7."""

    def __init__(self, p: float, spatial: bool):
        super().__init__()
        self.p, self.spatial = p, spatial

    def forward(self, x):
        if not self.training:
            return x
        key = hashlib.sha256((7).to_bytes(8, "little") + b"dropout/1").digest()
        shape = (*x.shape[1:2], 1, 1) if self.spatial else x.shape[1:]
        n = torch.Size(shape).numel()
        kept = lambda words: torch.tensor([word >= self.p * 2**32 for word in words]).reshape(shape)
        masks = torch.stack([kept(chacha8(key, sample, n)) for sample in range(len(x))])
        return x * masks / (1 - self.p)


def larger(xs: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """All as large as the largest, with zeros around, the odd one at the end."""
    height, width = max(x.shape[2] for x in xs), max(x.shape[3] for x in xs)

    def padded(x):
        rows, columns = height - x.shape[2], width - x.shape[3]
        return F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))

    return [padded(x) for x in xs]


def product(*xs: torch.Tensor) -> torch.Tensor:
    y = xs[0]
    for x in xs[1:]:
        y = y * x
    return y


def merge(layer: str, name: str, inputs: list[str], pad: bool = False) -> Node:
    function = {"add": lambda *xs: sum(xs), "multiply": product, "concat": lambda *xs: torch.cat(xs, 1)}[layer]
    keys = {"pad": True} if pad else {}
    module = Of(lambda *xs: function(*larger(xs))) if pad else Of(function)
    return node(table(layer, **keys), module, name, inputs)


CODES = ["#.#", "##.", "..#", "###"]


def rbf(x: torch.Tensor) -> torch.Tensor:
    codes = torch.tensor([[1.0 if sign == "#" else -1.0 for sign in code] for code in CODES], dtype=x.dtype)
    return -((x[:, None] - codes) ** 2).sum(2)


RELU = node('"relu"', nn.ReLU())
SIGMOID = node('"sigmoid"', nn.Sigmoid())
FLATTEN = node('"flatten"', nn.Flatten())
GLOBAL = node('"global_avg_pool"', nn.AdaptiveAvgPool2d(1))
SCALED_TANH = node('"scaled_tanh"', Of(lambda x: 1.7159 * torch.tanh(2 / 3 * x)))
STRONG_TANH = node(table("scaled_tanh", amplitude=4.5, slope=-1.5), Of(lambda x: 4.5 * torch.tanh(-1.5 * x)))
CONNECTIONS = [[0, 1], [1, 2, 3], [0, 2, 3], [3]]
PAD = node(table("pad", top=1, right=2, value=-0.5), Of(lambda x: F.pad(x, (0, 2, 1, 0), value=-0.5)))


def named(name: str, inputs: list[str] | None, what: Node) -> Node:
    return name, inputs, what[2], what[3]


def dropout(p: float, spatial: bool = False) -> Node:
    return node(table("spatial_dropout" if spatial else "dropout", p=p), Dropout(p, spatial))


# Each with a flatten and a linear layer behind it.
CASES: dict[str, tuple[tuple[int, int, int], list[Node]]] = {
    "conv2d 3x2": ((2, 5, 4), [conv(2, 3, (3, 2))]),
    "conv2d stride 2x3": ((1, 6, 7), [conv(1, 2, (2, 3), stride=(2, 3))]),
    "conv2d padding 1x2": ((2, 3, 4), [conv(2, 2, (3, 5), padding=(1, 2))]),
    "conv2d stride and padding": ((3, 5, 5), [conv(3, 7, 3, stride=2, padding=1)]),
    "conv2d in groups": ((4, 4, 4), [conv(4, 6, (3, 2), groups=2)]),
    "conv2d depthwise": ((3, 4, 5), [conv(3, 3, 3, padding=1, groups=3)]),
    "conv2d depthwise, two filters a channel": ((2, 5, 5), [conv(2, 4, 3, stride=2, padding=1, groups=2, bias=False)]),
    "conv2d dilated": ((2, 6, 7), [conv(2, 3, (2, 3), dilation=(3, 2))]),
    "conv2d dilated, with all": ((4, 5, 4), [conv(4, 2, 3, stride=(2, 1), padding=2, dilation=2, groups=2)]),
    "conv2d without bias": ((2, 3, 3), [conv(2, 3, 2, bias=False)]),
    "partial_conv2d": (
        (4, 4, 3),
        [node(table("partial_conv2d", kernel=2, connections=CONNECTIONS), PartialConv2d(2, CONNECTIONS))],
    ),
    "linear": ((1, 3, 5), [FLATTEN, linear(15, 7)]),
    "linear without bias": ((1, 2, 3), [FLATTEN, linear(6, 5, bias=False)]),
    "batch_norm2d": ((2, 3, 4), [conv(2, 3, 2), batch_norm(3)]),
    "batch_norm2d twice": (
        (2, 4, 4),
        [batch_norm(2, epsilon=0.01, momentum=0.3), conv(2, 3, 3, padding=1, bias=False), batch_norm(3), RELU],
    ),
    "layer_norm": ((2, 3, 3), [conv(2, 3, 2), layer_norm(3, 2, 2)]),
    "layer_norm of numbers": ((1, 2, 4), [FLATTEN, linear(8, 6), layer_norm(6, epsilon=0.01)]),
    "group_norm": ((2, 3, 3), [conv(2, 6, 2), group_norm(3, 6)]),
    "group_norm by channel": ((3, 2, 3), [group_norm(3, 3, epsilon=0.001)]),
    "dropout": ((2, 3, 3), [conv(2, 3, 2), dropout(0.3)]),
    "spatial_dropout": ((2, 3, 3), [conv(2, 20, 2), dropout(0.4, spatial=True)]),
    "leaky_relu": ((2, 3, 3), [conv(2, 3, 1), leaky(0.1)]),
    "leaky_relu, negative slope": ((2, 3, 3), [conv(2, 3, 1), leaky(-0.25)]),
    "relu": ((2, 3, 3), [conv(2, 3, 1), RELU]),
    "sigmoid": ((2, 3, 3), [conv(2, 3, 2), SIGMOID]),
    "tanh": ((2, 3, 3), [conv(2, 3, 2), node('"tanh"', nn.Tanh())]),
    "scaled_tanh": ((2, 3, 3), [SCALED_TANH, conv(2, 3, 2), STRONG_TANH]),
    "gelu": ((2, 3, 3), [STRONG_TANH, node('"gelu"', nn.GELU())]),
    "silu": ((2, 3, 3), [STRONG_TANH, node('"silu"', nn.SiLU())]),
    "hard_swish": ((2, 3, 3), [STRONG_TANH, node('"hard_swish"', nn.Hardswish())]),
    "max_pool2d": ((2, 4, 6), [max_pool(2)]),
    "max_pool2d with a rest": ((2, 5, 5), [max_pool((2, 3))]),
    "max_pool2d overlapping": ((1, 5, 6), [max_pool((3, 2), stride=(1, 2))]),
    "max_pool2d with padding": ((2, 4, 5), [max_pool((3, 2), stride=(2, 1), padding=1)]),
    "rectifier before pooling": ((1, 6, 6), [conv(1, 2, 3), leaky(0.2), max_pool(2)]),
    "plateau before pooling": ((1, 5, 5), [conv(1, 2, 2), RELU, max_pool(2)]),
    "plateau before pooling with padding": ((1, 4, 4), [conv(1, 2, 1), RELU, max_pool(2, padding=1)]),
    "avg_pool2d": ((2, 4, 6), [avg_pool(2)]),
    "avg_pool2d overlapping, with padding": ((2, 5, 4), [avg_pool((3, 2), stride=(2, 1), padding=(1, 0))]),
    "global_avg_pool": ((2, 3, 4), [conv(2, 3, 2), GLOBAL]),
    "subsample": ((2, 4, 7), [node(table("subsample", kernel=(2, 3)), Subsample(2, (2, 3)))]),
    "pad": ((2, 3, 2), [PAD, conv(2, 2, 2)]),
    "add": (
        (2, 3, 3),
        [conv(2, 2, 3, "a", padding=1), named("b", ["a"], RELU), merge("add", "sum", ["a", "b", "input"])],
    ),
    "add of unequal sizes": ((2, 5, 4), [conv(2, 2, (2, 3), "a"), merge("add", "sum", ["a", "input"], pad=True)]),
    "multiply": ((2, 3, 3), [conv(2, 2, 3, "a", padding=1), merge("multiply", "product", ["a", "input", "a"])]),
    "multiply by numbers of channels": (
        (2, 3, 3),
        [conv(2, 3, 2, "a"), named("b", ["a"], GLOBAL), merge("multiply", "product", ["b", "a"])],
    ),
    "multiply of unequal sizes": (
        (1, 4, 4),
        [conv(1, 2, 3, "a"), conv(1, 2, (2, 3), "b", ["input"]), merge("multiply", "product", ["a", "b"], pad=True)],
    ),
    "concat": ((2, 3, 3), [conv(2, 3, 3, "a", padding=1), merge("concat", "all", ["a", "input", "a"])]),
    "concat of unequal sizes": (
        (1, 4, 4),
        [conv(1, 2, (2, 3), "a"), conv(1, 1, (4, 1), "b", ["input"]), merge("concat", "all", ["a", "b"], pad=True)],
    ),
    "concat of numbers": (
        (1, 2, 3),
        [named("flat", None, FLATTEN), linear(6, 3, "a"), merge("concat", "all", ["a", "flat"])],
    ),
    "squeeze_excite": ((3, 3, 3), [node(table("squeeze_excite", reduced=2), SqueezeExcite(3, 2))]),
    "inverted bottleneck": (
        (2, 4, 4),
        [
            conv(2, 3, 1, "stem", bias=False),
            conv(3, 6, 3, padding=1, groups=3, bias=False),
            batch_norm(6),
            node('"silu"', nn.SiLU()),
            node(table("squeeze_excite", reduced=2), SqueezeExcite(6, 2)),
            conv(6, 3, 1, bias=False),
            batch_norm(3, "narrow"),
            merge("add", "sum", ["narrow", "stem"]),
            GLOBAL,
        ],
    ),
}

OUTPUTS = [FLATTEN, linear(6, 3), SCALED_TANH, node(table("rbf", codes=CODES), Of(rbf))]
LOGITS = [FLATTEN, linear(6, CLASSES)]
WEIGHTS = [0.5, 1.0, 2.0, 0.25]

# Whole networks under each loss.
LOSSES: dict[str, tuple[list[Node], dict]] = {
    "rbf, cross-entropy": (OUTPUTS, {"cross_entropy": {}}),
    "rbf, maximum a posteriori": (OUTPUTS, {"map": {"rubbish": 1.0}}),
    "linear, maximum a posteriori": (LOGITS, {"map": {"rubbish": 0.25}}),
    "label smoothing": (LOGITS, {"cross_entropy": {"label_smoothing": 0.1}}),
    "class weights": (LOGITS, {"cross_entropy": {"class_weights": WEIGHTS}}),
    "both": (LOGITS, {"cross_entropy": {"label_smoothing": 0.3, "class_weights": WEIGHTS}}),
}


class Net(nn.Module):
    def __init__(self, nodes: list[Node]):
        super().__init__()
        self.nodes = nodes
        self.layers = nn.ModuleList(module for _, _, _, module in nodes)

    def forward(self, x):
        values = {"input": x}
        for idx, (name, inputs, _, module) in enumerate(self.nodes):
            x = module(*(values[source] for source in inputs)) if inputs else module(x)
            values[name or str(idx)] = x
        return x

    def text(self, shape: tuple[int, int, int]) -> str:
        """The network file."""
        text = f'version = 1\nname = "golden"\ninput = {list(shape)}\nclasses = {CLASSES}\n'
        for name, inputs, spec, _ in self.nodes:
            names = f"name = {json.dumps(name)}\n" if name else ""
            sources = f"inputs = {json.dumps(inputs)}\n" if inputs else ""
            text += f"[[node]]\n{names}{sources}layer = {spec}\n"
        return text


def sum_of_losses(spec: dict, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    if "map" in spec:
        rubbish = torch.full((len(logits), 1), -spec["map"]["rubbish"], dtype=logits.dtype)
        chosen = logits.gather(1, labels[:, None])[:, 0]
        return (torch.logsumexp(torch.cat([logits, rubbish], 1), 1) - chosen).sum()
    loss = spec["cross_entropy"]
    weights = loss.get("class_weights")
    weights = torch.tensor(weights, dtype=logits.dtype) if weights else None
    smoothing = loss.get("label_smoothing", 0.0)
    return F.cross_entropy(logits, labels, weights, reduction="sum", label_smoothing=smoothing)


def shake(net: nn.Module) -> None:
    """Parameters and running statistics in multiples of 1/64, which are short to write and the same in f32."""
    rounded = lambda x: (64 * x).round() / 64
    for module in net.modules():
        normalizes = isinstance(module, (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm))
        for i, weight in enumerate(module.parameters(recurse=False)):
            center = 1.0 if normalizes and i == 0 else 0.0
            weight.data = rounded(center + 0.7 * (2 * torch.rand(weight.shape) - 1)).double()
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_floating_point():
                buffer.data = rounded(torch.rand(buffer.shape) + (0.5 if name == "running_var" else -0.5)).double()


def running(net: nn.Module) -> list[float]:
    return [x for buffer in net.buffers() if buffer.is_floating_point() for x in buffer.tolist()]


def golden(name: str, shape: tuple[int, int, int], nodes: list[Node], loss_spec: dict) -> dict:
    net = Net(nodes)
    net.zero_grad()  # some nets share layers
    shake(net)
    # Multiples of 1/8 make ties in the poolings.
    x = (torch.randint(-16, 17, (SAMPLES, *shape)) / 8).double().requires_grad_()
    labels = torch.arange(SAMPLES) % CLASSES
    flat = lambda tensors: torch.cat([t.flatten() for t in tensors]).tolist()
    params = flat(net.parameters()) + running(net)
    logits = net.eval()(x).tolist()
    loss = sum_of_losses(loss_spec, net.train()(x), labels)
    loss.backward()
    by_sample = lambda tensor: [sample.flatten().tolist() for sample in tensor]
    want = {
        "loss": loss.item(),
        "logits": logits,
        "d_pictures": by_sample(x.grad),
        "d_params": flat(p.grad for p in net.parameters()),
        "running": running(net),
    }
    pictures = by_sample(x.detach())
    text = net.text(shape)
    return dict(name=name, network=text, loss=loss_spec, pictures=pictures, labels=labels.tolist(), params=params, want=want)


def classifier(shape: tuple[int, int, int], nodes: list[Node]) -> list[Node]:
    n_features = Net(nodes)(torch.zeros(2, *shape)).flatten(1).shape[1]
    return nodes + [FLATTEN, linear(n_features, CLASSES)]


def main() -> None:
    torch.manual_seed(7)
    plain = {"cross_entropy": {}}
    cases = [golden(name, shape, classifier(shape, nodes), plain) for name, (shape, nodes) in CASES.items()]
    cases += [golden(name, (1, 2, 3), nodes, loss) for name, (nodes, loss) in LOSSES.items()]
    OUT.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases in {OUT}")


if __name__ == "__main__":
    main()
