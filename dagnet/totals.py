"""Totals: what the scalars of a run in blocks of examples are for all examples."""

from collections.abc import Mapping

import numpy as np

from dagnet.binding import Binding
from dagnet.graph import Graph
from dagnet.node import Shape
from dagnet.ops import L2
from dagnet.ops.frame import Frame
from dagnet.passes import measured_scalars


class Totals:
    """Gathers scalars from block to block.

    Those of the examples are means over them, so over the blocks; the others are computed of these.

    Parameters
    ----------
    graph : Graph
        What runs, and keeps its `measured_scalars`.
    shapes : mapping of str to tuple
        Of its nodes.
    m : int
        Number of examples of all blocks.
    """

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape], m: int):
        self._graph = graph
        self._means = dict.fromkeys(measured_scalars(graph, shapes), 0.0)
        self._m = m

    def add(self, binding: Binding) -> None:
        """Take the scalars of a block that has run."""
        vertices, share = self._graph.vertices, binding.m / self._m
        for name, before in self._means.items():
            part = share * float(binding.frames[name].output)
            # A penalty is on the weights: divided by the examples of a block, its share is all.
            self._means[name] = part if isinstance(vertices[name].op, L2) else before + part
        self._last = binding

    @np.errstate(all="ignore")
    def values(self) -> dict[str, float]:
        """Return all scalars by name."""
        frames, found = self._last.frames, dict(self._means)
        for v in self._graph.vertices.values():
            if v.inputs and v.name not in found and all(n in found for n in v.inputs):
                done = frames[v.name]
                again = Frame.allocate(
                    v.op,
                    *(np.array(found[n], done.output.dtype) for n in v.inputs),
                    params=done.params,
                    m=self._m,
                )
                again.state = done.state
                v.op.forward(again)
                found[v.name] = float(again.output)
        return found

    def cost(self) -> float:
        """Return the cost J."""
        found = self.values()
        return sum(found[name] for name in self._graph.losses)
