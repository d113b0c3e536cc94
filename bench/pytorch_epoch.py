"""PyTorch's side of `make bench`: a server on standard input and output, at PyTorch's fastest setting.

Each line read is answered by one line:
    train   seconds of one training epoch (batch 256, shuffled, Adam 0.001, loss and accuracy kept)
    eval    seconds of one evaluation of the test set (loss is not computed, accuracy is)
    info    JSON: multiply-adds per image, threads, versions
Reading the data and making the model are outside the seconds; drawing the permutation, gathering each batch and
reading its loss are inside.

The setting is as fast as any of those tried on two cores of an AMD EPYC (Zen 3, AVX2), PyTorch 2.15. Processor
seconds at one thread, which other programs on the machine disturb less than wall time; whole epochs, the smallest
of 3 in turn:

    training epoch                                      lenet   lenet-3x3
    weights channels_last, fused Adam (used here)        4.60        6.24
    the same, foreach Adam, PyTorch's default            4.65        6.24
    the same, slices of a permuted copy                  4.68        6.50
    the same, index_select in place of indexing          4.64        6.54
    the same, denormals flushed                          4.69        6.47
    the same, oneDNN off                                11.96       10.86
    weights contiguous, fused Adam                       6.29        6.85
    weights contiguous, foreach Adam                     6.30        6.86

    evaluation of the test set, smallest of 5           lenet   lenet-3x3
    channels_last, batch 256                            0.333       0.364
    channels_last, batch 1000 (used here)               0.322       0.342
    channels_last, batch 2000                           0.452       0.338
    contiguous, batch 1000                              0.460       0.440

Seconds of an epoch of lenet at two threads, scaled from 60 of its 235 steps, smallest of 5 in turn: contiguous
with foreach 3.68, channels_last with fused 2.76. The images have one channel, so they are laid out the same.
"""

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "pytorch"))
from tutorial import DEFAULT_DATA, NETWORKS, Split, load_data  # noqa: E402

BATCH = 256
EVAL_BATCH = 1000


def train_epoch(net: nn.Module, optimizer: torch.optim.Optimizer, split: Split) -> tuple[float, float]:
    """The tutorial's epoch over tensors in memory: mean loss and training accuracy."""
    loss_function = nn.CrossEntropyLoss()
    loss_sum, right, batches = 0.0, 0, torch.randperm(len(split.labels)).split(BATCH)
    for idx in batches:
        x, y = split.images[idx], split.labels[idx]
        logits = net(x)
        loss = loss_function(logits, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item()
        right += (logits.argmax(1) == y).sum().item()
    return loss_sum / len(batches), right / len(split.labels)


@torch.inference_mode()
def evaluate(net: nn.Module, split: Split) -> float:
    """Test accuracy."""
    right = 0
    for x, y in zip(split.images.split(EVAL_BATCH), split.labels.split(EVAL_BATCH)):
        right += (net(x).argmax(1) == y).sum().item()
    return right / len(split.labels)


def multiply_adds(net: nn.Module, image: Tensor) -> tuple[int, int]:
    """Of one image, dense: forward, and forward with both gradients but no gradient of the image itself."""
    counts: list[int] = []

    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        counts.append(output.numel() * module.weight[0].numel())

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    net(image)
    for hook in hooks:
        hook.remove()
    return sum(counts), 3 * sum(counts) - counts[0]


def exported(path: Path) -> nn.Module:
    """A new network of the class in a file that `danlu export` wrote; pictures come to it normalized."""
    specification = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == "exported"]
    net = next(kind for kind in kinds if hasattr(kind, "load"))()
    net.normalize = lambda x: x
    return net


def serve(args: argparse.Namespace) -> None:
    train, test = (Split(*(part[: args.images] for part in split)) for split in load_data(args.data))
    net = exported(args.module) if args.module else NETWORKS[args.network]()
    if args.layout == "channels_last":
        net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=True)
    forward, training = multiply_adds(net, train.images[:1])
    info = {
        "multiply_adds": forward,
        "training_multiply_adds": training,
        "threads": torch.get_num_threads(),
        "isa": torch.backends.cpu.get_cpu_capability(),
        "version": torch.__version__,
    }
    actions = {"train": lambda: train_epoch(net, optimizer, train), "eval": lambda: evaluate(net, test)}
    for line in sys.stdin:
        command = line.strip()
        if command == "info":
            print(json.dumps(info), flush=True)
            continue
        start = time.perf_counter()
        actions[command]()
        print(time.perf_counter() - start, flush=True)


def first_step(args: argparse.Namespace) -> None:
    """As little as a program can do before its first optimizer step is over; logs its loss."""
    train = load_data(args.data)[0]
    head = Split(train.images[:BATCH], train.labels[:BATCH])
    net = NETWORKS[args.network]()
    loss, _ = train_epoch(net, torch.optim.Adam(net.parameters(), lr=0.001), head)
    args.steps_log.write_text(f"{loss}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="lenet")
    parser.add_argument("--module", type=Path, help="take the network from a file that `danlu export` wrote")
    parser.add_argument("--images", type=int, help="use only the first N images, for training and for evaluation")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice, the machine's cores")
    parser.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    parser.add_argument("--steps-log", type=Path, help="do one step, write its loss there, and stop")
    args = parser.parse_args()
    torch.manual_seed(1)
    if args.threads:
        torch.set_num_threads(args.threads)
    (first_step if args.steps_log else serve)(args)


if __name__ == "__main__":
    main()
