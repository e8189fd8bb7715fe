"""A small curve of costs, as the SVG that a notebook shows above the table of a history."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from dagnet.training.figures import COLOURS

WIDTH, HEIGHT = 460, 150

#: Around the curves, for the numbers and the names: left, top, right, bottom.
MARGINS = (56, 8, 12, 34)

#: Points of one line at most; of a longer column, evenly spaced ones are drawn.
MOST_POINTS = 400

Points = list[tuple[float, float]]


def curves(time: Sequence[float], columns: Mapping[str, Sequence[float]], of: str) -> str:
    """Return an SVG of columns over time; nothing if fewer than two numbers are finite.

    Parameters
    ----------
    time : sequence of float
    columns : dict of sequence of float
        By name, each as long as `time`; what is not finite is left out.
    of : str
        What the time is called.

    Examples
    --------
    >>> curves([1, 2, 3], {"cost": [0.7, 0.5, 0.4]}, "epoch").count("<polyline")
    1
    """
    lines = {name: _finite(time, column) for name, column in columns.items()}
    lines = {name: points for name, points in lines.items() if len(points) > 1}
    if not lines:
        return ""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    frame = _Frame(min(xs), max(xs), min(ys), max(ys))
    drawn = [
        frame.line(points, COLOURS[i % len(COLOURS)], dashed=name.startswith("val_"))
        for i, (name, points) in enumerate(lines.items())
    ]
    names = " ".join(
        f'<tspan fill="{COLOURS[i % len(COLOURS)]}">{escape(name)}</tspan>'
        for i, name in enumerate(lines)
    )
    return (
        f'<svg class="dagnet-history" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="10" fill="currentColor">'
        f"{''.join(drawn)}{frame.axes(escape(of))}"
        f'<text x="{MARGINS[0]}" y="{HEIGHT - 6}" font-weight="bold">{names}</text></svg>'
    )


def _finite(time: Sequence[float], column: Sequence[float]) -> Points:
    points = [(x, y) for x, y in zip(time, column, strict=True) if math.isfinite(y)]
    step = -(-len(points) // MOST_POINTS)
    return [*points[: -1 : step or 1], *points[-1:]]


class _Frame:
    """Where numbers are on the picture."""

    def __init__(self, left: float, right: float, low: float, high: float):
        self._x = (left, right)
        self._y = (low, high)

    def line(self, points: Points, colour: str, *, dashed: bool) -> str:
        placed = " ".join(f"{self._across(x):.1f},{self._up(y):.1f}" for x, y in points)
        dashes = ' stroke-dasharray="5 3"' if dashed else ""
        stroke = f'stroke="{colour}" stroke-width="1.6"{dashes}'
        return f'<polyline points="{placed}" fill="none" {stroke}/>'

    def axes(self, of: str) -> str:
        """Return the axes, with the least and the most of each."""
        left, bottom, right = MARGINS[0], HEIGHT - MARGINS[3], WIDTH - MARGINS[2]
        path = (
            f'<path d="M{left} {MARGINS[1]}V{bottom}H{right}" fill="none" stroke="currentColor"/>'
        )
        texts = [
            (left - 5, MARGINS[1] + 8, "end", f"{self._y[1]:.4g}"),
            (left - 5, bottom, "end", f"{self._y[0]:.4g}"),
            (left, bottom + 13, "start", f"{of} {self._x[0]:g}"),
            (right, bottom + 13, "end", f"{self._x[1]:g}"),
        ]
        return path + "".join(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
            for x, y, anchor, text in texts
        )

    def _across(self, x: float) -> float:
        return MARGINS[0] + _share(x, self._x) * (WIDTH - MARGINS[0] - MARGINS[2])

    def _up(self, y: float) -> float:
        return HEIGHT - MARGINS[3] - _share(y, self._y) * (HEIGHT - MARGINS[1] - MARGINS[3])


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    # Halved first: the difference of two huge numbers may be more than a float holds.
    return (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
