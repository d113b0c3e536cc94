"""Optuna itself reads a Danlu study store, works on it beside Danlu, and is read by Danlu; optuna-dashboard shows it.

The other half is crates/store/examples/exchange.rs, and `danlu study` with trainings of its own. Exits 1 at the first difference.
"""

import argparse
import contextlib
import datetime
import difflib
import io
import json
import math
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage

TRIGGER = "danlu_one_takes_a_trial"
N_OPTUNA = 15
N_DANLU = 30
N_ENQUEUED = 60
N_KILLED = 10

Json = Any


def storage(path: Path, **kwargs: Any) -> RDBStorage:
    return RDBStorage(f"sqlite:///{path}", **kwargs)


def exchange(binary: str, *args: object) -> Json:
    command = [binary, *map(str, args)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def same(what: str, found: Json, expected: Json) -> None:
    """Equal as JSON, in which 1, 1.0 and true are three different things."""
    found, expected = (json.dumps(each, sort_keys=True, indent=1) for each in (found, expected))
    if found != expected:
        texts = (text.splitlines() for text in (expected, found))
        difference = "\n".join(difflib.unified_diff(*texts, "expected", "found", lineterm=""))
        raise AssertionError(f"{what}:\n{difference}")


# What Optuna sees, in the words of exchange.rs.


def number(x: float) -> float | str:
    return x if math.isfinite(x) else str(x)


def unix_ms(moment: datetime.datetime | None) -> int | None:
    return None if moment is None else math.floor(moment.timestamp() * 1000 + 0.5)


def domain(distribution: optuna.distributions.BaseDistribution) -> Json:
    names = ["choices"] if hasattr(distribution, "choices") else ["low", "high", "log", "step"]
    return {name: getattr(distribution, name) for name in names}


def seen_trial(trial: optuna.trial.FrozenTrial) -> Json:
    return {
        "number": trial.number,
        "state": trial.state.name,
        "values": [number(value) for value in trial.values or []],
        "params": trial.params,
        "distributions": {name: domain(each) for name, each in trial.distributions.items()},
        "intermediate": {str(step): number(value) for step, value in trial.intermediate_values.items()},
        "user_attributes": trial.user_attrs,
        "system_attributes": trial._system_attrs,
        "started_ms": unix_ms(trial.datetime_start),
        "completed_ms": unix_ms(trial.datetime_complete),
    }


def seen(path: Path) -> Json:
    def study(summary: Any) -> Json:
        loaded = optuna.load_study(study_name=summary.study_name, storage=storage(path))
        return {
            "name": loaded.study_name,
            "directions": [direction.name for direction in loaded.directions],
            "user_attributes": loaded.user_attrs,
            "system_attributes": loaded._storage.get_study_system_attrs(loaded._study_id),
            "trials": [seen_trial(trial) for trial in loaded.trials],
        }

    return [study(summary) for summary in optuna.get_all_study_summaries(storage(path))]


def same_studies(what: str, found: Json, expected: Json) -> None:
    """As `same`; Optuna keeps microseconds, Danlu milliseconds."""
    trials = lambda studies: [trial for study in studies for trial in study["trials"]]
    for one, other in zip(trials(found), trials(expected)):
        for key in ("started_ms", "completed_ms"):
            a, b = one.pop(key), other.pop(key)
            assert (a is None) == (b is None) and (a is None or abs(a - b) <= 1), (what, key, a, b, one["number"])
    same(what, found, expected)


# The checks.


def check_tables(danlu: Path, optunas: Path) -> None:
    """The same tables and indices, letter for letter but for white space, and nothing else but one trigger."""

    def tables(path: Path) -> dict[str, str]:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        return {name: re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")") for name, sql in rows}

    ours = tables(danlu)
    trigger = ours.pop(TRIGGER)
    same("tables", ours, tables(optunas))
    versions = storage(danlu)
    same("alembic's version", versions.get_current_version(), versions.get_head_version())
    with contextlib.redirect_stderr(io.StringIO()):  # alembic says that it looks
        versions.upgrade()
    same("tables", tables(danlu), ours | {TRIGGER: trigger})


