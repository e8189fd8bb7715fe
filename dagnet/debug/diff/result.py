"""What `diff` returns."""

from dataclasses import dataclass

from dagnet.debug.diff.align import Alignment
from dagnet.debug.diff.changes import Change
from dagnet.debug.diff.compare import Missing, ValueDiff


@dataclass(frozen=True)
class Spread:
    """How far a node's values are apart: the relative difference, forward and backward.

    Attributes
    ----------
    node, other : str
        Its names in the two graphs.
    forward, backward : float or None
        Of the output and of its gradient, as `Measure.relative` is; None if not compared.
    """

    node: str
    other: str
    forward: float | None
    backward: float | None


@dataclass(frozen=True)
class Diff:
    """The differences of two models or runs; printing it shows a report.

    Attributes
    ----------
    alignment : Alignment
        Which nodes correspond: ``alignment.image``.
    changed : tuple of Change
        Corresponding nodes with different definitions, in execution order.
    parameters : tuple of ValueDiff
        All parameters and states that were compared, different or not.
    values : tuple of ValueDiff
        All values of the runs that were compared, in the order in which they came about.
    missing : tuple of Missing
        Values that could not be compared, and why.
    names : tuple of two str
        What the two sides are called in the report.
    """

    alignment: Alignment
    changed: tuple[Change, ...]
    parameters: tuple[ValueDiff, ...]
    values: tuple[ValueDiff, ...] = ()
    missing: tuple[Missing, ...] = ()
    names: tuple[str, str] = ("a", "b")

    @property
    def added(self) -> tuple[str, ...]:
        """Nodes that only the second graph has."""
        return self.alignment.added

    @property
    def removed(self) -> tuple[str, ...]:
        """Nodes that only the first graph has."""
        return self.alignment.removed

    @property
    def renamed(self) -> dict[str, str]:
        """Nodes that are called otherwise in the second graph: no difference by itself."""
        return self.alignment.renamed

    @property
    def first(self) -> ValueDiff | None:
        """The first value of the runs that differs, in execution order; None if none does."""
        return next((value for value in self.values if not value.same), None)

    @property
    def same(self) -> bool:
        """Whether nothing that was compared differs; names, lines and dtypes do not count."""
        structure = self.added or self.removed or self.changed
        return not structure and all(of.same for of in (*self.parameters, *self.values))

    @property
    def dtypes(self) -> tuple[str, str] | None:
        """The two dtypes, where they differ; None if they are the same."""
        compared = (*self.parameters, *self.values)
        return next((of.dtypes for of in compared if of.dtypes[0] != of.dtypes[1]), None)

    @property
    def spread(self) -> tuple[Spread, ...]:
        """For every pair of nodes in execution order, how far their values are apart."""
        relative = {(of.node, of.value): of.relative for of in self.values}
        return tuple(
            Spread(name, other, relative.get((name, "output")), relative.get((name, "grad_output")))
            for name, other in self.alignment.image.items()
        )

    def __repr__(self) -> str:
        if self.same:
            return f"<Diff: the same in {len(self.parameters) + len(self.values)} values>"
        first = f", first {self.first.node}.{self.first.value}" if self.first else ""
        return (
            f"<Diff: {len(self.added)} nodes added, {len(self.removed)} removed, "
            f"{len(self.changed)} changed; {_different(self.parameters)} parameters and "
            f"{_different(self.values)} values differ{first}>"
        )

    def __str__(self) -> str:
        from dagnet.debug.diff.report import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from dagnet.debug.diff.report import as_html

        return as_html(self)


def _different(values: tuple[ValueDiff, ...]) -> int:
    return sum(not of.same for of in values)
