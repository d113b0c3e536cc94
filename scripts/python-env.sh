#!/usr/bin/env bash
# Makes the Python environment of the comparisons with PyTorch, TensorBoard and Optuna and prints its python's path.
# Stamps hold what it was made from, so a second call does nothing. DANLU_VENV moves it,
# PYTHON chooses the interpreter (3.11 or later, as the pinned numpy asks).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
requirements=$root/tests/pytorch/requirements.txt
venv=${DANLU_VENV:-$HOME/.cache/danlu-venv}
python=${PYTHON:-python3}
stamp=$venv/danlu-requirements
optuna_requirements=$root/tests/optuna/requirements.txt
optuna_stamp=$venv/danlu-optuna-requirements

# --no-deps: the lists are complete and pinned, and leave out what a CPU never loads.
install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps \
        --requirement "$1" >&2
}

if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "python-env: needs Python 3.11 or later with venv (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
fi
if ! cmp -s "$requirements" "$stamp" || ! "$venv/bin/python" -c '' 2>/dev/null; then
    echo "python-env: installing PyTorch and TensorBoard into $venv (4.1 GB on disk, about 70 s of downloads and unpacking)" >&2
    "$python" -m venv --clear "$venv"
    install "$requirements"
    "$venv/bin/python" -c 'import torch, safetensors.torch, onnx, onnxruntime, tensorboard.default'
    cp "$requirements" "$stamp"
fi
if ! cmp -s "$optuna_requirements" "$optuna_stamp"; then
    echo "python-env: installing Optuna into $venv (60 MB)" >&2
    install "$optuna_requirements"
    "$venv/bin/python" -c 'import optuna.storages, optuna_dashboard'
    cp "$optuna_requirements" "$optuna_stamp"
fi
echo "$venv/bin/python"