def check_reading(binary: str, path: Path) -> int:
    """Optuna finds everything in a store that Danlu made; its samplers and its notion of the best work on it."""
    expected = exchange(binary, "write", path)
    found = seen(path)
    states = sorted({trial["state"] for study in found for trial in study["trials"]})
    same("states of the fixture", states, ["COMPLETE", "FAIL", "PRUNED", "RUNNING", "WAITING"])
    n_trials = sum(len(study["trials"]) for study in found)
    same_studies("Optuna's view of Danlu's store", found, expected)

    sampler = optuna.samplers.TPESampler(n_startup_trials=1, seed=1)
    study = optuna.load_study(study_name="single", storage=storage(path), sampler=sampler)
    same("best trial", [study.best_trial.number, study.best_value], [1, 0.75])
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    same("trials of a study that goes on", [trial.number for trial in study.trials], [0, 1, 2, 3, 4])
    return n_trials


def optuna_store(path: Path) -> None:
    """A store of Optuna's own making with everything that it writes in its own way."""
    study = optuna.create_study(study_name="optuna", storage=storage(path), directions=["minimize", "maximize"])
    study.set_user_attr("text", "ü\N{GRINNING FACE}")
    study.set_user_attr("list", [1, 1.0, True, None, {"a": "NaN"}])

    def two(trial: optuna.Trial) -> tuple[float, float]:
        trial.suggest_float("log", 1e-5, 1, log=True)
        trial.suggest_float("step", 0, 1, step=0.25)
        trial.suggest_int("int", 1, 9, step=2)
        trial.suggest_int("int log", 1, 64, log=True)
        trial.suggest_categorical("choice", [None, True, 1.5, 2, "ü"])
        trial.set_user_attr("note", {"a": [1, 2.5]})
        return 0.1 + 0.2, float("-inf")

    study.optimize(two, n_trials=6)
    single = optuna.create_study(study_name="ends", storage=storage(path))

    def ends(trial: optuna.Trial) -> float:
        trial.suggest_float("x", 0, 1)
        for step, value in enumerate([0.5, float("nan"), float("inf"), float("-inf"), 2.0]):
            trial.report(value, step)
        if trial.number == 1:
            raise optuna.TrialPruned
        return [1.0, math.nan, math.nan, math.inf][trial.number]

    single.optimize(ends, n_trials=4)
    single.enqueue_trial({"x": 0.5}, user_attrs={"from": "optuna"})
    single.ask()
    single.enqueue_trial({"x": 0.75, "choice": None, "n": 3})


def check_being_read(binary: str, path: Path) -> None:
    """Danlu finds everything in a store that Optuna made, and goes on with it."""
    same_studies("Danlu's view of Optuna's store", exchange(binary, "read", path), seen(path))
    study = optuna.load_study(study_name="ends", storage=storage(path))
    waiting = [trial.number for trial in study.trials if trial.state == optuna.trial.TrialState.WAITING]
    n_before = len(study.trials)
    numbers = exchange(binary, "work", path, "ends", "danlu", 3)
    same("numbers that Danlu worked on", numbers, [*waiting, n_before, n_before + 1])
    same("values", [study.trials[number].value for number in numbers], [float(number) for number in numbers])
    # After the comparison, as JSON has no NaN: Danlu reads null.
    study.set_user_attr("nan", [float("nan"), float("inf")])
    [found] = [each for each in exchange(binary, "read", path) if each["name"] == "ends"]
    same("NaN and infinity", found["user_attributes"]["nan"], [None, sys.float_info.max])


