"""`make bench-nas`: architecture searches on bench/nas-table/table.json.gz, whose 2,304 networks were all trained three times.

The searches are made by `crates/search/examples/studies` (`nas`), with the same samplers as `danlu search`. A child's validation accuracy
is that of one of the network's three trainings, drawn for each network and search (as NAS-Bench-101 does, Ying et al. 2019), the
same for all searches of one number; so they are compared in pairs. A network that comes again has its earlier result and counts as a
child: the controller and the softmax table propose networks again, the others are asked for another one. The best so far is the network of
the highest validation accuracy seen; what is shown of it is its test accuracy, the mean of its three trainings, which no search sees.

Writes a table (Markdown) and curves (SVG) under bench/record/ with --record, else prints the table and leaves the curves in --work.
"""

import argparse
import gzip
import json
import random
import subprocess
from datetime import datetime, timezone
from multiprocessing.pool import ThreadPool
from pathlib import Path
from statistics import mean, stdev

from curves import Panel, draw
from significance import paired_test, rank_correlation, rank_test, standard_error

HERE = Path(__file__).resolve().parent
TABLE = HERE / "nas-table" / "table.json.gz"
# What is called tuned was tuned on planted tables (crates/search/examples/planted), not on this one.
SEARCHES = {
    "controller, paper": {"controller": {}},
    "controller, tuned": {"controller": {"learning_rate": 0.005, "entropy_bonus": 0.03}},
    "softmax table": {"softmax_table": {}},
    "softmax table, tuned": {"softmax_table": {"learning_rate": 0.1, "entropy_bonus": 0.03}},
    "evolution": {"evolution": {}},
    "local search": "local_search",
    "TPE": {"tpe": {}},
    "random": "random",
}
LEARNING = ["controller, paper", "controller, tuned", "softmax table", "softmax table, tuned"]
BUDGETS = [10, 20, 50, 100, 200, 500, 1000, 2000]
TESTED_BUDGETS = [50, 100, 200, 500, 1000, 2000]
MINUTES = [0.5, 1, 2, 5, 10]
P_OF_DIFFERENCE = 0.01


class Networks:
    """The table."""

    def __init__(self, path: Path) -> None:
        self.table = json.loads(gzip.decompress(path.read_bytes()))
        rows = self.table["rows"]
        self.validation = [[curve[-1] for curve in row["validation"]] for row in rows]
        self.tests = [row["test"] for row in rows]
        self.test = [mean(row["test"]) for row in rows]
        self.seconds = [mean(row["seconds"]) for row in rows]
        self.curves = [row["validation"] for row in rows]

    def name(self, row: int) -> str:
        values = {one["name"]: one["values"][idx] for one, idx in zip(self.table["space"], self.table["rows"][row]["params"])}
        layer = "{filter_height}×{filter_width} stride {stride_height}×{stride_width} filters {filters}"
        layers = [{name[2:]: value for name, value in values.items() if name.startswith(start)} for start in ("0.", "1.")]
        return ", ".join(layer.format(**decisions) for decisions in layers)


class Search:
    """What one search came to, child by child."""

    def __init__(self, networks: Networks, rows: list[int], draws: list[int]) -> None:
        self.test, self.n_distinct, self.seconds = [], [], []
        best, shown, seconds, seen = -1.0, 0.0, 0.0, set()
        for row, seed in zip(rows, draws):
            accuracy = networks.validation[row][seed]
            if accuracy > best:
                best, shown = accuracy, networks.test[row]
            if row not in seen:
                seen.add(row)
                seconds += networks.seconds[row]
            self.test.append(shown)
            self.n_distinct.append(len(seen))
            self.seconds.append(seconds)

    def at(self, measure: list[float], budget: float) -> float | None:
        """The test accuracy when `measure` came to the budget; `None` if it never did."""
        idx = next((idx for idx, value in enumerate(measure) if value >= budget), None)
        return None if idx is None else self.test[idx]


