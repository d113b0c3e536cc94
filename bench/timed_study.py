"""A study, run by Danlu with a clock beside it."""

import json
import subprocess
import time
from pathlib import Path


def timed_study(danlu: Path, folder: Path, text: str, jobs: int) -> tuple[float, list[dict]]:
    """Runs the study file `text` in `folder`; seconds from start to end, and the trials as `danlu study export` tells them."""
    (folder / "study.toml").write_text(text)
    start = time.perf_counter()
    subprocess.run(
        [danlu, "study", "run", "study.toml", "--jobs", str(jobs), "--quiet", "--json"],
        cwd=folder, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    (study,) = (folder / "studies").iterdir()
    exported = subprocess.run([danlu, "study", "export", study, "--json"], cwd=folder, check=True, capture_output=True)
    return seconds, [json.loads(line) for line in exported.stdout.splitlines()]