def work_with_optuna(path: Path, worker: str) -> list[int]:
    """What exchange.rs calls `work`, by Optuna."""
    study = optuna.load_study(study_name="shared", storage=storage(path), sampler=optuna.samplers.RandomSampler())
    print("ready", flush=True)
    numbers = []
    for idx in range(N_OPTUNA):
        if idx % 5 == 0:
            study.enqueue_trial({"x": 0.5})
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        for step in range(1, 4):
            trial.report(trial.number / step, step)
        trial.set_user_attr("worker", worker)
        study.tell(trial, trial.number)
        numbers.append(trial.number)
    return numbers


def start(command: list[object]) -> subprocess.Popen[str]:
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)


def check_together(binary: str, path: Path) -> int:
    """Two Danlus and two Optunas on one study, with trials that all of them want."""
    study = optuna.create_study(study_name="shared", storage=storage(path))
    for _ in range(N_ENQUEUED):
        study.enqueue_trial({"x": 0.5})
    itself = [sys.executable, __file__, "--exchange", binary, "--danlu", ""]
    workers = {name: start([*itself, "--work", path, name]) for name in ("optuna 0", "optuna 1")}
    for worker in workers.values():
        same("the first line", worker.stdout.readline(), "ready\n")
    for name in ("danlu 0", "danlu 1"):
        workers[name] = start([binary, "work", path, "shared", name, N_DANLU])
    outputs = {name: worker.communicate()[0] for name, worker in workers.items()}
    same("exit codes", [worker.returncode for worker in workers.values()], [0] * len(workers))

    numbers = {name: json.loads(output) for name, output in outputs.items()}
    owners = {number: name for name, each in numbers.items() for number in each}
    same("numbers of trials done", sorted(sum(numbers.values(), [])), sorted(owners))
    trials = {trial.number: trial for trial in study.trials}
    same("numbers in the store", sorted(trials), list(range(len(trials))))
    for number, name in owners.items():
        trial = trials[number]
        found = [trial.state.name, trial.value, trial.user_attrs["worker"], trial.intermediate_values]
        expected = ["COMPLETE", float(number), name, {step: number / step for step in range(1, 4)}]
        same(f"trial {number}", found, expected)
    waiting = {trial.number for trial in trials.values() if trial.state == optuna.trial.TrialState.WAITING}
    same("trials that nobody took", sorted(waiting), sorted(set(trials) - set(owners)))
    same_studies("both views of the study", exchange(binary, "read", path), seen(path))
    return len(owners)


def check_killed(binary: str, path: Path) -> None:
    """Danlus are killed while they write; Optuna and Danlu find the same, and each trial whole."""
    study = optuna.create_study(study_name="killed", storage=storage(path))
    for idx in range(N_KILLED):
        workers = [start([binary, "work", path, "killed", f"danlu {idx} {each}", 10**6]) for each in range(2)]
        n_before = len(study.trials)
        while len(study.trials) < n_before + 5:
            time.sleep(random.random() / 50)
        for worker in workers:
            worker.kill()
            worker.communicate()
        views = [lambda: exchange(binary, "read", path), lambda: seen(path)]
        # Whoever comes first undoes what was half-written.
        first, second = (view() for view in (views if idx % 2 else views[::-1]))
        same_studies(f"both views after {idx + 1} kills", first, second)
    same("numbers", [trial.number for trial in study.trials], list(range(len(study.trials))))
    complete = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    same("values", [[trial.value, trial.params] for trial in complete], [[float(trial.number), {"x": 0.5}] for trial in complete])
    n_open = len(study.trials) - len(complete)
    assert 0 < n_open <= 2 * N_KILLED < len(study.trials), (n_open, len(study.trials))


