"""What a drawing consists of: boxes, groups of them and arrows, with their texts.

No colour, no font and no file format is decided here.
"""

from dataclasses import dataclass
from typing import Literal

#: What a line of text is, from the most to the least prominent.
Role = Literal["title", "plain"]


@dataclass(frozen=True)
class Line:
    """A line of text in a box."""

    text: str
    role: Role = "plain"


@dataclass(frozen=True)
class Box:
    """A vertex, or a folded chain of vertices.

    Attributes
    ----------
    key : str
        Unique, and made of vertex names only: letters, digits and ``_.-~()``.
    names : tuple of str
        The vertices it stands for.
    kind : str
        The op's kind, or ``"repeat"``, or ``"entry"`` for the dot where a group's input arrives.
    lines : tuple of Line
    tooltip : str
        Several lines with everything about it.
    symbol : bool
        Whether it shows nothing but one sign, such as +.
    output, training : bool
        Whether a prediction returns it; whether only the losses need it.
    group : str or None
        The key of the group it stands in.
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


@dataclass(frozen=True)
class Group:
    """A block that repeats, with a box for each of its vertices: a border around them.

    `entry` is the one vertex outside that the first block reads.
    """

    key: str
    names: tuple[str, ...]
    entry: str
    lines: tuple[Line, ...]
    tooltip: str


@dataclass(frozen=True)
class Arrow:
    """A value that flows from one box to another, or weights that a penalty reads.

    `into` is the key of the group at whose border it ends, if it does.
    """

    key: str
    tail: str
    head: str
    kind: Literal["value", "training", "penalty"]
    tooltip: str
    into: str | None = None


@dataclass(frozen=True)
class Drawing:
    """A whole drawing, in the order in which its parts are to be laid out."""

    boxes: tuple[Box, ...]
    groups: tuple[Group, ...]
    arrows: tuple[Arrow, ...]
    title: str | None = None
