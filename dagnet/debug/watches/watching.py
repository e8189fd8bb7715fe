"""Watching: the watches that are set on a debugger, and what they see at each of its steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from dagnet.cache import Cache
from dagnet.debug.alerts import Alert
from dagnet.debug.places import Nodes, Phase, matching
from dagnet.debug.watches.base import Finding, Watch
from dagnet.debug.watches.catalogue import watch_of
from dagnet.debug.watches.explain import explain
from dagnet.debug.watches.memory import Memory
from dagnet.debug.watches.places import places_of
from dagnet.debug.watches.sight import Place, Sight
from dagnet.errors import ArgumentError, DebuggerError
from dagnet.model import Model
from dagnet.plan import Plan
from dagnet.run import Run


@dataclass(eq=False)
class Watched:
    """A watch that is set on nodes.

    Attributes
    ----------
    number : int
    watch : Watch
    nodes : tuple of str
    stops : bool
        Whether its alerts stop the run.
    alerts : int
        How many there have been.
    """

    number: int
    watch: Watch
    nodes: tuple[str, ...]
    stops: bool
    alerts: int = 0
    _memories: dict[tuple[str, Phase], Memory] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _explained: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        shown = ", ".join(self.nodes[:4]) + (", ..." if len(self.nodes) > 4 else "")
        then = "stops" if self.stops else "notes"
        return f"<watch {self.number}: {self.watch} at {shown or 'no node'}, {then}>"

    def forget(self) -> None:
        """Forget what was seen before: another training begins."""
        self._memories.clear()
        self._told.clear()
        self._explained.clear()

    def begin_step(self) -> None:
        """A training step begins: every node may be told of again."""
        self._told.clear()

    def memory_of(self, place: Place) -> Memory:
        """Return what is remembered of a node in a phase."""
        return self._memories.setdefault((place.node, place.phase), Memory())

    def look(self, sight: Sight, memory: Memory) -> Alert | None:
        """Return the alert if there is something to tell of a node that is not told already."""
        sight.memory = memory
        try:
            finding = self.watch.look(sight)
        except Exception as error:
            raise DebuggerError(
                f"{self!r} raised {type(error).__name__} at {sight.node}: {error}"
            ) from error
        count = memory.streak(sight.iteration, finding is not None)
        if finding is None or count < self.watch.in_a_row or sight.node in self._told:
            return None
        self._told.add(sight.node)
        self.alerts += 1
        return self._alert(sight, finding)

    def _alert(self, sight: Sight, finding: Finding) -> Alert:
        diagnosis = None
        if self.stops or sight.node not in self._explained:
            self._explained.add(sight.node)
            diagnosis = explain(self.watch, sight, finding)
        k = self.watch.in_a_row
        return Alert(
            self.watch.name,
            sight.node,
            sight.phase,
            sight.iteration,
            sight.position,
            finding.message + (f", in each of the last {k} steps" if k > 1 else ""),
            finding.value,
            finding.threshold,
            finding.what,
            finding.units,
            self.watch.remedy,
            diagnosis,
        )


class Watching(Sequence[Watched]):
    """The watches of a debugger, and where in a plan each looks.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model):
        self._model = model
        self._watched: list[Watched] = []
        self._plan: Plan | None = None
        self._table: dict[int, list[tuple[Place, list[tuple[Watched, Memory]]]]] = {}
        self._iteration = 0

    @overload
    def __getitem__(self, index: int) -> Watched: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Watched]: ...
    def __getitem__(self, index: int | slice) -> Watched | Sequence[Watched]:
        return self._watched[index]

    def __len__(self) -> int:
        return len(self._watched)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "no watches"

    def add(self, given: Any, nodes: Nodes | None, kind: str | None, stop: bool) -> Watched:
        """Set a watch; see `Debugger.watch`."""
        watch = watch_of(given)
        vertices = self._model.graph.vertices
        names = tuple(vertices) if nodes is None else matching(self._model.graph, nodes)
        if kind is not None:
            of_kind = {record.name for record in Cache(self._model.graph).select(kind=kind)}
            names = tuple(name for name in names if name in of_kind)
        fitting = tuple(n for n in names if watch.applies(vertices[n], self._model))
        if not fitting and (nodes is not None or kind is not None):
            listed = ", ".join(names[:4]) or "no node"
            raise ArgumentError(f"the watch {watch.name!r} has nothing to look at in {listed}")
        number = 1 + max((w.number for w in self), default=0)
        added = Watched(number, watch, fitting, bool(stop))
        self._watched.append(added)
        self._plan = None
        return added

    def remove(self, which: Any = None) -> None:
        """Remove a watch by what `add` returned, its number or its name; all if None."""
        doomed = [
            w
            for w in self
            if which is None or w is which or which in (w.number, w.watch.name, w.watch)
        ]
        if not doomed and which is not None:
            listed = ", ".join(f"{w.number} ({w.watch.name})" for w in self) or "none"
            raise ArgumentError(f"there is no watch {which!r}; there are {listed}")
        self._watched = [w for w in self if w not in doomed]
        self._plan = None

    def forget(self) -> None:
        """Forget what was seen before: another training begins."""
        self._iteration = 0
        self._plan = None
        for watched in self:
            watched.forget()

    def look(self, run: Run, position: int, iteration: int) -> list[tuple[Alert, bool]]:
        """Look at what is new at a position; return the alerts, each with whether it stops.

        What was fed is looked at once at the first position of a training step.
        """
        if self._plan is not run.binding.plan:
            self._arrange(run.binding.plan)
        places = self._table.get(position, [])
        if self._iteration != iteration:
            self._iteration = iteration
            for watched in self:
                watched.begin_step()
            if position:
                places = self._table.get(0, []) + places
        alerts = []
        with np.errstate(all="ignore"):
            for place, looking in places:
                sight = Sight(place, self._model, run, iteration)
                for watched, memory in looking:
                    alert = watched.look(sight, memory)
                    if alert is not None:
                        alerts.append((alert, watched.stops))
        return alerts

    def _arrange(self, plan: Plan) -> None:
        """Note for every position who looks at which places there."""
        self._table = {}
        for place in places_of(plan, self._model):
            looking = [
                (w, w.memory_of(place))
                for w in self
                if place.phase in w.watch.phases and place.node in w.nodes
            ]
            if looking:
                self._table.setdefault(place.position, []).append((place, looking))
        self._plan = plan
