"""`make bench-samplers`: Danlu's samplers and pruners and Optuna's, on the same spaces and functions, seed after seed.

Danlu's studies are made by `crates/search/examples/studies`, which also says what the spaces are; the functions are
written twice (functions.py) and compared before anything is counted. As in its studies Danlu tries no point twice: its sampler is
asked again. Each row is a function, a sampler and a pruner: the
median and the quartiles over the seeds of the best cost after a number of trials, the verdict on it, and the steps that were
trained. TPE is compared with the best of Optuna's settings, chosen for each row. A verdict is "better" or "as good" where
Danlu's median is not above Optuna's, "noise" where it is, but a rank test (Mann & Whitney 1947) with p of 0.01 finds no
difference, else "worse"; at 0.05 several of some eighty rows would differ by chance. --record writes the table under bench/record/.
"""

import argparse
import gzip
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import datetime, timezone
from multiprocessing import Pool
from pathlib import Path
from statistics import median, quantiles

import optuna

import functions
from significance import rank_test

HERE = Path(__file__).resolve().parent
TABLE = HERE / "lenet-table.json.gz"
N_TRIALS = [100, 200]
P_OF_DIFFERENCE = 0.01
# The table has 576 points; after 200 trials nearly everybody knows the best.
N_TRIALS_OF_TABLE = [50, 100]
# Of functions with curves, every pairing; of the others nobody can end a trial early.
PAIRINGS = [("random", "none"), ("tpe", "none")]
PAIRINGS_OF_CURVES = [
    *PAIRINGS, ("random", "halving"), ("tpe", "halving"), ("random", "median"), ("tpe", "hyperband")
]  # fmt: skip

# By the steps of a whole trial.
PRUNERS = {
    "none": lambda _: optuna.pruners.NopPruner(),
    "halving": lambda _: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    "median": lambda _: optuna.pruners.MedianPruner(),
    "hyperband": lambda n_steps: optuna.pruners.HyperbandPruner(1, n_steps, 3),
}
SAMPLERS = {
    "random": {"random": lambda seed: optuna.samplers.RandomSampler(seed=seed)},
    "tpe": {
        "default": lambda seed: optuna.samplers.TPESampler(seed=seed),
        "multivariate, group": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
        "independent": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False),
    },
}


class Function:
    """A function with its space, by the name that the example has for it."""

    def __init__(self, name: str, space: list[dict]) -> None:
        self.name, self.space = name, space
        path = name.removeprefix("table:")
        self.is_table = path != name
        self.curve = functions.table(json.loads(Path(path).read_text())) if self.is_table else functions.FUNCTIONS[name]
        self.n_trials = N_TRIALS_OF_TABLE if self.is_table else N_TRIALS

    def point(self, trial: optuna.Trial) -> list[float | None]:
        point: list[float | None] = []
        for dimension in self.space:
            is_active = all(point[one["dimension"]] in one["categories"] for one in dimension["conditions"])
            point.append(suggest(trial, dimension["name"], dimension["domain"]) if is_active else None)
        return point


def suggest(trial: optuna.Trial, name: str, domain: dict) -> float:
    if domain["kind"] == "categorical":
        return trial.suggest_categorical(name, range(domain["n_choices"]))
    range_ = {"low": domain["low"], "high": domain["high"], "log": domain["log"], "step": domain["step"]}
    return trial.suggest_int(name, **range_) if domain["kind"] == "int" else trial.suggest_float(name, **range_)


