"""The optimizers: how the parameters move, given the gradients of the cost."""

from dataclasses import field
from math import sqrt
from typing import ClassVar

import numpy as np

from dagnet.training.optimizer import Optimizer
from dagnet.training.optimizer_state import Array, Arrays
from dagnet.training.schedules import Schedule


class SGD(Optimizer):
    """Gradient descent: ``p -= learning_rate · g``.

    Parameters
    ----------
    learning_rate : float or Schedule
    weight_decay, clip_norm
        See `Optimizer`.

    Examples
    --------
    >>> from dagnet.training import SGD
    >>> SGD(0.0075)
    SGD(learning_rate=0.0075, weight_decay=0.0, clip_norm=None)
    """

    learning_rate: float | Schedule = 0.01

    def numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return (rate,)

    def update(self, p: Array, g: Array, slots: Arrays, scratch: Array, numbers: Arrays) -> None:
        (rate,) = numbers
        np.multiply(g, rate, scratch)
        np.subtract(p, scratch, p)


class Momentum(Optimizer):
    """Gradient descent along a running mean of the gradients.

    Parameters
    ----------
    learning_rate : float or Schedule
    beta : float
        Share of the running mean that each step keeps, in [0, 1).
    weight_decay, clip_norm
        See `Optimizer`.

    Notes
    -----
    ::

        v  = beta v + (1 - beta) g
        p -= learning_rate v

    PyTorch's leave out the factor ``1 - beta``: its learning rate is that much smaller.
    Source: Polyak, *Some methods of speeding up the convergence of iteration methods* (1964).

    Examples
    --------
    >>> from dagnet.training import Momentum
    >>> Momentum(0.01, beta=0.95).beta
    0.95
    """

    learning_rate: float | Schedule = 0.01
    beta: float = 0.9

    slots: ClassVar[tuple[str, ...]] = ("v",)

    def numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate, self.beta, 1.0 - self.beta

    def update(self, p: Array, g: Array, slots: Arrays, scratch: Array, numbers: Arrays) -> None:
        (v,), (rate, keep, add) = slots, numbers
        np.multiply(v, keep, v)
        np.multiply(g, add, scratch)
        np.add(v, scratch, v)
        np.multiply(v, rate, scratch)
        np.subtract(p, scratch, p)


class RMSProp(Optimizer):
    """Gradient descent with each gradient divided by its own running size.

    Parameters
    ----------
    learning_rate : float or Schedule
    beta : float
        Share of the running mean of squares that each step keeps, in [0, 1).
    eps : float
        Keeps the division from blowing up.
    weight_decay, clip_norm
        See `Optimizer`.

    Notes
    -----
    ::

        s  = beta s + (1 - beta) g²
        p -= learning_rate g / (√s + eps)

    Source: Hinton, *Neural networks for machine learning*, lecture 6e (2012).

    Examples
    --------
    >>> from dagnet.training import RMSProp
    >>> RMSProp(0.001).eps
    1e-08
    """

    learning_rate: float | Schedule = 0.001
    beta: float = 0.9
    eps: float = 1e-8

    slots: ClassVar[tuple[str, ...]] = ("s",)

    def numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return rate, self.beta, 1.0 - self.beta, self.eps

    def update(self, p: Array, g: Array, slots: Arrays, scratch: Array, numbers: Arrays) -> None:
        (s,), (rate, keep, add, eps) = slots, numbers
        np.multiply(s, keep, s)
        np.multiply(g, g, scratch)
        np.multiply(scratch, add, scratch)
        np.add(s, scratch, s)
        np.sqrt(s, scratch)
        np.add(scratch, eps, scratch)
        np.divide(g, scratch, scratch)
        np.multiply(scratch, rate, scratch)
        np.subtract(p, scratch, p)


class Adam(Optimizer):
    """Gradient descent along the running mean of the gradients, divided by their running size.

    Parameters
    ----------
    learning_rate : float or Schedule
    beta1, beta2 : float
        Shares of the running means, of gradients and of their squares, that each step keeps.
    eps : float
        Keeps the division from blowing up.
    weight_decay, clip_norm
        See `Optimizer`.

    Notes
    -----
    In step t, the first being 1::

        m  = beta1 m + (1 - beta1) g
        v  = beta2 v + (1 - beta2) g²
        p -= learning_rate (m / (1 - beta1^t)) / (√(v / (1 - beta2^t)) + eps)

    Source: Kingma and Ba, *Adam: a method for stochastic optimization* (2015), algorithm 1.

    Examples
    --------
    >>> from dagnet.training import Adam, Cosine
    >>> Adam(Cosine(0.001, steps=1000), clip_norm=1.0).rate
    0.001
    """

    learning_rate: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slots: ClassVar[tuple[str, ...]] = ("m", "v")

    def numbers(self, rate: float, step: int) -> tuple[float, ...]:
        b1, b2 = self.beta1, self.beta2
        # Both corrections go into the last two numbers, so that no array is swept for them:
        # m/c1 / (√(v/c2) + eps) = √c2/c1 · m / (√v + √c2·eps).
        c1, root_c2 = 1.0 - b1**step, sqrt(1.0 - b2**step)
        return b1, 1.0 - b1, b2, 1.0 - b2, root_c2 * self.eps, rate * root_c2 / c1

    def update(self, p: Array, g: Array, slots: Arrays, scratch: Array, numbers: Arrays) -> None:
        (m, v), (keep1, add1, keep2, add2, eps, rate) = slots, numbers
        np.multiply(m, keep1, m)
        np.multiply(g, add1, scratch)
        np.add(m, scratch, m)
        np.multiply(v, keep2, v)
        np.multiply(g, g, scratch)
        np.multiply(scratch, add2, scratch)
        np.add(v, scratch, v)
        np.sqrt(v, scratch)
        np.add(scratch, eps, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, rate, scratch)
        np.subtract(p, scratch, p)


class AdamW(Adam):
    """Adam whose weight decay acts on the weights themselves, not through the gradient.

    Parameters
    ----------
    learning_rate, beta1, beta2, eps, clip_norm
        See `Adam`.
    weight_decay : float
        Before each step, ``W -= learning_rate · weight_decay · W`` for the weights W.

    Notes
    -----
    Source: Loshchilov and Hutter, *Decoupled weight decay regularization* (2019), with the
    learning rate as PyTorch multiplies it in.

    Examples
    --------
    >>> from dagnet.training import AdamW
    >>> AdamW(0.001).weight_decay
    0.01
    """

    weight_decay: float = field(default=0.01, kw_only=True)

    decoupled: ClassVar[bool] = True
