"""`make bench`: Danlu and PyTorch in turn on the same cores: networks, and each kind of layer alone.

The networks are the two of the tutorial with whole epochs, and over the first images of the data `brick-100k`, which is made
of 3x3 convolutions, and one of depthwise convolutions; of these PyTorch trains the class that `danlu export` writes.

All sides are servers that answer `train` and `eval` with the seconds that each took by its own clock; PyTorch takes
part twice, with its weights laid out channels last, which is its fastest setting, and contiguous, which is its default.
One round asks each side once, so that a slow spell of the machine meets both; the first round warms up and is not counted.
Prints a Markdown table of medians with their range; --record also writes it under bench/record/.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

import layers

HERE = Path(__file__).resolve().parent
# Of each network the images of an epoch and of an evaluation; what PyTorch takes a minute for is cut short.
NETWORKS = {"lenet": None, "lenet-3x3": None, "brick-100k": 2560, "depthwise": 2560}
N_TRAIN = 60_000  # images of a whole epoch
JOBS = ["train", "eval"]


class Server:
    """A program that answers each line on its standard input with one line."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, request: str) -> str:
        try:
            self.process.stdin.write(f"{request}\n")
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            sys.exit(f"{' '.join(self.command)}: no answer to `{request}`")
        return answer.strip()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def first_step_s(command: list[str], steps_log: Path) -> float:
    """Seconds from a program's start until the loss of its first step stands in its log; then it is stopped."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not (steps_log.exists() and steps_log.stat().st_size > 0):
            if process.poll() is not None:
                sys.exit(f"{' '.join(command)} exited {process.returncode} before its first step")
            time.sleep(0.001)
        seconds = time.perf_counter() - start
        process.kill()
    return seconds


def peak_mib(command: list[str], stdin: str = "") -> float:
    """Peak resident memory, which Linux counts in KiB, of a program run to its end."""
    with tempfile.TemporaryFile("w+") as requests:
        requests.write(stdin)
        requests.seek(0)
        child = subprocess.Popen(command, stdin=requests, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)} exited {child.returncode}")
    return usage.ru_maxrss / 1024


class Others:
    """How much of the machine's time everything but some processes takes, from now on: a busy machine misleads,
    and two threads that wait for each other lose more to it than the time that is taken from them."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids
        self.start, self.start_s = time.perf_counter(), self.used_s()

    def used_s(self) -> float:
        """Seconds of all processors that were not idle, less those of the processes (proc(5))."""
        user_to_steal = [int(ticks) for ticks in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]
        ticks = sum(user_to_steal) - sum(user_to_steal[3:5])
        for pid in self.pids:
            after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks -= int(after_name[11]) + int(after_name[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def share(self) -> float:
        return (self.used_s() - self.start_s) / (time.perf_counter() - self.start) / os.cpu_count()


class Sides:
    """How each side is started, by what is asked of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.danlu = args.danlu
        self.pytorch = [args.python, str(HERE / "pytorch_epoch.py")]
        self.choices = ["--data", args.data] if args.data else []
        self.choices += ["--threads", str(args.threads)] if args.threads else []

    def servers(self, network: str, folder: Path) -> dict[str, list[str]]:
        tail = ["--images", str(NETWORKS[network])] if NETWORKS[network] else []
        which = ["--network", network]
        if NETWORKS[network]:
            which = ["--module", str(self.export(network, folder))]
        pytorch = [*self.pytorch, *which, *self.choices, *tail]
        return {
            "danlu": [self.danlu, "bench", "--serve", "--network", file_of(network), *self.choices, *tail],
            "pytorch": pytorch,
            "contiguous": [*pytorch, "--layout", "contiguous"],
        }

    def export(self, network: str, folder: Path) -> Path:
        """PyTorch's class of a network. Only a model can be exported, so it is trained for an epoch."""
        run, module = folder / "run", folder / "exported.py"
        how = ["--network", file_of(network), *self.choices, "--epochs", "1", "--quiet", "--out", str(run)]
        subprocess.run([self.danlu, "train", *how], check=True)
        subprocess.run([self.danlu, "export", str(run), "--to", "pytorch", str(module)], check=True)
        return module

    def first_steps(self, network: str, folder: Path) -> dict[str, list[str]]:
        """Each logs its steps in the folder, in a file of its side's name."""
        return {
            "danlu": [*self.one_epoch(network, folder), "--steps-log", str(folder / "danlu")],
            "pytorch": [*self.servers(network, folder)["pytorch"], "--steps-log", str(folder / "pytorch")],
        }

    def one_epoch(self, network: str, folder: Path) -> list[str]:
        """Danlu's whole program."""
        how = ["--network", network, *self.choices, "--epochs", "1"]
        return [self.danlu, "train", *how, "--quiet", "--out", str(folder / "run")]


def file_of(network: str) -> str:
    """A preset's name, or the file of a network that only the benchmark has."""
    path = HERE / "networks" / f"{network}.toml"
    return str(path) if path.exists() else network


def rounds(servers: dict[str, Server], n: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by side and job. Round 0 warms up."""
    seconds: dict[str, dict[str, list[float]]] = {side: {job: [] for job in JOBS} for side in servers}
    for round_idx in range(n + 1):
        for side, server in servers.items():
            for job in JOBS:
                answer = float(server.ask(job))
                if round_idx > 0:
                    seconds[side][job].append(answer)
        shown = ", ".join(f"{side} {of['train'][-1]:.3f} s" for side, of in seconds.items() if of["train"])
        print(f"  round {round_idx}: {shown or 'warm-up'}", file=sys.stderr)
    return seconds


def measure(sides: Sides, network: str, n: int) -> dict[str, Any]:
    """Everything about one network: epochs in turn, the peak before and after them, whole programs."""
    print(f"{network}:", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        servers = {side: Server(command) for side, command in sides.servers(network, Path(folder)).items()}
        result = measure_servers(servers, network, n)
    whole = {} if NETWORKS[network] else {"whole": whole_programs(sides, network, n)}
    return {**result, **whole}


def measure_servers(servers: dict[str, Server], network: str, n: int) -> dict[str, Any]:
    info = {side: json.loads(server.ask("info")) for side, server in servers.items()}
    for count in ("multiply_adds", "training_multiply_adds"):
        if info["danlu"][count] != info["pytorch"][count]:
            sys.exit(f"{network}: {count} is {info['danlu'][count]} for danlu, {info['pytorch'][count]} for PyTorch")
    peaks = [float(servers["danlu"].ask("peak"))]
    others = Others([server.process.pid for server in servers.values()])
    seconds = rounds(servers, n)
    result = {"info": info, "peak_gflops": peaks, "seconds": seconds, "others": others.share()}
    peaks.append(float(servers["danlu"].ask("peak")))
    for server in servers.values():
        server.close()
    return result


def whole_programs(sides: Sides, network: str, n: int) -> dict[str, dict[str, list[float]]]:
    """Time from start to the end of the first step, n times; peak memory of one epoch and evaluation, once."""
    whole: dict[str, dict[str, list[float]]] = {side: {"first_step_s": []} for side in ("danlu", "pytorch")}
    for _ in range(n):
        with tempfile.TemporaryDirectory() as folder:
            for side, command in sides.first_steps(network, Path(folder)).items():
                whole[side]["first_step_s"].append(first_step_s(command, Path(folder) / side))
    with tempfile.TemporaryDirectory() as folder:
        whole["danlu"]["peak_mib"] = [peak_mib(sides.one_epoch(network, Path(folder)))]
        servers = sides.servers(network, Path(folder))
    whole["pytorch"]["peak_mib"] = [peak_mib(servers["pytorch"], stdin="train\neval\n")]
    return whole


def spread(values: list[float], digits: int) -> str:
    """Median with its range."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def share_of_peak(result: dict[str, Any], n_images: int) -> float:
    """Dense multiply-adds of a training epoch, two operations each, over what the peak would do in that time."""
    operations = 2 * n_images * result["info"]["danlu"]["training_multiply_adds"]
    return operations / median(result["seconds"]["danlu"]["train"]) / (max(result["peak_gflops"]) * 1e9)


def table(results: dict[str, Any]) -> str:
    lines = ["| | Danlu | PyTorch, channels last | ratio | PyTorch, contiguous | ratio |", "|---|---|---|---|---|---|"]
    for network, result in results.items():
        danlu, pytorch, contiguous = (result["seconds"][side] for side in ("danlu", "pytorch", "contiguous"))
        n_images = NETWORKS[network]
        some = f" of {n_images:,} images" if n_images else ""
        rows = [
            (f"training epoch{some}, s", 3, danlu["train"], pytorch["train"], contiguous["train"]),
            (f"evaluation of {some[4:] or 'the test set'}, s", 4, danlu["eval"], pytorch["eval"], contiguous["eval"]),
        ]
        if whole := result.get("whole"):
            ours, theirs = whole["danlu"], whole["pytorch"]
            rows += [
                ("start to first step, s", 3, ours["first_step_s"], theirs["first_step_s"]),
                ("peak memory of one epoch, MiB", 0, ours["peak_mib"], theirs["peak_mib"]),
            ]
        for what, digits, ours, *peers in rows:
            cells = [f"{spread(theirs, digits)} | {median(theirs) / median(ours):.2f}" for theirs in peers]
            cells += [" | "] * (2 - len(peers))
            lines.append(f"| `{network}`: {what} | {spread(ours, digits)} | {' | '.join(cells)} |")
        peak = f"of {max(result['peak_gflops']):.0f} GFLOP/s"
        lines.append(f"| `{network}`: share of the multiply-add peak | {share_of_peak(result, n_images or N_TRAIN):.1%} {peak} | | | | |")
        lines.append(f"| `{network}`: machine time that went to other programs | {result['others']:.1%} | | | | |")
    return "\n".join(lines)


def output_of(*command: str) -> str:
    """Standard output, or nothing where the program is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def setting(args: argparse.Namespace) -> dict[str, Any]:
    """What is needed to read the figures later."""
    cpu = [line.split(":", 1)[1].strip() for line in output_of("lscpu").splitlines() if line.startswith("Model name")]
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": output_of("git", "rev-parse", "--short", "HEAD") + ("+changes" if changed else ""),
        "cpu": cpu[0] if cpu else platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "rounds": args.rounds,
    }


def disturbance(results: dict[str, Any]) -> str:
    """A warning where other programs were at work, in the record as well as on the screen."""
    shares = [f"`{network}` {result['others']:.0%}" for network, result in results.items() if result["others"] > 0.1]
    return f"\n**Disturbed, no figures to rely on**: other programs took {', '.join(shares)}." if shares else ""


def heading(about: dict[str, Any], results: dict[str, Any]) -> str:
    info = next(iter(results.values()))["info"]
    programs = ", ".join(f"{side} {of['version']} ({of['isa']}, {of['threads']} threads)" for side, of in info.items())
    machine = f"{about['cpu']}, {about['cores']} cores; commit {about['commit'] or 'unknown'}"
    return f"{about['date']}, {machine}; {programs}.\nMedian of n = {about['rounds']} rounds in turn (smallest–largest)."


def write_record(about: dict[str, Any], results: dict[str, Any], text: str) -> None:
    stem = HERE / "record" / f"{about['date']}-speed"
    stem.parent.mkdir(exist_ok=True)
    stem.with_suffix(".md").write_text(f"# Speed, against PyTorch\n\n{text}\n")
    stem.with_suffix(".json").write_text(json.dumps({"setting": about, "results": results}, indent=1) + "\n")
    print(f"\nwritten to {stem}.md and .json", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--danlu", default=str(HERE.parent / "target" / "release" / "danlu"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--network", choices=NETWORKS, action="append", help="default: all")
    parser.add_argument("--data", help="folder of the data set; default: each side's own")
    parser.add_argument("--threads", type=int, help="for both sides; default: each side's own")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--record", action="store_true", help="write bench/record/DATE-speed.md and .json")
    args = parser.parse_args()
    about, sides = setting(args), Sides(args)
    results = {network: measure(sides, network, args.rounds) for network in args.network or NETWORKS}
    text = f"{heading(about, results)}{disturbance(results)}\n\n{table(results)}"
    if not args.network:
        print("layers:", file=sys.stderr)
        results["layers"] = layers.measure(args.danlu, args.python)
        text += f"\n\n{layers.table(results['layers'])}"
    print(text)
    if args.record:
        write_record(about, results, text)


if __name__ == "__main__":
    main()
