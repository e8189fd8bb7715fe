"""A layer: a Linear node and its activation, by the lesson's letters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dagnet.errors import NotKeptError
from dagnet.statistics_table import Entry, StatisticsTable, measure

if TYPE_CHECKING:
    from dagnet.record import Record

#: The arrays of a layer, in the order of a run.
LETTERS = ("A_prev", "W", "b", "Z", "A", "dA", "dZ", "dW", "db", "dA_prev")


class Layer:
    """One layer by the lesson's letters: a Linear node and the activation that follows it.

    Attributes
    ----------
    A_prev, W, b, Z, A : ndarray
        ``Z = W A_prev + b``, ``A = g(Z)``; without an activation, A is Z.
    dA, dZ, dW, db, dA_prev : ndarray
        Gradients of the cost J, the mean over the examples. The lesson's dA, dZ and dA_prev are
        of the sum, m times larger; dW and db are equal.

    Notes
    -----
    Printing the layer shows a row of statistics for each of its letters.
    """

    def __init__(self, linear: "Record", activation: "Record"):
        self.linear = linear
        self.activation = activation

    def __repr__(self) -> str:
        names = dict.fromkeys((self.linear.name, self.activation.name))
        return f"<Layer {' -> '.join(names)}>"

    def __str__(self) -> str:
        return str(self.statistics())

    def _repr_html_(self) -> str:
        return self.statistics()._repr_html_()

    def statistics(self) -> StatisticsTable:
        """Return the statistics of the ten arrays, by letter."""
        return StatisticsTable(map(self._measured, LETTERS), repr(self))

    def _measured(self, letter: str) -> Entry:
        record = self.activation if letter in ("A", "dA") else self.linear
        return measure(record.name, record.kind, letter, lambda: getattr(self, letter))

    @property
    def A_prev(self) -> np.ndarray:
        return self.linear.inputs[0]

    @property
    def W(self) -> np.ndarray:
        return self.linear.params["W"]

    @property
    def b(self) -> np.ndarray:
        return self._of(self.linear.params, "b")

    @property
    def Z(self) -> np.ndarray:
        return self.linear.output

    @property
    def A(self) -> np.ndarray:
        return self.activation.output

    @property
    def dA(self) -> np.ndarray:
        return self.activation.grad_output

    @property
    def dZ(self) -> np.ndarray:
        return self.linear.grad_output

    @property
    def dW(self) -> np.ndarray:
        return self.linear.grad_params["W"]

    @property
    def db(self) -> np.ndarray:
        return self._of(self.linear.grad_params, "b")

    @property
    def dA_prev(self) -> np.ndarray:
        gradient = self.linear.grad_inputs[0]
        assert gradient is not None  # a Linear has no constant inputs
        return gradient

    def _of(self, arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
        if name not in arrays:
            raise NotKeptError(f"{self.linear.name} has no {name}: it was made with bias=False")
        return arrays[name]