def check_one_takes_a_trial(binary: str, path: Path) -> None:
    """Optuna looks at the trial that waits, Danlu takes and ends it, Optuna goes on to take it: it must get another."""
    backend = storage(path)
    study = optuna.create_study(study_name="wanted", storage=backend)
    study.enqueue_trial({"x": 0.5})
    look = backend.check_trial_is_updatable
    numbers = []

    def look_and_be_late(trial_id: int, state: optuna.trial.TrialState) -> None:
        look(trial_id, state)
        if not numbers:
            numbers.extend(exchange(binary, "work", path, "wanted", "danlu", 1))

    backend.check_trial_is_updatable = look_and_be_late
    late = study.ask()
    same("numbers taken", [*numbers, late.number], [0, 1])
    same("states", [trial.state.name for trial in study.trials], ["COMPLETE", "RUNNING"])
    study.tell(late, 1.0)


def check_heartbeats(path: Path) -> None:
    """Optuna reads Danlu's heartbeats: their times are those of this moment, whatever the time zone."""
    for grace_period, expected in ((3600, "RUNNING"), (1, "FAIL")):
        time.sleep(2.5)
        heartbeats = storage(path, heartbeat_interval=1, grace_period=grace_period)
        study = optuna.load_study(study_name="every", storage=heartbeats)
        optuna.storages.fail_stale_trials(study)
        [leased] = [trial for trial in study.trials if "danlu:lease" in trial._system_attrs]
        same(f"after {grace_period} s of grace", leased.state.name, expected)


STUDY = """
version = 1
name = "small"
objectives = ["validation_accuracy"]
pruner = "median"
jobs = 2

[budget]
trials = 12

[retrain]
best = 1
seeds = 2

[run]
network = "lenet"
data = "fashion-mnist"
validation = 0.1
epochs = 1

[[parameter]]
name = "learning_rate"
key = "optimizer.adam.learning_rate"
float = { low = 1e-4, high = 1e-1, scale = "log" }

[[parameter]]
name = "batch_size"
key = "batch_size"
choices = [64, 128, 256]
"""


def exported(danlu: str, folder: Path) -> Json:
    """What `danlu study export` says, in the words of exchange.rs, without times."""
    lines = subprocess.check_output([danlu, "study", "export", folder / "small", "--json"], text=True).splitlines()

    def trial(line: str) -> Json:
        said = json.loads(line)
        values = list(said["values"].values()) if said["state"] == "complete" else []
        kept = {key: said[key] for key in ("params", "intermediate", "user_attributes")}
        state = said["state"].upper().replace("FAILED", "FAIL")
        return kept | {"number": said["trial"], "state": state, "values": values}

    return [trial(line) for line in lines]


def check_study(danlu: str, folder: Path) -> int:
    """Optuna asks, tells and enqueues while `danlu study run` trains; both see the same, and Danlu did what was enqueued."""
    (folder / "small.toml").write_text(STUDY)
    command = [danlu, "study", "run", folder / "small.toml", "--studies", folder, "--quiet"]
    with start(command) as process:
        path = folder / "small" / "study.db"
        deadline = time.monotonic() + 60
        while not path.exists():
            assert process.poll() is None and time.monotonic() < deadline, "no study began"
            time.sleep(0.05)
        study = optuna.load_study(study_name="small", storage=storage(path))
        domains = {
            "learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
            "batch_size": optuna.distributions.CategoricalDistribution([64, 128, 256]),
        }
        told = []
        for _ in range(3):
            trial = study.ask(domains)
            trial.report(0.01, 1)
            study.tell(trial, 0.01)
            told.append(trial.number)
        wanted = {"learning_rate": 0.002, "batch_size": 64}
        study.enqueue_trial(wanted | {"unknown": 1}, user_attrs={"wanted": "this"})
        study.enqueue_trial(wanted | {"batch_size": 65}, user_attrs={"wanted": "what cannot be"})
        process.communicate()
        same("exit code of the study", process.returncode, 0)

    trials = {trial.number: trial for trial in study.trials}
    same("trials of the budget", sorted(trials), list(range(12)))
    same("values that Optuna told", [trials[number].value for number in told], [0.01] * len(told))
    wishes = {trial.user_attrs["wanted"]: trial for trial in trials.values() if "wanted" in trial.user_attrs}
    done, refused = wishes["this"], wishes["what cannot be"]
    same("the enqueued trial", [done.state.name, done.params], ["COMPLETE", wanted])
    same("its parameters", done.user_attrs["danlu:parameters"], 44426)
    same("what cannot be", [refused.state.name, refused.params], ["FAIL", {}])
    assert "batch_size" in refused.user_attrs["danlu:failure"], refused.user_attrs
    assert study.best_value > 0.5, study.best_value

    [seen_study] = seen(path)
    keys = ("number", "state", "values", "params", "intermediate", "user_attributes")
    views = [{key: trial[key] for key in keys} for trial in seen_study["trials"]]
    for view in views:
        view["values"] = view["values"] if view["state"] == "COMPLETE" else []
    same("Optuna's view of the study", views, exported(danlu, folder))
    return check_dashboard(path)


