"""Holds one epoch of Danlu against one epoch of PyTorch, from the same weights and in the same order.

For each case: losses of the first ten steps, weights after the epoch, and Danlu's logits of all test images
against those of its model in PyTorch's class. Prints a table and exits 1 if any figure is out of bounds.
Without --danlu, PyTorch on one thread stands in for Danlu, which tries this program itself.

Rounding grows: at the tutorial's rates two PyTorch epochs from fresh weights, alike but for the last bit of each
initial weight, end 0.04 to 0.2 apart (lenet and lenet-3x3, Adam 0.001, and lenet, SGD 0.1; 235 steps, f32), as
max pooling and the kinks of the activations double a difference every few steps. So there are three kinds of case:
    fresh    the tutorial's batch and rates; weights may be 10 times as far from PyTorch's as PyTorch's own
             two epochs are from each other (`itself` in the table): a check for gross errors only
    short    the same with batch 5999: 11 steps, the last of 10 images, before a difference can grow. With Adam,
             which divides a gradient of 2e-7 by its own size (PyTorch's f32 ended 2.6e-6 or 6e-4 from its f64, by the
             last bit of the initial weights), epsilon is 1e-3, so that this does not happen, and PyTorch computes
             in f64
    gentle   235 steps from weights that PyTorch trained for an epoch, at rates where nothing grows
             (same comparison, Adam 3e-5: 3e-6 apart)
"""

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tutorial import DEFAULT_DATA, NETWORKS, Split, load_data, logits_of

N_LOSSES = 10
LOSS_BOUND = 1e-5  # relative, each of the first ten steps
WEIGHT_BOUND = 1e-3  # absolute, largest over all weights
# Relative to the larger of 1 and the logit, whose size reaches 33 after ten epochs. Not absolute: PyTorch's own f32
# is then 9.5e-6 from its f64, Danlu's 1.1e-5, and the two 1.5e-5 from each other (lenet).
LOGIT_BOUND = 1e-5
HALF_ULP = 2.0**-24  # of f32, relative
SPREAD = 10.0  # how much farther than PyTorch from itself a fresh case may end; seen: up to 3
# PyTorch's other starts, of which the farthest end counts: single ones ended 0.0024 and 0.05 away in the same case.
NUDGES = (5, 6, 7)

Settings = dict[str, float | bool]


class Case(NamedTuple):
    """An optimizer in Danlu's words; PyTorch's differ only in `lr` for `learning_rate` and `eps` for `epsilon`."""

    kind: str
    network: str
    optimizer: str
    settings: Settings

    def __str__(self) -> str:
        return " ".join([self.kind, self.network, self.optimizer, *(f"{k}={v}" for k, v in self.settings.items())])

    @property
    def batch(self) -> int:
        return 5999 if self.kind == "short" else 256

    @property
    def dtype(self) -> torch.dtype:
        """PyTorch's: f64 where its own f32 would be the larger error."""
        return torch.float64 if self.kind == "short" and self.optimizer == "adam" else torch.float32

    def torch_optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        names = {"learning_rate": "lr", "epsilon": "eps"}
        kwargs = {names.get(k, k): v for k, v in self.settings.items()}
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[self.optimizer]
        return kind(net.parameters(), **kwargs)

    def danlu_arguments(self, folder: Path) -> list[str]:
        """Flags where flags can say it, a run file elsewhere: both ways in are tried."""
        if len(self.settings) == 1:
            return ["--optimizer", self.optimizer, "--learning-rate", str(self.settings["learning_rate"])]
        run_file = folder / "run.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.settings.items()]
        run_file.write_text("\n".join([f"[optimizer.{self.optimizer}]", *lines, ""]))
        return [str(run_file)]


