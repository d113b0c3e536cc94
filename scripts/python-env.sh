#!/usr/bin/env bash
# Makes the Python environment of the comparisons with PyTorch and TensorBoard and prints its python's path.
# A stamp holds what it was made from, so a second call does nothing. DANLU_VENV moves it,
# PYTHON chooses the interpreter (3.11 or later, as the pinned numpy asks).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
requirements=$root/tests/pytorch/requirements.txt
venv=${DANLU_VENV:-$HOME/.cache/danlu-venv}
python=${PYTHON:-python3}
stamp=$venv/danlu-requirements

if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "python-env: needs Python 3.11 or later with venv (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
fi
if ! cmp -s "$requirements" "$stamp" || ! "$venv/bin/python" -c '' 2>/dev/null; then
    echo "python-env: installing PyTorch and TensorBoard into $venv (4.1 GB on disk, about 70 s of downloads and unpacking)" >&2
    "$python" -m venv --clear "$venv"
    # --no-deps: the list is complete and pinned, and leaves out what a CPU never loads.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps \
        --requirement "$requirements" >&2
    "$venv/bin/python" -c 'import torch, safetensors.torch, onnx, onnxruntime, tensorboard.default'
    cp "$requirements" "$stamp"
fi
echo "$venv/bin/python"
