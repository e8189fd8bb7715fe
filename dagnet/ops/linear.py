"""Linear: weights times inputs plus a bias per unit."""

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_size
from dagnet.errors import ArgumentTypeError, ShapeError
from dagnet.node import Shape, format_shape
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame, Parameter


class Linear(Op):
    """Linear (fully connected) layer: ``Z = W A_prev + b``.

    Parameters
    ----------
    units : int
        Number of outputs, n_out.
    bias : bool
        Whether to add b.
    init : str or float, optional
        Initialiser of W for this op, instead of the model's.
    name : str, optional

    Notes
    -----
    ``A_prev (n_in, m)``, ``W (n_out, n_in)``, ``b (n_out, 1)``, ``Z (n_out, m)``. Backward::

        dW      = dZ A_prevᵀ
        db      = sum of dZ over the examples
        dA_prev = Wᵀ dZ

    Source: Goodfellow, Bengio, Courville, *Deep Learning* (2016), section 6.5.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.Linear(20)(dn.Input(12288)).shape
    (20, 'm')
    """

    units: int
    bias: bool = True
    init: str | float | None = None

    kind: ClassVar[str] = "linear"
    symbol: ClassVar[str] = "W·x + b"
    equation: ClassVar[str] = "Z = W A_prev + b"
    reads: ClassVar[frozenset[str]] = frozenset({"inputs", "params"})
    size_fields: ClassVar[frozenset[str]] = frozenset({"units"})

    def __post_init__(self) -> None:
        check_size(self.units, f"{self.label}: units")
        if not isinstance(self.bias, bool):
            raise ArgumentTypeError(
                f"{self.label}: bias must be True or False, got {self.bias!r}; the number of "
                "inputs is not given, and an op is called on its input: Linear(7)(x)"
            )

    def output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        if len(shape) != 2 or not isinstance(shape[0], int):
            raise ShapeError(
                f"Linear takes (features, examples), two axes, got {format_shape(shape)}; "
                "put a Flatten before it"
            )
        return (int(self.units), shape[1])

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        n_in, n_out = int(inputs[0][0]), int(self.units)
        params = {"W": Parameter((n_out, n_in), fan_in=n_in, fan_out=n_out, init=self.init)}
        if self.bias:
            params["b"] = Parameter((n_out, 1))
        return params

    def flops(self, *inputs: tuple[int, ...]) -> int:
        n_in, m = inputs[0]
        return self.units * m * (2 * n_in - 1 + self.bias)

    def forward(self, f: Frame) -> None:
        # The method: `np.dot` first runs a function of Python that looks for other kinds of arrays.
        f.params["W"].dot(f.inputs[0], out=f.output)
        if self.bias:
            np.add(f.output, f.params["b"], out=f.output)

    def backward(self, f: Frame) -> None:
        grads = f.grad_params
        if "W" in grads:
            f.grad_output.dot(f.inputs[0].T, out=grads["W"])
        if "b" in grads:
            np.add.reduce(f.grad_output, axis=1, keepdims=True, out=grads["b"])
        if f.grad_inputs[0] is not None:
            f.params["W"].T.dot(f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(7), ((5, 3),)),
            Example(cls(5, bias=False), ((3, 7),)),
            Example(cls(1), ((2, 1),)),
        )
