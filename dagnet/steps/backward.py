"""Section 6 of the lesson: backward, from one linear part to the whole network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dagnet.errors import ArgumentError
from dagnet.ops.binary_cross_entropy import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from dagnet.ops.linear import Linear
from dagnet.steps.apply import activate, deactivate, pull
from dagnet.steps.checks import (
    Array,
    Cache,
    LinearCache,
    expect_shape,
    floats,
    labelled,
    layer_arrays,
)


def linear_backward(dZ: ArrayLike, cache: LinearCache) -> tuple[Array, Array, Array]:
    """Compute the gradients of the linear part of a layer.

    Parameters
    ----------
    dZ : array (n, m)
        Gradient of the summed losses with respect to Z.
    cache : tuple
        ``(A_prev, W, b)`` from `linear_forward`.

    Returns
    -------
    dA_prev : ndarray (n_prev, m)
        ``Wᵀ dZ``, of the sum.
    dW : ndarray (n, n_prev)
        ``1/m dZ A_prevᵀ``, of the mean.
    db : ndarray (n, 1)
        ``1/m`` times the sum of dZ over the examples.

    Examples
    --------
    >>> from dagnet import steps
    >>> Z, cache = steps.linear_forward([[1, 2], [3, 4]], [[5, 6]], [[7]])
    >>> dA_prev, dW, db = steps.linear_backward([[1, -3]], cache)
    >>> dW, db
    (array([[-2.5, -4.5]]), array([[-1.]]))
    """
    A_prev, W, b = layer_arrays(*cache)
    (dZ,) = floats("linear_backward", dZ)
    m = A_prev.shape[1]
    expect_shape("dZ", dZ, (len(W), m))
    f = pull(Linear(len(W)), dZ, A_prev, params={"W": W, "b": b})
    assert f.grad_inputs[0] is not None
    return f.grad_inputs[0], f.grad_params["W"] / m, f.grad_params["b"] / m


def sigmoid_backward(dA: ArrayLike, cache: ArrayLike) -> Array:
    """Compute ``dZ = dA A (1 - A)`` with ``A = sigmoid(Z)``.

    Parameters
    ----------
    dA : array, shape of Z
    cache : array
        Z from `sigmoid`.

    Returns
    -------
    ndarray, shape of Z

    Examples
    --------
    >>> from dagnet import steps
    >>> steps.sigmoid_backward([[4.0]], [[0.0]])
    array([[1.]])
    """
    return deactivate("sigmoid", dA, cache)


def relu_backward(dA: ArrayLike, cache: ArrayLike) -> Array:
    """Compute dZ: dA where Z > 0, and 0 elsewhere, also at 0.

    Parameters
    ----------
    dA : array, shape of Z
    cache : array
        Z from `relu`.

    Returns
    -------
    ndarray, shape of Z

    Examples
    --------
    >>> from dagnet import steps
    >>> steps.relu_backward([[4.0, 5.0, 6.0]], [[-1.0, 0.0, 1.0]])
    array([[0., 0., 6.]])
    """
    return deactivate("relu", dA, cache)


def linear_activation_backward(
    dA: ArrayLike, cache: Cache, activation: str
) -> tuple[Array, Array, Array]:
    """Compute the gradients of a layer, LINEAR -> ACTIVATION.

    Parameters
    ----------
    dA : array (n, m)
        Gradient of the summed losses with respect to A.
    cache : tuple
        ``((A_prev, W, b), Z)`` from `linear_activation_forward`.
    activation : {"sigmoid", "relu"}

    Returns
    -------
    dA_prev, dW, db : ndarray
        As from `linear_backward`.

    Examples
    --------
    >>> from dagnet import steps
    >>> A, cache = steps.linear_activation_forward([[1], [2]], [[3, 4]], [[5]], "relu")
    >>> dA_prev, dW, db = steps.linear_activation_backward([[1]], cache, "relu")
    >>> dW
    array([[1., 2.]])
    """
    linear_cache, Z = cache
    return linear_backward(deactivate(activation, dA, Z), linear_cache)


def L_model_backward(AL: ArrayLike, Y: ArrayLike, caches: Sequence[Cache]) -> dict[str, Array]:
    """Compute the gradients of [LINEAR -> RELU] x (L-1) -> LINEAR -> SIGMOID.

    Parameters
    ----------
    AL : array (n, m)
    Y : array (n, m)
        Labels; ``(m,)`` will do for one row.
    caches : list of tuple
        From `L_model_forward`.

    Returns
    -------
    dict of ndarray
        ``dW{l}``, ``db{l}`` and ``dA{l}`` for each layer l. As in the lesson, ``dA{l}`` is what
        layer l passes on: the gradient with respect to ``A(l-1)``.

    Notes
    -----
    The last layer's dZ is ``dAL AL (1 - AL)`` with ``dAL = -(Y / AL - (1 - Y) / (1 - AL))``,
    which is ``AL - Y``. If AL is the sigmoid of the last Z, as from `L_model_forward`, it is
    computed from Z, exactly; the product is nan where AL has reached 0 or 1. Any other AL, one
    put there by hand, goes through the product.

    Examples
    --------
    >>> from dagnet import steps
    >>> AL, caches = steps.L_model_forward([[1, 2]], steps.initialize_parameters_deep([1, 3, 1]))
    >>> sorted(steps.L_model_backward(AL, [[1, 0]], caches))
    ['dA1', 'dA2', 'dW1', 'dW2', 'db1', 'db2']
    """
    if not caches:
        raise ArgumentError("L_model_backward: caches is empty; it needs one cache per layer")
    AL, Y = labelled(AL, Y)
    grads: dict[str, Array] = {}
    dZ = _output_gradient(AL, Y, caches[-1][1])
    for layer in range(len(caches), 0, -1):
        linear_cache, Z = caches[layer - 1]
        if layer < len(caches):
            dZ = relu_backward(grads[f"dA{layer + 1}"], Z)
        grads[f"dA{layer}"], grads[f"dW{layer}"], grads[f"db{layer}"] = linear_backward(
            dZ, linear_cache
        )
    return grads


def _output_gradient(AL: Array, Y: Array, Z: ArrayLike) -> Array:
    """Return the output layer's dZ, of the sum."""
    A, Z = activate("sigmoid", Z)
    m = np.asarray(AL.shape[1], AL.dtype)
    if np.array_equal(A, AL):
        dZ = pull(BinaryCrossEntropyWithLogits(), m, Z, Y).grad_inputs[0]
        assert dZ is not None
        return dZ
    dAL = pull(BinaryCrossEntropy(), m, AL, Y).grad_inputs[0]
    assert dAL is not None
    return sigmoid_backward(dAL, Z)
