"""`make bench-search`: the preset `zoph` on Fashion-MNIST, by its controller, by regularized evolution and by chance, in equal wall time.

Each is `danlu search` with the preset's file and nothing but the sampler changed, once for every seed. They take turns of --turn minutes, so
that a machine that is slower for a while is so for all, until each has worked for --minutes; then the best of each are trained again
as the preset says, and the test images are read, once. The searches stay in --work: the same command goes on after any break, and with
more --minutes or --seeds it adds to what is there. Needs no PyTorch, but a machine with nothing else to do.

Prints a Markdown table; --record also writes it under bench/record/, with the curves.
"""

import argparse
import json
import os
import re
import subprocess
import time
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from statistics import mean

from curves import Panel, draw
from machine import HERE, record
from significance import standard_error

PRESET = HERE.parent / "crates" / "study" / "presets" / "zoph.toml"
# What stands in the place of the preset's section of its sampler.
SAMPLERS = {"controller": None, "evolution": "[sampler.evolution]\n", "random": ""}
MINUTES_SHOWN = [5, 10, 20, 40]


class Search:
    """One sampler with one seed."""

    def __init__(self, args: argparse.Namespace, sampler: str, seed: int) -> None:
        self.danlu, self.work, self.jobs = args.danlu.resolve(), args.work, args.jobs
        self.sampler, self.name, self.seed = sampler, f"{sampler}-{seed}", seed
        self.turns_file = self.work / f"{self.name}.turns.json"
        # Start and end of each turn, in seconds since 1970.
        self.turns = json.loads(self.turns_file.read_text()) if self.turns_file.exists() else []

    def text(self, minutes: float, retrains: bool) -> str:
        """The preset with this search's name, seed, sampler and budget."""
        text = PRESET.read_text().replace('name = "zoph"', f'name = "{self.name}"\nseed = {self.seed}', 1)
        if SAMPLERS[self.sampler] is not None:
            text = replaced(text, "sampler.controller", SAMPLERS[self.sampler])
        if self.sampler == "random":
            text = text.replace("objectives =", 'sampler = "random"\nobjectives =', 1)
        if not retrains:
            text = replaced(text, r"\[retrain.parameter\]", "")
            text = replaced(text, "retrain", "[retrain]\nbest = 0\n")
        return replaced(text, "budget", f"[budget]\nminutes = {minutes}\n")

    def run(self, minutes: float, retrains: bool = False) -> None:
        """Goes on until it has worked for so long in all."""
        file, start = self.work / f"{self.name}.toml", time.time()
        file.write_text(self.text(minutes, retrains))
        command = [self.danlu, "search", file.name, "--jobs", str(self.jobs), "--quiet"]
        try:
            subprocess.run(command, cwd=self.work, check=True, stdout=subprocess.DEVNULL)
        finally:
            # One that is interrupted counts too.
            if not retrains:
                self.turns.append((start, time.time()))
                self.turns_file.write_text(json.dumps(self.turns))

    def worked_min(self) -> float:
        """As Danlu counts it, by which its budget ends; 0 before it has begun."""
        if not (self.work / "studies" / self.name).exists():
            return 0.0
        (about,) = self.said("study", "show")
        return about["worked_s"] / 60

    def said(self, *command: str) -> list[dict]:
        """What `danlu` says of the search in JSON, an object for each line."""
        full = [self.danlu, *command, f"studies/{self.name}", "--json"]
        lines = subprocess.check_output(full, cwd=self.work, text=True).splitlines()
        return [json.loads(line) for line in lines]

    @cached_property
    def best_so_far(self) -> list[tuple[float, float]]:
        """Minutes of work and the best validation accuracy of a whole child, whenever it rose; of a search that is over."""
        points, best = [], 0.0
        whole = [child for child in self.said("study", "export") if child["state"] == "complete"]
        for child in sorted(whole, key=lambda child: child["completed_ms"]):
            if child["values"]["validation_accuracy"] > best:
                best = child["values"]["validation_accuracy"]
                points.append((self.minutes_at(child["completed_ms"] / 1000), best))
        return points

    def minutes_at(self, moment: float) -> float:
        """Minutes of work until a moment."""
        return sum(max(0.0, min(end, moment) - start) for start, end in self.turns) / 60


