"""What an op is: pure mathematics over the arrays of a frame.

One op is one class: its hyperparameters are the fields, and everything else that the engine,
the drawing and the contract tests need to know is declared beside the mathematics. An op owns
no array and knows no graph; calling it makes a `Node`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from math import prod
from typing import Any, ClassVar, Literal, dataclass_transform

import numpy as np

from dagnet.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError
from dagnet.node import Node, Shape, Source, format_shape, located, user_source


@dataclass(frozen=True)
class Parameter:
    """A trained array of an op.

    Weights state their `fan_in` and `fan_out`: the model's initialiser (or `init`, if given)
    draws them, and L2 and weight decay shrink them. Everything else starts at `fill`.
    """

    shape: tuple[int, ...]
    fan_in: int | None = None
    fan_out: int | None = None
    init: str | float | None = None
    fill: float = 0.0

    @property
    def is_weight(self) -> bool:
        return self.fan_in is not None

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class State:
    """An array of an op that training changes without a gradient, such as a running mean."""

    shape: tuple[int, ...]
    fill: float = 0.0


@dataclass(frozen=True)
class Work:
    """An array an op computes in besides its output.

    `life` says when its content matters: during the `"forward"` call, during the `"backward"`
    call, or `"saved"` from forward to backward. `dtype` is the model's unless given.
    """

    shape: Shape
    life: Literal["forward", "backward", "saved"]
    dtype: str | None = None


class Frame:
    """The arrays of one node, as an op's `forward` and `backward` see them.

    Attributes
    ----------
    name : str
    source : Source or None
        The user's file and line.
    inputs : tuple of ndarray
        One per input, in order. Read only.
    output : ndarray
        `forward` overwrites all of it; `backward` may read it if the op's `reads` says so.
    params, state, work : dict of ndarray
        By the names the op declared.
    grad_output : ndarray
        Gradient of the cost with respect to the output. Read only.
    grad_inputs : tuple of (ndarray or None)
        `backward` overwrites each array wholly and skips None, which was not asked for.
    grad_params : dict of ndarray
        `backward` overwrites each array that is there; a missing name was not asked for.
    m : int
        Number of examples of this run.
    rng : numpy.random.Generator
        For ops that draw random numbers.
    """

    __slots__ = (
        "grad_inputs",
        "grad_output",
        "grad_params",
        "inputs",
        "m",
        "name",
        "output",
        "params",
        "rng",
        "source",
        "state",
        "work",
    )

    name: str
    source: Source | None
    inputs: tuple[np.ndarray, ...]
    output: np.ndarray
    params: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    work: dict[str, np.ndarray]
    grad_output: np.ndarray
    grad_inputs: tuple[np.ndarray | None, ...]
    grad_params: dict[str, np.ndarray]
    m: int
    rng: np.random.Generator

    @classmethod
    def allocate(
        cls,
        op: "Op",
        *inputs: np.ndarray,
        params: Mapping[str, np.ndarray] | None = None,
        m: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> "Frame":
        """Return a frame with fresh arrays for one op on its own, outside any graph.

        Parameters
        ----------
        op : Op
        *inputs : ndarray
            What the op reads, examples on the last axis.
        params : mapping of ndarray, optional
            Its parameters; as declared by the op, zeros for weights, if not given.
        m : int, optional
            Number of examples; the length of the first input's last axis if not given.
        rng : numpy.random.Generator, optional

        Examples
        --------
        >>> import numpy as np, dagnet as dn
        >>> from dagnet.ops.base import Frame
        >>> frame = Frame.allocate(dn.ReLU(), np.array([[-1.0, 2.0]]))
        >>> dn.ReLU().forward(frame)
        >>> frame.output
        array([[0., 2.]])
        """
        shapes = tuple(x.shape for x in inputs)
        dtype = np.result_type(*inputs, *(params or {}).values(), np.float32)
        frame = cls()
        frame.name, frame.source = op.stem, None
        frame.inputs = inputs
        frame.output = np.empty(sizes(op.output_shape(*shapes)), dtype)
        frame.params = dict(params or {}) or {
            name: np.full(p.shape, p.fill, dtype) for name, p in op.parameters(*shapes).items()
        }
        frame.state = {n: np.full(s.shape, s.fill, dtype) for n, s in op.states(*shapes).items()}
        frame.work = {
            n: np.empty(sizes(w.shape), np.dtype(w.dtype or dtype))
            for n, w in op.workspace(*shapes).items()
        }
        frame.grad_output = np.ones_like(frame.output)
        frame.grad_inputs = tuple(
            None if i in op.constant_inputs else np.empty(s, dtype) for i, s in enumerate(shapes)
        )
        frame.grad_params = {n: np.empty_like(p) for n, p in frame.params.items()}
        if m is None:
            m = inputs[0].shape[-1] if inputs and inputs[0].ndim else 1
        frame.m = m
        frame.rng = rng if rng is not None else np.random.default_rng(0)
        return frame


@dataclass(frozen=True)
class Example:
    """Arguments with which the contract tests run an op: input shapes, or a way to draw inputs."""

    op: "Op"
    shapes: tuple[tuple[int, ...], ...]
    draw: Callable[[np.random.Generator], tuple[np.ndarray, ...]] | None = None
    params: Mapping[str, tuple[int, ...]] | None = None


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
@dataclass(frozen=True, eq=False)
class Op(ABC):
    """Base class of every op. Subclasses become frozen dataclasses by themselves.

    A class of your own needs `kind`, `reads`, `output_shape`, `forward` and `backward`;
    check it with `dagnet.testing.check_op`. See ``examples/own_op.py``.

    Class attributes
    ----------------
    kind : str
        ``"linear"``, ``"activation"``, ``"join"``, ``"reshape"``, ``"normalization"``,
        ``"regularization"``, ``"loss"``, ``"penalty"`` or ``"input"``.
    symbol, equation : str
        For drawings and reports.
    arity : int or None
        Number of inputs; None for one or more.
    reads : frozenset of str
        What `backward` reads besides `grad_output` and saved work: any of ``"inputs"``,
        ``"output"``, ``"params"``. Whatever is not named here may be overwritten before.
    in_place : bool
        True if `forward` may get the first input's array as `output`, and `backward` the array
        of `grad_output` as the first of `grad_inputs`.
    constant_inputs : frozenset of int
        Inputs that get no gradient, such as the labels of a cross-entropy.
    one_hot_inputs : frozenset of int
        Inputs that hold one-hot columns: a model takes integer labels for them, too.
    size_fields : frozenset of str
        Hyperparameters that only set a size: blocks differing in them still repeat.
    """

    name: str | None = field(default=None, kw_only=True)

    kind: ClassVar[str]
    symbol: ClassVar[str] = ""
    equation: ClassVar[str] = ""
    arity: ClassVar[int | None] = 1
    reads: ClassVar[frozenset[str]] = frozenset()
    in_place: ClassVar[bool] = False
    constant_inputs: ClassVar[frozenset[int]] = frozenset()
    one_hot_inputs: ClassVar[frozenset[int]] = frozenset()
    size_fields: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, eq=False)(cls)

    def __call__(self, *inputs: Node, name: str | None = None) -> Node:
        """Use this op on nodes and return the new node.

        Calling the same op object again makes another node that shares its parameters.

        Parameters
        ----------
        *inputs : Node
        name : str, optional
            Name of this node; else the op's own name, else one the graph gives.

        Raises
        ------
        ShapeError
            If the shapes of the inputs do not fit.
        """
        source = user_source()
        label = located(name or self.name or type(self).__name__, source)
        for position, node in enumerate(inputs):
            if not isinstance(node, Node):
                raise ArgumentTypeError(
                    f"{label}: input {position} must be a node (an Input, or what an op "
                    f"returned), not {type(node).__name__}"
                )
        try:
            check_arity(self, inputs)
            shape = self.output_shape(*(node.shape for node in inputs))
        except GraphError as error:
            raise type(error)(f"{label}: {error}") from None
        return Node(self, inputs, shape, check_name(name or self.name, label), source)

    @property
    def stem(self) -> str:
        """What nodes without a name are called, before a number: ``relu`` in ``relu1``."""
        return type(self).__name__.lower()

    @property
    def label(self) -> str:
        """How messages about the hyperparameters begin: ``Linear hidden (net.py:7)``."""
        kind = type(self).__name__
        return located(f"{kind} {self.name}" if self.name else kind, user_source())

    @property
    def config(self) -> dict[str, Any]:
        """The hyperparameters by name, as `save` writes them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}

    # Declarations. All shape arguments are the shapes of the inputs.

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the output's shape, or raise `ShapeError` naming the axes that do not fit."""

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        """Return the trained arrays by name."""
        return {}

    def states(self, *inputs: Shape) -> dict[str, State]:
        """Return the untrained arrays that persist from step to step, by name."""
        return {}

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        """Return the arrays it computes in, by name."""
        return {}

    def flops(self, *inputs: tuple[int, ...]) -> int:
        """Return the floating-point operations of one forward call: one per output element."""
        return prod(d for d in self.output_shape(*inputs) if isinstance(d, int))

    def kinks(self, *inputs: np.ndarray) -> np.ndarray | None:
        """Return each element's distance to where the op is not differentiable; None if smooth."""
        return None

    def feed_problem(self, slot: int, array: np.ndarray) -> str | None:
        """Return what is wrong with an array fed directly into input `slot`; None if nothing."""
        return None

    def in_prediction(self) -> "Op":
        """Return the op that stands here when the model predicts instead of trains."""
        return self

    def from_logits(self, activation: "Op") -> "Op | None":
        """Return the op that computes this loss from `activation`'s own input, if there is one."""
        return None

    @classmethod
    def examples(cls) -> Iterable[Example]:
        """Return arguments for the contract tests."""
        return ()

    # Mathematics.

    @abstractmethod
    def forward(self, f: Frame) -> None:
        """Write the output, from the inputs and parameters, into `f.output`."""

    @abstractmethod
    def backward(self, f: Frame) -> None:
        """Write the asked gradients into `f.grad_inputs` and `f.grad_params`."""