def optuna_study(job: tuple) -> dict:
    """What `studies run` prints, of one seed."""
    name, space, n_curve, sampler, setting, pruner, seed = job
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    function = Function(name, space)
    study = optuna.create_study(sampler=SAMPLERS[sampler][setting](seed), pruner=PRUNERS[pruner](n_curve))
    best, n_steps, bests = math.inf, 0, []
    for _ in range(max(function.n_trials)):
        trial = study.ask()
        curve = function.curve(function.point(trial))
        state = optuna.trial.TrialState.COMPLETE
        for step, cost in enumerate(curve, start=1):
            n_steps += 1
            trial.report(cost, step)
            # Who came to the end is not pruned any more, with Danlu neither.
            if step < len(curve) and trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                break
        study.tell(trial, curve[-1] if state == optuna.trial.TrialState.COMPLETE else None, state)
        best = min(best, curve[-1]) if state == optuna.trial.TrialState.COMPLETE else best
        bests.append(best)
    return {"seed": seed, "best": bests, "steps": n_steps}


def check(function: Function, studies: str) -> None:
    """The same costs at the same points."""
    for line in subprocess.check_output([studies, "values", function.name, "100"], text=True).splitlines():
        values = json.loads(line)
        for ours, theirs in zip(values["curve"], function.curve(values["point"]), strict=True):
            if not math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12):
                sys.exit(f"{function.name}: {ours} here and {theirs} there at {values['point']}")


def verdict(ours: list[float], theirs: list[float]) -> str:
    p = rank_test(ours, theirs)
    if median(ours) <= median(theirs):
        return f"better (p {p:.1g})" if p < P_OF_DIFFERENCE else "as good"
    return f"**worse** (p {p:.1g})" if p < P_OF_DIFFERENCE else f"noise (p {p:.2f})"


def spread(values: list[float]) -> str:
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return f"{middle:.4g} ({low:.4g} to {high:.4g})"


class Comparison:
    def __init__(self, args: argparse.Namespace, pool) -> None:
        self.args, self.pool = args, pool
        self.kept = json.loads(args.keep.read_text()) if args.keep and args.keep.exists() else {}

    def n_seeds(self, sampler: str) -> int:
        """Random studies are as quick as they are noisy."""
        return self.args.seeds * (5 if sampler == "random" else 1)

    def ours(self, function: Function, sampler: str, pruner: str) -> list[dict]:
        command = [self.args.studies, "run", function.name, sampler, pruner, str(max(function.n_trials))]
        command += ["1", str(self.n_seeds(sampler))]
        command += [] if self.args.repeat else ["unique"]
        return [json.loads(line) for line in subprocess.check_output(command, text=True).splitlines()]

    def theirs(self, function: Function, sampler: str, pruner: str) -> dict[str, list[dict]]:
        """By Optuna's setting; one that does the same as another is left out."""
        has_conditions = any(dimension["conditions"] for dimension in function.space)
        results = {}
        for setting in SAMPLERS[sampler]:
            if "group" in setting and not has_conditions:
                continue
            key = f"{Path(function.name).name} {sampler} {setting} {pruner} {max(function.n_trials)}"
            n_seeds = self.n_seeds(sampler)
            if len(self.kept.get(key, [])) < n_seeds:
                what = (function.name, function.space, self.n_steps(function), sampler, setting, pruner)
                self.kept[key] = self.pool.map(optuna_study, [(*what, seed) for seed in range(1, n_seeds + 1)], chunksize=1)
                if self.args.keep:
                    self.args.keep.write_text(json.dumps(self.kept))
            results[setting] = self.kept[key][:n_seeds]
        return results

    def rows(self, function: Function) -> list[str]:
        lines = []
        for sampler, pruner in PAIRINGS_OF_CURVES if self.n_steps(function) > 1 else PAIRINGS:
            ours, theirs = self.ours(function, sampler, pruner), self.theirs(function, sampler, pruner)
            for n_trials in function.n_trials:
                lines.append(self.row(function, sampler, pruner, n_trials, ours, theirs))
                print(lines[-1], flush=True)
        return lines

    def n_steps(self, function: Function) -> int:
        line = subprocess.check_output([self.args.studies, "values", function.name, "1"], text=True)
        return len(json.loads(line)["curve"])

    @staticmethod
    def row(function: Function, sampler: str, pruner: str, n_trials: int, ours: list[dict], theirs: dict) -> str:
        def bests(studies: list[dict]) -> list[float]:
            at = [study["best"][:n_trials][-1] for study in studies]
            return [math.inf if best is None else best for best in at]

        setting = min(theirs, key=lambda one: median(bests(theirs[one])))
        name = "LeNet table" if function.is_table else function.name
        steps = [str(round(median(study["steps"] for study in side))) for side in (ours, theirs[setting])]
        cells = [name, sampler, pruner, str(n_trials), spread(bests(ours)), spread(bests(theirs[setting]))]
        cells += [setting if sampler == "tpe" else "", verdict(bests(ours), bests(theirs[setting]))]
        cells += [" / ".join(steps) if pruner != "none" and n_trials == max(function.n_trials) else ""]
        return "| " + " | ".join(cells) + " |"


