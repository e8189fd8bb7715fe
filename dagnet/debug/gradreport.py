"""What a gradient check found: a row for every gradient, a verdict for every node."""

from dataclasses import dataclass
from html import escape
from typing import Literal

from dagnet.graph import Vertex
from dagnet.node import Source, located
from dagnet.tables import html_table, shortened, text_table
from dagnet.testing.differences import Comparison
from dagnet.text import printable

Verdict = Literal["ok", "wrong", "unchecked"]

_HEADER = (
    *("node", "op", "gradient", "size", "singly", "together", "unresolved", "moved"),
    *("error", "verdict"),
)
_LEFT = ("node", "op", "gradient", "verdict")


@dataclass(frozen=True)
class GradientRow:
    """How one gradient compares with central differences.

    Attributes
    ----------
    node, op, kind : str
        The node's name, the class of its op, and the op's kind.
    what : str
        ``"grad_inputs.0"``, ``"grad_params.W"``; ``"backward"`` if none could be had.
    size : int
        Elements of the gradient.
    elements, directions : int
        How many elements were compared singly, and in how many random directions all together.
    moved : int
        Elements of the node's inputs that were too near to a kink and were moved away.
    unresolved : int
        Comparisons that told nothing: differences with smaller and smaller steps do not agree.
    error : float
        The largest relative error.
    verdict : {"ok", "wrong", "unchecked"}
    note : str
        What is wrong, and in which element.
    source : Source or None
        The user's line that made the node.
    """

    node: str
    op: str
    kind: str
    what: str
    size: int
    elements: int
    directions: int
    moved: int
    unresolved: int
    error: float
    verdict: Verdict
    note: str = ""
    source: Source | None = None

    @classmethod
    def of(
        cls, v: Vertex, what: str, size: int, found: Comparison, moved: int = 0, note: str = ""
    ) -> "GradientRow":
        """Return the row of a node's gradient."""
        kinds = (type(v.op).__name__, v.op.kind)
        counts = (size, found.elements, found.directions, moved, found.unresolved)
        note = note or _note(found)
        return cls(v.name, *kinds, what, *counts, found.error, _verdict(found), note, v.source)

    @classmethod
    def of_whole(cls, size: int, found: Comparison, place: str) -> "GradientRow":
        """Return the row of a model's gradient by all its parameters; `place` is where."""
        counts = (size, found.elements, found.directions, 0, found.unresolved)
        note = f"{place} {_numbers(found)}" if found.wrong else ""
        return cls("", "", "", "grad_params", *counts, found.error, _verdict(found), note)

    @property
    def label(self) -> str:
        """The node with the user's line; of the whole model, what it is."""
        return located(self.node, self.source) if self.node else "the whole model"

    @property
    def cells(self) -> list[str]:
        """The row as the cells of a table."""
        counts = (self.size, self.elements, self.directions, self.unresolved, self.moved)
        name = self.node or "(whole model)"
        error = "-" if self.verdict == "unchecked" else f"{self.error:.1e}"
        return [name, self.op, self.what, *map(str, counts), error, self.verdict]


@dataclass(frozen=True)
class GradCheck:
    """What `gradcheck` found; its `str` is a table.

    Attributes
    ----------
    rows : tuple of GradientRow
        A row for each gradient of each node, in execution order.
    whole : GradientRow
        The gradient of the cost by all parameters together.
    tolerance : float
        The largest relative error of a gradient that is right.
    """

    rows: tuple[GradientRow, ...]
    whole: GradientRow
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether no gradient is wrong, neither a node's nor that of the whole."""
        return all(row.verdict != "wrong" for row in (*self.rows, self.whole))

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each node: ``"wrong"`` if one of its gradients is, ``"ok"`` if some were
        checked and are right, ``"unchecked"`` if none was."""
        found: dict[str, list[Verdict]] = {}
        for row in self.rows:
            found.setdefault(row.node, []).append(row.verdict)
        order: tuple[Verdict, ...] = ("wrong", "ok", "unchecked")
        return {node: min(verdicts, key=order.index) for node, verdicts in found.items()}

    @property
    def failed(self) -> list[str]:
        """The names of the nodes whose own backward is wrong, in execution order."""
        return [node for node, verdict in self.verdicts.items() if verdict == "wrong"]

    @property
    def summary(self) -> str:
        """The result in words, a line for each gradient that is wrong or was not checked."""
        noted = [row for row in (*self.rows, self.whole) if row.verdict != "ok"]
        lines = [
            line
            for (line,) in shortened(
                [" ".join((f"{row.verdict}:", row.label, row.op, row.what, row.note))]
                for row in noted
            )
        ]
        if self.ok:
            lines.append(f"no gradient is off by more than {self.tolerance:g} of its size")
        elif not self.failed:
            lines.append(
                "each node is right by itself; is there an op that does not declare all that its "
                "backward reads? dagnet.testing.check_op finds out"
            )
        return printable("\n".join(" ".join(line.split()) for line in lines), keep="\n")

    def __str__(self) -> str:
        return f"{text_table(_HEADER, self._cells, _LEFT)}\n\n{self.summary}"

    def _repr_html_(self) -> str:
        table = html_table(_HEADER, self._cells, _LEFT)
        return f"{table}<pre>{escape(self.summary)}</pre>"

    @property
    def _cells(self) -> list[list[str]]:
        return [row.cells for row in (*self.rows, self.whole)]


def _verdict(found: Comparison) -> Verdict:
    if found.wrong:
        return "wrong"
    return "ok" if found.elements or found.directions else "unchecked"


def _note(found: Comparison) -> str:
    """Return which element is wrong, and how."""
    if found.wrong and found.index is not None:
        return f"{list(found.index)} {_numbers(found)}" if found.index else _numbers(found)
    return "" if found.elements or found.directions else "differences tell nothing here"


def _numbers(found: Comparison) -> str:
    return f"is {found.given:.6g}, expected {found.expected:.6g}"