# Weight decay is large enough that leaving it out shows: at SGD's usual 1e-4 ten losses change by 3e-7 only.
NESTEROV: Settings = {"momentum": 0.9, "nesterov": True, "weight_decay": 3e-2}
FAST: list[tuple[str, Settings]] = [
    ("adam", {"learning_rate": 0.001}),
    ("adam", {"learning_rate": 0.001, "weight_decay": 1e-3}),
    ("sgd", {"learning_rate": 0.1}),
    ("sgd", {"learning_rate": 0.02, **NESTEROV}),
]
SHORT = [(name, {**settings, "epsilon": 1e-3} if name == "adam" else settings) for name, settings in FAST]
GENTLE: list[tuple[str, Settings]] = [
    ("adam", {"learning_rate": 3e-5, "weight_decay": 1e-3}),
    ("sgd", {"learning_rate": 5e-4, **NESTEROV}),
]
KINDS = {"fresh": FAST, "short": SHORT, "gentle": GENTLE}
CASES = [Case(kind, network, *how) for kind, hows in KINDS.items() for network in NETWORKS for how in hows]


class Outcome(NamedTuple):
    losses: list[float]
    weights: dict[str, Tensor]


class Row(NamedTuple):
    loss: float
    weight: float
    weight_relative: float
    itself: float
    logit: float
    logit_absolute: float  # shown, without a bound

    def passes(self) -> bool:
        weight_bound = max(WEIGHT_BOUND, SPREAD * self.itself)
        return self.loss <= LOSS_BOUND and self.weight <= weight_bound and self.logit <= LOGIT_BOUND


