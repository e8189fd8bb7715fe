"""The lesson's functions, step by step, computed by the engine's own ops.

*Building your deep neural network: step by step* builds an L-layer network out of fourteen
functions. They are here under their names, with their arguments, shapes and dictionary keys; the
mathematics is that of `Linear`, `ReLU`, `Sigmoid` and the binary cross-entropies.

Convention of the lesson: ``dA`` and ``dZ`` are gradients of the *sum* of the examples' losses;
the ``1/m`` of the mean enters with ``dW`` and ``db``. A `Model` keeps every gradient of the mean:
its ``dA`` and ``dZ`` are m times smaller, its ``dW`` and ``db`` are the same.

Integers become float64; float32 stays float32.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dagnet.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from dagnet.node import format_shape
from dagnet.ops.activations import ReLU
from dagnet.ops.base import Op
from dagnet.ops.binary_cross_entropy import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from dagnet.ops.checks import check_number, check_size
from dagnet.ops.frame import Frame
from dagnet.ops.linear import Linear
from dagnet.ops.sigmoids import Sigmoid

__all__ = [
    "L_model_backward",
    "L_model_forward",
    "compute_cost",
    "initialize_parameters",
    "initialize_parameters_deep",
    "linear_activation_backward",
    "linear_activation_forward",
    "linear_backward",
    "linear_forward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "update_parameters",
]

Array = np.ndarray
LinearCache = tuple[Array, Array, Array]
Cache = tuple[LinearCache, Array]

_ACTIVATIONS: dict[str, Op] = {"relu": ReLU(), "sigmoid": Sigmoid()}


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
    A, W, b = cache = _layer(A, W, b)
    return _run(Linear(len(W)), A, params={"W": W, "b": b}).output, cache


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
    return _activate("sigmoid", Z)


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
    return _activate("relu", Z)


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
    A, activation_cache = _activate(activation, Z)
    return A, (linear_cache, activation_cache)


def L_model_forward(  # noqa: N802
    X: ArrayLike, parameters: Mapping[str, Array]
) -> tuple[Array, list[Cache]]:
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
    L = _layers(parameters)
    for layer in range(1, L + 1):
        W, b = _get(parameters, f"W{layer}"), _get(parameters, f"b{layer}")
        A, cache = linear_activation_forward(A, W, b, "relu" if layer < L else "sigmoid")
        caches.append(cache)
    return np.asarray(A), caches


def compute_cost(AL: ArrayLike, Y: ArrayLike) -> Array:
    """Compute the cross-entropy cost ``-1/m sum(Y log AL + (1 - Y) log(1 - AL))``.

    Parameters
    ----------
    AL : array (n, m)
        Probabilities; 0 and 1 are exact too, with ``0 · log 0 = 0``.
    Y : array (n, m)
        Labels between 0 and 1; ``(m,)`` will do for one row.

    Returns
    -------
    ndarray ()

    Examples
    --------
    >>> from dagnet import steps
    >>> print(steps.compute_cost([[0.8, 0.9, 0.4]], [[1, 1, 1]]))
    0.41493159961539...
    """
    AL, Y = _labelled(AL, Y)
    return _run(BinaryCrossEntropy(), AL, Y).output


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
    A_prev, W, b = _layer(*cache)
    (dZ,) = _floats("linear_backward", dZ)
    m = A_prev.shape[1]
    _expect("dZ", dZ, (len(W), m))
    f = _pull(Linear(len(W)), dZ, A_prev, params={"W": W, "b": b})
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
    return _deactivate("sigmoid", dA, cache)


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
    return _deactivate("relu", dA, cache)


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
    return linear_backward(_deactivate(activation, dA, Z), linear_cache)


def L_model_backward(  # noqa: N802
    AL: ArrayLike, Y: ArrayLike, caches: Sequence[Cache]
) -> dict[str, Array]:
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
    AL, Y = _labelled(AL, Y)
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


def update_parameters(
    parameters: dict[str, Array], grads: Mapping[str, Array], learning_rate: float
) -> dict[str, Array]:
    """Take a step of gradient descent, ``W = W - learning_rate dW`` and the same for b, in place.

    Parameters
    ----------
    parameters : dict of ndarray
        ``W1, b1, ..., WL, bL``; the arrays change. Arrays of integers are replaced.
    grads : mapping of ndarray
        ``dW1, db1, ..., dWL, dbL``.
    learning_rate : float

    Returns
    -------
    dict of ndarray
        `parameters` itself.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet import steps
    >>> parameters = {"W1": np.array([[1.0]]), "b1": np.array([[2.0]])}
    >>> steps.update_parameters(parameters, {"dW1": np.array([[5.0]]), "db1": [[0]]}, 0.1)
    {'W1': array([[0.5]]), 'b1': array([[2.]])}
    """
    check_number(learning_rate, "update_parameters: learning_rate")
    names = [f"{letter}{layer}" for layer in range(1, _layers(parameters) + 1) for letter in "Wb"]
    steps = {}
    for name in names:
        (value,) = _floats(name, _get(parameters, name))
        (grad,) = _floats(f"d{name}", _get(grads, f"d{name}"))
        _expect(f"d{name}", grad, value.shape)
        steps[name] = value, grad
    for name, (value, grad) in steps.items():
        value -= learning_rate * grad
        parameters[name] = value
    return parameters


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
        parameters[f"W{layer}"] = rng.randn(dims[layer], dims[layer - 1]) * 0.01
        parameters[f"b{layer}"] = np.zeros((dims[layer], 1))
    return parameters


def _floats(what: str, *arrays: ArrayLike) -> tuple[Array, ...]:
    """Return the arrays in one float dtype: float32 if all are, float64 otherwise."""
    values = [np.asarray(a) for a in arrays]
    for value in values:
        if value.dtype.kind not in "biuf":
            raise ArgumentTypeError(f"{what} needs real numbers, got an array of {value.dtype}")
    dtype = np.float32 if all(v.dtype == np.float32 for v in values) else np.float64
    return tuple(v.astype(dtype, copy=False) for v in values)


def _expect(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(
            f"{name} must have shape {format_shape(shape)}, got {format_shape(array.shape)}"
        )


def _layer(A: ArrayLike, W: ArrayLike, b: ArrayLike) -> LinearCache:
    """Return the arrays of a layer as floats, or raise `ShapeError` unless they fit together."""
    A, W, b = _floats("a layer", A, W, b)
    if A.ndim != 2 or W.ndim != 2 or W.shape[1] != A.shape[0]:
        raise ShapeError(
            "W A needs W (n, n_prev) and A (n_prev, m); got W "
            f"{format_shape(W.shape)} and A {format_shape(A.shape)}"
        )
    _expect("b", b, (len(W), 1))
    return A, W, b


def _labelled(AL: ArrayLike, Y: ArrayLike) -> tuple[Array, Array]:
    """Return probabilities and labels as floats of one shape (n, m)."""
    AL, Y = _floats("the cost", AL, Y)
    if AL.ndim != 2 or not AL.size:
        raise ShapeError(
            f"AL must be (n, m), with at least one example; got {format_shape(AL.shape)}"
        )
    if Y.ndim == 1 and len(AL) == 1:
        Y = Y.reshape(1, -1)
    _expect("Y", Y, AL.shape)
    return AL, Y


def _run(op: Op, *inputs: Array, params: Mapping[str, Array] | None = None) -> Frame:
    f = Frame.allocate(op, *inputs, params=params)
    with np.errstate(all="ignore"):
        op.forward(f)
    return f


def _pull(op: Op, grad: Array, *inputs: Array, params: Mapping[str, Array] | None = None) -> Frame:
    """Run forward and backward from this gradient."""
    f = _run(op, *inputs, params=params)
    f.grad_output = grad.astype(f.output.dtype, copy=False)
    with np.errstate(all="ignore"):
        op.backward(f)
    return f


def _activation(name: str) -> Op:
    if name not in _ACTIVATIONS:
        raise ArgumentError(str(UnknownNameError.of("activation", name, _ACTIVATIONS)))
    return _ACTIVATIONS[name]


def _activate(name: str, Z: ArrayLike) -> tuple[Array, Array]:
    (Z,) = _floats(name, Z)
    return _run(_activation(name), Z).output, Z


def _deactivate(name: str, dA: ArrayLike, Z: ArrayLike) -> Array:
    dA, Z = _floats(f"{name}_backward", dA, Z)
    _expect("dA", dA, Z.shape)
    dZ = _pull(_activation(name), dA, Z).grad_inputs[0]
    assert dZ is not None
    return dZ


def _output_gradient(AL: Array, Y: Array, Z: ArrayLike) -> Array:
    """Return the output layer's dZ, of the sum."""
    A, Z = _activate("sigmoid", Z)
    m = np.asarray(AL.shape[1], AL.dtype)
    if np.array_equal(A, AL):
        dZ = _pull(BinaryCrossEntropyWithLogits(), m, Z, Y).grad_inputs[0]
        assert dZ is not None
        return dZ
    dAL = _pull(BinaryCrossEntropy(), m, AL, Y).grad_inputs[0]
    assert dAL is not None
    return sigmoid_backward(dAL, Z)


def _layers(parameters: Mapping[str, Any]) -> int:
    if len(parameters) < 2 or len(parameters) % 2:
        raise ArgumentError(
            f"parameters needs W and b for each layer, W1, b1, W2, ...; got {list(parameters)}"
        )
    return len(parameters) // 2


def _get(arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise UnknownNameError.of("array", name, arrays)
    return arrays[name]
