"""The two networks of the tutorial in PyTorch, and Fashion-MNIST as tensors in memory.

Module names (`conv`, `fc`) are the tutorial's, so a `model.safetensors` of Danlu loads with `strict=True`.
Shapes: N samples, images [N, 1, 28, 28] f32 in 0..1, labels [N] i64.
"""

import gzip
import math
import os
import struct
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

DEFAULT_DATA = Path(os.environ.get("DANLU_DATA", "/usr/share/datasets/fashion-mnist"))


def classifier() -> nn.Sequential:
    """256 -> 120 -> 84 -> 10, the same for both networks."""
    return nn.Sequential(
        nn.Linear(16 * 4 * 4, 120),
        nn.LeakyReLU(0.1),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


class LeNet(nn.Module):
    """Two 5x5 convolutions: 44,426 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(6, 16, 5),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2, 2),
        )
        self.fc = classifier()

    def forward(self, img: Tensor) -> Tensor:
        return self.fc(self.conv(img).flatten(1))


class LeNet3x3(nn.Module):
    """Two 3x3 convolutions in place of each 5x5."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 2, 3),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2, 4, 3),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(4, 8, 3),
            nn.LeakyReLU(0.1),
            nn.Conv2d(8, 16, 3),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2, 2),
        )
        self.fc = classifier()

    def forward(self, img: Tensor) -> Tensor:
        return self.fc(self.conv(img).flatten(1))


NETWORKS: dict[str, type[nn.Module]] = {"lenet": LeNet, "lenet-3x3": LeNet3x3}


class Split(NamedTuple):
    images: Tensor
    labels: Tensor


def read_idx(folder: Path, name: str) -> Tensor:
    """One IDX file of unsigned bytes, gzipped or plain, in its own shape."""
    plain = folder / name
    raw = plain.read_bytes() if plain.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    zeros, kind, n_dims = struct.unpack_from(">HBB", raw)
    if zeros != 0 or kind != 0x08:
        raise ValueError(f"{plain}: not an IDX file of unsigned bytes")
    shape = struct.unpack_from(f">{n_dims}I", raw, 4)
    values = torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=4 + 4 * n_dims)
    if values.numel() != math.prod(shape):
        raise ValueError(f"{plain}: {values.numel()} values, the header says {shape}")
    return values.view(shape)


def load_split(folder: Path, stem: str) -> Split:
    """`train` or `t10k`. Pixels are divided by 255, which is what torchvision's ToTensor does."""
    images = read_idx(folder, f"{stem}-images-idx3-ubyte").unsqueeze(1).float().div_(255)
    return Split(images, read_idx(folder, f"{stem}-labels-idx1-ubyte").long())


def load_data(folder: Path = DEFAULT_DATA) -> tuple[Split, Split]:
    """Training and test data."""
    return load_split(folder, "train"), load_split(folder, "t10k")


@torch.inference_mode()
def logits_of(net: nn.Module, images: Tensor, batch: int = 1000) -> Tensor:
    """Logits [N, 10] in the order of the images."""
    return torch.cat([net(x) for x in images.split(batch)])


def accuracy_of(net: nn.Module, split: Split) -> float:
    return (logits_of(net, split.images).argmax(1) == split.labels).double().mean().item()
