"""The machine that something was measured on."""

import platform
from pathlib import Path


def cpu() -> str:
    """The processor's own name; only Linux tells it in a file."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].split(":")[1].strip() if names else platform.processor()
