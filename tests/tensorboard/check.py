"""TensorBoard itself reads what `danlu train --tensorboard` wrote.

A run is interrupted and gone on with; then TensorBoard's reader must give for each epoch, once, exactly the numbers of
the run's record, rounded to single precision, and its server must list the run and its scalars. Exits 1 otherwise.
"""

import argparse
import contextlib
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SCALARS = {
    "loss/train": "loss",
    "accuracy/train": "train_accuracy",
    "loss/validation": "validation_loss",
    "accuracy/validation": "validation_accuracy",
    "accuracy/test": "test_accuracy",
    "learning_rate": "learning_rate",
    "images_per_s": "images_per_s",
}
TRAINING = "train --epochs 5 --validation 0.1 --schedule cosine".split()

Records = list[dict[str, Any]]


def interrupted_run(danlu: str, run: Path, board: Path) -> Records:
    """The epochs of a run that was interrupted once."""
    command = [danlu, *TRAINING, "--out", str(run), "--tensorboard", str(board)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        next(line for line in process.stdout if line.startswith("epoch 2,"))
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130, f"exit code {process.returncode} after SIGINT"
    subprocess.run([danlu, "resume", str(run), "--tensorboard", str(board)], check=True, stdout=subprocess.DEVNULL)
    return json.loads((run / "record.json").read_text())["epochs"]


def check_reader(board: Path, epochs: Records, began: float) -> None:
    reader = EventAccumulator(str(board))
    reader.Reload()
    assert sorted(reader.Tags()["scalars"]) == sorted(SCALARS), reader.Tags()
    for tag, key in SCALARS.items():
        events = reader.Scalars(tag)
        assert [event.step for event in events] == [epoch["epoch"] for epoch in epochs], (tag, events)
        values = np.float32([event.value for event in events])
        expected = np.float32([epoch[key] for epoch in epochs])
        assert np.array_equal(values, expected), (tag, values, expected)
        times = [event.wall_time for event in events]
        assert times == sorted(times) and began <= times[0] and times[-1] <= time.time(), (tag, times)


@contextlib.contextmanager
def server(logdir: Path) -> Iterator[str]:
    """TensorBoard's address while it serves the folder."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0", "--load_fast=false"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"http://\S+:\d+/", line):
                    yield found.group()
                    break
            else:
                raise AssertionError("".join(said))
        finally:
            process.terminate()


def get(url: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return json.load(opener.open(url, timeout=30))


def check_server(logdir: Path, run: str, epochs: Records) -> None:
    with server(logdir) as url:
        deadline = time.monotonic() + 60
        while not (tags := get(url + "data/plugin/scalars/tags")) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert set(tags) == {run} and set(tags[run]) == set(SCALARS), tags
        query = urllib.parse.urlencode({"run": run, "tag": "accuracy/test"})
        points = get(f"{url}data/plugin/scalars/scalars?{query}")
        expected = [[epoch["epoch"], float(np.float32(epoch["test_accuracy"]))] for epoch in epochs]
        assert [point[1:] for point in points] == expected, (points, expected)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", required=True, help="the binary")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logdir, began = Path(folder) / "board", time.time()
        epochs = interrupted_run(args.danlu, Path(folder) / "run", logdir / "lenet")
        check_reader(logdir / "lenet", epochs, began)
        check_server(logdir, "lenet", epochs)
    print(f"TensorBoard reads {len(SCALARS)} scalars of {len(epochs)} epochs as the record has them")


if __name__ == "__main__":
    main()