def optuna_ask_ms(n_trials: int, n_dimensions: int) -> float:
    """Milliseconds of one answer after trials at random points: the least of eleven, as in the example."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    ask = lambda trial: [trial.suggest_float(f"x{idx}", -5, 5) for idx in range(n_dimensions)]  # noqa: E731
    study.optimize(lambda trial: functions.sphere(ask(trial)), n_trials=n_trials)
    study.sampler = optuna.samplers.TPESampler(seed=1)
    times = []
    for _ in range(11):
        start = time.perf_counter()
        ask(study.ask())
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", required=True, help="the example of that name, built with --release")
    parser.add_argument("--seeds", type=int, default=20, help="seeds 1 to N, and five times as many for random")
    parser.add_argument("--functions", nargs="+", default=list(functions.FUNCTIONS))
    parser.add_argument("--table", type=Path, default=TABLE, help="trainings made once; left out where it is missing")
    parser.add_argument("--repeat", action="store_true", help="let Danlu try points again, which its studies do not")
    parser.add_argument("--keep", type=Path, help="a file for Optuna's results, so that they are not made again")
    parser.add_argument("--jobs", type=int, default=2, help="processes for Optuna")
    parser.add_argument("--record", action="store_true", help="keep the table under bench/record/")
    args = parser.parse_args()
    lines = [
        "| function | sampler | pruner | trials | Danlu | Optuna | its setting | verdict | steps |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as folder, Pool(args.jobs) as pool:
        names = list(args.functions)
        if args.table.exists():
            unpacked = Path(folder) / args.table.with_suffix("").name
            unpacked.write_bytes(gzip.decompress(args.table.read_bytes()))
            names.append(f"table:{unpacked}")
        comparison = Comparison(args, pool)
        for name in names:
            space = json.loads(subprocess.check_output([args.studies, "describe", name], text=True))
            function = Function(name, space)
            check(function, args.studies)
            lines += comparison.rows(function)
    ours = json.loads(subprocess.check_output([args.studies, "ask", "tpe", "10000", "1", "sphere-10"], text=True))["ms"]
    asks = f"One answer of TPE after 10,000 trials in 10 dimensions: Danlu {ours:.1f} ms, Optuna {optuna_ask_ms(10_000, 10):.0f} ms."
    print(f"\n{asks}")
    if args.record:
        record(lines, asks, args)


def record(lines: list[str], asks: str, args: argparse.Namespace) -> None:
    commit = subprocess.check_output(["git", "-C", str(HERE), "describe", "--always", "--dirty"], text=True).strip()
    date = datetime.now(timezone.utc).date()
    rule = __doc__.split("\n\n")[1].replace("\n", " ").split(" --record")[0]
    head = f"# Samplers and pruners, {date}\n\nCommit {commit}; Optuna {optuna.__version__}; Python {platform.python_version()}; "
    head += f"n = {args.seeds} seeds, {5 * args.seeds} for random{'; Danlu may try a point again' if args.repeat else ''}.\n\n{rule}\n\n"
    (HERE / "record" / f"{date}-samplers.md").write_text(head + "\n".join(lines) + f"\n\n{asks}\n")


if __name__ == "__main__":
    main()
