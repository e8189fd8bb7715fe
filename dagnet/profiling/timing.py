"""Timing the nodes of a training step."""

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from dagnet.binding import Binding
from dagnet.bounds import check_integer
from dagnet.model import Model
from dagnet.parameters import ParameterStore
from dagnet.plan import Step
from dagnet.profiling.limits import Limits, measured
from dagnet.profiling.profile import NodeProfile, Profile
from dagnet.profiling.work import backward_work, forward_work
from dagnet.updates import Updates, check_updates


def profile(
    model: Model, feeds: Mapping[str, Any], optimizer: Updates | None = None, steps: int = 20
) -> Profile:
    """Time every node of a training step, forward and backward, and say what limits it.

    Parameters
    ----------
    model : Model
        It runs node by node, keeping what is needed; its parameters, states and random numbers are
        as before when this returns, unless there is an optimizer.
    feeds : dict
        As for `Model.train_step`.
    optimizer : Optimizer, optional
        Times its update, too; the model is trained by it.
    steps : int
        Steps to time, after one that is not.

    Returns
    -------
    Profile

    Examples
    --------
    >>> import numpy as np, dagnet as dn
    >>> from dagnet.profiling import profile
    >>> model = dn.mlp([5, 3, 1], seed=1)
    >>> found = profile(model, {"X": np.ones((5, 7)), "Y": np.ones((1, 7))}, steps=3)
    >>> [(node.node, node.phase, node.flops) for node in found[:2]]
    [('linear1', 'forward', 210), ('relu1', 'forward', 21)]
    """
    check_integer(steps, "steps", at_least=1)
    if optimizer is not None:
        check_updates(optimizer)
    state, drawn = model.get_state(), model.rng.bit_generator.state
    timer, timed = NodeTimer(), _TimedUpdates(optimizer)
    try:
        for _ in range(steps + 1):
            model.train_step(feeds, timed, hooks=timer)
    finally:
        if optimizer is None:
            model.set_state(state)
            model.rng.bit_generator.state = drawn
    limits = measured(model.dtype)
    binding = model.begin(feeds, model.runner("needed")).binding
    nodes = [
        _row(binding, step, median(timer.seconds[step.name, step.phase][1:]), limits)
        for step in binding.plan.steps
    ]
    return Profile(nodes, median(timed.times[1:]) if optimizer else 0.0, steps)


class _TimedUpdates:
    """An optimizer, or none, whose updates are timed."""

    def __init__(self, optimizer: Updates | None):
        self.times: list[float] = []
        self._optimizer = optimizer

    def step(self, store: ParameterStore) -> None:
        if self._optimizer is not None:
            start = time.perf_counter()
            self._optimizer.step(store)
            self.times.append(time.perf_counter() - start)


class NodeTimer:
    """Hooks that note how long each node takes.

    Attributes
    ----------
    seconds : dict of list of float
        For every node and phase, one number for each time it ran.
    """

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self._start = 0.0

    def before_node(self, name: str, phase: str) -> None:
        self._start = time.perf_counter()

    def after_node(self, name: str, phase: str) -> None:
        now = time.perf_counter()
        self.seconds.setdefault((name, phase), []).append(now - self._start)


def _row(binding: Binding, step: Step, seconds: float, limits: Limits) -> NodeProfile:
    op, frame = binding.plan.graph.vertices[step.name].op, binding.frames[step.name]
    flops, nbytes = (forward_work if step.phase == "forward" else backward_work)(op, frame)
    least, bound = limits.least(flops, nbytes)
    return NodeProfile(
        step.name, type(op).__name__, step.phase, seconds, flops, nbytes, least, bound
    )
