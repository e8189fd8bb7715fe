"""Predicting: the outputs and the losses of a model on feeds, at once or block by block."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import numpy as np

from dagnet.feeds import CheckedFeeds
from dagnet.graph import Graph
from dagnet.node import Shape, is_scaled, resolve
from dagnet.runners import Runner, Runners
from dagnet.totals import Totals

Arrays = dict[str, np.ndarray]

#: Which examples are in a block; its feeds, which last until the next; the totals up to it; its
#: outputs.
Block = tuple[slice, CheckedFeeds, Totals, Arrays]


class Predictor:
    """Runs a model in prediction mode.

    Several threads may ask for predictions, and wait for each other: there is one memory for them.

    Parameters
    ----------
    graph : Graph
        As the user defined it.
    shapes : mapping of str to tuple
        Of every node's output.
    dtype : str
    runners : Runners
    """

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape], dtype: str, runners: Runners):
        self._shapes = shapes
        self._outputs = graph.outputs
        self._dtype = dtype
        self._runners = runners
        self._lock = Lock()

    def outputs(self, feeds: Mapping[str, Any]) -> Arrays:
        """Return the outputs for feeds of the inputs that they depend on."""
        with self._lock:
            binding = self._runners.predicting.forward(feeds)
            outputs = {name: binding.frames[name].output.copy() for name in self._outputs}
            binding.release()
        return outputs

    def outputs_in_blocks(self, feeds: Mapping[str, Any], m: int) -> Arrays:
        """Do what `outputs` does on feeds some of which are streams."""
        shapes = {name: self._shapes[name] for name in self._outputs}
        whole = {name: np.empty(resolve(shape, m), self._dtype) for name, shape in shapes.items()}
        blocks = self._blocks(self._runners.predicting, feeds, m)
        for which, _, totals, outputs in blocks:  # noqa: B007 - the last totals are those of all
            for name, part in outputs.items():
                whole[name][(..., which) if is_scaled(shapes[name]) else ...] = part
        for name, value in totals.values().items():
            if name in whole:
                whole[name][()] = value
        return whole

    def assess(self, feeds: Mapping[str, Any]) -> tuple[float, Arrays]:
        """Return the cost J and the outputs for feeds of all inputs."""
        with self._lock:
            binding = self._runners.evaluating.forward(feeds)
            outputs = {name: binding.frames[name].output.copy() for name in self._outputs}
            J = binding.cost
            binding.release()
        return J, outputs

    def assess_in_blocks(self, feeds: Mapping[str, Any], m: int) -> Iterator[Block]:
        """Do what `assess` does on feeds some of which are streams, a block at a time."""
        return self._blocks(self._runners.evaluating, feeds, m)

    def _blocks(self, runner: Runner, feeds: Mapping[str, Any], m: int) -> Iterator[Block]:
        totals = Totals(runner.scheduler.plan.graph, self._shapes, m)
        for which, block in runner.blocks(feeds, m):
            with self._lock:  # not while the block is looked at: the model may be asked for more
                binding = runner.forward(block)
                totals.add(binding)
                outputs = {name: binding.frames[name].output.copy() for name in self._outputs}
                binding.release()
            yield which, block, totals, outputs
