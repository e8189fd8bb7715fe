"""Ready-made networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dagnet.bounds import check_size
from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.model import Model
from dagnet.ops import (
    REGISTRY,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Linear,
    MeanSquaredError,
    Op,
)
from dagnet.ops.input import Input
from dagnet.settings import check_choice

#: The activations by the names that `mlp` takes: ``"relu"``, ``"leakyrelu"``, ``"sigmoid"``.
ACTIVATIONS = {name.lower(): op for name, op in REGISTRY.items() if op.kind == "activation"}


def mlp(
    layers: Sequence[int], *, hidden: str = "relu", output: str = "sigmoid", **options: Any
) -> Model:
    """Build a multilayer perceptron: [LINEAR -> RELU] x (L-1) -> LINEAR -> SIGMOID.

    Parameters
    ----------
    layers : sequence of int
        Units of every layer, the input's first: ``[12288, 20, 7, 5, 1]``.
    hidden : str
        Activation of the hidden layers.
    output : str
        Activation of the last layer, which decides the cost: after ``"sigmoid"`` the binary,
        after ``"softmax"`` the categorical cross-entropy, after anything else (``"identity"`` for
        plain regression) the mean squared error.
    **options
        Passed on to `Model`: `init`, `seed`, `dtype`, `l2`, `executor`, `check_finite`.

    Returns
    -------
    Model
        With the inputs `X` and `Y` and the nodes ``linear1, relu1, ..., linearL, sigmoidL, cost``.

    Examples
    --------
    >>> import dagnet as dn
    >>> list(dn.mlp([5, 3, 1]).graph)
    ['X', 'Y', 'linear1', 'relu1', 'linear2', 'sigmoid2', 'cost']
    """
    sizes = _check_layers(layers)
    for activation in (hidden, output):
        check_choice("activation", activation, list(ACTIVATIONS))
    X, Y = Input(sizes[0], name="X"), Input(sizes[-1], name="Y")
    A = X
    last = len(sizes) - 1
    for l, units in enumerate(sizes[1:], start=1):  # noqa: E741  the lesson's letter
        Z = Linear(units, name=f"linear{l}")(A)
        activation = hidden if l < last else output
        A = ACTIVATIONS[activation](name=f"{activation}{l}")(Z)
    return Model(_loss(output)(A, Y), outputs=[A], **options)


def _check_layers(layers: Sequence[int]) -> list[int]:
    if isinstance(layers, str) or not np.iterable(layers):
        raise ArgumentTypeError(
            f"layers must be a sequence of sizes such as [12288, 20, 1], got {layers!r}"
        )
    sizes = list(layers)
    if len(sizes) < 2:
        raise ArgumentError(f"layers needs the input's size and one layer at least, got {sizes}")
    return [check_size(size, f"layers[{position}]") for position, size in enumerate(sizes)]


def _loss(output: str) -> Op:
    if output == "sigmoid":
        return BinaryCrossEntropy(name="cost")
    if output == "softmax":
        return CategoricalCrossEntropy(name="cost")
    return MeanSquaredError(name="cost")
