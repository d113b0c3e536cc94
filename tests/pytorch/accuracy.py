"""Final accuracy over several seeds: the tutorial's program in PyTorch against `danlu train`.

Both draw their own initial weights and orders from the seed, so only means over seeds can be compared.
Prints mean ± standard error, and whether the test accuracies of the last epoch agree within two standard errors
of their difference; exits 1 where they do not. The training data comes from memory instead of a DataLoader,
which changes the order of samples but not its distribution.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tutorial import DEFAULT_DATA, NETWORKS, Split, accuracy_of, load_data

BATCH = 256
COLUMNS = ["loss", "train_accuracy", "test_accuracy"]

Epoch = dict[str, Any]


def torch_epoch(net: nn.Module, optimizer: torch.optim.Optimizer, train: Split) -> tuple[float, float]:
    """Mean loss over batches, and accuracy while training, as the tutorial counts them."""
    loss_sum, right, batches = 0.0, 0, torch.randperm(len(train.labels)).split(BATCH)
    for idx in batches:
        x, y = train.images[idx], train.labels[idx]
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item()
        right += (logits.argmax(1) == y).sum().item()
    return loss_sum / len(batches), right / len(train.labels)


def torch_run(network: str, seed: int, n_epochs: int, train: Split, test: Split) -> list[Epoch]:
    torch.manual_seed(seed)
    net = NETWORKS[network]()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    epochs = []
    for epoch in range(1, n_epochs + 1):
        loss, train_accuracy = torch_epoch(net, optimizer, train)
        test_accuracy = accuracy_of(net, test)
        epochs.append(
            {"epoch": epoch, "loss": loss, "train_accuracy": train_accuracy, "test_accuracy": test_accuracy}
        )
    return epochs


def danlu_run(binary: str, network: str, seed: int, n_epochs: int, data: Path) -> list[Epoch]:
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "train", "--network", network, "--seed", str(seed), "--epochs", str(n_epochs)]
        command += ["--json", "--data", str(data), "--out", f"{folder}/run"]
        out = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    return [line for line in lines if "epoch" in line]


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error; the error of a single value is unknown."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return statistics.mean(values), error


def at_epoch(runs: list[list[Epoch]], epoch_idx: int, column: str) -> tuple[float, float]:
    return mean_and_error([run[epoch_idx][column] for run in runs])


def print_table(network: str, runs: dict[str, list[list[Epoch]]], n_epochs: int) -> None:
    shown = sorted({1, min(5, n_epochs), n_epochs})
    print(f"\n{network}, mean ± standard error\n\n| | epoch | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
    for who, of in runs.items():
        for epoch in shown:
            cells = ["{:.4f} ± {:.4f}".format(*at_epoch(of, epoch - 1, column)) for column in COLUMNS]
            print(f"| {who}, n = {len(of)} | {epoch} | {' | '.join(cells)} |")


def agrees(network: str, runs: dict[str, list[list[Epoch]]]) -> bool:
    (torch_mean, torch_error), (danlu_mean, danlu_error) = (
        at_epoch(runs[who], -1, "test_accuracy") for who in ("pytorch", "danlu")
    )
    difference, error = danlu_mean - torch_mean, (torch_error**2 + danlu_error**2) ** 0.5
    ok = abs(difference) <= 2 * error
    print(f"\n{network}: test accuracy differs by {difference:+.4f} ± {error:.4f}: {'agrees' if ok else 'DISAGREES'}")
    return ok


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", help="the binary; without it only PyTorch runs")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--network", choices=NETWORKS, action="append", help="default: both")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 1 to N")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write every epoch of every run there")
    args = parser.parse_args()
    torch.set_num_threads(2)
    train, test = load_data(args.data)
    record: dict[str, Any] = {"torch": torch.__version__, "seeds": args.seeds, "epochs": args.epochs, "runs": {}}
    ok = True
    for network in args.network or NETWORKS:
        seeds = range(1, args.seeds + 1)
        runs = {"pytorch": [torch_run(network, seed, args.epochs, train, test) for seed in seeds]}
        if args.danlu:
            runs["danlu"] = [danlu_run(args.danlu, network, seed, args.epochs, args.data) for seed in seeds]
        print_table(network, runs, args.epochs)
        ok = (not args.danlu or agrees(network, runs)) and ok
        record["runs"][network] = runs
        if args.json:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps(record, indent=1) + "\n")
    sys.exit(not ok)


if __name__ == "__main__":
    main()
