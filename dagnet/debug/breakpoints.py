"""Breakpoints: where a debugged run stops, and under which condition."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from dagnet.cache import Cache, Record
from dagnet.debug.places import PHASES, Phase, stop_of
from dagnet.errors import ArgumentError, ArgumentTypeError, DebuggerError
from dagnet.graph import Graph
from dagnet.plan import Plan
from dagnet.run import Run
from dagnet.settings import check_choice

Predicate = Callable[[Record], object]


@dataclass
class Breakpoint:
    """A place in a run to stop at, once for every node it names.

    Attributes
    ----------
    number : int
    nodes : tuple of str
    phase : {"forward", "backward", "update"}
    when : callable or None
        Takes the node's cache record; the run stops where it returns something true.
    enabled : bool
        Whether it stops runs.
    hits : int
        How often it has stopped one.
    """

    number: int
    nodes: tuple[str, ...]
    phase: Phase
    when: Predicate | None = None
    enabled: bool = True
    hits: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        check_choice("phase", self.phase, PHASES)
        if self.when is not None and not callable(self.when):
            raise ArgumentTypeError(
                f"when must be a function of a node's cache record, got {self.when!r}"
            )

    def __str__(self) -> str:
        shown = ", ".join(self.nodes[:4]) + (", ..." if len(self.nodes) > 4 else "")
        condition = f" when {getattr(self.when, '__name__', self.when)}" if self.when else ""
        times = "once" if self.hits == 1 else f"{self.hits} times"
        state = "" if self.enabled else ", disabled"
        return f"breakpoint {self.number}: {shown} {self.phase}{condition}, hit {times}{state}"

    def stops(self, record: Record) -> bool:
        """Return whether it stops a run that has done its step of this node, and count it.

        Raises
        ------
        DebuggerError
            If the condition raises; the message names the breakpoint.
        """
        if not self.enabled:
            return False
        try:
            holds = self.when is None or bool(self.when(record))
        except Exception as error:
            raise DebuggerError(
                f"the condition of {self} raised {type(error).__name__} at {record.name}: {error}"
            ) from error
        self.hits += holds
        return holds


class Breakpoints(Sequence[Breakpoint]):
    """The breakpoints of a debugger, and where in a plan each stops."""

    def __init__(self) -> None:
        self._breakpoints: list[Breakpoint] = []
        self._plan: Plan | None = None
        self._table: dict[int, list[tuple[Breakpoint, str]]] = {}

    @overload
    def __getitem__(self, index: int) -> Breakpoint: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Breakpoint]: ...
    def __getitem__(self, index: int | slice) -> Breakpoint | Sequence[Breakpoint]:
        return self._breakpoints[index]

    def __len__(self) -> int:
        return len(self._breakpoints)

    def __iter__(self) -> Iterator[Breakpoint]:
        return iter(self._breakpoints)

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "no breakpoints"

    def add(self, nodes: tuple[str, ...], phase: Phase, when: Predicate | None) -> Breakpoint:
        """Make the breakpoint with the next number."""
        number = 1 + max((b.number for b in self), default=0)
        added = Breakpoint(number, nodes, phase, when)
        self._breakpoints.append(added)
        self._plan = None
        return added

    def numbered(self, number: int) -> Breakpoint:
        """Return the breakpoint of this number, or raise with the numbers there are."""
        for b in self:
            if b.number == number:
                return b
        listed = ", ".join(str(b.number) for b in self) or "none"
        raise ArgumentError(f"there is no breakpoint {number!r}; there are {listed}")

    def clear(self, number: int | None = None) -> None:
        """Remove the breakpoint of this number, or all."""
        doomed = list(self) if number is None else [self.numbered(number)]
        self._breakpoints = [b for b in self if b not in doomed]
        self._plan = None

    def hit(self, cache: Cache, position: int) -> tuple[tuple[Breakpoint, str], ...]:
        """Return the breakpoints that stop a run at a position, each with its node."""
        at = self.table(cache.run, cache.graph).get(position, ())
        return tuple((b, name) for b, name in at if b.stops(cache[name]))

    def table(self, run: Run, graph: Graph) -> dict[int, list[tuple[Breakpoint, str]]]:
        """Return the breakpoints, each with the node it is at, by positions of the run's plan."""
        plan = run.binding.plan
        if self._plan is not plan:
            self._table = {}
            for b in self:
                for name in b.nodes:
                    position = stop_of(plan, graph, run.fused, name, b.phase)
                    self._table.setdefault(position, []).append((b, name))
            self._plan = plan
        return self._table
