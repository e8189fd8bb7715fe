"""The scheduler: runs a plan over real arrays, forward, then backward in the reverse order.

It owns the arrays. For each number of examples it binds the plan once: every buffer becomes a
view into an arena, every step a list of calls with all their arguments. After that a run only
makes the calls.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache, cached_property, partial
from types import MethodType

import numpy as np

from dagnet.executors import Call, Hooks, run_compiled, run_interpreted
from dagnet.garbage import collection_paused
from dagnet.graph import Graph, ParamKey, Vertex
from dagnet.node import M, Shape
from dagnet.ops.frame import Frame
from dagnet.parameters import ParameterStore
from dagnet.passes import block_wide_layers
from dagnet.plan import ALIGNMENT, BufferKey, Kind, Plan, Step

#: Bindings kept for different numbers of examples: a full batch, a last smaller one, a spare.
BINDINGS_KEPT = 3

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
        arenas: "Arenas",
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


class Arenas:
    """The memory of a plan: one block for values that grow with the examples, one for the rest."""

    def __init__(self) -> None:
        self.scaled = aligned(0)
        self.fixed = aligned(0)

    def hold(self, array: np.ndarray) -> bool:
        """Return whether an array lies in this memory."""
        if array.flags.owndata:  # as most that are fed; the question takes longer
            return False
        return np.may_share_memory(array, self.scaled) or np.may_share_memory(array, self.fixed)

    def fits(self, plan: Plan, m: int) -> bool:
        return self.scaled.nbytes >= plan.scaled_size * padded(m)

    def grow(self, plan: Plan, m: int) -> None:
        self.scaled = aligned(plan.scaled_size * padded(m))
        self.fixed = aligned(plan.fixed_size)

    def views(self, plan: Plan, m: int) -> dict[BufferKey, np.ndarray]:
        """Return every buffer of the plan as an array for m examples; values that take turns in
        one place share one array."""
        arrays: dict[BufferKey, np.ndarray] = {}
        made: dict[tuple[Kind, int], np.ndarray] = {}
        maker = cache(partial(self._maker, m=m))
        for key, kind, offset in plan.buffers.places():
            array = made.get((kind, offset))
            if array is None:
                array = made[kind, offset] = maker(kind)(offset)
            arrays[key] = array
        return arrays

    def _maker(self, kind: Kind, m: int) -> Callable[[int], np.ndarray]:
        """Return a function that makes the array that lies at an offset of a plan."""
        memory, unit = (self.scaled, padded(m)) if kind.scaled else (self.fixed, 1)
        lengths, dtype = resolve(kind.shape, m), np.dtype(kind.dtype)
        return lambda offset: np.ndarray(lengths, dtype, memory, offset * unit)


def padded(m: int) -> int:
    """Return the examples for which memory is laid out: large runs start on aligned addresses."""
    return m if m < 64 else -(-m // 8) * 8


def resolve(shape: Shape, m: int) -> tuple[int, ...]:
    """Return the shape with its symbol replaced by the number of examples."""
    return tuple(m if axis == M else int(axis) for axis in shape)


def aligned(nbytes: int) -> np.ndarray:
    """Return so many bytes of memory that start on a multiple of `ALIGNMENT`."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes]


class Scheduler:
    """Runs one plan. NaN, Inf and overflow flow on without a word if the caller says so to numpy.

    Parameters
    ----------
    plan : Plan
    store : ParameterStore
        Read forward; its `grad` is written backward.
    states : mapping of ParamKey to ndarray
        Arrays such as running means, by owner and name.
    rng : numpy.random.Generator
        For ops that draw random numbers.
    binding : type of Binding, optional
        How the plan is bound to memory.
    """

    def __init__(
        self,
        plan: Plan,
        store: ParameterStore,
        states: Mapping[ParamKey, np.ndarray],
        rng: np.random.Generator,
        binding: type[Binding] = Binding,
    ):
        self.plan = plan
        self._binding = binding
        self._store = store
        self._states: dict[str, dict[str, np.ndarray]] = {}
        for (owner, name), array in states.items():
            self._states.setdefault(owner, {})[name] = array
        self._rng = rng
        self._arenas = Arenas()
        self._bindings: OrderedDict[int, Binding] = OrderedDict()

    def bind(self, m: int) -> Binding:
        """Return the plan bound for m examples; bindings share their memory."""
        if m in self._bindings:
            return self._bindings[m]
        if not self._arenas.fits(self.plan, m) or not self._bindings:
            self._bindings.clear()
            self._arenas.grow(self.plan, m)
        while len(self._bindings) >= BINDINGS_KEPT:
            self._bindings.popitem(last=False)
        with collection_paused():
            binding = self._binding(
                self.plan, m, self._arenas, self._store, self._states, self._rng
            )
        self._bindings[m] = binding
        return binding

    def begin(self, feeds: Mapping[str, np.ndarray], m: int) -> Binding:
        """Return the plan bound for m examples, with the fed arrays in place and no step done."""
        binding = self.bind(m)
        for other in self._bindings.values():
            other.position = NOTHING_DONE  # they share their memory with this one
        binding.feed(feeds)
        binding.position = 0
        return binding

    def forward(self, binding: Binding, hooks: Hooks | None = None) -> None:
        """Run all forward steps."""
        if hooks is None:
            binding.position = NOTHING_DONE  # should a call fail, nobody knows how far it came
            run_compiled(binding.forward_calls)
        else:
            run_interpreted(binding.forward, _Counting(binding, hooks))
        binding.position = binding.plan.n_forward

    def backward(self, binding: Binding, hooks: Hooks | None = None) -> None:
        """Run all backward steps over the values that `forward` left in the binding."""
        run_compiled(binding.seeding)
        if hooks is None:
            binding.position = NOTHING_DONE
            run_compiled(binding.backward_calls)
        else:
            run_interpreted(binding.backward, _Counting(binding, hooks))
        binding.position = len(binding.plan.steps)

    def train(self, binding: Binding, hooks: Hooks | None = None) -> None:
        """Run all steps, forward and backward."""
        if hooks is None:
            binding.position = NOTHING_DONE
            run_compiled(binding.training_calls)
            binding.position = len(binding.plan.steps)
        else:
            self.forward(binding, hooks)
            self.backward(binding, hooks)


class _Counting:
    """Hooks that keep the position true, so that other hooks can read what is computed."""

    def __init__(self, binding: Binding, hooks: Hooks):
        self._binding = binding
        self._hooks = hooks

    def before_node(self, name: str, phase: str) -> None:
        self._hooks.before_node(name, phase)

    def after_node(self, name: str, phase: str) -> None:
        self._binding.position += 1
        self._hooks.after_node(name, phase)


def cost(binding: Binding) -> float:
    """Return the sum of the losses of a run."""
    J = 0.0
    for name in binding.plan.graph.losses:
        J += float(binding.frames[name].output)
    return J
