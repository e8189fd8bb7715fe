"""Cones: which steps of a plan depend on a value, and so run again when it changes."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from dagnet.graph import ParamKey
from dagnet.plan import BufferKey, Plan, Step
from dagnet.text import enumerated

#: A value of a run. Besides those of buffers: ``("param", owner, name)``,
#: ``("grad_param", owner, name)``, and ``("state", owner)`` for all states of an owner.
Value = BufferKey


@dataclass(frozen=True)
class Cone:
    """What a change of some values touches.

    Attributes
    ----------
    plan : Plan
    steps : tuple of int
        Positions of the steps that run again, in order.
    written : frozenset of Value
        The values that they write, and the totals that these are part of.
    """

    plan: Plan
    steps: tuple[int, ...]
    written: frozenset[Value]

    @property
    def forward(self) -> tuple[str, ...]:
        """Names of the nodes that go forward again, in execution order."""
        return self._names(lambda position: position < self.plan.n_forward)

    @property
    def backward(self) -> tuple[str, ...]:
        """Names of the nodes that go backward again, in execution order."""
        return self._names(lambda position: position >= self.plan.n_forward)

    def _names(self, belongs: Callable[[int], bool]) -> tuple[str, ...]:
        return tuple(self.plan.steps[position].name for position in self.steps if belongs(position))

    def __str__(self) -> str:
        phases = (("forward", self.forward), ("backward", self.backward))
        return "\n".join(f"{phase}: {enumerated(names) or 'nothing'}" for phase, names in phases)


def cone_of(
    plan: Plan,
    changed: Collection[Value],
    fixed: Collection[Value] = (),
    upto: int | None = None,
) -> Cone:
    """Return what depends on the `changed` values among the first `upto` steps.

    A forward step depends on its inputs, its parameters and its states; a backward step on the
    gradient that arrives, on what its op declares that it reads, and on what its forward step
    saved. Nothing spreads through the `fixed` values: they keep what they are given.
    """
    return _Spread(plan, set(changed), frozenset(fixed)).over(
        len(plan.steps) if upto is None else upto
    )


class _Spread:
    """Walks the steps in order and notes what each one rewrites."""

    def __init__(self, plan: Plan, changed: set[Value], fixed: frozenset[Value]):
        self._plan = plan
        self._changed = changed
        self._fixed = fixed
        self._written: set[Value] = set()
        self._forward_again: set[str] = set()

    def over(self, upto: int) -> Cone:
        steps = []
        for position, step in enumerate(self._plan.steps[:upto]):
            is_forward = step.phase == "forward"
            reads = self._read_forward(step) if is_forward else self._read_backward(step)
            if self._changed.isdisjoint(reads) and not self._saved_anew(step):
                continue
            steps.append(position)
            if is_forward:
                self._forward_again.add(step.name)
            for value in self._forward_writes(step) if is_forward else totals(step):
                self._written.add(value)
                if value not in self._fixed:
                    self._changed.add(value)
        return Cone(self._plan, tuple(steps), frozenset(self._written))

    def _read_forward(self, step: Step) -> Iterator[Value]:
        v = self._plan.graph.vertices[step.name]
        yield from (("output", name) for name in v.inputs)
        yield from self._params(step)
        yield ("state", v.owner)  # only what is written to is ever among the changed

    def _read_backward(self, step: Step) -> Iterator[Value]:
        v = self._plan.graph.vertices[step.name]
        yield ("grad", step.name)
        if "inputs" in v.op.reads:
            yield from (("output", name) for name in v.inputs)
        if "output" in v.op.reads:
            yield ("output", step.name)
        if "params" in v.op.reads:
            yield from self._params(step)

    def _params(self, step: Step) -> Iterator[Value]:
        return (("param", *key) for key in self._plan.params[step.name].values())

    def _saved_anew(self, step: Step) -> bool:
        return (
            step.phase == "backward"
            and step.name in self._forward_again
            and step.name in self._plan.saving
        )

    def _forward_writes(self, step: Step) -> Iterator[Value]:
        v = self._plan.graph.vertices[step.name]
        yield ("output", step.name)
        yield ("state", v.owner)


def param_key(value: Value) -> ParamKey:
    """Return the parameter that a ``"param"`` or ``"grad_param"`` is of."""
    return str(value[1]), str(value[-1])


def totals(step: Step) -> Iterator[Value]:
    """Yield the gradients that a backward step contributes to."""
    for target in step.targets:
        if target is not None:
            yield target.total or target.buffer
    for param in step.params:
        yield ("grad_param", *param.key)
