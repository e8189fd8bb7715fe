"""The scheduler: runs a plan over real arrays, forward, then backward in the reverse order.

It owns the arrays. For each number of examples it binds the plan once.
"""

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from dagnet.binding import NOTHING_DONE, Binding
from dagnet.executors import Hooks, run_compiled, run_interpreted
from dagnet.garbage import collection_paused
from dagnet.graph import ParamKey
from dagnet.memory import Arenas
from dagnet.parameters import ParameterStore
from dagnet.plan import Plan

#: Bindings kept for different numbers of examples: a full batch, a last smaller one, a spare.
BINDINGS_KEPT = 3


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
