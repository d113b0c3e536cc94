"""What the dashboard costs a training that it shows: the same run in turn alone, with the dashboard and an open tab, with
slow readers, and with tabs that were closed.

    python3 bench/dashboard.py --danlu target/release/danlu [--rounds 5] [--epochs 3] [--network lenet]

A tab is what the page does while a run is shown: both event streams are read, and after an epoch, but every two seconds
at most, the columns, the mistakes and some images are asked for. Seconds are the run's own, of learning and evaluation, from its
record; a round has one run of each kind, in an order that changes from round to round. What the dashboard took of a core
is counted too, from its start to its end: it does not depend on what else the machine does. Prints a Markdown table.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median

KINDS = ["alone", "open tab", "slow readers", "closed tabs"]
N_READERS = 8


class Dashboard:
    """`danlu dashboard` over a folder."""

    def __init__(self, danlu: str, runs: Path) -> None:
        command = [danlu, "dashboard", "--runs", str(runs), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if "http://" not in line:
            sys.exit(f"{' '.join(command)}: no address in {line!r}")
        self.address = line.split("http://")[1].strip().rstrip("/")

    def open(self, path: str) -> socket.socket:
        """A connection that has asked for a path and has read nothing."""
        host, port = self.address.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.address}\r\n\r\n".encode())
        return connection

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=60) as answer:
            return answer.read()

    def close(self) -> float:
        """Ends it; the seconds of a core that it took."""
        self.process.terminate()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime


def read_list(dashboard: Dashboard, stop: threading.Event) -> None:
    """The list's stream, as a tab reads it."""
    with dashboard.open("/api/events") as connection:
        connection.settimeout(0.2)
        while not stop.is_set():
            try:
                connection.recv(1 << 16)
            except TimeoutError:
                pass


def read_run(dashboard: Dashboard, run: str, stop: threading.Event) -> None:
    """The run's stream, and after epochs what the page shows of it."""
    while not stop.is_set():
        try:
            dashboard.get(f"/api/runs/{run}")
            break
        except OSError:
            stop.wait(0.1)
    shown = 0.0
    with dashboard.open(f"/api/runs/{run}/events") as connection:
        connection.settimeout(0.2)
        while not stop.is_set():
            try:
                text = connection.recv(1 << 16)
            except TimeoutError:
                continue
            if b"event: epoch" in text and time.monotonic() - shown > 2:
                shown = time.monotonic()
                for path in ["epochs", "confusion", "images?wrong=1&limit=12", "filters", "try/0"]:
                    try:
                        dashboard.get(f"/api/runs/{run}/{path}")
                    except OSError:
                        pass  # the first epoch's files may not be there yet


def train(args: argparse.Namespace, runs: Path, run: str) -> float:
    """Seconds of a run."""
    command = [args.danlu, "train", "--network", args.network, "--epochs", str(args.epochs), "--quiet"]
    subprocess.run([*command, "--out", str(runs / run)], check=True)
    record = json.loads((runs / run / "record.json").read_text())
    return sum(epoch["train_s"] + epoch["eval_s"] for epoch in record["epochs"])


def seconds(kind: str, args: argparse.Namespace, runs: Path, run: str) -> tuple[float, float]:
    """Seconds of a run that is shown in that way, and those of a core that the dashboard took meanwhile."""
    if kind == "alone":
        return train(args, runs, run), 0.0
    dashboard, stop = Dashboard(args.danlu, runs), threading.Event()
    threads, connections = [], []
    if kind == "open tab":
        threads.append(threading.Thread(target=read_list, args=(dashboard, stop)))
        threads.append(threading.Thread(target=read_run, args=(dashboard, run, stop)))
    else:
        connections = [dashboard.open("/api/events") for _ in range(N_READERS)]
        if kind == "closed tabs":
            for connection in connections:
                connection.recv(16)
                connection.close()
    for thread in threads:
        thread.start()
    result = train(args, runs, run)
    stop.set()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    return result, dashboard.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--network", default="lenet")
    args = parser.parse_args()
    found = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        for idx in range(args.rounds + 1):
            first = idx % len(KINDS)
            for kind in KINDS[first:] + KINDS[:first]:
                result = seconds(kind, args, runs, f"{kind.replace(' ', '-')}-{idx}")
                # The first round warms up.
                if idx > 0:
                    found[kind].append(result)
    alone = median(result for result, _ in found["alone"])
    print("| | median s | range | to alone | dashboard's core seconds |\n|---|---|---|---|---|")
    for kind, pairs in found.items():
        results, cores = zip(*pairs)
        ratio = 100 * (median(results) / alone - 1)
        spread = f"{min(results):.3f}–{max(results):.3f}"
        print(f"| {kind} | {median(results):.3f} | {spread} | {ratio:+.2f} % | {median(cores):.3f} |")


if __name__ == "__main__":
    main()
