"""The planner: from a graph to its plan, in one walk over the steps and one packing."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from dagnet.arena import pack
from dagnet.graph import Graph, ParamKey
from dagnet.node import Shape
from dagnet.ops.base import Op
from dagnet.ops.frame import Work
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
        shapes = infer_shapes(graph)
        self.parameters = collect_parameters(graph, shapes)
        self.params = {v.name: parameter_keys(v, shapes) for v in graph.vertices.values()}
        sources = {n for n, keys in self.params.items() if keys} | set(wrt)
        wanted = needs_gradient(graph, sources) if backward else set()
        #: All values as they are born.
        self.values: list[_Value] = []
        #: Old and new values of ops that could write the new one over the old one.
        self.in_place: list[tuple[_Value, _Value]] = []

        self.nodes: dict[str, _Node] = {}
        for v in graph.vertices.values():
            inputs = tuple([self.nodes[name] for name in v.inputs])
            self.nodes[v.name] = _Node(v.name, v.op, inputs, shapes[v.name], v.name in wanted)
        self.forward_order = [n for n in self.nodes.values() if n.op.kind != "input"]
        self.backward_order = [n for n in reversed(self.forward_order) if n.wanted]
        self.end = len(self.forward_order) + len(self.backward_order)

    def plan(self) -> Plan:
        steps = [self._forward_step(p, node) for p, node in enumerate(self.forward_order)]
        self._count_contributions()
        seeds = self._seed()
        uses = Counter(key for n in self.backward_order for key in self.params[n.name].values())
        used: set[ParamKey] = set()
        for position, node in enumerate(self.backward_order, start=len(steps)):
            steps.append(self._backward_step(position, node, uses, used))
        for name in (*self.graph.losses, *self.graph.outputs):
            self.nodes[name].read(self.end)
        for name in self.graph.inputs:
            grad = self.nodes[name].grad
            if grad is not None:
                grad.death = self.end
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

    def _forward_step(self, position: int, node: "_Node") -> Step:
        name, op = node.name, node.op
        for source in node.inputs:
            source.read(position)
        node.output = self._write(("output", name), node.shape, position)
        if op.in_place and node.inputs[0].output is not None:
            self.in_place.append((node.inputs[0].output, node.output))
        node.work = op.workspace(*[source.shape for source in node.inputs])
        for local, work in node.work.items():
            if work.life != "backward":
                value = self._write(("work", name, local), work.shape, position, work.dtype)
                if work.life == "saved":
                    node.saved += (value,)
        return Step(name, "forward")

    def _backward_step(
        self, position: int, node: "_Node", uses: Mapping[ParamKey, int], used: set[ParamKey]
    ) -> Step:
        name, op = node.name, node.op
        grad = node.arrived
        grad.death = max(grad.death, position)  # a loss keeps its own to the end
        if "inputs" in op.reads:
            for source in node.inputs:
                source.read(position)
        if "output" in op.reads:
            node.read(position)
        for value in node.saved:
            value.death = position
        for local, work in node.work.items():
            if work.life == "backward":
                self._write(("work", name, local), work.shape, position, work.dtype)
        targets = tuple(
            [
                self._target(position, node, slot, source) if node.asks(slot) else None
                for slot, source in enumerate(node.inputs)
            ]
        )
        params = []
        for local, key in self.params[name].items():
            params.append(self._param_target(position, name, local, key, uses[key], used))
            used.add(key)
        return Step(name, "backward", targets, tuple(params))

    def _param_target(
        self,
        position: int,
        name: str,
        local: str,
        key: ParamKey,
        total: int,
        used: Collection[ParamKey],
    ) -> ParamTarget:
        """Decide as `_target` does where the gradient of one parameter goes."""
        first = key not in used
        if total == 1 or (first and self.keep == "needed"):
            return ParamTarget(local, key)
        part: BufferKey = ("param_part", name, local)
        self._write(part, self.parameters[key].shape, position)
        return ParamTarget(local, key, part, first)

    def _target(self, position: int, node: "_Node", slot: int, source: "_Node") -> Target:
        """Decide where the gradient of one input goes: the first contribution in place, if alone
        or if nothing is kept; later ones through a buffer of their own."""
        first = source.grad is None
        if source.grad is None:
            source.grad = self._write(("grad", source.name), source.shape, position)
        grad = source.grad
        grad.death = max(grad.death, position)
        alone = source.contributions == 1
        if alone or (first and self.keep == "needed"):
            written, target = grad, Target(grad.key, first=not alone)
        else:
            written = self._write(("part", node.name, slot), source.shape, position)
            target = Target(written.key, grad.key, first)
        if slot == 0 and node.op.in_place:
            self.in_place.append((node.arrived, written))
        return target

    def _count_contributions(self) -> None:
        for node in self.backward_order:
            for slot, source in enumerate(node.inputs):
                source.contributions += node.asks(slot)

    def _seed(self) -> tuple[tuple[str, bool], ...]:
        """Give each loss its gradient, 1: for good, unless other gradients are added to it."""
        seeds = []
        for name in dict.fromkeys(self.graph.losses):
            node = self.nodes[name]
            if not node.wanted:
                continue
            added = node.contributions > 0
            node.grad = self._write(("grad", name), (), len(self.forward_order) if added else 0)
            if added:
                node.contributions += 1
            else:
                node.grad.death = self.end
            seeds.append((name, added))
        return tuple(seeds)

    # Sharing and packing.

    def _keep_all(self) -> None:
        for value in self.values:
            if value.key[0] != "work":
                value.death = self.end
        for node in self.forward_order:
            for value in node.saved:
                value.death = self.end

    def _share_in_place(self) -> None:
        """Let an op write over its input, or over the gradient it read, if nobody needs those."""
        for old, new in self.in_place:
            if old.kind == new.kind and old.death == new.birth:
                new.root = old.root or old
                new.root.heir = new

    def _pack(self, steps: tuple[Step, ...], seeds: tuple[tuple[str, bool], ...]) -> Plan:
        scaled, fixed = self._place(scaled=True), self._place(scaled=False)
        buffers = {
            v.key: Buffer(v.kind.shape, v.kind.dtype, (v.root or v).offset, v.birth, v.death)
            for v in self.values
        }
        return Plan(
            graph=self.graph,
            keep=self.keep,
            steps=steps,
            n_forward=len(self.forward_order),
            buffers=buffers,
            params=self.params,
            scaled_size=scaled,
            fixed_size=fixed,
            seeds=seeds,
            dtype=self.dtype,
        )

    def _place(self, scaled: bool) -> int:
        """Give an offset to all values that grow with the examples, or to all others; return how
        much memory they take."""
        first = [v for v in self.values if v.root is None and v.kind.scaled == scaled]
        deaths = [v.death if v.heir is None else v.heir.death for v in first]
        offsets, size = pack([v.kind.size for v in first], [v.birth for v in first], deaths)
        for value, offset in zip(first, offsets, strict=True):
            value.offset = offset
        return size


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
    #: The first and the last of the values that take over one place from each other, of a value
    #: that is not the first, and of the first; else None.
    root: "_Value | None" = None
    heir: "_Value | None" = None
    #: Where it is, if it is the first in its place.
    offset: int = 0


@dataclass(slots=True, eq=False)
class _Node:
    """A vertex with what is decided about it: objects, so that a walk looks up no names."""

    name: str
    op: Op
    inputs: tuple["_Node", ...]
    shape: Shape
    #: Whether the gradient of its output is.
    wanted: bool
    #: None for an input: a fed array has no buffer of ours.
    output: _Value | None = None
    grad: _Value | None = None
    #: How many gradients add up to that of its output.
    contributions: int = 0
    work: Mapping[str, Work] = field(default_factory=dict)
    #: Those of its work that its backward step reads.
    saved: tuple[_Value, ...] = ()

    @property
    def arrived(self) -> _Value:
        """The gradient of its output, of which a part at least has been sent."""
        assert self.grad is not None
        return self.grad

    def asks(self, slot: int) -> bool:
        """Return whether its backward step shall compute the gradient of an input."""
        return self.inputs[slot].wanted and slot not in self.op.constant_inputs

    def read(self, position: int) -> None:
        """Let the output live at least until then."""
        if self.output is not None:
            self.output.death = position


@lru_cache(maxsize=1024)
def _kind(shape: Shape, dtype: str) -> _Kind:
    """Return the kind with its bytes, per example if scaled, rounded up to keep all aligned."""
    scaled = is_scaled(shape)
    unit = 8 if scaled else ALIGNMENT
    size = prod(int(n) for n in (shape[:-1] if scaled else shape))
    return _Kind(shape, dtype, -(-size * np.dtype(dtype).itemsize // unit) * unit, scaled)
