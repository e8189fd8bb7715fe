"""Comparing the values of two runs, in the order in which they came about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from dagnet.debug.diff.align import Alignment
from dagnet.debug.diff.measure import Measure, measure
from dagnet.errors import NotKeptError
from dagnet.graph import Graph
from dagnet.node import Source
from dagnet.passes import needs_gradient

Arrays = Mapping[str, np.ndarray]


class Run(Protocol):
    """The values of one run: what `Cache` is, a copy of it, or a record of an earlier run."""

    @property
    def graph(self) -> Graph:
        """The graph whose nodes it has."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the arrays of a node, as attributes of the names that `cache.Record` has."""


@dataclass(frozen=True, kw_only=True)
class ValueDiff(Measure):
    """How far one value of a node is from the same value of its counterpart.

    Attributes
    ----------
    node, other : str
        The node's names in the two graphs.
    value : str
        Which of its values: ``"output"``, ``"grad_output"``, ``"grad_params.W"``, ``"params.W"``.
    phase : {"forward", "backward"} or None
        When it came about; None for what a model owns.
    sources : tuple of (Source or None)
        The lines that made the two nodes.
    """

    node: str
    other: str
    value: str
    phase: Literal["forward", "backward"] | None
    sources: tuple[Source | None, Source | None]


@dataclass(frozen=True)
class Missing:
    """A value that was not compared, since at least one side does not have it."""

    node: str
    other: str
    value: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """The differences of the values of two sides, and what could not be compared."""

    values: tuple[ValueDiff, ...]
    missing: tuple[Missing, ...]


Read = Callable[[Any], Arrays]


class Comparer:
    """Compares the values of corresponding nodes.

    Parameters
    ----------
    alignment : Alignment
    a, b : mapping
        By node, objects with the attributes of `cache.Record` that are to be compared.
    rtol, atol : float
    """

    def __init__(self, alignment: Alignment, a: Any, b: Any, rtol: float, atol: float):
        self._alignment = alignment
        self._sides = (a, b)
        self._tolerance = (rtol, atol)
        self._values: list[ValueDiff] = []
        self._missing: list[Missing] = []

    def owned(self) -> Comparison:
        """Compare parameters and states, shared ones once."""
        for name in self._owners():
            for attribute in ("params", "state"):
                self._compare(name, attribute, None, self._of_its_own(name, attribute))
        return self._done()

    def run(self) -> Comparison:
        """Compare outputs in execution order, then gradients in that of the backward pass."""
        for name in self._alignment.image:
            self._compare(name, "output", "forward", lambda record: {"": record.output})
        owners = set(self._owners())
        flowing = self._flowing()
        for name in reversed(list(self._alignment.image)):
            if name in flowing:
                self._compare(name, "grad_output", "backward", lambda r: {"": r.grad_output})
                if name in owners:
                    read = self._of_its_own(name, "grad_params")
                    self._compare(name, "grad_params", "backward", read)
                self._compare(name, "grad_inputs", "backward", _grad_inputs)
        return self._done()

    def _done(self) -> Comparison:
        done = Comparison(tuple(self._values), tuple(self._missing))
        self._values, self._missing = [], []
        return done

    def _owners(self) -> list[str]:
        """Return the first node of each set of parameters, in execution order."""
        vertices = self._alignment.a.vertices
        first: dict[str, str] = {}
        for name in self._alignment.image:
            first.setdefault(vertices[name].owner, name)
        return list(first.values())

    def _of_its_own(self, name: str, attribute: str) -> Read:
        """Return how to read named arrays without those that a node only borrows."""
        vertices = self._alignment.a.vertices, self._alignment.b.vertices
        pair = name, self._alignment.image[name]
        borrowed = {
            ".".join(key) for side, n in zip(vertices, pair, strict=True) for key in side[n].borrows
        }
        return lambda record: {
            key: array for key, array in getattr(record, attribute).items() if key not in borrowed
        }

    def _flowing(self) -> set[str]:
        """Return the nodes to which the cost's gradient flows on both sides."""
        a, b = self._alignment.a, self._alignment.b
        in_a, in_b = (needs_gradient(graph, list(graph)) for graph in (a, b))
        return {n for n, other in self._alignment.image.items() if n in in_a and other in in_b}

    def _compare(
        self, name: str, attribute: str, phase: Literal["forward", "backward"] | None, read: Read
    ) -> None:
        other = self._alignment.image[name]
        try:
            here, there = (
                read(side[n]) for side, n in zip(self._sides, (name, other), strict=True)
            )
        except NotKeptError as error:
            self._missing.append(Missing(name, other, attribute, str(error)))
            return
        sources = (self._alignment.a[name].source, self._alignment.b[other].source)
        for key in here:
            if key in there:
                of = measure(np.asarray(here[key]), np.asarray(there[key]), *self._tolerance)
                self._values.append(
                    ValueDiff(
                        **vars(of),
                        node=name,
                        other=other,
                        value=f"{attribute}.{key}" if key else attribute,
                        phase=phase,
                        sources=sources,
                    )
                )


def _grad_inputs(record: Any) -> Arrays:
    return {str(i): array for i, array in enumerate(record.grad_inputs) if array is not None}
