"""`make presets`: every preset trained with its recipe and three seeds on Fashion-MNIST; a table of what came of it.

Prints a Markdown table: parameters, multiply-adds of one sample forward, seconds per epoch (median over all epochs) and
test accuracy after the last epoch, mean and standard error over the seeds. --record also writes it under bench/record/.
A run that is there already (--runs) is read, not repeated, so that the long ones can be made in pieces.
"""

import argparse
import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from statistics import mean, median, stdev

HERE = Path(__file__).resolve().parent
PRESETS = ["lenet", "lenet-3x3", "lenet-3x3-se", "lenet-5-1998", "lenet-sigmoid", "brick-100k"]


def run(danlu: str, preset: str, seed: int, runs: Path) -> dict:
    """The record of one training; a run that was broken off goes on."""
    out = runs / f"{preset}-seed-{seed}"
    record = out / "record.json"
    if record.exists() and json.loads(record.read_text())["state"] == "finished":
        return json.loads(record.read_text())
    if (out / "run.toml").exists():
        command = [danlu, "resume", str(out)]
    else:
        command = [danlu, "train", "--recipe", preset, "--seed", str(seed), "--out", str(out), "--quiet"]
    print(" ".join(command), file=sys.stderr, flush=True)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads(record.read_text())


def row(danlu: str, preset: str, records: list[dict]) -> str:
    summary = json.loads(subprocess.check_output([danlu, "summary", preset, "--json"]))
    accuracies = [record["epochs"][-1]["test_accuracy"] for record in records]
    times = [epoch["train_s"] for record in records for epoch in record["epochs"]]
    error = stdev(accuracies) / len(accuracies) ** 0.5
    cells = [
        f"`{preset}`",
        f"{summary['parameters']:,}",
        f"{summary['multiply_adds']:,}",
        str(len(records[0]["epochs"])),
        f"{median(times):.2f}",
        f"{mean(accuracies):.4f} ± {error:.4f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", required=True, help="the program")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N, at least 2")
    parser.add_argument("--presets", nargs="+", default=PRESETS, choices=PRESETS)
    parser.add_argument("--runs", type=Path, default=Path("runs/presets"), help="where the runs lie")
    parser.add_argument("--record", action="store_true", help="keep the table under bench/record/")
    args = parser.parse_args()
    if args.seeds < 2:
        parser.error("--seeds: a standard error needs two at least")
    lines = ["| preset | parameters | multiply-adds | epochs | s per epoch | test accuracy |", "|---|---|---|---|---|---|"]
    machines = set()
    for preset in args.presets:
        records = [run(args.danlu, preset, seed, args.runs) for seed in range(1, args.seeds + 1)]
        machine = records[0]["machine"]
        machines.add(f"{machine['n_cores']} cores, {machine['cpu']}, {machine['isa']}")
        lines.append(row(args.danlu, preset, records))
    table = "\n".join(lines)
    print(table)
    if args.record:
        commit = subprocess.check_output(["git", "-C", str(HERE), "describe", "--always", "--dirty"], text=True)
        date = datetime.now(timezone.utc).date()
        text = (
            f"# Presets, {date}\n\nCommit {commit.strip()}; {'; '.join(sorted(machines))}; n = {args.seeds} seeds. "
            "Fashion-MNIST, each preset with its recipe\n(`danlu train --recipe NAME`), test accuracy after the last "
            f"epoch, mean ± standard error.\n\n{table}\n"
        )
        (HERE / "record" / f"{date}-presets.md").write_text(text)


if __name__ == "__main__":
    main()
