"""`make bench-trials`: trials per hour of `danlu study` and of Optuna driving PyTorch, the very same trials on the same cores.

Danlu's study (bench/trials/study.toml) is run with one process for each core; then the same values are enqueued in an Optuna study,
at which as many processes with one thread each work, and in another at which one process works with all threads. Optuna's clock
begins when its processes have imported PyTorch and read the images; Danlu's includes everything. The sides take turns, --rounds times.
Prints a Markdown table; --record also writes it under bench/record/.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import optuna

from machine import record
from timed_study import timed_study

HERE = Path(__file__).resolve().parent
N_EPOCHS = 3
HEAD_START_S = 0.3


def danlu_s(danlu: Path, folder: Path, n_trials: int, jobs: int) -> tuple[float, list[dict]]:
    text = (HERE / "trials" / "study.toml").read_text().replace("trials = 12", f"trials = {n_trials}")
    return timed_study(danlu, folder, text, jobs)


def optuna_s(folder: Path, params: list[dict], processes: int, threads: int) -> tuple[float, list[float]]:
    storage = f"sqlite:///{folder / 'optuna.db'}"
    study = optuna.create_study(study_name="trials", storage=storage, direction="maximize")
    for values in params:
        study.enqueue_trial({}, user_attrs={"params": values})
    command = [sys.executable, HERE / "pytorch_trials.py", "--storage", storage]
    command += ["--epochs", str(N_EPOCHS), "--threads", str(threads)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for worker in workers:
        if worker.stdout.readline().strip() != "ready":
            sys.exit("a process of Optuna's study did not start")
    start = time.perf_counter()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
        # Two that ask at the same instant both get the same waiting trial of Optuna 5.
        time.sleep(HEAD_START_S)
    for worker in workers:
        if worker.stdout.readline().strip() != "done":
            sys.exit("a process of Optuna's study failed")
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.stdin.close()
        worker.wait()
    done = [trial.value for trial in study.get_trials() if trial.value is not None]
    if len(done) != len(params):
        sys.exit(f"Optuna's study has {len(done)} trials, not {len(params)}")
    return seconds, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="keep the table under bench/record/")
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    danlu, cores = args.danlu.resolve(), len(os.sched_getaffinity(0))
    sides = {
        f"Optuna and PyTorch, {cores} processes of 1 thread": (cores, 1),
        f"Optuna and PyTorch, 1 process of {cores} threads": (1, cores),
    }
    name = f"Danlu, {cores} processes of 1 thread"
    seconds: dict[str, list[float]] = {side: [] for side in [name, *sides]}
    accuracy: dict[str, float] = {}
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as folder:
            elapsed, trials = danlu_s(danlu, Path(folder), args.trials, cores)
            seconds[name].append(elapsed)
            accuracy[name] = median(trial["values"]["validation_accuracy"] for trial in trials)
        for side, (processes, threads) in sides.items():
            with tempfile.TemporaryDirectory() as folder:
                params = [trial["params"] for trial in trials]
                elapsed, values = optuna_s(Path(folder), params, processes, threads)
                seconds[side].append(elapsed)
                accuracy[side] = median(values)
    text = table(seconds, accuracy, args.trials)
    print(text)
    if args.record:
        how = (
            f"`make bench-trials ARGS=--record`: {args.trials} random trials of bench/trials/study.toml, "
            f"{N_EPOCHS} epochs each; n = {args.rounds} rounds in turn, medians."
        )
        record("trials", "Trials per hour", how, text)


def table(seconds: dict[str, list[float]], accuracy: dict[str, float], n_trials: int) -> str:
    per_hour = {side: 3600 * n_trials / median(times) for side, times in seconds.items()}
    first = next(iter(per_hour.values()))
    lines = ["| | seconds | trials per hour | Danlu's times as many | median accuracy |", "|---|---|---|---|---|"]
    for side, times in seconds.items():
        each = " ".join(f"{time:.1f}" for time in times)
        ratio = "" if per_hour[side] == first else f"{first / per_hour[side]:.2f}"
        lines.append(f"| {side} | {each} | {per_hour[side]:.0f} | {ratio} | {accuracy[side]:.4f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
