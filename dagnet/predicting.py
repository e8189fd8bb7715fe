"""Predicting: the outputs and the losses of a model on feeds, at once or block by block."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import numpy as np

from dagnet.feeds import CheckedFeeds
from dagnet.graph import Graph
from dagnet.node import Shape, is_scaled, resolve
from dagnet.runners import Runners

#: By name.
Losses = dict[str, float]
Arrays = dict[str, np.ndarray]

#: Which examples are in a block; its feeds, which last until the next; its losses and outputs.
Block = tuple[slice, CheckedFeeds, Losses, Arrays]


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
        self._losses = graph.losses
        #: Of the outputs.
        self._shapes = {name: shapes[name] for name in graph.outputs}
        self._dtype = dtype
        self._runners = runners
        self._lock = Lock()

    def outputs(self, feeds: Mapping[str, Any]) -> Arrays:
        """Return the outputs for feeds of the inputs that they depend on."""
        with self._lock:
            binding = self._runners.predicting.forward(feeds)
            outputs = {name: binding.frames[name].output.copy() for name in self._shapes}
            binding.release()
        return outputs

    def outputs_in_blocks(self, feeds: Mapping[str, Any], m: int) -> Arrays:
        """Do what `outputs` does on feeds some of which are streams."""
        whole = {n: np.empty(resolve(s, m), self._dtype) for n, s in self._shapes.items()}
        for which, block in self._runners.predicting.blocks(feeds, m):
            for name, part in self.outputs(block).items():
                whole[name][(..., which) if is_scaled(self._shapes[name]) else ...] = part
        return whole

    def assess(self, feeds: Mapping[str, Any]) -> tuple[Losses, Arrays]:
        """Return the losses and the outputs for feeds of all inputs."""
        with self._lock:
            binding = self._runners.evaluating.forward(feeds)
            losses = {name: float(binding.frames[name].output) for name in self._losses}
            outputs = {name: binding.frames[name].output.copy() for name in self._shapes}
            binding.release()
        return losses, outputs

    def assess_in_blocks(self, feeds: Mapping[str, Any], m: int) -> Iterator[Block]:
        """Do what `assess` does on feeds some of which are streams, a block at a time."""
        for which, block in self._runners.evaluating.blocks(feeds, m):
            yield which, block, *self.assess(block)
