"""A plan bound to memory: every buffer an array, every step a list of calls with their arguments.

After that a run only makes the calls.
"""

from collections.abc import Mapping
from functools import cached_property, partial
from types import MethodType

import numpy as np

from dagnet.executors import Call, run_compiled
from dagnet.graph import Graph, Vertex
from dagnet.memory import Arenas
from dagnet.ops.frame import Frame
from dagnet.parameters import ParameterStore
from dagnet.passes import block_wide_layers
from dagnet.plan import BufferKey, Plan, Step

#: The position of a run that has failed, or whose memory another run has taken.
NOTHING_DONE = -1


class Binding:
    """A plan bound to memory for runs of `m` examples.

    Attributes
    ----------
    position : int
        How many of the plan's steps the run under way has done.
    frames : dict of Frame
        The arrays of every node, by name.
    arrays : dict of ndarray
        The plan's buffers.
    running : list of call
        For each step, the call of its op.
    collecting : list of tuple of (BufferKey, call)
        For each step, the calls that add a gradient it computed to its total, with the total:
        ``("grad", node)``, or ``("grad_param", owner, name)``.
    """

    @staticmethod
    def lower(graph: Graph) -> Graph:
        """Return the graph that a plan is made of, to be bound in this way."""
        return block_wide_layers(graph)

    def __init__(
        self,
        plan: Plan,
        m: int,
        arenas: Arenas,
        store: ParameterStore,
        states: Mapping[str, dict[str, np.ndarray]],
        rng: np.random.Generator,
    ):
        self.plan = plan
        self.m = m
        self.arenas = arenas
        self.position = 0
        self.fed: dict[str, np.ndarray] = {}
        self._nothing = np.empty(0, plan.dtype)
        self.arrays = arenas.views(plan, m)
        self.work: dict[str, dict[str, np.ndarray]] = {}
        for key, array in self.arrays.items():
            if key[0] == "work":
                self.work.setdefault(key[1], {})[str(key[-1])] = array
        self.frames: dict[str, Frame] = {}
        for v in plan.graph.vertices.values():
            self.frames[v.name] = self._frame(v, m, store, states, rng)
        self.grads = store.grads
        self.running = [self._forward(step) for step in plan.forward]
        self.running += [self._backward(step) for step in plan.backward]
        self.collecting = [self._collect(step) for step in plan.steps]
        self.seeding = [call for _, call in self.seeds()]

    @cached_property
    def forward(self) -> list[tuple[Step, list[Call]]]:
        """The forward steps, each with its calls."""
        return [self.calls(position) for position in range(self.plan.n_forward)]

    @cached_property
    def backward(self) -> list[tuple[Step, list[Call]]]:
        """The backward steps, each with its calls."""
        n_forward, n = self.plan.n_forward, len(self.plan.steps)
        return [self.calls(position) for position in range(n_forward, n)]

    @cached_property
    def forward_calls(self) -> list[Call]:
        """All calls of a forward pass."""
        return self.running[: self.plan.n_forward]

    @cached_property
    def backward_calls(self) -> list[Call]:
        """All calls of a backward pass, after the seeds."""
        n = self.plan.n_forward
        calls: list[Call] = []
        for call, added in zip(self.running[n:], self.collecting[n:], strict=True):
            calls.append(call)
            calls += [add for _, add in added]
        return calls

    @cached_property
    def training_calls(self) -> list[Call]:
        """All calls of both passes."""
        return [*self.forward_calls, *self.seeding, *self.backward_calls]

    def _frame(
        self,
        v: Vertex,
        m: int,
        store: ParameterStore,
        states: Mapping[str, dict[str, np.ndarray]],
        rng: np.random.Generator,
    ) -> Frame:
        name = v.name
        frame = Frame()
        frame.name, frame.source = name, v.source
        frame.m = m
        frame.rng = rng
        frame.inputs = tuple([self.frames[n].output for n in v.inputs])
        frame.params = {local: store.arrays[key] for local, key in self.plan.params[name].items()}
        frame.state = states.get(v.owner, {})
        frame.work = self.work.get(name, {})
        frame.grad_inputs = (None,) * len(v.inputs)
        frame.grad_params = {}
        frame.output = self._nothing if v.is_input else self.arrays["output", name]
        grad = self.arrays.get(("grad", name))
        if grad is not None:
            frame.grad_output = grad
        return frame

    def _forward(self, step: Step) -> Call:
        op = self.plan.graph.vertices[step.name].op
        return MethodType(op.forward, self.frames[step.name])  # smaller and faster than a partial

    def _backward(self, step: Step) -> Call:
        frame = self.frames[step.name]
        frame.grad_inputs = tuple([t and self.arrays[t.buffer] for t in step.targets])
        for param in step.params:
            frame.grad_params[param.name] = (
                self.arrays[param.part] if param.part else self.grads[param.key]
            )
        return MethodType(self.plan.graph.vertices[step.name].op.backward, frame)

    def _collect(self, step: Step) -> tuple[tuple[BufferKey, Call], ...]:
        """Return the calls that add what a step computed to totals, each with its total."""
        calls: list[tuple[BufferKey, Call]] = []
        for target in step.targets:
            if target is not None and target.total is not None:
                total, part = self.arrays[target.total], self.arrays[target.buffer]
                calls.append((target.total, _add(total, part, target.first)))
        for param in step.params:
            if param.part is not None:
                total, part = self.grads[param.key], self.arrays[param.part]
                calls.append((("grad_param", *param.key), _add(total, part, param.first)))
        return tuple(calls)

    def seeds(self) -> list[tuple[BufferKey, Call]]:
        """Return the calls that set the losses' gradients to 1, each with the gradient."""
        keys: list[BufferKey] = [("grad", name) for name, _ in self.plan.seeds]
        return [(key, partial(self.arrays[key].fill, 1.0)) for key in keys]

    @property
    def cost(self) -> float:
        """The cost J of the run: the sum of its losses."""
        J = 0.0
        for name in self.plan.graph.losses:
            J += float(self.frames[name].output)
        return J

    def advance(self) -> Step:
        """Run the one step that comes next and return it."""
        step, calls = self.calls(self.position)
        run_compiled(calls)
        self.position += 1
        if self.position == self.plan.n_forward:
            run_compiled(self.seeding)
        return step

    def calls(self, position: int) -> tuple[Step, list[Call]]:
        """Return a step and its calls: first the op's own, then what adds up gradients."""
        added = [call for _, call in self.collecting[position]]
        return self.plan.steps[position], [self.running[position], *added]

    def feed(self, feeds: Mapping[str, np.ndarray]) -> None:
        """Let the nodes that read inputs see these arrays, without copying them."""
        for name in self.plan.graph.inputs:
            array = feeds[name]
            if self.fed.get(name) is array:
                continue
            self.fed[name] = array
            if self.arenas.hold(array):
                array = array.copy()  # a value of an earlier run, which this one will overwrite
                del self.fed[name]
            self.show(name, array)

    def replace(self, name: str, array: np.ndarray) -> None:
        """Show another array in the place of the fed one, which stays as it is."""
        self.fed.pop(name, None)
        self.show(name, array.astype(self.frames[name].output.dtype))

    def release(self) -> None:
        """Let go of the fed arrays, so that they do not stay in memory for this binding's sake."""
        self.fed = {}
        for name in self.plan.graph.inputs:
            self.show(name, self._nothing)

    def show(self, name: str, array: np.ndarray) -> None:
        """Make an array the value of an input, for all who read it."""
        self.frames[name].output = array
        for consumer, slot in self.plan.graph.input_consumers[name]:
            frame = self.frames[consumer]
            frame.inputs = (*frame.inputs[:slot], array, *frame.inputs[slot + 1 :])


def _add(total: np.ndarray, part: np.ndarray, first: bool) -> Call:
    return partial(np.copyto, total, part) if first else partial(np.add, total, part, out=total)
