"""PyTorch's side of `make bench-children`: trains the networks of some run files of a search's children.

    pytorch_children.py --processes P --threads T RUN.toml...

Each of P processes of T threads takes one child after the other from a queue. The clock begins when all have imported PyTorch and have the
images in memory as tensors. The setting is PyTorch's fastest of pytorch_epoch.py: weights channels last, fused optimizer. Prints JSON:
the seconds, and each child's validation accuracy in the order of the files.
"""

import argparse
import json
import sys
import time
import tomllib
from pathlib import Path

import torch
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "pytorch"))
from tutorial import DEFAULT_DATA, Split, load_data  # noqa: E402

EVAL_BATCH = 1000
OPTIMIZERS = {"adam": Adam, "adamw": AdamW}
# Of a convolution: names and defaults in a network file.
CONVOLUTION = [("kernel", None), ("stride", 1), ("padding", 0)]


class Network(nn.Module):
    """A network file's nodes; those without `inputs` read the node before them."""

    def __init__(self, network: dict) -> None:
        super().__init__()
        self.steps, self.layers = [], nn.ModuleList()
        shape, previous, shapes = tuple(network["input"]), "input", {"input": tuple(network["input"])}
        for node in network["node"]:
            inputs = node.get("inputs", [previous])
            layer, shape = build(node["layer"], [shapes[name] for name in inputs])
            self.layers.append(layer)
            self.steps.append((node["name"], inputs))
            previous, shapes[node["name"]] = node["name"], shape

    def forward(self, x: Tensor) -> Tensor:
        known = {"input": x}
        for layer, (name, inputs) in zip(self.layers, self.steps):
            x = known[name] = layer(*[known[one] for one in inputs])
        return x


class Concat(nn.Module):
    """Side by side in depth; smaller ones get zeros at their end."""

    def __init__(self, shapes: list[tuple]) -> None:
        super().__init__()
        self.height, self.width = max(shape[1] for shape in shapes), max(shape[2] for shape in shapes)

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat([self.padded(x) for x in inputs], 1)

    def padded(self, x: Tensor) -> Tensor:
        below, right = self.height - x.shape[2], self.width - x.shape[3]
        return functional.pad(x, (0, right, 0, below)) if below or right else x


def build(layer: str | dict, shapes: list[tuple]) -> tuple[nn.Module, tuple]:
    """A layer and the shape of what comes out of it, without the samples."""
    kind, settings = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
    shape = shapes[0]
    if kind == "conv2d":
        kernel, stride, padding = (pair(settings.get(key, default)) for key, default in CONVOLUTION)
        channels = settings["out_channels"]
        module = nn.Conv2d(shape[0], channels, kernel, stride, padding, bias=settings.get("bias", True))
        sides = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(shape[1:], kernel, stride, padding)]
        return module, (channels, *sides)
    if kind == "linear":
        return nn.Linear(shape[0], settings["out_features"], bias=settings.get("bias", True)), (settings["out_features"],)
    if kind == "concat":
        module = Concat(shapes)
        return module, (sum(one[0] for one in shapes), module.height, module.width)
    if kind == "max_pool2d":
        size = pair(settings["kernel"])
        return nn.MaxPool2d(size), (shape[0], shape[1] // size[0], shape[2] // size[1])
    simple = {
        "batch_norm2d": lambda: (nn.BatchNorm2d(shape[0]), shape),
        "relu": lambda: (nn.ReLU(), shape),
        "leaky_relu": lambda: (nn.LeakyReLU(settings["slope"]), shape),
        "global_avg_pool": lambda: (nn.AdaptiveAvgPool2d(1), (shape[0], 1, 1)),
        "flatten": lambda: (nn.Flatten(), (torch.Size(shape).numel(),)),
    }
    if kind not in simple:
        sys.exit(f"no layer `{kind}` here")
    return simple[kind]()


def pair(value: int | list) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def parts(run: dict) -> tuple[Split, Split]:
    """Learned from and measured on: as many as the run's, and normalized as it says."""
    whole = load_data(DEFAULT_DATA)[0]
    n_validation = round(len(whole.labels) * run["validation"])
    n_train = round((len(whole.labels) - n_validation) * run.get("subset", 1.0))
    train = Split(*(part[n_validation : n_validation + n_train] for part in whole))
    validation = Split(*(part[:n_validation] for part in whole))
    if run.get("normalization", "unit") == "unit":
        return train, validation
    mean, deviation = train.images.mean(), train.images.std()
    return tuple(Split((part.images - mean) / deviation, part.labels) for part in (train, validation))


def train(run: dict, train_part: Split, validation: Split) -> float:
    net = Network(run["network"]).to(memory_format=torch.channels_last)
    n_epochs, batch = run["epochs"], run["batch_size"]
    ((kind, recipe),) = run["optimizer"].items()
    rate, decay = recipe["learning_rate"], recipe.get("weight_decay", 0.0)
    optimizer = OPTIMIZERS[kind](net.parameters(), lr=rate, weight_decay=decay, fused=True)
    n_steps = n_epochs * -(-len(train_part.labels) // batch)
    schedule = scheduled(run["schedule"], optimizer, rate, n_steps)
    loss_function, value = nn.CrossEntropyLoss(), 0.0
    for _ in range(n_epochs):
        net.train()
        for idx in torch.randperm(len(train_part.labels)).split(batch):
            loss = loss_function(net(train_part.images[idx]), train_part.labels[idx])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        value = accuracy(net.eval(), validation)
    return value


def scheduled(schedule: str | dict, optimizer: Optimizer, rate: float, n_steps: int) -> LRScheduler:
    if "constant" in schedule:
        return ConstantLR(optimizer, factor=1.0)
    return OneCycleLR(optimizer, rate, total_steps=n_steps, cycle_momentum=False)


@torch.inference_mode()
def accuracy(net: nn.Module, split: Split) -> float:
    batches = zip(split.images.split(EVAL_BATCH), split.labels.split(EVAL_BATCH))
    return sum((net(x).argmax(1) == y).sum().item() for x, y in batches) / len(split.labels)


def work(runs: list[dict], n_threads: int, ready, go, todo, done) -> None:
    torch.set_num_threads(n_threads)
    data = parts(runs[0])
    ready.release()
    go.wait()
    while (idx := todo.get()) is not None:
        done.put((idx, train(runs[idx], *data)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("runs", type=Path, nargs="+")
    args = parser.parse_args()
    runs = [tomllib.loads(path.read_text()) for path in args.runs]
    context = multiprocessing.get_context("spawn")
    ready, go, todo, done = context.Semaphore(0), context.Event(), context.Queue(), context.Queue()
    for idx in [*range(len(runs)), *[None] * args.processes]:
        todo.put(idx)
    workers = [
        context.Process(target=work, args=(runs, args.threads, ready, go, todo, done), daemon=True)
        for _ in range(args.processes)
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        if not ready.acquire(timeout=300):
            sys.exit("a process did not start")
    start = time.perf_counter()
    go.set()
    values = dict(done.get(timeout=3600) for _ in runs)
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.join()
    print(json.dumps({"seconds": seconds, "accuracy": [values[idx] for idx in range(len(runs))]}))


if __name__ == "__main__":
    main()
