"""A run: how far a plan has been run, and what can be read of it."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from dagnet.binding import NOTHING_DONE, Binding
from dagnet.errors import NotKeptError
from dagnet.graph import ParamKey
from dagnet.memory import Arenas
from dagnet.ops.frame import Frame
from dagnet.plan import BufferKey, Plan

Key = TypeVar("Key")

HOW_TO_KEEP = (
    "run with keep='all': model.forward(feeds) does, train_step(..., keep='all') "
    "and fit(..., keep='all') do if asked"
)


@dataclass(frozen=True)
class Run:
    """A run over a plan, under way or done.

    Attributes
    ----------
    binding : Binding
        Its `position` tells how many steps are done.
    fused : mapping of str to str
        For each loss computed from logits, the activation it skipped.
    keys : mapping
        The parameters of every node of the user's graph, by the op's own names.
    params : mapping of ParamKey to ndarray
        The parameters the run used.
    grads : mapping of ParamKey to ndarray
    nbytes : int
        Bytes of the arrays that are the run's own: of a copy all of them, else none.
    """

    binding: Binding
    fused: Mapping[str, str]
    keys: Mapping[str, Mapping[str, ParamKey]]
    params: Mapping[ParamKey, np.ndarray]
    grads: Mapping[ParamKey, np.ndarray]
    nbytes: int = 0

    @property
    def ready_for_backward(self) -> bool:
        """Whether the forward pass is done and the backward pass not begun."""
        return self.binding.position == self.binding.plan.n_forward

    def holds(self, key: BufferKey) -> bool:
        """Return whether a buffer holds its value now."""
        buffer = self.binding.plan.buffers.get(key)
        return buffer is not None and buffer.birth < self.binding.position <= buffer.death

    def copy(self) -> "Run":
        """Return what can be read of the run now, in arrays of its own; it cannot go on."""
        live = self.binding
        copies = _Copies()
        for key in sorted(live.arrays, key=self.holds, reverse=True):  # dead ones may share theirs
            copies.take(live.arrays[key], readable=self.holds(key))
        binding = copy(live)
        binding.arenas, binding.fed = Arenas(), {}
        binding.forward, binding.backward = [], []
        binding.running, binding.collecting, binding.seeding = [], [], []
        binding.forward_calls, binding.backward_calls, binding.training_calls = [], [], []
        binding.arrays, binding.grads = copies.of(live.arrays), copies.of(live.grads)
        binding.work = {name: copies.of(work) for name, work in live.work.items()}
        binding.frames = {name: copies.frame(frame) for name, frame in live.frames.items()}
        params, grads = copies.of(self.params), copies.of(self.grads)
        return replace(self, binding=binding, params=params, grads=grads, nbytes=copies.nbytes)

    def require(self, key: BufferKey, what: str) -> np.ndarray:
        """Return a buffer's array, or raise if it does not hold its value now."""
        if self.holds(key):
            return self.binding.arrays[key]
        if self.binding.position == NOTHING_DONE:
            raise NotKeptError(f"{what} is gone: the run failed, or another one took its memory")
        buffer = self.binding.plan.buffers.get(key)
        if buffer is not None and buffer.birth >= self.binding.position:
            raise NotKeptError(f"{what} is not computed yet: this run has not come so far")
        raise NotKeptError(f"{what} was not kept; {HOW_TO_KEEP}")

    def require_gradient(self, name: str) -> None:
        """Raise unless the gradient of a node's output is whole: every reader has sent its part."""
        self._require_position(self._arrival(name), f"{name}.grad_output")

    def require_backward(self, name: str) -> None:
        """Raise unless the backward pass has come past the node."""
        plan = self.binding.plan
        own = plan.backward_positions.get(name)
        self._require_position(
            self._arrival(name) if own is None else own + 1, f"{name}.grad_inputs"
        )

    def _arrival(self, name: str) -> int:
        position = arrival(self.binding.plan, self.fused, name)
        return len(self.binding.plan.steps) if position is None else position

    def require_params_gradient(self, name: str) -> None:
        """Raise unless the gradients of a node's parameters are whole, over all their uses."""
        plan = self.binding.plan
        done = [plan.gradient_positions.get(key, -1) for key in self.keys[name].values()]
        first = plan.n_forward
        self._require_position(max([first, *done]) + 1, f"{name}.grad_params")

    def _require_position(self, position: int, what: str) -> None:
        plan = self.binding.plan
        if self.binding.position <= plan.n_forward:
            raise NotKeptError(
                f"{what}: the backward pass has not run on these values; call model.backward()"
            )
        if self.binding.position < position:
            raise NotKeptError(f"{what}: the backward pass has not come to this yet")


def arrival(plan: Plan, fused: Mapping[str, str], name: str) -> int | None:
    """Return how many steps are done when the gradient of a node's output is whole.

    A node without a backward step of its own is an input, comes before the first parameters, or is
    an activation that its loss skips: its gradient is whole when all that read it have gone
    backward. None if no gradient ever flows there.
    """
    if name in plan.backward_positions:
        return plan.backward_positions[name]
    arrived: list[int] = []
    seen, stack = {name}, [name]
    while stack:
        node = stack.pop()
        readers = [
            reader
            for reader, slot in plan.graph.consumers.get(node, ())  # it may be pruned
            if slot not in plan.graph.vertices[reader].op.constant_inputs
        ]
        for reader in (*readers, *(loss for loss, skipped in fused.items() if skipped == node)):
            if reader in plan.backward_positions:
                arrived.append(plan.backward_positions[reader] + 1)
            elif reader not in seen:
                seen.add(reader)
                stack.append(reader)
    return max(arrived, default=None)


class _Copies:
    """Copies of arrays: one of each, however often it occurs."""

    def __init__(self) -> None:
        self._copies: dict[int, np.ndarray] = {}
        self.nbytes = 0

    def take(self, array: np.ndarray, readable: bool = True) -> np.ndarray:
        """Return the copy of an array; of one that is not readable, only its shape."""
        if id(array) not in self._copies:
            nothing = np.broadcast_to(np.zeros((), array.dtype), array.shape)
            self._copies[id(array)] = array.copy() if readable else nothing
            self.nbytes += array.nbytes if readable else array.itemsize
        return self._copies[id(array)]

    def of(self, arrays: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
        return {key: self.take(array) for key, array in arrays.items()}

    def frame(self, live: Frame) -> Frame:
        """Return a frame of copies; what only a run needs is left out."""
        frame = Frame()
        frame.name, frame.source, frame.m = live.name, live.source, live.m
        frame.inputs = tuple(self.take(array) for array in live.inputs)
        for attribute in ("output", "grad_output"):
            if hasattr(live, attribute):
                setattr(frame, attribute, self.take(getattr(live, attribute)))
        frame.state, frame.work = self.of(live.state), self.of(live.work)
        return frame


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
