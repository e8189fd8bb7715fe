"""What an op is: pure mathematics over the arrays of a frame.

One op is one class: its hyperparameters are the fields, and everything else that the engine,
the drawing and the contract tests need to know is declared beside the mathematics. An op owns
no array and knows no graph; calling it makes a `Node`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from math import prod
from typing import Any, ClassVar, dataclass_transform

import numpy as np

from dagnet.bounds import plain
from dagnet.errors import ArgumentTypeError, GraphError
from dagnet.names import check_name
from dagnet.node import Node, Shape, located, user_source
from dagnet.ops.checks import check_arity
from dagnet.ops.frame import Frame, Parameter, State, Work


@dataclass(frozen=True)
class Example:
    """Arguments with which the contract tests run an op: input shapes, or a way to draw inputs."""

    op: "Op"
    shapes: tuple[tuple[int, ...], ...]
    draw: Callable[[np.random.Generator], tuple[np.ndarray, ...]] | None = None
    params: Mapping[str, tuple[int, ...]] | None = None


def _with_plain_numbers(init: Callable[..., None]) -> Callable[..., None]:
    """Return an initialiser that makes Python's numbers of numpy's.

    A hyperparameter of numpy would bring its own precision into arrays of another one, and lose
    it when the model is saved.
    """

    @wraps(init)
    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *map(plain, args), **{name: plain(value) for name, value in kwargs.items()})

    return initialize


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
        cls.__init__ = _with_plain_numbers(cls.__init__)  # type: ignore[method-assign]

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
        kind = type(self).__name__
        name = check_name(self.name if name is None else name, located(kind, source))
        label = located(name or kind, source)
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
        return Node(self, inputs, shape, name, source)

    @property
    def stem(self) -> str:
        """What nodes without a name are called, before a number: ``relu`` in ``relu1``."""
        return type(self).__name__.lower()

    @property
    def label(self) -> str:
        """How messages about the hyperparameters begin: ``Linear hidden (net.py:7)``."""
        kind = type(self).__name__
        named = isinstance(self.name, str) and self.name
        return located(f"{kind} {self.name}" if named else kind, user_source())

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
