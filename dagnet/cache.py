"""The cache: every value of the last run, by node and by layer, to read and not to write."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from dagnet.errors import ArgumentError, NotKeptError, UnknownNameError
from dagnet.gradients import Gradients
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.layer import Layer
from dagnet.node import Node
from dagnet.ops.frame import Frame
from dagnet.record import GROUPS, Record, belongs
from dagnet.run import HOW_TO_KEEP, Run, read_only
from dagnet.statistics_table import StatisticsTable

#: What `Cache.statistics` shows unless asked for more.
DEFAULT_VALUES = ("output", "params", "grad_output", "grad_params")

#: Nodes that a notebook shows of a whole cache.
_NODES_SHOWN = 100


class Cache(Mapping[str, Record]):
    """Every node's arrays of the last run: ``cache["relu2"].output``.

    Parameters
    ----------
    graph : Graph
        The graph as the user defined it.
    run : Run or None
        None before the first run.
    """

    def __init__(self, graph: Graph, run: Run | None = None):
        self._graph = graph
        self._run = run

    def __getstate__(self) -> dict[str, Any]:
        # Of a run, what can be read is copied or pickled; how it goes on is tied to its arrays.
        return {"_graph": self._graph, "_run": None if self._run is None else self._run.copy()}

    @property
    def has_run(self) -> bool:
        return self._run is not None

    @property
    def graph(self) -> Graph:
        """The graph whose nodes the records are of."""
        return self._graph

    @property
    def run(self) -> Run:
        if self._run is None:
            raise NotKeptError("nothing has run yet: call model.forward(feeds) first")
        return self._run

    def __getitem__(self, key: str | Node) -> Record:
        return Record(self, self._graph[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph)

    def __len__(self) -> int:
        return len(self._graph)

    def __contains__(self, key: object) -> bool:
        return key in self._graph

    def __repr__(self) -> str:
        state = "empty" if self._run is None else f"m = {self._run.binding.m}"
        return f"<Cache of {len(self)} nodes, {state}>"

    def copy(self) -> "Cache":
        """Return what can be read now in arrays of its own, which no later run overwrites.

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> model = dn.mlp([3, 5, 1], seed=1)
        >>> J = model.forward({"X": np.ones((3, 7)), "Y": np.ones((1, 7))})
        >>> before = model.cache.copy()
        >>> J = model.forward({"X": np.zeros((3, 7)), "Y": np.ones((1, 7))})
        >>> float(before["X"].output.max()), float(model.cache["X"].output.max())
        (1.0, 0.0)
        """
        return Cache(self._graph, self.run.copy())

    def select(self, pattern: str | None = None, kind: str | None = None) -> list[Record]:
        """Return the records whose whole name matches a regular expression, or of one kind.

        Raises
        ------
        ArgumentError
            If the pattern is no regular expression.
        UnknownNameError
            If no node of the graph is of this kind.
        """
        kinds = dict.fromkeys(v.op.kind for v in self._graph.vertices.values())
        if kind is not None and kind not in kinds:
            raise UnknownNameError.of("kind of node", kind, kinds)
        try:
            matches = re.compile(".*" if pattern is None else pattern).fullmatch
        except re.error as error:
            raise ArgumentError(f"{pattern!r} is no regular expression: {error}") from None
        return [
            Record(self, v)
            for v in self._graph.vertices.values()
            if matches(v.name) and kind in (None, v.op.kind)
        ]

    def statistics(
        self,
        pattern: str | None = None,
        kind: str | None = None,
        values: Sequence[str] = DEFAULT_VALUES,
    ) -> StatisticsTable:
        """Return the statistics of the selected nodes' values: a list that prints as a table.

        Parameters
        ----------
        pattern, kind : str, optional
            Which nodes, as in `select`.
        values : sequence of str
            Which of their values, by the names of `Record.array`: ``"grad_params.W"``, or
            ``"grad_params"`` for all of a node's. What a node does not have is passed over; what
            cannot be read now is in ``.missing``.

        Raises
        ------
        UnknownNameError
            If none of the selected nodes has a value of this name.

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> model = dn.mlp([3, 5, 1], seed=1)
        >>> J = model.forward({"X": np.ones((3, 7)), "Y": np.ones((1, 7))})
        >>> [(of.node, of.value, of.shape) for of in model.cache.statistics(kind="linear")]
        [('linear1', 'output', (5, 7)), ('linear1', 'params.W', (5, 3)), ...]
        >>> [of.node for of in model.cache.statistics(values=["grad_output"]).missing]
        ['X', 'Y', 'linear1', 'relu1', 'linear2', 'sigmoid2', 'cost']
        """
        wanted = [values] if isinstance(values, str) else list(values)
        records = self.select(pattern, kind)
        named = [(record, name) for record in records for name in record.names]
        known = dict.fromkeys([*GROUPS, *(name for _, name in named)])
        for value in wanted:
            if value not in known:
                raise UnknownNameError.of("value", value, known)
        return StatisticsTable(
            record.measured(name) for record, name in named if belongs(name, wanted)
        )

    def _repr_html_(self) -> str:
        if self._run is None:
            return f"<p>{escape(repr(self))}: nothing has run yet</p>"
        some = list(self.values())[:_NODES_SHOWN]
        more = f", of which the first {len(some)}" if len(some) < len(self) else ""
        return StatisticsTable(
            (record.measured(name) for record in some for name in ("output", "grad_output")),
            f"{self!r}{more}",
        )._repr_html_()

    def layer(self, key: int | str) -> Layer:
        """Return a layer by its number, from 1, or by the name of its Linear node."""
        linears = [v for v in self._graph.vertices.values() if v.op.kind == "linear"]
        if isinstance(key, str):
            by_name = {v.name: v for v in linears}
            if key not in by_name:
                raise UnknownNameError.of("layer", key, by_name)
            linear = by_name[key]
        elif isinstance(key, bool) or not isinstance(key, int) or not 1 <= key <= len(linears):
            raise UnknownNameError(f"layers are numbered 1 to {len(linears)}, got {key!r}")
        else:
            linear = linears[key - 1]
        return self._layer_of(linear)

    def layers(self) -> Iterator[Layer]:
        """Yield all layers in order."""
        for v in self._graph.vertices.values():
            if v.op.kind == "linear":
                yield self._layer_of(v)

    def _layer_of(self, linear: Vertex) -> Layer:
        return Layer(Record(self, linear), Record(self, self._activation_after(linear)))

    def _activation_after(self, linear: Vertex) -> Vertex:
        """Follow the only reader of each value, through normalisation, to an activation."""
        v = linear
        while True:
            readers = [self._graph.vertices[n] for n, _ in self._graph.consumers[v.name]]
            if len(readers) != 1 or readers[0].op.kind not in ("activation", "normalization"):
                return linear
            v = readers[0]
            if v.op.kind == "activation":
                return v

    # Values.

    def frame(self, name: str) -> Frame | None:
        """Return the node's frame, or None if the run did not include the node."""
        return self.run.binding.frames.get(name)

    def saved_names(self, name: str) -> list[str]:
        """Return what a node's op saves for its backward, and what of its other work is there."""
        frame = self.frame(name)
        if frame is None:
            return []
        op = self.run.binding.plan.graph.vertices[name].op
        work = op.workspace(*(array.shape for array in frame.inputs))
        return [
            local
            for local, spec in work.items()
            if spec.life == "saved" or self.run.holds(("work", name, local))
        ]

    def output(self, name: str) -> np.ndarray:
        frame = self.frame(name)
        if frame is None:
            raise NotKeptError(f"{name}.output was not computed in this run; {HOW_TO_KEEP}")
        if not self._graph.vertices[name].is_input:
            self.run.require(("output", name), f"{name}.output")
        return read_only(frame.output)

    def named_params(
        self, name: str, arrays: Mapping[ParamKey, np.ndarray]
    ) -> dict[str, np.ndarray]:
        return {n: read_only(arrays[key]) for n, key in self.run.keys[name].items()}

    def grad_output(self, name: str) -> np.ndarray:
        self.run.require_gradient(name)
        return read_only(Gradients(self._graph, self.run).of_output(name))

    def grad_input(self, name: str, slot: int) -> np.ndarray | None:
        self.run.require_backward(name)
        part = Gradients(self._graph, self.run).of_input(name, slot)
        return None if part is None else read_only(part)
