"""The rule `gradient`: backward against central differences."""

from collections.abc import Iterator

import numpy as np

from dagnet.testing.differences import Comparison, Projected, compare
from dagnet.testing.trial import Trial


def check(trial: Trial, tolerance: float) -> tuple[float, float]:
    """Return the largest relative errors of the gradients of inputs and of parameters."""
    worst = {"grad_inputs": 0.0, "grad_params": 0.0}
    for attribute, key, _, found in comparisons(trial, tolerance):
        if found.wrong:
            place = list(found.index) if found.index else ""
            trial.fail(
                "gradient",
                f"{attribute}[{key!r}]{place} is {found.given:.10g}, expected "
                f"{found.expected:.10g}: central differences of sum(grad_output * output)",
            )
        worst[attribute] = max(worst[attribute], found.error)
    return worst["grad_inputs"], worst["grad_params"]


def comparisons(trial: Trial, tolerance: float) -> Iterator[tuple[str, int | str, int, Comparison]]:
    """Yield a frame's attribute, the key in it, the size, and how that gradient compares."""
    f = trial.backward(trial.forward(trial.frame()))
    probe = trial.frame()
    number = Projected(lambda: trial.again(probe), trial.projection)
    draws = np.random.default_rng(0)
    for i, grad in enumerate(f.grad_inputs):
        if grad is not None:
            found = compare(number, probe.inputs[i], grad, tolerance, draws)
            yield "grad_inputs", i, grad.size, found
    for name, grad in f.grad_params.items():
        found = compare(number, probe.params[name], grad, tolerance, draws)
        yield "grad_params", name, grad.size, found
