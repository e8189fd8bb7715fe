"""Section 3 of the lesson: drawing the first parameters."""

from collections.abc import Sequence

import numpy as np

from dagnet.bounds import check_size
from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.initializers import draw_weights
from dagnet.steps.checks import Array


def initialize_parameters(n_x: int, n_h: int, n_y: int) -> dict[str, Array]:
    """Return the parameters of a network with one hidden layer.

    Parameters
    ----------
    n_x, n_h, n_y : int
        Sizes of the input, the hidden and the output layer.

    Returns
    -------
    dict of ndarray
        ``W1 (n_h, n_x)``, ``b1 (n_h, 1)``, ``W2 (n_y, n_h)``, ``b2 (n_y, 1)``: weights normal with
        deviation 0.01 from the seed 1, biases 0. Numpy's global random state is not touched.

    Examples
    --------
    >>> from dagnet import steps
    >>> steps.initialize_parameters(3, 2, 1)["W2"]
    array([[ 0.01744812, -0.00761207]])
    """
    return _draw(1, (n_x, n_h, n_y), "initialize_parameters")


def initialize_parameters_deep(layer_dims: Sequence[int]) -> dict[str, Array]:
    """Return the parameters of a network with L layers.

    Parameters
    ----------
    layer_dims : sequence of int
        Number of units in each layer, the input's first: L + 1 numbers.

    Returns
    -------
    dict of ndarray
        For each layer l, ``W{l} (layer_dims[l], layer_dims[l-1])`` and ``b{l} (layer_dims[l], 1)``:
        weights normal with deviation 0.01 from the seed 3, biases 0.

    Examples
    --------
    >>> from dagnet import steps
    >>> parameters = steps.initialize_parameters_deep([5, 4, 3])
    >>> {key: value.shape for key, value in parameters.items()}
    {'W1': (4, 5), 'b1': (4, 1), 'W2': (3, 4), 'b2': (3, 1)}
    """
    return _draw(3, layer_dims, "initialize_parameters_deep")


def _draw(seed: int, dims: Sequence[int], what: str) -> dict[str, Array]:
    """Return weights and biases between layers of these sizes, from the legacy stream."""
    if not isinstance(dims, Sequence | np.ndarray) or isinstance(dims, str):
        raise ArgumentTypeError(f"{what} needs a list of sizes, not {type(dims).__name__}")
    if len(dims) < 2:
        raise ArgumentError(f"{what} needs an input size and at least one layer, got {dims!r}")
    for size in dims:
        check_size(size, f"{what}: every size")
    rng = np.random.RandomState(seed)
    parameters = {}
    for layer in range(1, len(dims)):
        shape = (dims[layer], dims[layer - 1])
        parameters[f"W{layer}"] = draw_weights(0.01, shape, dims[layer - 1], dims[layer], rng)
        parameters[f"b{layer}"] = np.zeros((dims[layer], 1))
    return parameters
