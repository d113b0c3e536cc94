"""The machine and the commit that something was measured on, and where what was measured is kept."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent


def cpu() -> str:
    """The processor's own name; only Linux tells it in a file."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].split(":")[1].strip() if names else platform.processor()


def record(name: str, title: str, how: str, text: str) -> None:
    """Keeps a table of today under record/, with how it was made and on what."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True).stdout.strip()
    day = datetime.now(timezone.utc).date()
    (HERE / "record" / f"{day}-{name}.md").write_text(
        f"# {title}\n\n{how} {cpu()}, {len(os.sched_getaffinity(0))} cores, commit {commit}.\n\n{text}\n"
    )
