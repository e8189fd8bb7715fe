"""Batch normalisation, in training and in prediction."""

from collections.abc import Iterable
from math import prod
from typing import ClassVar

import numpy as np

from dagnet.bounds import check_number, check_positive
from dagnet.node import Shape
from dagnet.ops.base import Example, Op
from dagnet.ops.frame import Frame, Parameter, State, Work
from dagnet.ops.normalization import Normalization, reduced, with_units


class BatchNorm(Normalization):
    """Batch normalisation: each unit to mean 0 and variance 1 over the examples of the run.

    Parameters
    ----------
    momentum : float
        Weight, from 0 to 1, of this run's statistics in the running ones.
    eps : float
        Positive; added to the variance under the root.
    name : str, optional

    Notes
    -----
    Any shape of two axes or more, units on axis 0; mean and variance are over all other axes, of
    N values per unit. Parameters gamma (1 at first) and beta (0), one number per unit::

        x̂     = (x - mean) / sqrt(var + eps)
        a     = gamma x̂ + beta
        dgamma = sum(da x̂),  dbeta = sum(da)
        dx    = gamma / sqrt(var + eps) (da - mean(da) - x̂ mean(da x̂))

    Every forward run moves the states: ``running = (1 - momentum) running + momentum new``, with
    the unbiased variance (N - 1). Of a single value per unit there is none, and the running
    variance stays as it is. In prediction it is `FrozenBatchNorm`, with the same parameters.
    Source: Ioffe and Szegedy, *Batch normalization* (2015).

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.BatchNorm()(dn.Input(5))
    <BatchNorm (5, m) at ...>
    """

    momentum: float = 0.1
    eps: float = 1e-5

    symbol: ClassVar[str] = "batchnorm"

    def __post_init__(self) -> None:
        check_number(self.momentum, f"{self.label}: momentum", at_least=0, at_most=1)
        check_positive(self.eps, f"{self.label}: eps")

    def statistics_axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(range(1, ndim))

    def shared_axes(self, ndim: int) -> tuple[int, ...]:
        return self.statistics_axes(ndim)

    def states(self, *inputs: Shape) -> dict[str, State]:
        shape = self.parameters(*inputs)["gamma"].shape
        return {"running_mean": State(shape), "running_var": State(shape, fill=1.0)}

    def in_prediction(self) -> Op:
        return FrozenBatchNorm(eps=self.eps, name=self.name)

    def keep_statistics(self, f: Frame, count: int) -> None:
        news = {"running_mean": (f.work["mean"], 1.0)}
        if count > 1:
            news["running_var"] = (f.work["variance"], count / (count - 1))
        for name, (new, correction) in news.items():
            running = f.state[name]
            np.multiply(running, 1 - self.momentum, out=running)
            np.multiply(new, self.momentum * correction, out=new)
            np.add(running, new, out=running)

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (
            Example(cls(), ((5, 7),)),
            Example(cls(momentum=0.3, eps=0.1), ((3, 2, 5, 7),)),
        )


class FrozenBatchNorm(Op):
    """Batch normalisation by the running statistics: what `BatchNorm` is in prediction.

    Parameters
    ----------
    eps : float
        Positive; added to the variance under the root.
    name : str, optional

    Notes
    -----
    Shapes, parameters and states as in `BatchNorm`; the states are read, never moved::

        x̂     = (x - running_mean) / sqrt(running_var + eps)
        a     = gamma x̂ + beta
        dgamma = sum(da x̂),  dbeta = sum(da)
        dx    = gamma / sqrt(running_var + eps) da

    Source: Ioffe and Szegedy, *Batch normalization* (2015), section 3.1.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.BatchNorm(name="bn").in_prediction()
    FrozenBatchNorm(name='bn', eps=1e-05)
    """

    eps: float = 1e-5

    kind: ClassVar[str] = "normalization"
    symbol: ClassVar[str] = "batchnorm, frozen"
    equation: ClassVar[str] = "A = gamma (X - running_mean) / sqrt(running_var + eps) + beta"
    reads: ClassVar[frozenset[str]] = frozenset({"params"})

    def __post_init__(self) -> None:
        check_positive(self.eps, f"{self.label}: eps")

    def output_shape(self, *inputs: Shape) -> Shape:
        return with_units(self, inputs[0])

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        return BatchNorm().parameters(*inputs)

    def states(self, *inputs: Shape) -> dict[str, State]:
        return BatchNorm().states(*inputs)

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        shape = inputs[0]
        unit = reduced(shape, tuple(range(1, len(shape))))
        return {
            "normalized": Work(shape, "saved"),
            "inverse_std": Work(unit, "saved"),
            "scale": Work(unit, "backward"),
            "product": Work(shape, "backward"),
        }

    def flops(self, *inputs: tuple[int, ...]) -> int:
        return 4 * prod(inputs[0])

    def forward(self, f: Frame) -> None:
        normalized, inverse_std = f.work["normalized"], f.work["inverse_std"]
        np.add(f.state["running_var"], self.eps, out=inverse_std)
        np.sqrt(inverse_std, out=inverse_std)
        np.reciprocal(inverse_std, out=inverse_std)
        np.subtract(f.inputs[0], f.state["running_mean"], out=normalized)
        np.multiply(normalized, inverse_std, out=normalized)
        np.multiply(normalized, f.params["gamma"], out=f.output)
        np.add(f.output, f.params["beta"], out=f.output)

    def backward(self, f: Frame) -> None:
        g, work = f.grad_output, f.work
        axes = tuple(range(1, g.ndim))
        if "gamma" in f.grad_params:
            np.multiply(g, work["normalized"], out=work["product"])
            np.add.reduce(work["product"], axis=axes, keepdims=True, out=f.grad_params["gamma"])
        if "beta" in f.grad_params:
            np.add.reduce(g, axis=axes, keepdims=True, out=f.grad_params["beta"])
        if f.grad_inputs[0] is not None:
            np.multiply(f.params["gamma"], work["inverse_std"], out=work["scale"])
            np.multiply(g, work["scale"], out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example(cls(), ((5, 7),)), Example(cls(eps=0.1), ((3, 2, 5, 7),)))