class Unary(Op, ABC):
    """An op on one input of any shape, element by element: most activations."""

    kind: ClassVar[str] = "activation"
    in_place: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


class Placeholder(Op):
    """The op of an `Input`: its value is fed."""

    shape: Shape = ()

    kind: ClassVar[str] = "input"
    symbol: ClassVar[str] = "input"
    arity: ClassVar[int | None] = 0
    size_fields: ClassVar[frozenset[str]] = frozenset({"shape"})

    @property
    def stem(self) -> str:
        return "input"

    def output_shape(self, *inputs: Shape) -> Shape:
        return tuple(self.shape)

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 0

    def forward(self, f: Frame) -> None:
        """Nothing to compute: the output is the fed array."""

    def backward(self, f: Frame) -> None:
        """Nothing to pass on: gradients end here."""


def Input(*shape: int, name: str | None = None, examples: bool = True) -> Node:  # noqa: N802
    """Declare an input of the network.

    Parameters
    ----------
    *shape : int
        Sizes of the axes before the examples axis: ``Input(12288)`` takes ``(12288, m)``.
    name : str, optional
        The key under which it is fed.
    examples : bool
        False for an array of exactly this shape, without an examples axis.

    Returns
    -------
    Node

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Input(3, 64, 64, name="pictures").shape
    (3, 64, 64, 'm')
    """
    source = user_source()
    label = located(name or "Input", source)
    for size in shape:
        check_size(size, f"{label}: every axis of an Input", ShapeError)
    full: Shape = (*map(int, shape), "m") if examples else tuple(map(int, shape))
    return Node(Placeholder(full), (), full, check_name(name, label), source)


