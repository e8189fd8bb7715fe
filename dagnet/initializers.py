"""Initialisers: how the weights are drawn before training."""

from math import sqrt

import numpy as np

from dagnet.bounds import check_not_negative
from dagnet.errors import UnknownNameError

#: Standard deviation of the normal distribution, by name, from fan-in and fan-out.
#: he: He et al. 2015; xavier: Glorot and Bengio 2010; lecun: LeCun et al. 1998.
STANDARD_DEVIATIONS = {
    "he": lambda fan_in, fan_out: sqrt(2.0 / fan_in),
    "xavier": lambda fan_in, fan_out: sqrt(2.0 / (fan_in + fan_out)),
    "lecun": lambda fan_in, fan_out: sqrt(1.0 / fan_in),
    "zeros": lambda fan_in, fan_out: 0.0,
}


def check_init(init: object) -> str | float:
    """Return the initialiser, a name or a standard deviation, or raise."""
    if isinstance(init, str):
        if init not in STANDARD_DEVIATIONS:
            raise UnknownNameError.of("initialiser", init, STANDARD_DEVIATIONS)
        return init
    return check_not_negative(init, "init", "a name or a standard deviation of at least 0")


def draw_weights(
    init: str | float,
    shape: tuple[int, ...],
    fan_in: int,
    fan_out: int,
    rng: np.random.Generator | np.random.RandomState,
) -> np.ndarray:
    """Return float64 weights drawn from a normal distribution around 0.

    Parameters
    ----------
    init : {"he", "xavier", "lecun", "zeros"} or float
        Which standard deviation; a number is the standard deviation itself.
    shape : tuple of int
    fan_in, fan_out : int
        Inputs per unit, and units per input.
    rng : numpy.random.Generator or numpy.random.RandomState

    Examples
    --------
    >>> draw_weights(0.01, (2, 3), 3, 2, np.random.RandomState(1)).round(8)
    array([[ 0.01624345, -0.00611756, -0.00528172],
           [-0.01072969,  0.00865408, -0.02301539]])
    """
    deviation = STANDARD_DEVIATIONS[init](fan_in, fan_out) if isinstance(init, str) else init
    if deviation == 0.0:
        return np.zeros(shape)  # draws nothing, so that zeros leave the stream alone
    return np.asarray(rng.standard_normal(shape)) * deviation
