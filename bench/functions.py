"""The functions of `crates/search/examples/studies/functions.rs`, with the same formulas.

Each takes a list of numbers, None for a parameter that does not exist, and gives the cost after each step.
"""

from math import cos, e, exp, log, log2, log10, pi, prod, sin, sqrt
from typing import Callable

N_STEPS = 27


def sphere(x: list[float]) -> float:
    return sum(x * x for x in x)


def rosenbrock(x: list[float]) -> float:
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def branin(x: list[float]) -> float:
    curve = x[1] - 5.1 / (4 * pi * pi) * x[0] * x[0] + 5 / pi * x[0] - 6
    return curve * curve + 10 * (1 - 1 / (8 * pi)) * cos(x[0]) + 10


def hartmann(x: list[float]) -> float:
    alpha = [1.0, 1.2, 3.0, 3.2]
    a = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ]
    p = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
    return -sum(alpha[i] * exp(-sum(a[i][j] * (x[j] - p[i][j]) ** 2 for j in range(6))) for i in range(4))


def ackley(x: list[float]) -> float:
    square = sum(x * x for x in x) / len(x)
    wave = sum(cos(2 * pi * x) for x in x) / len(x)
    return -20 * exp(-0.2 * sqrt(square)) - exp(wave) + 20 + e


def rastrigin(x: list[float]) -> float:
    return sum(x * x - 10 * cos(2 * pi * x) + 10 for x in x)


def styblinski_tang(x: list[float]) -> float:
    return sum(0.5 * (x**4 - 16 * x * x + 5 * x) for x in x)


def network(x: list[float]) -> float:
    optimizer, learning_rate, momentum, forgetting, layers, units, dropout, activation, batch = x
    rate = log10(learning_rate)
    if optimizer == 0:
        cost = 0.25 * (log10(learning_rate / (1 - momentum)) + 1) ** 2 + 0.3 * (momentum - 0.9) ** 2
    else:
        cost = 0.3 * (rate + 3) ** 2 + 0.05 * (log10(forgetting) + 3) ** 2 + 0.02
    cost += 0.02 * (log2(units * layers) - 8) ** 2 + 0.02 * abs(layers - 2)
    cost += (dropout - 0.3) ** 2 + [0, 0.03, 0.15][int(activation)]
    return cost + 0.01 * (log2(batch / 64) - rate - 2) ** 2


def noisy(x: list[float]) -> float:
    return network(x) + 0.02 * sin(12345.678 * (log10(x[1]) + x[6] + log(x[5])))


def branches(x: list[float]) -> float:
    if x[0] == 0:
        return 0.5 + x[1] ** 2 + x[2] ** 2
    if x[0] == 1:
        return 0.1 + 0.1 * (100 * (x[4] - x[3] * x[3]) ** 2 + (1 - x[3]) ** 2)
    return 0.05 * (x[5] - 13) ** 2 + (log(x[6]) - log(20)) ** 2 + 0.5 * x[7]


def discrete(x: list[float]) -> float:
    kernel, pooling, activation, stages, width, depth, ratio, groups = x
    cost = [0.4, 0.0, 0.1, 0.3][int(kernel)]
    cost += ([0.0, 0.3, 0.2] if kernel == 1 else [0.3, 0.0, 0.1])[int(pooling)]
    cost += [0.0, 0.05, 0.2, 0.4][int(activation)]
    cost += abs(stages * depth - 9) * 0.03 + 0.05 * (width / 8 - 5) ** 2 / 4
    return cost + 0.2 * (ratio - 1.25) ** 2 + 0.1 * abs(groups / width * 8 - 1)


def curve(x: list[float], end: float, speed: float) -> list[float]:
    phase = 78.233 * log10(x[0]) + 37.719 * x[3]
    return [
        end + 0.9 * step**-speed + 0.02 * sin(12.9898 * step + phase) / sqrt(step) for step in range(1, N_STEPS + 1)
    ]


def quality(x: list[float], best_rate: float) -> float:
    cost = 0.05 * (log10(x[0]) - best_rate) ** 2 + 0.02 * (log2(x[1]) - 6.5) ** 2
    return cost + 0.01 * (log10(x[2]) + 3.5) ** 2 + 0.2 * (x[3] - 0.2) ** 2


def curves(x: list[float]) -> list[float]:
    return curve(x, quality(x, -1.5), 1.0)


def crossing(x: list[float]) -> list[float]:
    return curve(x, quality(x, -2.5), 0.3 + 0.2 * (log10(x[0]) + 4))


def one_step(cost: Callable[[list[float]], float]) -> Callable[[list[float]], list[float]]:
    return lambda x: [cost(x)]


def table(content: dict) -> Callable[[list[float]], list[float]]:
    """Looks a training up in a table (README.md); costs are 1 - accuracy."""
    rows = {tuple(row["params"]): [1 - accuracy for accuracy in row["curve"]] for row in content["rows"]}
    if len(rows) != prod(len(parameter["values"]) for parameter in content["space"]):
        raise ValueError("the table does not have a row for each point")
    return lambda x: rows[tuple(int(x) for x in x)]


FUNCTIONS = {
    "sphere-5": one_step(sphere),
    "rosenbrock-4": one_step(rosenbrock),
    "branin": one_step(branin),
    "hartmann-6": one_step(hartmann),
    "ackley-5": one_step(ackley),
    "rastrigin-5": one_step(rastrigin),
    "styblinski-tang-5": one_step(styblinski_tang),
    "network": one_step(network),
    "noisy": one_step(noisy),
    "branches": one_step(branches),
    "discrete": one_step(discrete),
    "curves": curves,
    "crossing": crossing,
}
