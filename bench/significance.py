"""Whether a difference is more than chance, and how alike two orders are."""

import math
import random
from statistics import mean, stdev

N_FLIPS = 10_000


def standard_error(values: list[float]) -> float:
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def rank_test(a: list[float], b: list[float]) -> float:
    """The p of Mann & Whitney's test, two-sided, by its normal approximation with ties."""
    both = sorted(a + b)
    rank = {x: both.index(x) + (both.count(x) + 1) / 2 for x in both}
    u = sum(rank[x] for x in a) - len(a) * (len(a) + 1) / 2
    n, ties = len(both), sum(both.count(x) ** 3 - both.count(x) for x in set(both))
    variance = len(a) * len(b) / 12 * (n + 1 - ties / (n * (n - 1)))
    if variance == 0:
        return 1.0
    return math.erfc(abs(u - len(a) * len(b) / 2) / math.sqrt(2 * variance))


def paired_test(differences: list[float]) -> float:
    """The two-sided p of a mean that far from 0 if signs were chance (Fisher's test of randomization)."""
    rng, far = random.Random(1), abs(sum(differences)) - 1e-12
    if not any(differences):
        return 1.0
    flips = sum(
        abs(sum(one if rng.random() < 0.5 else -one for one in differences)) >= far for _ in range(N_FLIPS)
    )
    return (1 + flips) / (1 + N_FLIPS)


def ranks(values: list[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for idx in order[start:end]:
            ranks[idx] = (start + end - 1) / 2
        start = end
    return ranks


def rank_correlation(a: list[float], b: list[float]) -> float:
    """Spearman's."""
    x, y = ranks(a), ranks(b)
    mx, my = mean(x), mean(y)
    covariance = sum((one - mx) * (other - my) for one, other in zip(x, y))
    return covariance / math.sqrt(sum((one - mx) ** 2 for one in x) * sum((one - my) ** 2 for one in y))
