"""The planner: from a graph to its plan, in one walk over the steps and one packing."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache
from math import prod

import numpy as np

from dagnet.arena import Lifetime, pack
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.node import Shape
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
        self.shapes = infer_shapes(graph)
        self.parameters = collect_parameters(graph, self.shapes)
        self.params = {v.name: parameter_keys(v, self.shapes) for v in graph.vertices.values()}
        sources = {n for n, keys in self.params.items() if keys} | set(wrt)
        self.wanted = needs_gradient(graph, sources) if backward else set()
        self.lifetimes: dict[BufferKey, Lifetime] = {}
        self.kinds: dict[BufferKey, tuple[Shape, str]] = {}
        self.alias: dict[BufferKey, BufferKey] = {}
        self.workspaces: dict[str, Mapping[str, Work]] = {}

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
            self._read(("output", name), self.end)
        for name in self.wanted:
            if self.graph.vertices[name].is_input:
                self._read(("grad", name), self.end)
        if self.keep == "all":
            self._keep_all()
        else:
            self._share_in_place(steps)
        return self._pack(tuple(steps), seeds)

    # Births and reads.

    def _write(self, key: BufferKey, shape: Shape, position: int, dtype: str | None = None) -> None:
        life = self.lifetimes.get(key)
        if life is not None:
            life.death = max(life.death, position)
            return
        dtype = dtype or self.dtype
        self.kinds[key] = (shape, dtype)
        self.lifetimes[key] = Lifetime(_nbytes(shape, dtype), position, position)

    def _read(self, key: BufferKey, position: int) -> None:
        life = self.lifetimes.get(key)
        if life is not None:  # a fed array has no buffer of ours
            life.death = max(life.death, position)

    def _forward_step(self, position: int, v: Vertex) -> Step:
        for name in v.inputs:
            self._read(("output", name), position)
        self._write(("output", v.name), self.shapes[v.name], position)
        for name, work in self._workspace(v).items():
            if work.life != "backward":
                self._write(("work", v.name, name), work.shape, position, work.dtype)
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
        self._read(("grad", v.name), position)
        if "inputs" in v.op.reads:
            for name in v.inputs:
                self._read(("output", name), position)
        if "output" in v.op.reads:
            self._read(("output", v.name), position)
        for name, work in self._workspace(v).items():
            if work.life == "backward":
                self._write(("work", v.name, name), work.shape, position, work.dtype)
            elif work.life == "saved":
                self._read(("work", v.name, name), position)
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
        grad: BufferKey = ("grad", name)
        first = arrived.get(name, 0) == 0
        arrived[name] = arrived.get(name, 0) + 1
        self._write(grad, shape, position)
        if total == 1:
            return Target(grad)
        if first and self.keep == "needed":
            return Target(grad, first=True)
        part: BufferKey = ("part", v.name, slot)
        self._write(part, shape, position)
        return Target(part, grad, first)

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
            self._write(("grad", name), (), start)
            if added:
                contributions[name] += 1
            else:
                self._read(("grad", name), self.end)
            seeds.append((name, added))
        return tuple(seeds)

    def _workspace(self, v: Vertex) -> Mapping[str, Work]:
        if v.name not in self.workspaces:
            shapes = (self.shapes[n] for n in v.inputs)
            self.workspaces[v.name] = v.op.workspace(*shapes)
        return self.workspaces[v.name]

    # Sharing and packing.

    def _keep_all(self) -> None:
        for key, lifetime in self.lifetimes.items():
            if key[0] in ("output", "grad", "part", "param_part"):
                lifetime.death = self.end
        for v in self.forward_order:
            for name, work in self._workspace(v).items():
                if work.life == "saved":
                    self.lifetimes["work", v.name, name].death = self.end

    def _share_in_place(self, steps: list[Step]) -> None:
        """Let an op write over its input, or over the gradient it read, if nobody needs those."""
        for position, step in enumerate(steps):
            v = self.graph.vertices[step.name]
            if not v.op.in_place:
                continue
            if step.phase == "forward":
                self._share(("output", v.inputs[0]), ("output", v.name), position)
            elif step.targets[0] is not None:
                self._share(("grad", v.name), step.targets[0].buffer, position)

    def _share(self, old: BufferKey, new: BufferKey, position: int) -> None:
        if old not in self.kinds or self.kinds[old] != self.kinds[new]:
            return
        root = self.alias.get(old, old)
        if self.lifetimes[old].death == position == self.lifetimes[new].birth:
            self.alias[new] = root

    def _pack(self, steps: tuple[Step, ...], seeds: tuple[tuple[str, bool], ...]) -> Plan:
        spans = {k: life for k, life in self.lifetimes.items() if k not in self.alias}
        for key, root in self.alias.items():
            own = spans[root]
            death = max(own.death, self.lifetimes[key].death)
            spans[root] = Lifetime(own.size, own.birth, death)
        scaled = pack({k: s for k, s in spans.items() if is_scaled(self.kinds[k][0])})
        fixed = pack({k: s for k, s in spans.items() if not is_scaled(self.kinds[k][0])})
        offsets = {**scaled.offsets, **fixed.offsets}
        offsets |= {key: offsets[root] for key, root in self.alias.items()}
        buffers = {
            key: Buffer(*self.kinds[key], offsets[key], life.birth, life.death)
            for key, life in self.lifetimes.items()
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


@lru_cache(maxsize=1024)
def _nbytes(shape: Shape, dtype: str) -> int:
    """Return a value's bytes, per example if it is scaled, rounded up to keep all aligned."""
    scaled = is_scaled(shape)
    unit = 8 if scaled else ALIGNMENT
    size = prod(int(n) for n in (shape[:-1] if scaled else shape))
    return -(-size * np.dtype(dtype).itemsize // unit) * unit
