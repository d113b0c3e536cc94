"""`make presets`: every preset trained with its recipe and three seeds on Fashion-MNIST; a table of what came of it.

--networks takes network files instead, such as those that a search has found, and trains them all with the recipe of one preset.

Prints a Markdown table: parameters, multiply-adds of one sample forward, seconds per epoch (median over all epochs) and
test accuracy after the last epoch, mean and standard error over the seeds. --record also writes it under bench/record/.
A run that is there already (--runs) is read, not repeated, so that the long ones can be made in pieces.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, median

from machine import record
from significance import standard_error

PRESETS = ["lenet", "lenet-3x3", "lenet-3x3-se", "lenet-5-1998", "lenet-sigmoid", "brick-100k"]


class Subject:
    """A network and the recipe that it is trained with."""

    def __init__(self, args: argparse.Namespace, network: str, recipe: str) -> None:
        self.danlu, self.runs, self.network, self.recipe = args.danlu, args.runs, network, recipe
        self.more = args.more
        self.name = Path(network).stem
        self.threads = max(1, len(os.sched_getaffinity(0)) // args.jobs)

    def run(self, seed: int) -> dict:
        """The record of one training; a run that was broken off goes on."""
        out = self.runs / f"{self.name}-seed-{seed}"
        kept = out / "record.json"
        if kept.exists() and json.loads(kept.read_text())["state"] == "finished":
            return json.loads(kept.read_text())
        if (out / "run.toml").exists():
            command = ["resume", out]
        else:
            command = ["train", "--recipe", self.recipe, "--network", self.network, *self.more, "--seed", seed, "--out", out]
        command = list(map(str, [self.danlu, *command, "--quiet", "--threads", self.threads]))
        print(" ".join(command), file=sys.stderr, flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(kept.read_text())

    def row(self, records: list[dict]) -> str:
        summary = json.loads(subprocess.check_output([self.danlu, "summary", self.network, "--json"]))
        accuracies = [one["epochs"][-1]["test_accuracy"] for one in records]
        times = [epoch["train_s"] for one in records for epoch in one["epochs"]]
        cells = [
            f"`{self.name}`",
            f"{summary['parameters']:,}",
            f"{summary['multiply_adds']:,}",
            str(len(records[0]["epochs"])),
            f"{median(times):.2f}",
            f"{mean(accuracies):.4f} ± {standard_error(accuracies):.4f}",
        ]
        return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", required=True, help="the program")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N, at least 2")
    parser.add_argument("--presets", nargs="+", default=PRESETS, choices=PRESETS)
    parser.add_argument("--networks", nargs="+", metavar="FILE", help="network files in the place of presets")
    parser.add_argument("--recipe", default="brick-100k", choices=PRESETS, help="what --networks are trained with")
    parser.add_argument("--more", type=shlex.split, default=[], metavar="FLAGS", help="flags of `danlu train` that win over the recipe")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once, each on its share of the cores")
    parser.add_argument("--runs", type=Path, default=Path("runs/presets"), help="where the runs lie")
    parser.add_argument("--record", action="store_true", help="keep the table under bench/record/")
    args = parser.parse_args()
    if args.seeds < 2:
        parser.error("--seeds: a standard error needs two at least")
    if args.networks:
        subjects = [Subject(args, network, args.recipe) for network in args.networks]
    else:
        subjects = [Subject(args, preset, preset) for preset in args.presets]
    if len({subject.name for subject in subjects}) < len(subjects):
        parser.error("--networks: the runs are named after the files, so two may not have one name")
    asked = [(subject, seed) for subject in subjects for seed in range(1, args.seeds + 1)]
    with ThreadPoolExecutor(args.jobs) as pool:
        records = list(pool.map(lambda one: one[0].run(one[1]), asked))
    lines = ["| network | parameters | multiply-adds | epochs | s per epoch | test accuracy |", "|---|---|---|---|---|---|"]
    for idx, subject in enumerate(subjects):
        lines.append(subject.row(records[idx * args.seeds :][: args.seeds]))
    table = "\n".join(lines)
    print(table)
    if args.record:
        name, recipe = ("networks", args.recipe) if args.networks else ("presets", "NAME")
        command = " ".join(["danlu train --recipe", recipe, *args.more])
        # The runs may have been made elsewhere and before.
        machines = {"{n_cores} cores, {cpu}, {isa}".format(**one["machine"]) for one in records}
        how = (
            f"n = {args.seeds} seeds, {args.jobs} at once. Fashion-MNIST, `{command}`; test accuracy after the last "
            f"epoch, mean ± standard error. Trained on {'; '.join(sorted(machines))}. The table was made on"
        )
        record(name, name.capitalize(), how, table)


if __name__ == "__main__":
    main()
