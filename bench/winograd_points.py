"""What convolution by tiles costs in rounding: the errors of docs/design/winograd.md. Needs numpy; `python bench/winograd_points.py`.

Every value, weight, product and sum is a 32-bit number, as in the engine; the truth is computed with 64 bits.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

CHANNELS, TRIES = 16, 200
random = np.random.default_rng(0)


def pairs(*roots: float) -> list[float]:
    return [0.0, *(sign * root for root in roots for sign in (1, -1))]


def matrices(points: list[float], outputs: int, kernel: int) -> list[np.ndarray]:
    """Aᵀ, G and Bᵀ as crates/nn/src/layers/winograd_conv2d/points.rs has them."""
    n = len(points) + 1
    a, g, b = np.zeros((outputs, n)), np.zeros((n, kernel)), np.zeros((n, n))
    for j, point in enumerate(points):
        others = [other for i, other in enumerate(points) if i != j]
        a[:, j] = [point**i for i in range(outputs)]
        g[j] = [point**k / np.prod([point - other for other in others]) for k in range(kernel)]
        b[j, : n - 1] = np.poly(others)[::-1]
    a[-1, -1] = g[-1, -1] = 1
    b[-1] = np.poly(points)[::-1]
    return [a, g, b]


def by_tiles(points: list[float], outputs: int, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    a, g, b = (m.astype(np.float32) for m in matrices(points, outputs, w.shape[-1]))
    values, filters = b @ x @ b.T, g @ w @ g.T
    products = np.zeros(values.shape[1:], np.float32)
    for value, filter_ in zip(values, filters):
        products += value * filter_
    return a @ products @ a.T


def direct(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    windows = sliding_window_view(x, w.shape[1:], axis=(1, 2))
    y = np.zeros(windows.shape[1:3], x.dtype)
    for c, i, j in np.ndindex(w.shape):
        y += w[c, i, j] * windows[c, :, :, i, j]
    return y


def errors(points: list[float] | None, outputs: int, kernel: int) -> str:
    """Root mean square and largest error, relative to the outputs' root mean square."""
    size = outputs + kernel - 1
    wrong, right = [], []
    for _ in range(TRIES):
        x = np.maximum(random.standard_normal((CHANNELS, size, size)), 0).astype(np.float32)
        w = (random.standard_normal((CHANNELS, kernel, kernel)) / np.sqrt(CHANNELS * kernel**2)).astype(np.float32)
        right.append(direct(x.astype(float), w.astype(float)))
        wrong.append((direct(x, w) if points is None else by_tiles(points, outputs, x, w)) - right[-1])
    scale = np.sqrt(np.mean(np.square(right)))
    return f"{np.sqrt(np.mean(np.square(wrong))) / scale:.1e} | {np.max(np.abs(wrong)) / scale:.1e}"


for kernel, outputs, choices in [
    (3, 4, [(1, 2), (0.5, 1), (0.5**0.5, 2**0.5), (2 / 3, 4 / 3)]),
    (5, 4, [(0.5, 1, 2), (0.5, 1, 1.5), (0.6, 1, 1.6)]),
    (7, 2, [(0.5, 1, 2), (0.5, 1, 1.5), (0.6, 1, 1.6)]),
    (7, 4, [(0.5, 0.8, 1.25, 2), (0.45, 0.8, 1.25, 2.2), (0.5, 1, 1.5, 2)]),
]:
    print(f"| {kernel} × {kernel} | direct | {errors(None, outputs, kernel)} |")
    for roots in choices:
        name = ", ".join(f"±{root:.3g}" for root in roots)
        print(f"| {kernel} × {kernel} | 0, {name}, ∞ | {errors(pairs(*roots), outputs, kernel)} |")
