"""Aligning two sequences so that what is paired weighs most."""

from collections.abc import Callable

import numpy as np

_LEFT, _UP = np.uint8(1), np.uint8(2)


def heaviest_alignment(
    weights: Callable[[int], np.ndarray], rows: int, columns: int
) -> list[tuple[int, int]]:
    """Return the pairs, rising in both sequences, whose weights have the greatest sum.

    The longest common subsequence is the case of weights 0 and 1 (Wagner and Fischer, *The
    string-to-string correction problem*, 1974); pairs of weight 0 are left out.

    Parameters
    ----------
    weights : callable
        Returns, for an item of the first sequence, the weights of pairing it with each item of
        the second: integers, 0 or more.
    rows, columns : int
        Lengths of the two sequences.

    Examples
    --------
    >>> a, b = "kitten", np.array(list("sitting"))
    >>> pairs = heaviest_alignment(lambda i: (b == a[i]).astype(int), len(a), len(b))
    >>> "".join(a[i] for i, _ in pairs)
    'ittn'
    """
    best = np.zeros(columns + 1, np.int64)
    steps = np.empty((rows, columns), np.uint8)
    for i in range(rows):
        now = np.zeros_like(best)
        np.maximum(best[1:], best[:-1] + weights(i), out=now[1:])
        np.maximum.accumulate(now, out=now)
        steps[i] = _LEFT * (now[1:] == now[:-1])
        steps[i] |= _UP * (now[1:] == best[1:])
        best = now
    return _traced(steps)


def _traced(steps: np.ndarray) -> list[tuple[int, int]]:
    """Walk back from the last items, past those without which the sum is as great."""
    pairs = []
    i, j = (length - 1 for length in steps.shape)
    while i >= 0 and j >= 0:
        if steps[i, j] & _LEFT:
            j -= 1
        elif steps[i, j] & _UP:
            i -= 1
        else:
            pairs.append((i, j))
            i, j = i - 1, j - 1
    return pairs[::-1]
