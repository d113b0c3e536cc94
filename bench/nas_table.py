"""`make nas-table`: trains every network of bench/nas-table/study.toml with every seed, 6,912 trainings, and keeps what came of them.

The trainings are made by `crates/danlu/examples/nas_table`, --jobs processes of one thread each, in parts; this can be ended at any time
and goes on where it was, and further processes can share the work: the same command elsewhere with the same --work. The result,
bench/nas-table/table.json.gz, is what `make bench-nas` compares searches on; bench/README.md describes it. A training whose loss was no
longer a number has the accuracy of chance, 0.1, from there on. --parts N makes the first N parts only and packs nothing, to see how long
all of them will take.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

from machine import cpu

HERE = Path(__file__).resolve().parent
STUDY = HERE / "nas-table" / "study.toml"
TABLE = HERE / "nas-table" / "table.json.gz"
N_TRAININGS = 2304 * 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", type=Path, required=True)
    parser.add_argument("--program", type=Path, required=True, help="the compiled example nas_table")
    parser.add_argument("--work", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parts", type=int, help="make the first so many parts only")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    train(args)
    rows = read_rows(args.work / "parts")
    worked_s = sum(row["seconds"] for row in rows)
    print(
        f"{len(rows)} of {N_TRAININGS} trainings, {worked_s / 60:.1f} minutes of work, "
        f"{(time.perf_counter() - start) / 60:.1f} minutes just now"
    )
    if len(rows) == N_TRAININGS:
        pack(rows)
    elif args.parts is None:
        sys.exit("other processes are still at work on the rest")


def train(args: argparse.Namespace) -> None:
    about = subprocess.run([args.danlu, "data", "info", "fashion-mnist", "--json"], check=True, capture_output=True)
    data = json.loads(about.stdout)["dir"]
    command = [args.program, STUDY, data, args.work / "parts", *([str(args.parts)] if args.parts else [])]
    workers = [subprocess.Popen(command) for _ in range(args.jobs)]
    try:
        if any([worker.wait() for worker in workers]):
            sys.exit("a process failed; what it had done is kept")
    finally:
        for worker in workers:
            worker.terminate()


def read_rows(folder: Path) -> list[dict]:
    return [json.loads(line) for part in sorted(folder.glob("*.jsonl")) for line in part.read_text().splitlines()]


def pack(rows: list[dict]) -> None:
    """One row for each network, its trainings in the order of their seeds."""
    names = [name for name in rows[0]["values"] if name != "seed"]
    values = {name: sorted({row["values"][name] for row in rows}) for name in names}
    seeds = sorted({row["values"]["seed"] for row in rows})
    networks: dict[tuple, dict] = {}
    for row in rows:
        key = tuple(values[name].index(row["values"][name]) for name in names)
        networks.setdefault(key, {})[row["values"]["seed"]] = row
    content = {
        "space": [{"name": name, "values": values[name]} for name in names],
        "seeds": seeds,
        "rows": [packed(key, [of_seed[seed] for seed in seeds]) for key, of_seed in sorted(networks.items())],
        "worked_s": round(sum(row["seconds"] for row in rows)),
        "machine": cpu(),
        "made": time.strftime("%Y-%m-%d"),
    }
    TABLE.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))
    print(f"{len(content['rows'])} networks, {TABLE.stat().st_size / 1000:.0f} kB")


def packed(key: tuple, trainings: list[dict]) -> dict:
    return {
        "params": key,
        "parameters": trainings[0]["parameters"],
        "multiply_adds": trainings[0]["multiply_adds"],
        "validation": [[round(accuracy, 5) for accuracy in one["validation"]] for one in trainings],
        "test": [round(one["test"], 5) for one in trainings],
        "seconds": [round(one["seconds"], 3) for one in trainings],
        "hash": [one["hash"][:8] for one in trainings],
    }


if __name__ == "__main__":
    main()
