"""A walk over one training run: a step on, a step back, and what depends on a changed value again.

A run that keeps all writes every value once, so that going back only means to count fewer values
as computed. What is not written once is restored: sums of gradients are made anew of the parts
that were kept, and before a step that moves states or the generator, those are set aside.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from dagnet.debug.cone import Cone, Value, cone_of, param_key
from dagnet.debug.overrides import Override, due
from dagnet.executors import Call, run_compiled
from dagnet.model import Model
from dagnet.plan import Plan, Step
from dagnet.run import Run


class Moment(NamedTuple):
    """What a forward step is about to move: the generator's state and the node's own states."""

    generator: Mapping[str, Any]
    states: dict[str, np.ndarray]


class Walk:
    """A position in a run that keeps all, which moves both ways.

    Parameters
    ----------
    model : Model
    run : Run
        From ``model.begin``.

    Attributes
    ----------
    overrides : dict of Override
        By the value that each takes the place of.
    """

    def __init__(self, model: Model, run: Run):
        self.run = run
        self.binding = run.binding
        self.plan: Plan = run.binding.plan
        self.overrides: dict[Value, Override] = {}
        self._due: dict[int, list[Value]] = {}
        self._rng = model.rng
        self._params = model.store.arrays
        self._moments: dict[int, Moment] = {}
        self._changed: set[Value] = set()

    @property
    def position(self) -> int:
        """How many steps of the plan are done."""
        return self.binding.position

    @property
    def changed(self) -> bool:
        """Whether a value was set on which steps that are done may depend."""
        return bool(self._changed)

    @property
    def at_end(self) -> bool:
        return self.position == len(self.plan.steps)

    @property
    def next(self) -> Step:
        """The step that comes next."""
        return self.plan.steps[self.position]

    def step(self) -> Step:
        """Run the next step; if it fails, all is as before."""
        position = self.position
        moment = self._moment(position)
        try:
            step = self.binding.advance()
        except BaseException:
            self._restore(position, moment)
            raise
        if step.phase == "forward" and (moment.states or self._has_drawn_since(moment)):
            self._moments[position] = moment
        self._override(position + 1, self._due.get(position + 1, ()))
        return step

    def back(self) -> Step:
        """Undo the step that was run last and return it."""
        position = self.position - 1
        step = self.plan.steps[position]
        if step.phase == "forward":
            moment = self._moments.pop(position, None)
            if moment is not None:
                self._restore(position, moment)
        else:
            self._sum_anew({total for total, _ in self.binding.collecting[position]}, position)
        self.binding.position = position
        return step

    def rewind(self) -> None:
        """Go back to before the first step."""
        for position in sorted(self._moments, reverse=True):
            self._restore(position, self._moments.pop(position))
        self.binding.position = 0

    # Changing values.

    def put(self, override: Override) -> None:
        """Put a value in the place of a computed one, at once if that is computed already.

        What depends on it is not run again before `recompute`. If the replacement does not fit,
        nothing changes.
        """
        value = override.value
        position = due(self.plan, value)
        self.check(override)
        if position <= self.position:
            self._write(value, override.of(self._array(value)))
        if position < self.position:
            self._changed.add(value)
        self.overrides[value] = override
        if value not in self._due.setdefault(position, []):
            self._due[position].append(value)

    def check(self, override: Override) -> None:
        """Raise unless an array has the shape and dtype of the value whose place it takes."""
        if override.is_array:
            value = override.value
            is_gradient = value[0] == "grad"
            override.of(self._array(("output", str(value[1])) if is_gradient else value))

    def recompute(self) -> Cone:
        """Run again, of the steps done, those that depend on values set since the last time."""
        fixed = {value for value, override in self.overrides.items() if override.is_array}
        cone = cone_of(self.plan, self._changed, fixed, self.position)
        self._changed.clear()
        again, moved = set(cone.steps), set[str]()
        for position in range(self.position):
            if position in again:
                self._run_again(position, moved)
            for total, collect in self.binding.collecting[position]:
                if total in cone.written:
                    collect()
            if position + 1 == self.plan.n_forward:
                self._seed(cone.written)
            self._override(
                position + 1,
                [value for value in self._due.get(position + 1, ()) if value in cone.written],
            )
        return cone

    def _run_again(self, position: int, moved: set[str]) -> None:
        """Make a step's own call, a forward one with the random numbers that it had."""
        step, calls = self.binding.calls(position)
        moment = self._moments.get(position) if step.phase == "forward" else None
        if moment is None:
            self._call(step, calls[0])
            return
        now = self._rng.bit_generator.state
        owner = self.plan.graph.vertices[step.name].owner
        if owner in moved:  # an earlier use of its op has just left the states in another way
            moment = Moment(moment.generator, self._moment(position).states)
            self._moments[position] = moment
        moved.add(owner)
        self._restore(position, moment)
        self._call(step, calls[0])
        self._rng.bit_generator.state = now

    def _call(self, step: Step, call: Call) -> None:
        """Make a call out of turn: by now, the memory it scribbled in holds later values."""
        frame = self.binding.frames[step.name]
        work, op = frame.work, self.plan.graph.vertices[step.name].op
        declared = op.workspace(*(array.shape for array in frame.inputs))
        scratch = {n: np.empty_like(a) for n, a in work.items() if declared[n].life != "saved"}
        frame.work = work | scratch
        try:
            run_compiled([call])
        finally:
            frame.work = work

    def _override(self, position: int, values: Collection[Value]) -> None:
        for value in values:
            self._write(value, self.overrides[value].of(self._array(value)))

    def _array(self, value: Value) -> np.ndarray:
        kind, name = value[0], str(value[1])
        if kind == "param":
            return self._params[param_key(value)]
        if kind == "grad_param":
            return self.binding.grads[param_key(value)]
        if kind == "output":
            return self.binding.frames[name].output
        return self.binding.arrays[value]

    def _write(self, value: Value, array: np.ndarray) -> None:
        name = str(value[1])
        if value[0] == "output" and name not in self.plan.positions:
            self.binding.replace(name, array)
            return
        np.copyto(self._array(value), array)
        if value[0] == "param":
            np.copyto(self.run.params[param_key(value)], array)

    # Sums, states and the generator.

    def _sum_anew(self, sums: Collection[Value], upto: int) -> None:
        """Make sums of gradients anew from the contributions of the first `upto` steps."""
        if not sums:
            return
        self._seed(sums)
        for collecting in self.binding.collecting[self.plan.n_forward : upto]:
            for total, collect in collecting:
                if total in sums:
                    collect()

    def _seed(self, sums: Collection[Value]) -> None:
        for key, seed in self.binding.seeds():
            if key in sums:
                seed()

    def _moment(self, position: int) -> Moment:
        states = self._states(position)
        return Moment(self._rng.bit_generator.state, {n: a.copy() for n, a in states.items()})

    def _has_drawn_since(self, moment: Moment) -> bool:
        now = self._rng.bit_generator.state
        try:
            return bool(moment.generator != now)
        except ValueError:  # some generators' states hold arrays
            return not _same(moment.generator, now)

    def _restore(self, position: int, moment: Moment) -> None:
        self._rng.bit_generator.state = moment.generator
        for name, array in self._states(position).items():
            np.copyto(array, moment.states[name])

    def _states(self, position: int) -> dict[str, np.ndarray]:
        """Return the states that a step may move: a backward step moves none."""
        step = self.plan.steps[position]
        return self.binding.frames[step.name].state if step.phase == "forward" else {}


def _same(a: Any, b: Any) -> bool:
    """Return whether two states of a generator are equal; some hold arrays."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return np.array_equal(a, b)
