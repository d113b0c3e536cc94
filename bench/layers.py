"""The layers in `make bench`: each alone, on one thread, Danlu beside PyTorch."""

import json
import subprocess
from pathlib import Path
from typing import Any

PYTORCH = Path(__file__).resolve().parent / "pytorch_layers.py"


def measure(danlu: str, python: str) -> dict[str, Any]:
    """What `danlu bench --layers --json` says, with [forward, training] of PyTorch, in ns, as `pytorch` in each layer."""
    ours = subprocess.run([danlu, "bench", "--layers", "--json"], capture_output=True, text=True, check=True).stdout
    theirs = subprocess.run([python, str(PYTORCH)], input=ours, stdout=subprocess.PIPE, text=True, check=True).stdout
    figures = json.loads(ours)
    for layer, pytorch in zip(figures["layers"], json.loads(theirs), strict=True):
        layer["pytorch"] = pytorch
    return figures


def cells(ours: dict[str, Any], theirs: float) -> str:
    bound = {"peak": "of the peak", "memory": "of the memory's bandwidth"}[ours["bound"]]
    return f"{ours['ns']:,.0f} | {ours['share']:.0%} {bound} | {theirs:,.0f} | {theirs / ours['ns']:.1f}"


def table(figures: dict[str, Any]) -> str:
    lines = [
        f"One thread, {figures['isa']}, peak {figures['peak_gflops']:.0f} GFLOP/s; nanoseconds for a sample, least of several"
        " runs each; PyTorch in the faster of its two layouts. Training: forward and backward.",
        "",
        "| layer | input | forward, ns | share | PyTorch, ns | ratio | training, ns | share | PyTorch, ns | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for layer in figures["layers"]:
        inputs = ", ".join(" × ".join(map(str, shape)) for shape in layer["inputs"])
        both = [cells(layer[how], pytorch) for how, pytorch in zip(("forward", "training"), layer["pytorch"], strict=True)]
        lines.append(f"| {layer['name']} | {inputs} | {' | '.join(both)} |")
    return "\n".join(lines)
