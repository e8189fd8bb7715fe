"""The rule `gradient`: backward against central differences."""

import numpy as np

from dagnet.ops.frame import Frame
from dagnet.testing.trial import Trial

_STEP = 1e-5
_MOST = 256  # elements of one array; of a larger one, as many are picked


def check(trial: Trial, tolerance: float) -> tuple[float, float]:
    """Return the largest relative errors of the gradients of inputs and of parameters.

    The error of an element is relative to its own size, but no finer than a hundredth of the
    array's largest one and a thousandth of the number that is differentiated: differences of
    rounded numbers cannot tell more.
    """
    f = trial.backward(trial.forward(trial.frame()))
    floor = 1e-3 * float(np.sum(np.abs(trial.projection * f.output)))
    worst = [0.0, 0.0]
    probe = trial.frame()
    targets = [
        (0, f"grad_inputs[{i}]", probe.inputs[i], grad)
        for i, grad in enumerate(f.grad_inputs)
        if grad is not None
    ]
    targets += [(1, f"grad_params[{n!r}]", probe.params[n], g) for n, g in f.grad_params.items()]
    for kind, name, array, grad in targets:
        indices = _indices(trial, array)
        numeric = np.array([_difference(trial, probe, array, index) for index in indices])
        given = np.array([grad[index] for index in indices])
        largest = np.max(np.abs(numeric), initial=0.0)
        scale = np.maximum(np.maximum(np.abs(numeric), np.abs(given)), 0.01 * largest)
        scale = np.maximum(scale, max(floor, np.finfo(np.float64).tiny))
        errors = np.abs(given - numeric) / scale
        at = int(np.argmax(np.where(np.isnan(errors), np.inf, errors))) if len(errors) else 0
        if len(errors) and not errors[at] <= tolerance:
            trial.fail(
                "gradient",
                f"{name}{list(indices[at])} is {given[at]:.10g}, expected {numeric[at]:.10g}: "
                f"central differences of sum(grad_output * output)",
            )
        worst[kind] = max(worst[kind], float(errors[at]) if len(errors) else 0.0)
    return worst[0], worst[1]


def _indices(trial: Trial, array: np.ndarray) -> list[tuple[int, ...]]:
    """Return every index of a small array, a random choice of a large one's."""
    flat = np.arange(array.size)
    if array.size > _MOST:
        flat = np.random.default_rng(trial.seed).choice(flat, _MOST, replace=False)
    return [tuple(map(int, np.unravel_index(k, array.shape))) for k in flat]


def _difference(trial: Trial, f: Frame, array: np.ndarray, index: tuple[int, ...]) -> float:
    """Return the central difference of the projected output by one element of an argument."""
    middle = array[index]
    step = _STEP * max(1.0, abs(middle))
    array[index] = above = middle + step
    upper = _value(trial, f)
    array[index] = below = middle - step
    lower = _value(trial, f)
    array[index] = middle
    return (upper - lower) / (above - below)


def _value(trial: Trial, f: Frame) -> float:
    """Return the projected output, from the same states and the same random numbers each time."""
    f.rng = np.random.default_rng(trial.seed)
    for name, state in trial.states.items():
        np.copyto(f.state[name], state)
    trial.forward(f)
    return float(np.sum(trial.projection * f.output))
