"""Section 4 of the lesson: forward, from one linear part to the whole network."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from dagnet.ops.linear import Linear
from dagnet.steps.apply import activate, run
from dagnet.steps.checks import Array, Cache, LinearCache, count_layers, get_array, layer_arrays


def linear_forward(A: ArrayLike, W: ArrayLike, b: ArrayLike) -> tuple[Array, LinearCache]:
    """Compute the linear part of a layer, ``Z = W A + b``.

    Parameters
    ----------
    A : array (n_prev, m)
        Activations of the previous layer, or the input.
    W : array (n, n_prev)
    b : array (n, 1)

    Returns
    -------
    Z : ndarray (n, m)
    cache : tuple
        ``(A, W, b)``, for `linear_backward`.

    Examples
    --------
    >>> from dagnet import steps
    >>> Z, cache = steps.linear_forward([[1], [2]], [[3, 4]], [[5]])
    >>> Z
    array([[16.]])
    """
    A, W, b = cache = layer_arrays(A, W, b)
    return run(Linear(len(W)), A, params={"W": W, "b": b}).output, cache


def sigmoid(Z: ArrayLike) -> tuple[Array, Array]:
    """Compute ``A = 1 / (1 + exp(-Z))``.

    Parameters
    ----------
    Z : array of any shape

    Returns
    -------
    A : ndarray, shape of Z
    cache : ndarray
        Z, for `sigmoid_backward`.

    Examples
    --------
    >>> from dagnet import steps
    >>> steps.sigmoid([[0.0, -700.0]])[0]
    array([[5.00000000e-001, 9.85967654e-305]])
    """
    return activate("sigmoid", Z)


def relu(Z: ArrayLike) -> tuple[Array, Array]:
    """Compute ``A = max(0, Z)``.

    Parameters
    ----------
    Z : array of any shape

    Returns
    -------
    A : ndarray, shape of Z
    cache : ndarray
        Z, for `relu_backward`.

    Examples
    --------
    >>> from dagnet import steps
    >>> steps.relu([[-1.0, 2.0]])[0]
    array([[0., 2.]])
    """
    return activate("relu", Z)


def linear_activation_forward(
    A_prev: ArrayLike, W: ArrayLike, b: ArrayLike, activation: str
) -> tuple[Array, Cache]:
    """Compute a layer, LINEAR -> ACTIVATION.

    Parameters
    ----------
    A_prev : array (n_prev, m)
    W : array (n, n_prev)
    b : array (n, 1)
    activation : {"sigmoid", "relu"}

    Returns
    -------
    A : ndarray (n, m)
    cache : tuple
        ``((A_prev, W, b), Z)``, for `linear_activation_backward`.

    Examples
    --------
    >>> from dagnet import steps
    >>> A, cache = steps.linear_activation_forward([[1], [2]], [[3, -4]], [[5]], "sigmoid")
    >>> A
    array([[0.5]])
    """
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = activate(activation, Z)
    return A, (linear_cache, activation_cache)


def L_model_forward(X: ArrayLike, parameters: Mapping[str, Array]) -> tuple[Array, list[Cache]]:
    """Compute [LINEAR -> RELU] x (L-1) -> LINEAR -> SIGMOID.

    Parameters
    ----------
    X : array (n_x, m)
    parameters : mapping
        ``W1, b1, ..., WL, bL``, as from `initialize_parameters_deep`.

    Returns
    -------
    AL : ndarray (n_L, m)
        The last activation, of as many units as the last layer has.
    caches : list of tuple
        One cache of `linear_activation_forward` per layer: L of them, the last layer's included.

    Examples
    --------
    >>> from dagnet import steps
    >>> AL, caches = steps.L_model_forward([[1, 2]], steps.initialize_parameters_deep([1, 4, 3, 2]))
    >>> AL.shape, len(caches)
    ((2, 2), 3)
    """
    A: ArrayLike = X
    caches = []
    L = count_layers(parameters)
    for layer in range(1, L + 1):
        W, b = get_array(parameters, f"W{layer}"), get_array(parameters, f"b{layer}")
        A, cache = linear_activation_forward(A, W, b, "relu" if layer < L else "sigmoid")
        caches.append(cache)
    return np.asarray(A), caches