def replaced(text: str, section: str, by: str) -> str:
    """A TOML file with another text in the place of each section of that name."""
    return re.sub(rf"^\[{section}\]\n(?:(?!\[\w|\[\[|#).*\n)*", lambda _: by, text, flags=re.MULTILINE)


def at(points: list[tuple[float, float]], minutes: float) -> float | None:
    return max((value for when, value in points if when <= minutes), default=None)


def spread(values: list[float]) -> str:
    """Mean and standard error; of one value itself."""
    return f"{mean(values):.4f}" + (f" ± {standard_error(values):.4f}" if len(values) > 1 else "")


def table(searches: list[Search], minutes: float) -> str:
    shown = [one for one in MINUTES_SHOWN if one <= minutes] or [minutes]
    head = ["search", "children", "whole", "pruned", "reused", *[f"best after {one:g} min" for one in shown]]
    head += ["best: parameters", "multiply-adds", "test accuracy"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for search in searches:
        (about,), (best,) = search.said("study", "show"), search.said("search", "best")
        points, again = search.best_so_far, best["retrained"]
        cells = [search.name, *(about[key] for key in ("n_trials", "n_complete", "n_pruned", "n_reused"))]
        cells += [f"{value:.4f}" if (value := at(points, one)) else "" for one in shown]
        cells += [f"{best['parameters']:,}", f"{best['multiply_adds']:,}"]
        cells.append(f"{spread(again['each'])} (n = {again['n']})" if again else "")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def curves(searches: list[Search], minutes: float) -> str:
    """Mean and standard error over the seeds, each minute."""
    lines, top = {}, 0.0
    for sampler in SAMPLERS:
        all_points = [search.best_so_far for search in searches if search.sampler == sampler]
        line = []
        for minute in range(1, int(minutes) + 1):
            values = [at(points, minute) for points in all_points]
            if None not in values:
                error = standard_error(values) if len(values) > 1 else 0.0
                line.append((minute, 100 * mean(values), 100 * error))
                top = max(top, line[-1][1])
        lines[sampler] = line
    return draw([Panel("minutes", "validation accuracy of the best child, %", lines, top)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where the searches are kept")
    parser.add_argument("--minutes", type=float, default=40, help="of each search, 2 or more")
    parser.add_argument("--turn", type=float, default=10, help="minutes of one before the next has its turn")
    parser.add_argument("--seeds", type=int, default=1, help="searches of each kind, with seeds from 1")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="children at once")
    parser.add_argument("--no-retrain", action="store_true", help="leave the best as they are")
    parser.add_argument("--record", action="store_true", help="keep table and curves under bench/record/")
    args = parser.parse_args()
    if args.minutes < 2:
        parser.error("curves begin after a minute: --minutes is 2 or more")
    args.work.mkdir(parents=True, exist_ok=True)
    searches = [Search(args, sampler, seed) for seed in range(1, args.seeds + 1) for sampler in SAMPLERS]
    while (least := min((search.worked_min(), idx) for idx, search in enumerate(searches)))[0] < args.minutes:
        searches[least[1]].run(min(args.minutes, least[0] + args.turn))
    if not args.no_retrain:
        for search in searches:
            search.run(args.minutes, retrains=True)
    text = table(searches, args.minutes)
    print(text)
    picture = curves(searches, args.minutes)
    if not args.record:
        (args.work / "curves.svg").write_text(picture)
        return
    name = f"{datetime.now(timezone.utc).date()}-search"
    (HERE / "record" / f"{name}.svg").write_text(picture)
    how = (
        f"`make bench-search ARGS=--record`: {args.minutes:g} minutes of {args.jobs} children at once for each search. Best: validation "
        f"accuracy (6,000 images) of a whole child. Test accuracy: of the network chosen by the grid on validation, trained again with other "
        f"seeds, mean ± standard error."
    )
    record("search", "Architecture searches on Fashion-MNIST", how, f"![Curves]({name}.svg)\n\n{text}")


if __name__ == "__main__":
    main()
