"""Curves with bands of standard errors as an SVG picture, on a logarithmic axis; for `make bench-nas`."""

import math
from dataclasses import dataclass

# Okabe & Ito's colors, which the color-blind can tell apart.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#000000"]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 620, 420, 64, 34, 16, 48
LEGEND_STEP = 17


@dataclass
class Panel:
    """Lines by name, each a list of (x, mean, standard error); `ceiling` is a value worth a line of its own."""

    x_title: str
    y_title: str
    lines: dict[str, list[tuple[float, float, float]]]
    ceiling: float


def draw(panels: list[Panel]) -> str:
    height = HEIGHT * len(panels)
    body = "".join(panel_svg(panel, idx * HEIGHT) for idx, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>{body}</svg>\n'
    )


def panel_svg(panel: Panel, offset: int) -> str:
    points = [point for line in panel.lines.values() for point in line]
    # The first children are far below; what tells the searches apart is the upper part.
    means = sorted(mean for _, mean, _ in points)
    low, high = means[len(means) // 10], max(panel.ceiling, means[-1])
    low, high = low - 0.02 * (high - low), high + 0.04 * (high - low)
    x_max = max(x for x, _, _ in points)

    def at(x: float, y: float) -> str:
        share = math.log(x) / math.log(x_max)
        across = LEFT + share * (WIDTH - LEFT - RIGHT)
        down = offset + TOP + (high - y) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return f"{across:.1f},{down:.1f}"

    parts = axes(panel, offset, (low, high), x_max, at)
    area = f'x="{LEFT}" y="{offset + TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
    parts.append(f'<clipPath id="panel-{offset}"><rect {area}/></clipPath><g clip-path="url(#panel-{offset})">')
    for color, (name, line) in zip(COLORS, panel.lines.items()):
        upper = [at(x, mean + error) for x, mean, error in line]
        lower = [at(x, mean - error) for x, mean, error in reversed(line)]
        parts.append(f'<polygon points="{" ".join(upper + lower)}" fill="{color}" opacity="0.15"/>')
        middle = " ".join(at(x, mean) for x, mean, _ in line)
        parts.append(f'<polyline points="{middle}" fill="none" stroke="{color}" stroke-width="1.6"/>')
    parts.append("</g>")
    parts += legend(panel, offset)
    return "".join(parts)


def axes(panel: Panel, offset: int, y_range: tuple[float, float], x_max: float, at) -> list[str]:
    low, high = y_range
    parts = []
    for x in [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]:
        if x <= x_max:
            start, end = at(x, low), at(x, high)
            across = start.split(",")[0]
            parts.append(segment(start, end, "#e4e4e4"))
            parts.append(text(across, offset + HEIGHT - BOTTOM + 16, f"{x}", "middle"))
    step = nice_step((high - low) / 6)
    for idx in range(math.ceil(low / step), math.floor(high / step) + 1):
        y = idx * step
        start, end = at(1, y), at(x_max, y)
        parts.append(segment(start, end, "#e4e4e4"))
        parts.append(text(LEFT - 6, float(start.split(",")[1]) + 4, f"{y:.6g}", "end"))
    parts.append(segment(at(1, panel.ceiling), at(x_max, panel.ceiling), "#888", dashes="4 3"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, offset + HEIGHT - 12, panel.x_title, "middle"))
    parts.append(text(LEFT, offset + TOP - 12, panel.y_title + "; dashed: the best of all", "start"))
    return parts


def legend(panel: Panel, offset: int) -> list[str]:
    parts = []
    bottom = offset + HEIGHT - BOTTOM - LEGEND_STEP * len(panel.lines)
    for idx, (color, name) in enumerate(zip(COLORS, panel.lines)):
        y = bottom + idx * LEGEND_STEP
        left = WIDTH - RIGHT - 165
        parts.append(segment(f"{left},{y}", f"{left + 22},{y}", color, width=2.5))
        parts.append(text(left + 28, y + 4, name, "start"))
    return parts


def nice_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, the next above."""
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def segment(start: str, end: str, color: str, width: float = 1, dashes: str = "") -> str:
    (x1, y1), (x2, y2) = start.split(","), end.split(",")
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" stroke-width="{width}"{dashed}/>'


def text(x: float | str, y: float, content: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{content}</text>'
