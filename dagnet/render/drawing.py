"""What a drawing consists of: boxes, groups of them and arrows, with their texts.

No colour, no font and no file format is decided here.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

#: What a line of text is: the most prominent, a measured number, or anything else.
Role = Literal["title", "plain", "value"]

#: What an arrow shows: a value, one that only training needs, weights that a penalty reads,
#: a gradient on its way back, or that two boxes have the same weights.
Kind = Literal["value", "training", "penalty", "gradient", "shared"]

#: Whether a part is in one of two networks only, or in both and not the same.
Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Line:
    """A line of text in a box."""

    text: str
    role: Role = "plain"


class Use(NamedTuple):
    """A vertex reads a value in one of its slots."""

    value: str
    reader: str
    slot: int


@dataclass(frozen=True)
class Box:
    """A vertex, a folded chain of vertices, or a closed part of the graph.

    Attributes
    ----------
    key : str
        Unique, and made of vertex names only: letters, digits and ``_.-~()``.
    names : tuple of str
        The vertices it stands for.
    kind : str
        The op's kind, or ``"repeat"``, ``"scope"``, ``"run"``, or ``"entry"`` for the dot where a
        group's input arrives.
    lines : tuple of Line
    tooltip : str
        Several lines with everything about it.
    symbol : bool
        Whether it shows nothing but one sign, such as +.
    output, training : bool
        Whether a prediction returns it; whether only the losses need it.
    group : str or None
        The key of the group it stands in.
    level : float or None
        Where an overlay puts it, from 0 to 1; nan if what it shows is no finite number.
    change : str or None
    """

    key: str
    names: tuple[str, ...]
    kind: str
    lines: tuple[Line, ...]
    tooltip: str
    symbol: bool = False
    output: bool = False
    training: bool = False
    group: str | None = None
    level: float | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Group:
    """A block that repeats, or a scope, with what is inside: a border around it.

    `entry` is the one vertex outside that a repeated block reads; a scope has none. `parent` is
    the key of the group it stands in.
    """

    key: str
    names: tuple[str, ...]
    kind: Literal["repeat", "scope"]
    lines: tuple[Line, ...]
    tooltip: str
    entry: str | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Arrow:
    """A value that flows from one box to another, or what else connects two boxes.

    `uses` says who reads what, over all blocks. `into` and `out_of` are keys of groups at whose
    border it ends or begins, if it does.
    """

    key: str
    tail: str
    head: str
    kind: Kind
    tooltip: str
    label: str = ""
    uses: tuple[Use, ...] = ()
    into: str | None = None
    out_of: str | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Legend:
    """What the colours of an overlay mean.

    Attributes
    ----------
    title : str
    marks : tuple of str
        Numbers along the scale, from its beginning to its end.
    notes : tuple of str
    """

    title: str
    marks: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A whole drawing, in the order in which its parts are to be laid out."""

    boxes: tuple[Box, ...]
    groups: tuple[Group, ...]
    arrows: tuple[Arrow, ...]
    title: str | None = None
    notes: tuple[str, ...] = ()
    legend: Legend | None = None
