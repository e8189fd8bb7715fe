"""The end of section 6 of the lesson: one step of gradient descent."""

from collections.abc import Mapping

from dagnet.bounds import check_number
from dagnet.steps.checks import Array, count_layers, expect_shape, floats, get_array


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
    names = [
        f"{letter}{layer}" for layer in range(1, count_layers(parameters) + 1) for letter in "Wb"
    ]
    steps = {}
    for name in names:
        (value,) = floats(name, get_array(parameters, name))
        (grad,) = floats(f"d{name}", get_array(grads, f"d{name}"))
        expect_shape(f"d{name}", grad, value.shape)
        steps[name] = value, grad
    for name, (value, grad) in steps.items():
        value -= learning_rate * grad
        parameters[name] = value
    return parameters
