"""`make lenet-table`: trains every network of bench/lenet-table/study.toml, 576 of them, and keeps the curves.

The trainings are a study like any other (`danlu study run`), so this can be ended at any time and goes on where it was. The result,
bench/lenet-table.json.gz, is what `make bench-samplers` compares samplers on: {"space": [{"name", "values"}, …], "rows":
[{"params": [index of the value, …], "curve": [validation accuracy after each epoch]}, …], "machine", "worked_s", "made"}. A training whose loss was no
longer a number has the accuracy of chance, 0.1, from there on.
"""

import argparse
import gzip
import json
import shutil
import struct
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
N_IMAGES = 16_000
N_EPOCHS = 9
CHANCE = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for the images and the study")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    make_images(args.danlu, args.work / "data", N_IMAGES, n_test=1_000)
    shutil.copy(HERE / "lenet-table" / "study.toml", args.work / "study.toml")
    command = [args.danlu, "study", "run", "study.toml", "--jobs", str(args.jobs)]
    subprocess.run(command, cwd=args.work, check=True)
    pack(args)


def make_images(danlu: Path, to: Path, n_train: int, n_test: int) -> None:
    """The first images of Fashion-MNIST as a data set of its own."""
    about = subprocess.run([danlu, "data", "info", "fashion-mnist", "--json"], check=True, capture_output=True)
    folder = Path(json.loads(about.stdout)["dir"])
    to.mkdir(exist_ok=True)
    for part, n in [("train", n_train), ("t10k", n_test)]:
        for kind, size in [("images-idx3", 28 * 28), ("labels-idx1", 1)]:
            name = f"{part}-{kind}-ubyte"
            data = read(folder / name)
            header_len = 4 + 4 * data[3]
            header = data[:4] + struct.pack(">I", n) + data[8:header_len]
            (to / name).write_bytes(header + data[header_len : header_len + n * size])


def read(path: Path) -> bytes:
    packed = path.with_name(path.name + ".gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()


def pack(args: argparse.Namespace) -> None:
    exported = subprocess.run(
        [args.danlu, "study", "export", "lenet-table", "--json"], cwd=args.work, check=True, capture_output=True
    )
    trials = [json.loads(line) for line in exported.stdout.splitlines()]
    names = sorted({name for trial in trials for name in trial["params"]})
    values = {name: [] for name in names}
    for trial in trials:
        for name, value in trial["params"].items():
            if value not in values[name]:
                values[name].append(value)
    for name in names:
        values[name].sort(key=lambda value: (isinstance(value, str), value))
    rows = [row(trial, names, values) for trial in trials]
    rows.sort(key=lambda row: row["params"])
    report = json.loads((args.work / "studies/lenet-table/report.json").read_text())
    content = {
        "space": [{"name": name, "values": values[name]} for name in names],
        "rows": rows,
        "worked_s": round(report["worked_s"]),
        "made": time.strftime("%Y-%m-%d"),
    }
    text = json.dumps(content, separators=(",", ":")).encode()
    (HERE / "lenet-table.json.gz").write_bytes(gzip.compress(text, mtime=0))
    print(f"{len(rows)} trainings, {report['worked_s'] / 60:.1f} minutes of work")


def row(trial: dict, names: list[str], values: dict) -> dict:
    curve = [trial["intermediate"].get(str(epoch)) for epoch in range(1, N_EPOCHS + 1)]
    curve = [CHANCE if accuracy is None else round(accuracy, 5) for accuracy in curve]
    return {"params": [values[name].index(trial["params"][name]) for name in names], "curve": curve}


if __name__ == "__main__":
    main()