def torch_epoch(case: Case, net: nn.Module, train: Split, dtype: torch.dtype = torch.float32) -> Outcome:
    net = net.to(dtype)
    optimizer, losses = case.torch_optimizer(net), []
    for x, y in zip(train.images.split(case.batch), train.labels.split(case.batch)):
        loss = nn.functional.cross_entropy(net(x.to(dtype)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return Outcome(losses, net.state_dict())


@functools.cache
def initial_weights(kind: str, network: str, train: Split) -> dict[str, Tensor]:
    torch.manual_seed(1)
    net = NETWORKS[network]()
    if kind == "gentle":
        torch_epoch(Case("fresh", network, "adam", {"learning_rate": 0.001}), net, train)
    return net.state_dict()


def initial_net(case: Case, train: Split) -> nn.Module:
    net = NETWORKS[case.network]()
    net.load_state_dict(initial_weights(case.kind, case.network, train))
    return net


def distance_from_itself(case: Case, expected: Outcome, train: Split) -> float:
    """How far PyTorch ends from PyTorch when each initial weight moves by up to half its last bit: the farthest of a few."""
    return max(largest(differences(expected.weights, nudged_epoch(case, seed, train))) for seed in NUDGES)


def nudged_epoch(case: Case, seed: int, train: Split) -> dict[str, Tensor]:
    net = initial_net(case, train)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1 + HALF_ULP * (2 * torch.rand(p.shape, generator=generator, dtype=torch.float64) - 1))
    # A network that has died computes with denormals, which take a hundred times as long.
    torch.set_flush_denormal(True)
    weights = torch_epoch(case, net, train).weights
    torch.set_flush_denormal(False)
    return weights


def differences(expected: dict[str, Tensor], got: dict[str, Tensor]) -> Tensor:
    return torch.cat([(got[name] - weight).flatten() for name, weight in expected.items()])


def largest(values: Tensor) -> float:
    return values.abs().max().item()


def run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexited {done.returncode}\n{done.stdout}{done.stderr}")


def danlu_epoch(case: Case, args: argparse.Namespace, train: Split, folder: Path) -> tuple[Outcome, Tensor]:
    """Trains and evaluates with the binary: losses, weights, and the logits that it computes itself."""
    save_file(initial_weights(case.kind, case.network, train), folder / "initial.safetensors")
    model, steps, logits = folder / "run" / "model.safetensors", folder / "steps", folder / "logits.safetensors"
    data = ["--data", str(args.data)]
    fixed = ["--epochs", "1", "--batch-size", str(case.batch), "--shuffle", "false", "--quiet"]
    files = ["--init", str(folder / "initial.safetensors"), "--out", str(folder / "run"), "--steps-log", str(steps)]
    how = case.danlu_arguments(folder)
    run([args.danlu, "train", *how, "--network", case.network, *data, *fixed, *files])
    run([args.danlu, "eval", str(model), *data, "--logits", str(logits)])
    losses = [float(line) for line in steps.read_text().splitlines()]
    return Outcome(losses, load_file(model)), load_file(logits)["logits"]


def stand_in_epoch(case: Case, train: Split, test: Split) -> tuple[Outcome, Tensor]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    net = initial_net(case, train)
    outcome = torch_epoch(case, net, train)
    logits = logits_of(net, test.images, batch=128)
    torch.set_num_threads(threads)
    return outcome, logits


def compare(case: Case, expected: Outcome, got: Outcome, logits: Tensor, data: tuple[Split, Split]) -> Row:
    train, test = data
    if len(got.losses) != len(expected.losses):
        sys.exit(f"{case}: {len(got.losses)} steps logged, PyTorch took {len(expected.losses)}")
    net = NETWORKS[case.network]()
    net.load_state_dict(got.weights, strict=True)
    reference = logits_of(net, test.images)
    if logits.shape != reference.shape or logits.dtype != reference.dtype:
        sys.exit(f"{case}: logits are {logits.dtype} {list(logits.shape)}, expected f32 {list(reference.shape)}")
    pairs = list(zip(expected.losses, got.losses))[:N_LOSSES]
    apart = differences(expected.weights, got.weights)
    return Row(
        loss=max(abs(a - b) / abs(a) for a, b in pairs),
        weight=largest(apart),
        weight_relative=(apart.norm() / torch.cat([w.flatten() for w in expected.weights.values()]).norm()).item(),
        itself=distance_from_itself(case, expected, train) if case.kind == "fresh" else 0.0,
        logit=largest((logits - reference) / reference.abs().clamp(min=1)),
        logit_absolute=largest(logits - reference),
    )


def check(case: Case, args: argparse.Namespace, data: tuple[Split, Split]) -> Row:
    train, test = data
    expected = torch_epoch(case, initial_net(case, train), train, case.dtype)
    with tempfile.TemporaryDirectory() as folder:
        if args.danlu:
            got, logits = danlu_epoch(case, args, train, Path(folder))
        else:
            got, logits = stand_in_epoch(case, train, test)
    return compare(case, expected, got, logits, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", help="the binary; default: PyTorch on one thread in its place")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--only", default="", help="run only the cases whose title contains this")
    args = parser.parse_args()
    torch.set_num_threads(2)
    data = load_data(args.data)
    width = max(len(str(case)) for case in CASES)
    print(f"{'largest difference from PyTorch':{width}}  losses 1-10  weights  (relative)   itself   logits  (absolute)")
    failed, cases = 0, [case for case in CASES if args.only in str(case)]
    for case in cases:
        start = time.perf_counter()
        row = check(case, args, data)
        failed += not row.passes()
        itself = f"{row.itself:7.1e}" if row.itself else "      -"
        print(
            f"{case!s:{width}}  {row.loss:11.1e}  {row.weight:7.1e}  {row.weight_relative:10.1e}  {itself}"
            f"  {row.logit:7.1e}  {row.logit_absolute:10.1e}  {'ok' if row.passes() else 'FAILED'}, {time.perf_counter() - start:.1f} s",
            flush=True,
        )
    print(f"bounds: losses {LOSS_BOUND:g} relative, weights {WEIGHT_BOUND:g} (fresh: or {SPREAD:g} times `itself`),")
    print(f"logits {LOGIT_BOUND:g} relative to the larger of 1 and the logit")
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(failed > 0 or not cases)


if __name__ == "__main__":
    main()