def sizes(shape: Shape) -> tuple[int, ...]:
    """Return a shape without symbols as plain integers."""
    return tuple(int(size) for size in shape)


def check_arity(op: Op, inputs: tuple[object, ...]) -> None:
    """Raise `GraphError` unless the op takes this number of inputs."""
    n = len(inputs)
    if op.arity is None and n == 0:
        raise GraphError(f"{type(op).__name__} takes one input or more, got none")
    if op.arity is not None and n != op.arity:
        s = "" if op.arity == 1 else "s"
        raise GraphError(f"{type(op).__name__} takes {op.arity} input{s}, got {n}")


def check_name(name: str | None, label: str) -> str | None:
    """Return the name, or raise unless it is a non-empty string without the separator."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise ArgumentTypeError(f"{label}: a name must be a string, not {type(name).__name__}")
    if not name or "\n" in name:
        raise ArgumentError(f"{label}: a name must be one non-empty line, got {name!r}")
    return name


def check_size(
    value: object, what: str, error: type[GraphError] | type[ArgumentError] = ArgumentError
) -> None:
    """Raise unless `value` is a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise error(f"{what} must be a positive integer, got {value!r}")


def same_shapes(op: Op, *inputs: Shape) -> Shape:
    """Return the common shape of all inputs, or raise `ShapeError` naming the first odd one."""
    for position, shape in enumerate(inputs[1:], start=1):
        if shape != inputs[0]:
            raise ShapeError(
                f"{type(op).__name__} needs inputs of one shape; input 0 is "
                f"{format_shape(inputs[0])}, input {position} is {format_shape(shape)}"
                + differing_axis(inputs[0], shape)
            )
    return inputs[0]


def differing_axis(a: Shape, b: Shape) -> str:
    """Return which axis of two shapes differs first, as the tail of a message."""
    if len(a) != len(b):
        return f" ({len(a)} axes against {len(b)})"
    axis = next(i for i, (p, q) in enumerate(zip(a, b, strict=True)) if p != q)
    return f" (axis {axis}: {a[axis]} against {b[axis]})"
