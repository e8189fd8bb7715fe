"""Section 5 of the lesson: the cost."""

from numpy.typing import ArrayLike

from dagnet.ops.binary_cross_entropy import BinaryCrossEntropy
from dagnet.steps.apply import run
from dagnet.steps.checks import Array, labelled


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
    AL, Y = labelled(AL, Y)
    return run(BinaryCrossEntropy(), AL, Y).output
