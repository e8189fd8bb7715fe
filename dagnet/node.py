"""A node: one use of an op in a definition, made by calling the op."""

import linecache
import os
import sys
from itertools import count
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from dagnet.scopes import Scope, open_scopes

if TYPE_CHECKING:
    from dagnet.ops.base import Op

#: A shape: ints, and at most one symbol, `M`, for the examples, on the last axis.
Shape = tuple[int | str, ...]

#: The symbol for the number of examples.
M = "m"

_PACKAGE = os.path.dirname(__file__) + os.sep
_COMMANDS = os.path.join(_PACKAGE, "cli") + os.sep
_serial = count()


class Source(NamedTuple):
    """The user's line that made a node."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.place}:{self.line}"

    @property
    def place(self) -> str:
        """The name of the file, or of the notebook's cell: ``In[3]``."""
        return _cell(self.file) or os.path.basename(self.file)

    @property
    def text(self) -> str:
        """What the line says, as the file is now; empty if it cannot be read."""
        linecache.checkcache(self.file)
        return linecache.getline(self.file, self.line).strip()


def _cell(file: str) -> str | None:
    """Return what a notebook calls a cell, whose file has a random name; None if it is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    name_of = getattr(
        getattr(shell, "compile", None), "format_code_name", None
    )  # from IPython 8 on
    named = name_of and name_of(file)
    return named[1] if named else None


def user_source() -> Source | None:
    """Return the innermost line on the stack that is outside this package; None if it has none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_COMMANDS):
            return None  # the user typed a command, no line
        made = code.co_filename == "<string>" and code.co_name == "__init__"  # by a dataclass
        if not made and not code.co_filename.startswith(_PACKAGE):
            return Source(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def located(name: str, source: Source | None) -> str:
    """Return the name with the user's line, as error messages begin: ``relu2 (net.py:7)``."""
    return f"{name} ({source})" if source else name


class Node:
    """One use of an op: what calling an op returns, and what further ops are called on.

    Attributes
    ----------
    op : Op
        The mathematics.
    inputs : tuple of Node
        The nodes it reads, in order; a node may stand there twice.
    shape : tuple
        Shape of its output, with `"m"` for the examples.
    name : str or None
        The name it was given. Nodes without one are named by the graph they become part of,
        in the order they were made: ``linear1``, ``relu1``, ``linear2``.
    source : Source or None
        The user's file and line.
    scopes : tuple of Scope
        Those it was made in, the outermost first.
    """

    __slots__ = ("inputs", "name", "op", "scopes", "serial", "shape", "source")

    def __init__(
        self,
        op: "Op",
        inputs: tuple["Node", ...],
        shape: Shape,
        name: str | None,
        source: Source | None,
    ):
        self.op = op
        self.inputs = inputs
        self.shape = shape
        self.name = name
        self.source = source
        self.scopes: tuple[Scope, ...] = open_scopes()
        self.serial = next(_serial)

    def __repr__(self) -> str:
        label = f" {self.name!r}" if self.name else ""
        return f"<{type(self.op).__name__}{label} {format_shape(self.shape)} at {self.source}>"


def is_scaled(shape: Shape) -> bool:
    """Return whether a value has an examples axis, so that its size grows with them."""
    return bool(shape) and shape[-1] == M


def resolve(shape: Shape, m: int) -> tuple[int, ...]:
    """Return the shape with its symbol replaced by the number of examples."""
    return tuple(m if axis == M else int(axis) for axis in shape)


def format_shape(shape: Shape) -> str:
    """Return a shape as text: ``(20, m)``."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
