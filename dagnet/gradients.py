"""The gradients of a run as the user's graph has them, worked out where the run had no need to.

Two kinds of gradient are not in any buffer: what flows between a loss and the activation it was
fused with, and what would flow into an input. Both are computed here when they are read, by the
ops' own formulas from what was kept, so that a run pays nothing for them.
"""

from collections.abc import Callable

import numpy as np

from dagnet.errors import NotKeptError
from dagnet.graph import Graph
from dagnet.ops.frame import Frame
from dagnet.plan import Target
from dagnet.run import HOW_TO_KEEP, Run


class Gradients:
    """Reads the gradients of one run; ``J`` is the cost.

    Parameters
    ----------
    graph : Graph
        The graph as the user defined it; the run's own may be fused.
    run : Run
        With its backward pass done.
    """

    def __init__(self, graph: Graph, run: Run):
        self._graph = graph
        self._run = run
        self._plan = run.binding.plan

    def of_output(self, name: str) -> np.ndarray:
        """Return dJ/d(output) of a node."""
        gradient = self._known(name)
        if gradient is None:
            gradient = self._worked_out(name)
        if gradient is None:
            raise NotKeptError(f"{name}.grad_output: no gradient flows to this node")
        return gradient

    def of_input(self, name: str, slot: int) -> np.ndarray | None:
        """Return what a node contributes to the gradient of one input; None if nothing."""
        v = self._graph.vertices[name]
        if slot in v.op.constant_inputs:
            return None
        if name in self._run.fused and slot == 0:
            return self._past_activation(name)
        parts = [self._part(loss, 0) for loss in self._fused_with(name)]
        if self._target(name, slot) is not None:
            parts.insert(0, self._part(name, slot))
        elif ("grad", name) in self._plan.buffers:
            parts.insert(0, self._computed(name, slot, self._buffered(name)))
        elif not parts:
            arriving = self._worked_out(name)
            if arriving is not None:
                parts = [self._computed(name, slot, arriving)]
        return _sum(parts) if parts else None

    def _known(self, name: str) -> np.ndarray | None:
        """Return a gradient that the run computed, with what fusion led past the node."""
        parts = [self._past_activation(loss) for loss in self._fused_with(name)]
        if ("grad", name) in self._plan.buffers:
            parts.insert(0, self._buffered(name))
        return _sum(parts) if parts else None

    def _worked_out(self, name: str) -> np.ndarray | None:
        """Return a gradient that the run had no need of: the sum of what the readers send back.

        The readers' own may be unknown in turn, so the nodes between are done in reverse order.
        """
        between = self._unknown_from(name)
        arriving: dict[str, np.ndarray] = {}
        for node in reversed([n for n in self._graph.vertices if n in between]):
            parts = []
            for reader, slot in self._graph.consumers[node]:
                if reader in arriving:
                    v = self._graph.vertices[reader]
                    if slot not in v.op.constant_inputs:
                        parts.append(self._computed(reader, slot, arriving[reader]))
                elif reader not in between:
                    part = self.of_input(reader, slot)
                    if part is not None:
                        parts.append(part)
            if parts:
                arriving[node] = _sum(parts)
        return arriving.get(name)

    def _unknown_from(self, name: str) -> set[str]:
        """Return the node and those after it, up to where the run has gradients."""
        unknown: set[str] = set()
        stack = [name]
        while stack:
            node = stack.pop()
            if node in unknown or (node != name and self._has(node)):
                continue
            unknown.add(node)
            stack.extend(reader for reader, _ in self._graph.consumers[node])
        return unknown

    def _has(self, name: str) -> bool:
        return ("grad", name) in self._plan.buffers or bool(self._fused_with(name))

    def _buffered(self, name: str) -> np.ndarray:
        return self._run.require(("grad", name), f"{name}.grad_output")

    def _fused_with(self, activation: str) -> list[str]:
        return [loss for loss, skipped in self._run.fused.items() if skipped == activation]

    def _target(self, name: str, slot: int) -> Target | None:
        step = self._plan.backward_steps.get(name)
        return step.targets[slot] if step else None

    def _part(self, name: str, slot: int) -> np.ndarray:
        target = self._target(name, slot)
        assert target is not None  # the caller looked
        if target.first and target.total is None:
            raise NotKeptError(
                f"{name}.grad_inputs[{slot}] was not kept: others were added to it; {HOW_TO_KEEP}"
            )
        return self._run.require(target.buffer, f"{name}.grad_inputs[{slot}]")

    def _computed(self, name: str, slot: int, arriving: np.ndarray) -> np.ndarray:
        """Run a node's backward, for one input only, on the gradient of its output."""
        v = self._plan.graph.vertices[name]
        what = f"{name}.grad_inputs[{slot}]"
        if "output" in v.op.reads:
            self._run.require(("output", name), what)
        if "inputs" in v.op.reads:
            for n in v.inputs:
                if not self._graph.vertices[n].is_input:
                    self._run.require(("output", n), what)
        done = self._run.binding.frames[name]
        params = {n: self._run.params[key] for n, key in self._plan.params[name].items()}
        again = Frame.allocate(v.op, *done.inputs, params=params, m=done.m)
        again.output, again.grad_output, again.state = done.output, arriving, done.state
        for work, spec in v.op.workspace(*(array.shape for array in done.inputs)).items():
            if spec.life == "saved":
                again.work[work] = self._run.require(("work", name, work), what)
        again.grad_params = {}
        again.grad_inputs = tuple(g if i == slot else None for i, g in enumerate(again.grad_inputs))
        _quietly(v.op.backward, again)
        return _asked(again, slot)

    def _past_activation(self, loss: str) -> np.ndarray:
        """Return what a fused loss would send to the activation's output, by its own formula."""
        v = self._graph.vertices[loss]
        seed = self._run.require(("grad", loss), f"{loss}.grad_output")
        arrays = (self._value(n, f"{loss}.grad_inputs[0]") for n in v.inputs)
        frame = Frame.allocate(v.op, *arrays)
        _quietly(v.op.forward, frame)
        frame.grad_output = seed
        _quietly(v.op.backward, frame)
        return _asked(frame, 0)

    def _value(self, name: str, what: str) -> np.ndarray:
        if self._graph.vertices[name].is_input:
            return self._run.binding.frames[name].output
        return self._run.require(("output", name), what)


def _sum(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.sum(parts, axis=0)


def _asked(frame: Frame, slot: int) -> np.ndarray:
    gradient = frame.grad_inputs[slot]
    assert gradient is not None  # a buffer was there to be filled
    return gradient


def _quietly(call: Callable[[Frame], None], frame: Frame) -> None:
    with np.errstate(all="ignore"):
        call(frame)
