"""Overlays: a number for every node, as colours and as text on a drawing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, isfinite, log, nan
from numbers import Real
from statistics import median
from typing import Any, Literal

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.graph import Graph
from dagnet.render.drawing import Box, Drawing, Legend, Line
from dagnet.render.facts import listed
from dagnet.render.quantities import UNITS, quantity
from dagnet.render.words import ENGLISH, Words

#: Which of several layers is the one to look at: that of the most, of the least, or the one
#: farthest from the median, in orders of magnitude.
Worst = Literal["most", "least", "odd"]

_SEVERAL = "several layers: least · median · most, and the colour of the worst"


@dataclass(frozen=True)
class Overlay:
    """A number for every node, or for some.

    Attributes
    ----------
    title : str
        What is measured; it stands in the legend.
    values : mapping of str to float
        By the names of nodes.
    unit : str
        ``"s"``, ``"B"``, ``"%"`` (of numbers from 0 to 1) or ``"count"`` are written as such;
        any other is written after the numbers.
    scale : {"linear", "log"}
        How numbers become colours.
    worst : {"most", "least", "odd"}
        Which layer a folded box names, and has the colour of.
    total : bool
        Whether a folded box shows the sum.
    note : str
        Stands below the legend.

    Examples
    --------
    >>> from dagnet.render import Overlay
    >>> overlay = Overlay("loss of accuracy without it", {"linear1": 0.31, "linear2": 0.02}, "%")
    """

    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    worst: Worst = "most"
    total: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        for name, value in (("scale", ("linear", "log")), ("worst", ("most", "least", "odd"))):
            if getattr(self, name) not in value:
                raise ArgumentError(
                    f"overlay: {name} must be one of {', '.join(value)}, "
                    f"got {getattr(self, name)!r}"
                )

    def of_nodes(self, graph: Graph) -> "Overlay":
        """Return it with plain numbers by the names of a graph's nodes.

        Raises
        ------
        UnknownNameError, ArgumentTypeError
            If there is no such node, or a value is no number.
        """
        values: dict[str, float] = {}
        for key, value in self.values.items():
            name = graph.name_of(key)
            if not isinstance(value, Real):
                raise ArgumentTypeError(f"overlay: {name} has {value!r}, which is no number")
            values[name] = float(value)
        return replace(self, values=values)


def counts(hits: Iterable[Any]) -> Overlay:
    """Return how many alerts there are at every node."""
    values: dict[str, float] = {}
    for hit in hits:
        name = getattr(hit, "node", None)
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"an overlay is a name, a dict of numbers by node, an Overlay, a Profile or "
                f"alerts; got {type(hit).__name__} {hit!r}"
            )
        values[name] = values.get(name, 0) + 1
    return Overlay("alerts", values, "count", total=True)


def lay_over(drawing: Drawing, overlay: Overlay, words: Words = ENGLISH) -> Drawing:
    """Return the drawing with the numbers on its boxes, and a legend."""
    finite = [value for value in overlay.values.values() if isfinite(value)]
    level = _Levels(finite, overlay.scale)
    overlay = replace(overlay, title=words(overlay.title))
    boxes = tuple(_measured(box, overlay, level, words) for box in drawing.boxes)
    several = any(len(_numbers(box, overlay)) > 1 for box in drawing.boxes)
    unit = f" ({overlay.unit})" if overlay.unit and overlay.unit not in UNITS else ""
    notes = [words(_SEVERAL)] * several
    notes += [overlay.note] * bool(overlay.note)
    if not overlay.values:
        note = words("{}: {}", overlay.title, overlay.note or words("none"))
        return replace(drawing, notes=(*drawing.notes, note))
    marks = tuple(quantity(mark, overlay.unit) for mark in level.marks())
    legend = Legend(f"{overlay.title}{unit}", marks or (words("no finite number"),), tuple(notes))
    return replace(drawing, boxes=boxes, legend=legend)


class _Levels:
    """Numbers from 0 to 1, for colours."""

    def __init__(self, values: Sequence[float], scale: str):
        positive = [value for value in values if value > 0]
        self._log = scale == "log" and bool(positive)
        known = positive if self._log else values
        self._ends = (min(known), max(known)) if known else None

    def __call__(self, value: float) -> float:
        if not isfinite(value) or self._ends is None:
            return nan
        low, high = map(self._place, self._ends)
        place = self._place(value)
        return min(1.0, max(0.0, (place - low) / (high - low))) if high > low else 0.5

    def _place(self, value: float) -> float:
        if not self._log:
            return value
        return log(value) if value > 0 else -inf

    def marks(self) -> list[float]:
        """Return the numbers at the beginning, the middle and the end of the scale."""
        if self._ends is None:
            return []
        low, high = self._ends
        if low == high:
            return [low]
        middle = exp((log(low) + log(high)) / 2) if self._log else (low + high) / 2
        return [low, middle, high]


def _numbers(box: Box, overlay: Overlay) -> dict[str, float]:
    return {name: overlay.values[name] for name in box.names if name in overlay.values}


def _measured(box: Box, overlay: Overlay, level: _Levels, words: Words) -> Box:
    """Return a box with its number; of several, the least, the median, the most and the worst."""
    numbers = _numbers(box, overlay)
    if not numbers:
        return box
    worst = _worst(numbers, overlay.worst)

    def text(value: float) -> str:
        return quantity(value, overlay.unit)

    if len(numbers) == 1:
        texts = [text(numbers[worst])]
    else:
        values = [value for value in numbers.values() if isfinite(value)] or [nan]
        low, middle, high = (text(f(values)) for f in (min, median, max))
        texts = [f"{low} · {middle} · {high}" if low != high else words("{} each", low)]
        texts += [words("total {}", text(sum(values)))] * overlay.total
        texts += [words("worst: {} {}", listed([worst]), text(numbers[worst]))] * (low != high)
        lost = len(numbers) - len(values) if isfinite(values[0]) else len(numbers)
        texts += [words("{} not finite", lost)] * bool(lost)
    lines = tuple(Line(t, "value") for t in texts)
    tooltip = "\n".join([box.tooltip, words("{}: {}", overlay.title, texts[0]), *texts[1:]])
    return replace(
        box,
        lines=(*box.lines, *lines),
        tooltip=tooltip,
        level=level(numbers[worst]),
        symbol=False if box.symbol and len(numbers) > 1 else box.symbol,
    )


def _worst(numbers: Mapping[str, float], rule: Worst) -> str:
    for name, value in numbers.items():
        if not isfinite(value):
            return name
    if rule == "most":
        return max(numbers, key=numbers.__getitem__)
    if rule == "least":
        return min(numbers, key=numbers.__getitem__)
    middle = median(numbers.values())

    def distance(name: str) -> float:
        value = numbers[name]
        if value > 0 and middle > 0:
            return abs(log(value) - log(middle))
        return 0.0 if value == middle else inf

    return max(numbers, key=distance)