def searches(args: argparse.Namespace, networks: Networks) -> dict[str, list[Search]]:
    unpacked = args.work / "table.json"
    unpacked.write_text(json.dumps(networks.table))

    def one(job: tuple) -> list[Search]:
        sampler, first, n = job
        command = [args.studies, "nas", unpacked, json.dumps(sampler), str(args.children), str(first), str(n)]
        lines = [json.loads(line) for line in subprocess.check_output(command, text=True).splitlines()]
        return [Search(networks, line["rows"], line["draws"]) for line in lines]

    found = {}
    with ThreadPool(args.jobs) as pool:
        for name, sampler in SEARCHES.items():
            step = -(-args.seeds // (4 * args.jobs))
            firsts = range(args.first_seed, args.first_seed + args.seeds, step)
            jobs = [(sampler, first, min(step, args.first_seed + args.seeds - first)) for first in firsts]
            found[name] = [search for batch in pool.map(one, jobs, chunksize=1) for search in batch]
    return found


def percent(values: list[float]) -> str:
    return f"{100 * mean(values):.2f} ± {100 * standard_error(values):.2f}"


def facts(networks: Networks, n_searches: int) -> list[str]:
    """What the table itself says: where its best lie and how well one training tells."""
    validation, test = networks.validation, networks.test
    mean_validation = [mean(accuracies) for accuracies in validation]
    everywhere = range(len(test))
    best_test = max(everywhere, key=test.__getitem__)
    best_validation = max(everywhere, key=mean_validation.__getitem__)
    # Who has tried everything once has chosen by one training of each.
    rng = random.Random(1)
    exhausted = []
    for _ in range(n_searches):
        drawn = [rng.choice(accuracies) for accuracies in validation]
        exhausted.append(test[max(everywhere, key=drawn.__getitem__)])
    seeds = range(len(validation[0]))
    pairs = [(a, b) for a in seeds for b in seeds if a < b]
    of_seed = [[accuracies[seed] for accuracies in validation] for seed in seeds]
    between_seeds = mean(rank_correlation(of_seed[a], of_seed[b]) for a, b in pairs)
    top = sorted(everywhere, key=mean_validation.__getitem__)[-len(test) // 10 :]
    in_top = mean(rank_correlation(*[[of_seed[seed][row] for row in top] for seed in pair]) for pair in pairs)
    n_epochs = len(networks.curves[0][0])
    final = [mean(curve[-1] for curve in curves) for curves in networks.curves]
    of_epochs = [[mean(curve[epoch] for curve in curves) for curves in networks.curves] for epoch in range(n_epochs - 1)]
    epochs = ", ".join(f"{rank_correlation(one, final):.3f} after epoch {idx}" for idx, one in enumerate(of_epochs, 1))
    spread = sorted(test)
    quantiles = ", ".join(f"{100 * spread[round(q * (len(spread) - 1))]:.2f}" for q in (0, 0.25, 0.5, 0.75, 1))
    noise = mean(stdev(accuracies) for accuracies in validation)
    return [
        f"- Test accuracy over the {len(test)} networks (mean of three trainings), least, quartiles, most: {quantiles} %.",
        f"- The best by test accuracy: {networks.name(best_test)}: {100 * test[best_test]:.2f} %.",
        f"- The best by mean validation accuracy: {networks.name(best_validation)}: {100 * test[best_validation]:.2f} % on the test "
        "images.",
        f"- Who trains every network once and takes the best comes to {percent(exhausted)} %: the ceiling that the noise leaves.",
        f"- Between two trainings of a network the validation accuracy has a standard deviation of {100 * noise:.2f} percentage "
        f"points. Rank correlation between seeds: {between_seeds:.3f}, among the best tenth {in_top:.3f}; of validation with test "
        f"accuracy, both means: {rank_correlation(mean_validation, test):.3f}; with the last epoch's accuracy: {epochs}.",
    ]


def verdict(difference: float, p: float) -> str:
    if p >= P_OF_DIFFERENCE:
        return "no difference"
    return "better" if difference > 0 else "**worse**"


def comparison(found: dict[str, list[Search]], budgets: list[int]) -> list[str]:
    lines = [
        "| search | children | its mean less random's, points | p, paired | p, unpaired | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for name in [name for name in found if name != "random"]:
        for budget in budgets:
            ours, theirs = ([search.test[budget - 1] for search in found[one]] for one in (name, "random"))
            differences = [a - b for a, b in zip(ours, theirs)]
            p, text = paired_test(differences), percent(differences)
            lines.append(
                f"| {name} | {budget} | {text} | {p:.1g} | {rank_test(ours, theirs):.1g} | {verdict(mean(differences), p)} |"
            )
    return lines


def plainly(found: dict[str, list[Search]], budgets: list[int]) -> list[str]:
    """Where what learns does not beat random."""
    lines = []
    for name in [name for name in LEARNING if name in found]:
        beaten = []
        for budget in budgets:
            pairs = zip(found[name], found["random"])
            differences = [ours.test[budget - 1] - theirs.test[budget - 1] for ours, theirs in pairs]
            if not (mean(differences) > 0 and paired_test(differences) < P_OF_DIFFERENCE):
                beaten.append(str(budget))
        if beaten:
            lines.append(f"- {name}: does **not** beat random at {', '.join(beaten)} children.")
        else:
            lines.append(f"- {name}: beats random at each of these budgets.")
    return lines


def by_children(found: dict[str, list[Search]], budgets: list[int]) -> list[str]:
    lines = ["| search | " + " | ".join(str(n) for n in budgets) + " |", "|---" * (len(budgets) + 1) + "|"]
    for name, all_ in found.items():
        cells = [percent([search.test[n - 1] for search in all_]) for n in budgets]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        if name in LEARNING:
            counts = [f"{mean(search.n_distinct[n - 1] for search in all_):.0f}" for n in budgets]
            lines.append("| … different networks | " + " | ".join(counts) + " |")
    return lines


def by_cost(found: dict[str, list[Search]], costs: list[float], measure: str, factor: float) -> list[str]:
    lines = ["| search | " + " | ".join(f"{cost:g}" for cost in costs) + " |", "|---" * (len(costs) + 1) + "|"]
    for name, all_ in found.items():
        cells = []
        for cost in costs:
            reached = [search.at(getattr(search, measure), cost * factor) for search in all_]
            reached = [accuracy for accuracy in reached if accuracy is not None]
            few = f" (n = {len(reached)})" if 0 < len(reached) < len(all_) else ""
            cells.append(percent(reached) + few if len(reached) > 1 else "–")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def record(networks: Networks, found: dict[str, list[Search]], args: argparse.Namespace) -> str:
    budgets = [n for n in BUDGETS if n <= args.children]
    tested = [n for n in TESTED_BUDGETS if n <= args.children]
    settings = "; ".join(f"{name}: `{json.dumps(sampler)}`" for name, sampler in SEARCHES.items())
    made = f"{networks.table['made']}, {networks.table['machine']}, {networks.table['worked_s'] / 3600:.2f} core hours"
    last = args.first_seed + args.seeds - 1
    parts = [
        f"Test accuracy in %, mean ± standard error over n = {args.seeds} searches (seeds {args.first_seed} to {last}). The table: {made}.",
        "Searches: " + settings,
        "## The table",
        *["\n".join(facts(networks, args.seeds))],
        "## Best so far, by children",
        "\n".join(by_children(found, budgets)),
        "## Against random",
        f"Pairs are searches of one number, which see the same of each network. Paired p: random flips of the differences' signs; "
        f"unpaired p: Mann and Whitney's test. The verdict is by the paired p below {P_OF_DIFFERENCE}.",
        "\n".join(plainly(found, tested)),
        "\n".join(comparison(found, tested)),
        "## By different networks trained",
        "\n".join(by_cost(found, [float(n) for n in budgets], "n_distinct", 1)),
        "## By minutes of training, one core",
        "\n".join(by_cost(found, MINUTES, "seconds", 60)),
    ]
    return "\n\n".join(parts) + "\n"


def picture(found: dict[str, list[Search]], networks: Networks, n_children: int) -> str:
    """Curves with their standard errors, by children and by different networks."""

    def at_children(search: Search, x: int) -> float | None:
        return search.test[x - 1]

    def at_networks(search: Search, x: int) -> float | None:
        return search.at(search.n_distinct, x)

    xs = sorted({round(n_children ** (idx / 80)) for idx in range(81)})
    panels = []
    for title, at in [("children", at_children), ("different networks trained", at_networks)]:
        lines = {}
        for name, all_ in found.items():
            points = []
            for x in xs:
                reached = [accuracy for search in all_ if (accuracy := at(search, x)) is not None]
                # A mean over the few that came so far would be of others than before.
                if len(reached) == len(all_):
                    points.append((x, 100 * mean(reached), 100 * standard_error(reached)))
            lines[name] = points
        panels.append(Panel(title, "test accuracy of the best so far, %", lines, 100 * max(networks.test)))
    return draw(panels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=Path, required=True, help="the compiled example studies of the crate search")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is not kept")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--children", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="keep the table and the curves under bench/record/")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    networks = Networks(args.table)
    found = searches(args, networks)
    text, svg = record(networks, found, args), picture(found, networks, args.children)
    print(text)
    name = f"{datetime.now(timezone.utc).date()}-nas"
    folder = HERE / "record" if args.record else args.work
    (folder / f"{name}.svg").write_text(svg)
    if args.record:
        about = __doc__.split("\n\n")[1].replace("\n", " ")
        head = f"# Architecture searches on a table of trainings\n\n`make bench-nas ARGS=--record`. {about}\n\n![Curves]({name}.svg)\n\n"
        (folder / f"{name}.md").write_text(head + text)


if __name__ == "__main__":
    main()
