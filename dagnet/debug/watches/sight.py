"""A sight: one node just after its step, as the watches that look at it see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagnet.debug.places import Phase
from dagnet.debug.watches.facts import Change, Facts
from dagnet.debug.watches.memory import Memory
from dagnet.graph import ParamKey, Vertex
from dagnet.model import Model
from dagnet.ops.base import Op
from dagnet.plan import BufferKey
from dagnet.record import Record
from dagnet.run import Run


@dataclass(frozen=True)
class Place:
    """A node and a phase at a position of a plan, with the values that the step made.

    Attributes
    ----------
    node : str
    phase : {"forward", "backward", "update"}
    position : int
    vertex : Vertex
        As it runs: a loss may be computed from logits.
    made : mapping of str to (str, key)
        Names of the values that the step made, and where they are found.
    weights : mapping of str to ParamKey
        The node's weights by the op's own names; backward, those whose gradient is whole now, and
        at the update those that no node before it has.
    last_weights : (str, ParamKey) or None
        Of the weights whose gradients are whole before this place: the first, and their node.
    """

    node: str
    phase: Phase
    position: int
    vertex: Vertex
    made: dict[str, tuple[str, Any]]
    weights: dict[str, ParamKey]
    last_weights: tuple[str, ParamKey] | None


class Sight:
    """What a watch sees.

    Attributes
    ----------
    node : str
    phase : {"forward", "backward", "update"}
    iteration : int
        Number of the training step, from 1.
    position : int
    made : sequence of str
        Names of the values that the step has just made: forward ``"output"``; backward
        ``"grad_inputs.0"`` and ``"grad_params.W"``, where whole; at the update ``"params.W"``.
    weights : mapping
        The node's weights among the parameters, by the op's own names.
    model : Model
    run : Run

    Notes
    -----
    The gradient between a fused loss and its activation is in no array of the run. It is not
    among `made`; ``record.grad_output`` computes it.
    """

    def __init__(self, place: Place, model: Model, run: Run, iteration: int):
        self.node = place.node
        self.phase: Phase = place.phase
        self.position = place.position
        self.iteration = iteration
        self.made: Sequence[str] = tuple(place.made)
        self.weights = place.weights
        self.model = model
        self.run = run
        self._place = place
        self._facts: dict[str, Facts] = {}
        self._changes: dict[str, Change] = {}
        #: Of the watch that looks, and set for each.
        self.memory: Memory

    @property
    def op(self) -> Op:
        """The op that runs: a loss may be computed from logits."""
        return self._place.vertex.op

    @property
    def record(self) -> Record:
        """All arrays of the node, as ``model.cache[node]``."""
        return self.model.cache[self.node]

    def array(self, what: str = "output") -> np.ndarray:
        """Return one of the values that the step made. The run goes on in it: do not write."""
        group, key = self._place.made[what]
        if group == "output":
            return self.run.binding.frames[key].output
        if group == "buffer":
            buffer: BufferKey = key
            return self.run.binding.arrays[buffer]
        return self.run.grads[key] if group == "grad_param" else self.model.store.arrays[key]

    def facts(self, what: str = "output") -> Facts:
        """Return what is known of one of the values that the step made."""
        if what not in self._facts:
            self._facts[what] = Facts(self.array(what))
        return self._facts[what]

    def weight(self, name: str) -> np.ndarray:
        """Return a weight as the run used it."""
        return self.run.params[self.weights[name]]

    @property
    def last_weights(self) -> tuple[str, np.ndarray] | None:
        """The gradient of the last layer's weights, with its node; None where it is that itself."""
        if self._place.last_weights is None:
            return None
        name, key = self._place.last_weights
        return name, self.run.grads[key]

    def change(self, name: str) -> Change:
        """Return how the update changed a weight."""
        if name not in self._changes:
            self._changes[name] = Change(self.weight(name), self.facts(f"params.{name}"))
        return self._changes[name]

    # What the watch has seen before.

    def remember(self, value: Any) -> Any:
        """Keep something of this training step; return what was kept of the one before, or None."""
        return next(iter(self.remember_over(value, 1)), None)

    def remember_over(self, value: Any, steps: int) -> list[Any]:
        """Keep something; return what was kept of that many steps just before, the last first."""
        return self.memory.keep(self.iteration, value, steps)

    def first(self, value: Any) -> Any:
        """Return what was given here in the first training step that was watched."""
        return self.memory.first(self.iteration, value)
