"""The lesson's functions, step by step, computed by the engine's own ops.

*Building your deep neural network: step by step* builds an L-layer network out of fourteen
functions. They are here under their names, with their arguments, shapes and dictionary keys; the
mathematics is that of `Linear`, `ReLU`, `Sigmoid` and the binary cross-entropies.

Convention of the lesson: ``dA`` and ``dZ`` are gradients of the *sum* of the examples' losses;
the ``1/m`` of the mean enters with ``dW`` and ``db``. A `Model` keeps every gradient of the mean:
its ``dA`` and ``dZ`` are m times smaller, its ``dW`` and ``db`` are the same.

Integers become float64; float32 stays float32.
"""

from dagnet.steps.backward import (
    L_model_backward,
    linear_activation_backward,
    linear_backward,
    relu_backward,
    sigmoid_backward,
)
from dagnet.steps.cost import compute_cost
from dagnet.steps.forward import (
    L_model_forward,
    linear_activation_forward,
    linear_forward,
    relu,
    sigmoid,
)
from dagnet.steps.initialize import initialize_parameters, initialize_parameters_deep
from dagnet.steps.update import update_parameters

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
