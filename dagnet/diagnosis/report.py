"""The report of a diagnosis: what was found, to read in a program, a terminal or a notebook."""

from dataclasses import dataclass
from html import escape

from dagnet.diagnosis.evidence import Evidence
from dagnet.diagnosis.places import Places
from dagnet.node import Source, located
from dagnet.statistics_table import StatisticsTable
from dagnet.text import printable

#: What is said of a parameter: the run that made it bad is over.
_BEFORE = "it was so when this run began; if an update did it, the watch 'nan' in fit tells which"


@dataclass(frozen=True)
class Diagnosis:
    """The first bad value of a run, in the order of execution, and what made it.

    Attributes
    ----------
    node, kind, op : str
        The node, its kind such as ``"activation"``, and the class of its op.
    phase : {"feed", "parameters", "forward", "backward", "update"}
        What brought the value: the user's data, the parameters, a step of the run, or the update.
    source : Source or None
        The user's file and line that made the node.
    value : str
        Which value of the node is bad: ``"output"``, ``"params.W"``, ``"grad_inputs.0"``; empty
        if an op failed on values that are not.
    places : Places or None
        How many of its elements are bad, and where.
    message : str
        A sentence that says what happened.
    evidence : tuple of Evidence
        The numbers that made the first bad element.
    table : StatisticsTable
        The statistics of the bad value, and below it of all that the step read.
    unseen : tuple of str
        Values earlier in the run that were not kept, and so could not be looked at.
    position : int or None
        How many of the run's steps were done when the value was there; None for an op that failed.
    """

    node: str
    kind: str
    op: str
    phase: str
    source: Source | None
    value: str
    places: Places | None
    message: str
    evidence: tuple[Evidence, ...]
    table: StatisticsTable
    unseen: tuple[str, ...] = ()
    position: int | None = None

    @property
    def line(self) -> str:
        """The text of the user's line; empty if the file cannot be read."""
        return self.source.text if self.source else ""

    def _parts(self) -> list[str]:
        """Return what stands above the table."""
        parts = [f"{located(self.node, self.source)}, {self.phase}: {self.message}"]
        if self.line:
            parts.append(f"    {self.line}")
        if self.places is not None and self.places.shape:
            parts.append(f"{self.value}: {self.places}")
        if self.phase == "parameters":
            parts.append(_BEFORE)
        if self.unseen:
            shown = ", ".join(self.unseen[:4]) + (", ..." if len(self.unseen) > 4 else "")
            parts.append(f"not kept, so not looked at: {shown}")
        return [printable(part) for part in parts]

    def __str__(self) -> str:
        return "\n".join([*self._parts(), "", str(self.table)])

    def _repr_html_(self) -> str:
        tags = (
            "pre" if part.startswith(" ") else "p" for part in self._parts()
        )  # code is indented
        above = "".join(f"<{t}>{escape(p)}</{t}>" for t, p in zip(tags, self._parts(), strict=True))
        return above + self.table._repr_html_()
