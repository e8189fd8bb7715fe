"""Where watches look: every node, in every phase, at the position where its step is done."""

from collections.abc import Iterator, Mapping
from typing import Any

from dagnet.debug.places import Phase
from dagnet.debug.watches.sight import Place
from dagnet.graph import ParamKey
from dagnet.model import Model
from dagnet.plan import Plan, Step


def places_of(plan: Plan, model: Model) -> Iterator[Place]:
    """Yield the places of a plan, in the order of its steps.

    A node has one for each step of its own; one with parameters also has one for the update. A
    shared parameter belongs to the node that makes its gradient whole, or at the update to the
    first that has it.
    """
    places = _Places(plan, model)
    yield from places.forward()
    yield from places.backward()
    yield from places.update()


class _Places:
    def __init__(self, plan: Plan, model: Model):
        self._plan = plan
        self._keys = model.keys
        self._parameters = model.store.parameters
        self._last_weights: tuple[str, ParamKey] | None = None

    def forward(self) -> Iterator[Place]:
        inputs = [(name, 0) for name in self._plan.graph.inputs]
        steps = [(step.name, position) for position, step in enumerate(self._plan.forward, 1)]
        for name, position in inputs + steps:
            made = {"output": ("output", name)}
            yield self._place(name, "forward", position, made, self._keys[name])

    def backward(self) -> Iterator[Place]:
        plan = self._plan
        sums = {target.total for step in plan.backward for target in step.targets if target}
        for position, step in enumerate(plan.backward, start=plan.n_forward):
            keys = {
                param.name: param.key
                for param in step.params
                if plan.gradient_positions[param.key] == position
            }
            made = _gradients(step, ("grad", step.name) in sums)
            made |= {f"grad_params.{name}": ("grad_param", key) for name, key in keys.items()}
            place = self._place(step.name, "backward", position + 1, made, keys)
            if self._last_weights is None and place.weights:
                self._last_weights = step.name, next(iter(place.weights.values()))
            yield place

    def update(self) -> Iterator[Place]:
        seen: set[ParamKey] = set()
        for step in self._plan.forward:
            keys = {name: k for name, k in self._keys[step.name].items() if k not in seen}
            seen.update(keys.values())
            if keys:
                made = {f"params.{name}": ("param", key) for name, key in keys.items()}
                yield self._place(step.name, "update", len(self._plan.steps) + 1, made, keys)

    def _place(
        self,
        name: str,
        phase: Phase,
        position: int,
        made: dict[str, tuple[str, Any]],
        keys: Mapping[str, ParamKey],
    ) -> Place:
        weights = {local: key for local, key in keys.items() if self._parameters[key].is_weight}
        vertex = self._plan.graph.vertices[name]
        return Place(name, phase, position, vertex, made, weights, self._last_weights)


def _gradients(step: Step, got_a_sum: bool) -> dict[str, tuple[str, Any]]:
    """Return what a step sends to its inputs, and what it got, if several added it up."""
    made: dict[str, tuple[str, Any]] = {}
    if got_a_sum:
        made["grad_output"] = "buffer", ("grad", step.name)
    for slot, target in enumerate(step.targets):
        if target is not None:
            made[f"grad_inputs.{slot}"] = "buffer", target.buffer
    return made
