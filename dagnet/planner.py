"""The planner: from a graph to its plan, in one walk over the steps and one packing."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from dagnet.arena import Lifetime, pack
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.node import Shape
from dagnet.passes import collect_parameters, infer_shapes, needs_gradient, parameter_keys
from dagnet.plan import (
    ALIGNMENT,
    Buffer,
    BufferKey,
    Keep,
    ParamTarget,
    Plan,
    Step,
    Target,
    is_scaled,
)


def make_plan(
    graph: Graph,
    keep: Keep = "needed",
    wrt: Collection[str] = (),
    dtype: str = "float64",
    backward: bool = True,
) -> Plan:
    """Decide the order, the buffers and the lifetimes of a run.

    Parameters
    ----------
    graph : Graph
    keep : {"needed", "all"}
    wrt : collection of str
        Inputs whose gradient is wanted besides those of the parameters.
    dtype : str
    backward : bool
        False for a run that only goes forward.

    Examples
    --------
    >>> import dagnet as dn
    >>> plan = make_plan(dn.mlp([5, 3, 1]).graph)
    >>> [step.name for step in plan.forward]
    ['linear1', 'relu1', 'linear2', 'sigmoid2', 'cost']
    >>> [step.name for step in plan.backward]
    ['cost', 'sigmoid2', 'linear2', 'relu1', 'linear1']
    """
    return _Planner(graph, keep, wrt, dtype, backward).plan()


class _Planner:
    """Walks the steps once, noting births, reads and deaths; then packs."""

    def __init__(
        self, graph: Graph, keep: Keep, wrt: Collection[str], dtype: str, backward: bool
    ) -> None:
        self.graph = graph
        self.keep = keep
        self.dtype = dtype
        self.shapes = infer_shapes(graph)
        self.parameters = collect_parameters(graph, self.shapes)
        self.params = {v.name: parameter_keys(v, self.shapes) for v in graph.vertices.values()}
        sources = {n for n, keys in self.params.items() if keys} | set(wrt)
        self.wanted = needs_gradient(graph, sources) if backward else set()
        self.workspaces = {
            v.name: v.op.workspace(*[self.shapes[n] for n in v.inputs])
            for v in graph.vertices.values()
        }
        #: All values as they are born, and those of them that may be read at a later step.
        self.values: list[_Value] = []
        self.outputs: dict[str, _Value] = {}
        self.grads: dict[str, _Value] = {}
        self.saved: dict[str, list[_Value]] = {}
        #: Old and new values of ops that could write the new one over the old one.
        self.in_place: list[tuple[_Value, _Value]] = []

        vertices = [v for v in graph.vertices.values() if not v.is_input]
        self.forward_order = vertices
        self.backward_order = [v for v in reversed(vertices) if v.name in self.wanted]
        self.end = len(self.forward_order) + len(self.backward_order)

    def plan(self) -> Plan:
        steps = [self._forward_step(p, v) for p, v in enumerate(self.forward_order)]
        contributions = self._count_contributions()
        seeds = self._seed(contributions)
        arrived: dict[str, int] = {name: 1 for name, added in seeds if added}
        uses = Counter(key for v in self.backward_order for key in self.params[v.name].values())
        used: set[ParamKey] = set()
        for position, v in enumerate(self.backward_order, start=len(steps)):
            steps.append(self._backward_step(position, v, contributions, arrived, uses, used))
        for name in (*self.graph.losses, *self.graph.outputs):
            self._read_output(name, self.end)
        for name in self.wanted:
            if self.graph.vertices[name].is_input:
                self.grads[name].death = self.end
        if self.keep == "all":
            self._keep_all()
        else:
            self._share_in_place()
        return self._pack(tuple(steps), seeds)

    # Births and reads.

    def _write(
        self, key: BufferKey, shape: Shape, birth: int, dtype: str | None = None
    ) -> "_Value":
        value = _Value(key, _kind(shape, dtype or self.dtype), birth, birth)
        self.values.append(value)
        return value

    def _read_output(self, name: str, position: int) -> None:
        if name in self.outputs:  # a fed array has no buffer of ours
            self.outputs[name].death = position

    def _forward_step(self, position: int, v: Vertex) -> Step:
        for name in v.inputs:
            self._read_output(name, position)
        output = self._write(("output", v.name), self.shapes[v.name], position)
        self.outputs[v.name] = output
        if v.op.in_place and v.inputs[0] in self.outputs:
            self.in_place.append((self.outputs[v.inputs[0]], output))
        for name, work in self.workspaces[v.name].items():
            if work.life != "backward":
                value = self._write(("work", v.name, name), work.shape, position, work.dtype)
                if work.life == "saved":
                    self.saved.setdefault(v.name, []).append(value)
        return Step(v.name, "forward")

    def _backward_step(
        self,
        position: int,
        v: Vertex,
        contributions: Mapping[str, int],
        arrived: dict[str, int],
        uses: Mapping[ParamKey, int],
        used: set[ParamKey],
    ) -> Step:
        grad = self.grads[v.name]
        grad.death = max(grad.death, position)  # a loss keeps its own to the end
        if "inputs" in v.op.reads:
            for name in v.inputs:
                self._read_output(name, position)
        if "output" in v.op.reads:
            self.outputs[v.name].death = position
        for value in self.saved.get(v.name, ()):
            value.death = position
        for name, work in self.workspaces[v.name].items():
            if work.life == "backward":
                self._write(("work", v.name, name), work.shape, position, work.dtype)
        targets = tuple(
            self._target(position, v, slot, contributions[name], arrived)
            if name in self.wanted and slot not in v.op.constant_inputs
            else None
            for slot, name in enumerate(v.inputs)
        )
        params = []
        for local, key in self.params[v.name].items():
            params.append(self._param_target(position, v, local, key, uses[key], used))
            used.add(key)
        return Step(v.name, "backward", targets, tuple(params))

    def _param_target(
        self,
        position: int,
        v: Vertex,
        local: str,
        key: ParamKey,
        total: int,
        used: Collection[ParamKey],
    ) -> ParamTarget:
        """Decide as `_target` does where the gradient of one parameter goes."""
        first = key not in used
        if total == 1 or (first and self.keep == "needed"):
            return ParamTarget(local, key)
        part: BufferKey = ("param_part", v.name, local)
        self._write(part, self.parameters[key].shape, position)
        return ParamTarget(local, key, part, first)

    def _target(
        self, position: int, v: Vertex, slot: int, total: int, arrived: dict[str, int]
    ) -> Target:
        """Decide where the gradient of one input goes: the first contribution in place, if alone
        or if nothing is kept; later ones through a buffer of their own."""
        name = v.inputs[slot]
        shape = self.shapes[name]
        first = arrived.get(name, 0) == 0
        arrived[name] = arrived.get(name, 0) + 1
        grad = self.grads.get(name)
        if grad is None:
            grad = self.grads[name] = self._write(("grad", name), shape, position)
        grad.death = max(grad.death, position)
        alone = total == 1
        if alone or (first and self.keep == "needed"):
            written, target = grad, Target(grad.key, first=not alone)
        else:
            written = self._write(("part", v.name, slot), shape, position)
            target = Target(written.key, grad.key, first)
        if slot == 0 and v.op.in_place:
            self.in_place.append((self.grads[v.name], written))
        return target

    def _count_contributions(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for v in self.backward_order:
            for slot, name in enumerate(v.inputs):
                if name in self.wanted and slot not in v.op.constant_inputs:
                    counts[name] = counts.get(name, 0) + 1
        return counts

    def _seed(self, contributions: dict[str, int]) -> tuple[tuple[str, bool], ...]:
        """Give each loss its gradient, 1: for good, unless other gradients are added to it."""
        seeds = []
        for name in dict.fromkeys(self.graph.losses):
            if name not in self.wanted:
                continue
            added = name in contributions
            start = len(self.forward_order) if added else 0
            self.grads[name] = self._write(("grad", name), (), start)
            if added:
                contributions[name] += 1
            else:
                self.grads[name].death = self.end
            seeds.append((name, added))
        return tuple(seeds)

    # Sharing and packing.

    def _keep_all(self) -> None:
        for value in self.values:
            if value.key[0] != "work":
                value.death = self.end
        for saved in self.saved.values():
            for value in saved:
                value.death = self.end

    def _share_in_place(self) -> None:
        """Let an op write over its input, or over the gradient it read, if nobody needs those."""
        for old, new in self.in_place:
            if old.kind == new.kind and old.death == new.birth:
                new.root = old.root or old

    def _pack(self, steps: tuple[Step, ...], seeds: tuple[tuple[str, bool], ...]) -> Plan:
        lives: dict[bool, dict[_Value, Lifetime]] = {True: {}, False: {}}
        for value in self.values:
            spans = lives[value.kind.scaled]
            if value.root is None:
                spans[value] = Lifetime(value.kind.size, value.birth, value.death)
            else:
                spans[value.root].death = value.death
        scaled, fixed = pack(lives[True]), pack(lives[False])
        offsets = {**scaled.offsets, **fixed.offsets}
        buffers = {
            v.key: Buffer(v.kind.shape, v.kind.dtype, offsets[v.root or v], v.birth, v.death)
            for v in self.values
        }
        return Plan(
            graph=self.graph,
            keep=self.keep,
            steps=steps,
            n_forward=len(self.forward_order),
            buffers=buffers,
            params=self.params,
            scaled_size=scaled.size,
            fixed_size=fixed.size,
            seeds=seeds,
            dtype=self.dtype,
        )


class _Kind(NamedTuple):
    """What values must have in common to take turns in one place."""

    shape: Shape
    dtype: str
    size: int
    scaled: bool


@dataclass(slots=True, eq=False)
class _Value:
    """A value as far as it is decided: at first, how long it lives is not, nor where."""

    key: BufferKey
    kind: _Kind
    birth: int
    death: int
    #: The value whose place it takes over, the first of all in that place; None if its own.
    root: "_Value | None" = None


@lru_cache(maxsize=1024)
def _kind(shape: Shape, dtype: str) -> _Kind:
    """Return the kind with its bytes, per example if scaled, rounded up to keep all aligned."""
    scaled = is_scaled(shape)
    unit = 8 if scaled else ALIGNMENT
    size = prod(int(n) for n in (shape[:-1] if scaled else shape))
    return _Kind(shape, dtype, -(-size * np.dtype(dtype).itemsize // unit) * unit, scaled)
