"""What an optimizer accumulates, and the stretches of a model's arrays it works on."""

import weakref
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError

Array = np.ndarray
Arrays = tuple[np.ndarray, ...]

#: Updates all parameters at once; it was made for their arrays.
Sweep = Callable[[], object]

#: Elements that go through all the arithmetic together, so that they stay in the cache.
BLOCK = 32_768

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class ParameterStore(Protocol):
    """What an optimizer works on: all parameters of a model, in one array.

    Attributes
    ----------
    data, grad : ndarray
        The parameters and the gradients of the cost: 1-d, of one length and dtype.
    n_weights : int
        The first `n_weights` elements are weights, which decay; the others never do.
    """

    @property
    def data(self) -> Array: ...
    @property
    def grad(self) -> Array: ...
    @property
    def n_weights(self) -> int: ...


class Block(NamedTuple):
    """Views of one stretch of all the arrays, made once."""

    data: Array
    grad: Array
    slots: Arrays
    scratch: Array
    changed_grad: Array
    weights: int


class OptimizerState:
    """What an optimizer accumulates, and the store it works on."""

    __slots__ = ("blocks", "data", "grad", "numbers", "slots", "steps", "store", "sweep", "values")

    def __init__(self, steps: int = 0, slots: dict[str, np.ndarray] | None = None):
        self.steps = steps
        self.slots = slots or {}
        self.numbers: Arrays = ()
        #: What `numbers` hold.
        self.values: tuple[float, ...] = ()
        self.sweep: Sweep | None = None
        self.blocks: list[Block] = []
        self.store: weakref.ref[Any] | None = None
        self.data: weakref.ref[np.ndarray] | None = None
        self.grad: weakref.ref[np.ndarray] | None = None

    def bind(
        self,
        store: ParameterStore,
        slots: tuple[str, ...],
        n_numbers: int,
        sweep: Callable[[Arrays, Array], Sweep | None],
    ) -> None:
        """Make the views and scratch arrays for a store, and the state if there is none.

        `sweep` returns how to update all of the arrays at once, if there is a way: the parameters,
        their gradient and the slots, and the numbers in one array.
        """
        data, grad = store.data, store.grad
        if slots and not self.slots:
            self.slots = {name: np.zeros_like(data) for name in slots}
        numbers = np.zeros(n_numbers, data.dtype)
        self.numbers = tuple(numbers[i, ...] for i in range(n_numbers))
        self.sweep = sweep((data, grad, *(self.slots[name] for name in slots)), numbers)
        self.values = (0.0,) * n_numbers
        blocks: list[Block] = []
        scratch, changed = np.empty((2, min(BLOCK, data.size)), data.dtype)
        for start in range(0, data.size, BLOCK):
            part = slice(start, min(start + BLOCK, data.size))
            length = part.stop - start
            weights = min(max(store.n_weights - start, 0), length)
            state = tuple(self.slots[name][part] for name in slots)
            rows = scratch[:length], changed[:length]
            blocks.append(Block(data[part], grad[part], state, *rows, weights))
        self.blocks = blocks
        # The views must not keep a model's arrays alive when the model is gone.
        self.store = weakref.ref(store, self._release)
        self.data, self.grad = weakref.ref(data), weakref.ref(grad)

    def _release(self, _: object) -> None:
        self.blocks.clear()
        self.sweep = None

    def is_bound_to(self, store: ParameterStore) -> bool:
        return (
            self.store is not None
            and self.store() is store
            and self.data is not None
            and self.data() is store.data
            and self.grad is not None
            and self.grad() is store.grad
        )


def check_store(store: ParameterStore, name: str) -> None:
    """Raise unless the arrays of `store` are as `ParameterStore` says; `name` begins messages."""
    data, grad, n_weights = store.data, store.grad, store.n_weights
    if data.ndim != 1 or data.shape != grad.shape or data.dtype != grad.dtype:
        raise ArgumentError(
            f"{name}: data and grad of a store must be 1-d, of one length and one dtype, got "
            f"{data.shape} {data.dtype} and {grad.shape} {grad.dtype}"
        )
    if data.dtype not in FLOATS or not data.flags.c_contiguous or not grad.flags.c_contiguous:
        raise ArgumentError(
            f"{name}: data and grad of a store must be contiguous arrays of float32 or float64"
        )
    if not 0 <= n_weights <= data.size:
        raise ArgumentError(
            f"{name}: n_weights of a store must be from 0 to {data.size}, got {n_weights}"
        )


def check_state(
    state: Mapping[str, Any], slots: tuple[str, ...], held: Mapping[str, Array], name: str
) -> tuple[int, dict[str, Array]]:
    """Return the steps and copies of the arrays of a state, or raise unless it fits."""
    if not isinstance(state, Mapping):
        raise ArgumentTypeError(f"{name}: a state is a mapping, got {type(state).__name__}")
    expected = ["steps", *slots]
    if "steps" not in state or set(state) not in ({"steps"}, set(expected)):
        raise ArgumentError(
            f"{name}: a state holds {', '.join(expected)}; got {', '.join(map(str, state)) or '{}'}"
        )
    steps = state["steps"]
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        raise ArgumentError(f"{name}: steps of a state must be an integer from 0, got {steps!r}")
    arrays = {slot: np.array(state[slot]) for slot in slots if slot in state}
    if slots and steps and not arrays:
        raise ArgumentError(f"{name}: the state after {steps} steps lacks {', '.join(slots)}")
    like = next(iter((held or arrays).values()), None)
    for slot, array in arrays.items():
        if like is None or array.ndim != 1 or array.dtype not in FLOATS:
            raise ArgumentError(
                f"{name}: {slot!r} of a state must be a 1-d array of float32 or float64, got "
                f"{array.shape} {array.dtype}"
            )
        if (array.shape, array.dtype) != (like.shape, like.dtype):
            raise ArgumentError(
                f"{name}: {slot!r} of the state is {array.shape} {array.dtype}, needed is "
                f"{like.shape} {like.dtype}"
            )
    return int(steps), arrays
