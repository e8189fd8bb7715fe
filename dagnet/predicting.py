"""Predicting: the outputs and the losses of a model on checked feeds, whole or block by block."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import numpy as np

from dagnet.feeds import CheckedFeeds
from dagnet.graph import Graph
from dagnet.node import Shape, is_scaled, resolve
from dagnet.runners import Runners

#: The examples of a block, its feeds, every loss and every output by name.
Block = tuple[slice, CheckedFeeds, dict[str, float], dict[str, np.ndarray]]


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

    def outputs(self, feeds: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the outputs for feeds of the inputs that they depend on."""
        with self._lock:
            binding = self._runners.predicting.forward(feeds)
            outputs = {name: binding.frames[name].output.copy() for name in self._shapes}
            binding.release()
        return outputs

    def outputs_in_blocks(self, feeds: Mapping[str, Any], m: int) -> dict[str, np.ndarray]:
        """Do what `outputs` does on feeds some of which are streams."""
        with self._lock:
            outputs = {n: np.empty(resolve(s, m), self._dtype) for n, s in self._shapes.items()}
            for which, _, binding in self._runners.predicting.forward_in_blocks(feeds, m):
                for name, shape in self._shapes.items():
                    place = (..., which) if is_scaled(shape) else ...
                    outputs[name][place] = binding.frames[name].output
        return outputs

    def assess(self, feeds: Mapping[str, Any]) -> tuple[float, dict[str, np.ndarray]]:
        """Return the cost J and the outputs for feeds of all inputs."""
        with self._lock:
            binding = self._runners.evaluating.forward(feeds)
            outputs = {name: binding.frames[name].output.copy() for name in self._shapes}
            J = binding.cost
            binding.release()
        return J, outputs

    def assess_in_blocks(self, feeds: Mapping[str, Any], m: int) -> Iterator[Block]:
        """Do what `assess` does on feeds some of which are streams; arrays last for one block."""
        with self._lock:
            for which, block, binding in self._runners.evaluating.forward_in_blocks(feeds, m):
                losses = {n: float(binding.frames[n].output[()]) for n in self._losses}
                outputs = {n: binding.frames[n].output for n in self._shapes}
                yield which, block, losses, outputs
