"""What a normalisation is, and layer normalisation."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_positive
from dagnet.errors import ShapeError
from dagnet.node import Shape, format_shape
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame, Parameter, Work


class Normalization(Op, ABC):
    """Mean 0 and variance 1 over some of the axes, then a scale `gamma` and a shift `beta`."""

    kind: ClassVar[str] = "normalization"
    equation: ClassVar[str] = "A = gamma (X - mean) / sqrt(var + eps) + beta"
    reads: ClassVar[frozenset[str]] = frozenset({"params"})

    @abstractmethod
    def statistics_axes(self, ndim: int) -> tuple[int, ...]:
        """Return the axes over which mean and variance are taken."""

    @abstractmethod
    def shared_axes(self, ndim: int) -> tuple[int, ...]:
        """Return the axes along which gamma and beta are the same number."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return with_units(self, inputs[0])

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        shape = reduced(inputs[0], self.shared_axes(len(inputs[0])))
        sizes = tuple(int(size) for size in shape)
        return {"gamma": Parameter(sizes, fill=1.0), "beta": Parameter(sizes)}

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        statistic = reduced(shape, self.statistics_axes(len(shape)))
        return {
            "normalized": Work(shape, "saved"),
            "inverse_std": Work(statistic, "saved"),
            "mean": Work(statistic, "forward"),
            "variance": Work(statistic, "forward"),
            "scaled": Work(shape, "backward"),
            "product": Work(shape, "backward"),
            "mean_scaled": Work(statistic, "backward"),
            "mean_product": Work(statistic, "backward"),
        }

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 7 * prod(inputs[0])

    def keep_statistics(self, f: Frame, count: int) -> None:
        """Fold this run's ``f.work`` mean and variance, of `count` values each, into the states."""

    def forward(self, f: Frame) -> None:
        x, work = f.inputs[0], f.work
        mean, variance, inverse_std = work["mean"], work["variance"], work["inverse_std"]
        normalized, axes = work["normalized"], self.statistics_axes(x.ndim)
        count = x.size // mean.size
        np.add.reduce(x, axis=axes, keepdims=True, out=mean)
        np.divide(mean, count, out=mean)
        np.subtract(x, mean, out=normalized)
        np.multiply(normalized, normalized, out=f.output)
        np.add.reduce(f.output, axis=axes, keepdims=True, out=variance)
        np.divide(variance, count, out=variance)
        np.add(variance, self.eps, out=inverse_std)  # type: ignore[attr-defined]
        np.sqrt(inverse_std, out=inverse_std)
        np.reciprocal(inverse_std, out=inverse_std)
        np.multiply(normalized, inverse_std, out=normalized)
        np.multiply(normalized, f.params["gamma"], out=f.output)
        np.add(f.output, f.params["beta"], out=f.output)
        self.keep_statistics(f, count)

    def backward(self, f: Frame) -> None:
        g, work, grad = f.grad_output, f.work, f.grad_inputs[0]
        normalized, scaled, product = work["normalized"], work["scaled"], work["product"]
        shared = self.shared_axes(g.ndim)
        if "gamma" in f.grad_params:
            np.multiply(g, normalized, out=product)
            np.add.reduce(product, axis=shared, keepdims=True, out=f.grad_params["gamma"])
        if "beta" in f.grad_params:
            np.add.reduce(g, axis=shared, keepdims=True, out=f.grad_params["beta"])
        if grad is None:
            return
        mean_scaled, mean_product = work["mean_scaled"], work["mean_product"]
        axes = self.statistics_axes(g.ndim)
        count = g.size // mean_scaled.size
        np.multiply(g, f.params["gamma"], out=scaled)
        np.multiply(scaled, normalized, out=product)
        np.add.reduce(scaled, axis=axes, keepdims=True, out=mean_scaled)
        np.divide(mean_scaled, count, out=mean_scaled)
        np.add.reduce(product, axis=axes, keepdims=True, out=mean_product)
        np.divide(mean_product, count, out=mean_product)
        np.multiply(normalized, mean_product, out=product)
        np.subtract(scaled, mean_scaled, out=grad)
        np.subtract(grad, product, out=grad)
        np.multiply(grad, work["inverse_std"], out=grad)


class LayerNorm(Normalization):
    """Layer normalisation: each example to mean 0 and variance 1 over its units.

    Parameters
    ----------
    eps : float
        Positive; added to the variance under the root.
    name : str, optional

    Notes
    -----
    Any shape of two axes or more; mean and variance are over all axes but the examples.
    Parameters gamma (1 at first) and beta (0), of the shape of one example::

        x̂     = (x - mean) / sqrt(var + eps)
        a     = gamma x̂ + beta
        dgamma = sum(da x̂),  dbeta = sum(da), over the examples
        dx    = 1 / sqrt(var + eps) (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)),  dx̂ = gamma da

    Source: Ba, Kiros, Hinton, *Layer normalization* (2016).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.LayerNorm()(dn.Input(5))
    <LayerNorm (5, m) at ...>
    """

    eps: float = 1e-5

    symbol: ClassVar[str] = "layernorm"

    def __post_init__(self) -> None:
        check_positive(self.eps, f"{self.label}: eps")

    def statistics_axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(range(ndim - 1))

    def shared_axes(self, ndim: int) -> tuple[int, ...]:
        return (ndim - 1,)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 7),)), Example(cls(eps=0.1), ((3, 2, 5, 7),)))


def with_units(op: Op, shape: Shape) -> Shape:
    """Return the shape, or raise unless it has axes for units and for examples."""
    if len(shape) < 2:
        raise ShapeError(
            f"{type(op).__name__} takes (units, ..., examples), two axes or more, got "
            f"{format_shape(shape)}"
        )
    return shape


def reduced(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return the shape with 1 for each of these axes."""
    return tuple(1 if i in axes else size for i, size in enumerate(shape))
