"""PyTorch's side of `make bench-trials`: one process of an Optuna study whose trials were enqueued.

Prints `ready` when its images are in memory, waits for a line on standard input, works until no trial waits, and prints `done`.
The training is that of pytorch_epoch.py, PyTorch's fastest setting: tensors in memory, weights channels last, fused optimizers.
"""

import argparse
import sys
from pathlib import Path

import optuna
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "pytorch"))
from tutorial import DEFAULT_DATA, Split, load_data  # noqa: E402

N_VALIDATION = 6_000
EVAL_BATCH = 1000
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU}


def network(params: dict) -> nn.Module:
    activation = ACTIVATIONS[params["activation"]]
    kernels, channels = [params["kernel_0"], params["kernel_1"]], [params["channels_0"], params["channels_1"]]
    side = ((28 - kernels[0] + 1) // 2 - kernels[1] + 1) // 2
    return nn.Sequential(
        nn.Conv2d(1, channels[0], kernels[0]),
        activation(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels[0], channels[1], kernels[1]),
        activation(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(channels[1] * side * side, params["hidden"]),
        activation(),
        nn.Linear(params["hidden"], 10),
    ).to(memory_format=torch.channels_last)


def optimizer_of(net: nn.Module, params: dict) -> torch.optim.Optimizer:
    rate = params["learning_rate"]
    if params["optimizer"] == "adam":
        return torch.optim.Adam(net.parameters(), lr=rate, fused=True)
    return torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, fused=True)


def learn(net: nn.Module, optimizer: torch.optim.Optimizer, split: Split, batch_size: int) -> None:
    loss_function = nn.CrossEntropyLoss()
    for idx in torch.randperm(len(split.labels)).split(batch_size):
        loss = loss_function(net(split.images[idx]), split.labels[idx])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


@torch.inference_mode()
def accuracy(net: nn.Module, split: Split) -> float:
    batches = zip(split.images.split(EVAL_BATCH), split.labels.split(EVAL_BATCH))
    return sum((net(x).argmax(1) == y).sum().item() for x, y in batches) / len(split.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    whole = load_data(DEFAULT_DATA)[0]
    train = Split(*(part[N_VALIDATION:] for part in whole))
    validation = Split(*(part[:N_VALIDATION] for part in whole))
    study = optuna.load_study(study_name="trials", storage=args.storage)
    print("ready", flush=True)
    sys.stdin.readline()
    while study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING]):
        trial = study.ask()
        params = trial.user_attrs.get("params")
        if params is None:  # another process took the last
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            break
        net = network(params)
        optimizer = optimizer_of(net, params)
        for epoch in range(1, args.epochs + 1):
            learn(net, optimizer, train, params["batch_size"])
            value = accuracy(net, validation)
            trial.report(value, epoch)
        study.tell(trial, value)
    print("done", flush=True)


if __name__ == "__main__":
    main()
