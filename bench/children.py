"""`make bench-children`: children per minute of an architecture search, and of the same networks trained by PyTorch on the same cores.

Danlu's search (bench/children/SPACE.toml: the space and the children's recipe of the preset `zoph`, or of --space lenet-space, drawn
at random) is run with one process for each core; then PyTorch trains the very same networks, with as many processes of one thread,
and with one process of all threads. PyTorch has nothing to do but train: what to try next, the store and the checkpoints are on Danlu's side alone, and PyTorch's
clock begins when its processes have imported it and read the images; Danlu's includes everything. The sides take turns, --rounds times.
Prints a Markdown table; --record also writes it under bench/record/.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from machine import record
from timed_study import timed_study

HERE = Path(__file__).resolve().parent


def danlu_s(
    danlu: Path, folder: Path, space: str, n_children: int, seed: int, jobs: int
) -> tuple[float, list[Path], list[float]]:
    text = (HERE / "children" / f"{space}.toml").read_text()
    text = text.replace("trials = 12", f"trials = {n_children}").replace("version = 1", f"version = 1\nseed = {seed}")
    seconds, trials = timed_study(danlu, folder, text, jobs)
    runs = [folder / "studies/children/trials" / f"{trial['trial']:04}" / "run.toml" for trial in trials]
    return seconds, runs, [trial["values"]["validation_accuracy"] for trial in trials]


def pytorch_s(runs: list[Path], processes: int, threads: int) -> tuple[float, list[float]]:
    command = [sys.executable, HERE / "pytorch_children.py", "--processes", str(processes), "--threads", str(threads)]
    said = json.loads(subprocess.check_output([*command, *runs]))
    return said["seconds"], said["accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", type=Path, required=True)
    parser.add_argument("--space", choices=["zoph", "lenet-space"], default="zoph")
    parser.add_argument("--children", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="keep the table under bench/record/")
    args = parser.parse_args()
    danlu, cores = args.danlu.resolve(), len(os.sched_getaffinity(0))
    ours = f"Danlu, {cores} processes of 1 thread"
    sides = {
        f"PyTorch, {cores} processes of 1 thread": (cores, 1),
        f"PyTorch, 1 process of {cores} threads": (1, cores),
    }
    seconds: dict[str, list[float]] = {side: [] for side in [ours, *sides]}
    accuracy: dict[str, list[float]] = {side: [] for side in [ours, *sides]}
    for seed in range(1, args.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            elapsed, runs, values = danlu_s(danlu, Path(folder), args.space, args.children, seed, cores)
            seconds[ours].append(elapsed)
            accuracy[ours] += values
            for side, (processes, threads) in sides.items():
                elapsed, values = pytorch_s(runs, processes, threads)
                seconds[side].append(elapsed)
                accuracy[side] += values
    text = table(seconds, accuracy, args.children)
    print(text)
    if args.record:
        asked = f"--record --space {args.space} --children {args.children} --rounds {args.rounds}"
        how = (
            f"`make bench-children ARGS=\"{asked}\"`: {args.children} random children of "
            f"bench/children/{args.space}.toml in each round, other ones each time; n = {args.rounds} rounds in turn, medians."
        )
        record(f"children-{args.space}", f"Children per minute of `{args.space}`", how, text)


def table(seconds: dict[str, list[float]], accuracy: dict[str, list[float]], n_children: int) -> str:
    ours = next(iter(seconds.values()))
    lines = ["| | seconds | children per minute | Danlu's times as many | median accuracy |", "|---|---|---|---|---|"]
    for side, times in seconds.items():
        each = " ".join(f"{time:.1f}" for time in times)
        # The rounds have other networks, so each is compared with itself.
        ratio = "" if times is ours else f"{median(theirs / own for theirs, own in zip(times, ours)):.2f}"
        per_minute = 60 * n_children / median(times)
        lines.append(f"| {side} | {each} | {per_minute:.1f} | {ratio} | {median(accuracy[side]):.4f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