@contextlib.contextmanager
def dashboard(path: Path) -> Iterator[str]:
    """The address of an optuna-dashboard on the store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    main = "from optuna_dashboard._cli import main; main()"
    command = [sys.executable, "-c", main, f"sqlite:///{path}", "--host", "127.0.0.1", "--port", str(port), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def get(url: str) -> Json:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while True:
        try:
            return json.load(opener.open(url, timeout=30))
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def check_dashboard(path: Path) -> int:
    """optuna-dashboard lists the studies and shows each trial as Optuna sees it."""

    def shown(trial: Json) -> Json:
        params = {param["name"]: param["param_external_value"] for param in trial["params"]}
        intermediate = {str(each["step"]): each["value"] for each in trial["intermediate_values"]}
        return [trial["number"], trial["state"].upper(), trial.get("values") or [], params, intermediate]

    studies = seen(path)
    with dashboard(path) as url:
        listed = get(f"{url}/api/studies")["study_summaries"]
        same("studies in the dashboard", [each["study_name"] for each in listed], [each["name"] for each in studies])
        for each, study in zip(listed, studies):
            found = [shown(trial) for trial in get(f"{url}/api/studies/{each['study_id']}")["trials"]]
            expected = [
                [
                    trial["number"],
                    trial["state"],
                    trial["values"],
                    {name: str(value) for name, value in trial["params"].items()},
                    trial["intermediate"],
                ]
                for trial in study["trials"]
            ]
            same(f"study {study['name']} in the dashboard", found, expected)
    return sum(len(study["trials"]) for study in studies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchange", required=True, help="the example of crates/store")
    parser.add_argument("--danlu", required=True, help="the binary")
    parser.add_argument("--work", nargs=2, metavar=("STORE", "WORKER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if args.work:
        print(json.dumps(work_with_optuna(Path(args.work[0]), args.work[1])))
        return
    # Far from UTC, and with a daylight saving of the southern hemisphere.
    os.environ["TZ"] = "Pacific/Auckland"
    time.tzset()
    # In memory where there is such a place: a busy disk takes 20 ms for each of thousands of transactions.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        danlus, optunas, aged = (Path(folder) / name for name in ("danlu.db", "optuna.db", "aged.db"))
        n_read = check_reading(args.exchange, danlus)
        optuna_store(optunas)
        check_tables(danlus, optunas)
        check_being_read(args.exchange, optunas)
        n_together = check_together(args.exchange, danlus)
        check_one_takes_a_trial(args.exchange, danlus)
        check_killed(args.exchange, danlus)
        n_shown = check_dashboard(danlus) + check_study(args.danlu, Path(folder))
        shutil.copy(danlus, aged)
        check_heartbeats(aged)
    print(f"Optuna {optuna.__version__} reads {n_read} trials as Danlu wrote them, and shares {n_together} with it;")
    print(f"optuna-dashboard shows {n_shown}")


if __name__ == "__main__":
    main()
