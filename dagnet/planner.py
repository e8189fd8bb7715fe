"""The planner: from a graph to its plan, in one walk over the steps and one packing."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dagnet.graph import Graph, ParamKey
from dagnet.lifetimes import Lifetimes
from dagnet.node import Shape
from dagnet.ops.base import Op
from dagnet.ops.frame import Work
from dagnet.passes import collect_parameters, infer_shapes, needs_gradient, parameter_keys
from dagnet.plan import BufferKey, Keep, ParamTarget, Plan, Step, Target


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
        self.values = Lifetimes(dtype)
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
            self._read(self.nodes[name], self.end)
        for name in self.graph.inputs:
            grad = self.nodes[name].grad
            if grad is not None:
                self.values.outlive(grad, self.end)
        if self.keep == "all":
            self._keep_all()
        buffers, scaled, fixed = self.values.packed(sharing=self.keep == "needed")
        return Plan(
            graph=self.graph,
            keep=self.keep,
            steps=tuple(steps),
            n_forward=len(self.forward_order),
            buffers=buffers,
            params=self.params,
            scaled_size=scaled,
            fixed_size=fixed,
            seeds=seeds,
            dtype=self.dtype,
        )

    # Births and reads.

    def _read(self, node: "_Node", position: int) -> None:
        """Let the output of a node live until then; positions come in their order."""
        if node.output is not None:
            self.values.deaths[node.output] = position

    def _forward_step(self, position: int, node: "_Node") -> Step:
        name, op = node.name, node.op
        for source in node.inputs:
            self._read(source, position)
        node.output = self.values.write(("output", name), node.shape, position)
        if op.in_place and node.inputs[0].output is not None:
            self.values.in_place.append((node.inputs[0].output, node.output))
        node.work = op.workspace(*[source.shape for source in node.inputs])
        for local, work in node.work.items():
            if work.life != "backward":
                value = self.values.write(("work", name, local), work.shape, position, work.dtype)
                if work.life == "saved":
                    node.saved += (value,)
        return Step(name, "forward")

    def _backward_step(
        self, position: int, node: "_Node", uses: Mapping[ParamKey, int], used: set[ParamKey]
    ) -> Step:
        name, op = node.name, node.op
        self.values.outlive(node.arrived, position)  # a loss keeps its own to the end
        if "inputs" in op.reads:
            for source in node.inputs:
                self._read(source, position)
        if "output" in op.reads:
            self._read(node, position)
        for value in node.saved:
            self.values.deaths[value] = position
        for local, work in node.work.items():
            if work.life == "backward":
                self.values.write(("work", name, local), work.shape, position, work.dtype)
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
        self.values.write(part, self.parameters[key].shape, position)
        return ParamTarget(local, key, part, first)

    def _target(self, position: int, node: "_Node", slot: int, source: "_Node") -> Target:
        """Decide where the gradient of one input goes: the first contribution in place, if alone
        or if nothing is kept; later ones through a buffer of their own."""
        first = source.grad is None
        if source.grad is None:
            source.grad = self.values.write(("grad", source.name), source.shape, position)
        grad = source.grad
        self.values.outlive(grad, position)
        alone = source.contributions == 1
        if alone or (first and self.keep == "needed"):
            written, target = grad, Target(("grad", source.name), first=not alone)
        else:
            part: BufferKey = ("part", node.name, slot)
            written = self.values.write(part, source.shape, position)
            target = Target(part, ("grad", source.name), first)
        if slot == 0 and node.op.in_place:
            self.values.in_place.append((node.arrived, written))
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
            birth = len(self.forward_order) if added else 0
            node.grad = self.values.write(("grad", name), (), birth)
            if added:
                node.contributions += 1
            else:
                self.values.outlive(node.grad, self.end)
            seeds.append((name, added))
        return tuple(seeds)

    def _keep_all(self) -> None:
        """Let everything live to the end but what is of no use after its step."""
        for value, key in enumerate(self.values.keys):
            if key[0] != "work":
                self.values.deaths[value] = self.end
        for node in self.forward_order:
            for value in node.saved:
                self.values.deaths[value] = self.end


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
    output: int | None = None
    grad: int | None = None
    #: How many gradients add up to that of its output.
    contributions: int = 0
    work: Mapping[str, Work] = field(default_factory=dict)
    #: Those of its work that its backward step reads.
    saved: tuple[int, ...] = ()

    @property
    def arrived(self) -> int:
        """The gradient of its output, of which a part at least has been sent."""
        assert self.grad is not None
        return self.grad

    def asks(self, slot: int) -> bool:
        """Return whether its backward step shall compute the gradient of an input."""
        return self.inputs[slot].wanted and slot not in self.op.constant_inputs
