"""The cache: every value of the last run, by node and by layer, to read and not to write."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from dagnet.errors import ArgumentError, NotKeptError, UnknownNameError
from dagnet.gradients import Gradients
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.layer import Layer
from dagnet.node import Node, Source
from dagnet.ops.frame import Frame
from dagnet.run import HOW_TO_KEEP, Run, read_only


class Record:
    """The arrays of one node in the last run, as read-only views.

    Attributes
    ----------
    name, kind : str
    source : Source or None
    inputs : tuple of ndarray
    output : ndarray
    params, state, saved : dict of ndarray
        Parameters, untrained state, and what the op kept for its backward, such as a mask.
    grad_output : ndarray
        Gradient of the cost J with respect to the output.
    grad_inputs : tuple of (ndarray or None)
        What this node contributes to the gradient of each of its inputs; None for labels.
    grad_params : dict of ndarray
        Gradient of J with respect to the parameters, summed over all uses of a shared one.

    Notes
    -----
    The arrays are views: the next run overwrites them. Copy what you want to keep.
    """

    def __init__(self, cache: "Cache", vertex: Vertex):
        self._cache = cache
        self._vertex = vertex
        self.name = vertex.name
        self.kind = vertex.op.kind
        self.op = vertex.op
        self.source: Source | None = vertex.source

    def __repr__(self) -> str:
        return f"<Record of {self._vertex.label}: {self.kind}>"

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        return tuple(self._cache.output(name) for name in self._vertex.inputs)

    @property
    def output(self) -> np.ndarray:
        return self._cache.output(self.name)

    @property
    def params(self) -> dict[str, np.ndarray]:
        return self._cache.named_params(self.name, self._cache.run.params)

    @property
    def state(self) -> dict[str, np.ndarray]:
        frame = self._cache.frame(self.name)
        return {name: read_only(array) for name, array in frame.state.items()} if frame else {}

    @property
    def saved(self) -> dict[str, np.ndarray]:
        frame = self._cache.frame(self.name)
        return {
            name: read_only(array)
            for name, array in (frame.work.items() if frame else ())
            if self._cache.run.holds(("work", self.name, name))
        }

    @property
    def grad_output(self) -> np.ndarray:
        return self._cache.grad_output(self.name)

    @property
    def grad_inputs(self) -> tuple[np.ndarray | None, ...]:
        return self._cache.grad_inputs(self.name)

    @property
    def grad_params(self) -> dict[str, np.ndarray]:
        self._cache.run.require_params_gradient(self.name)
        return self._cache.named_params(self.name, self._cache.run.grads)


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

    def grad_inputs(self, name: str) -> tuple[np.ndarray | None, ...]:
        self.run.require_backward(name)
        gradients = Gradients(self._graph, self.run)
        slots = range(len(self._graph.vertices[name].inputs))
        parts = (gradients.of_input(name, slot) for slot in slots)
        return tuple(None if part is None else read_only(part) for part in parts)
