"""Which examples go into the training set and which into the test set."""

import numpy as np

from dagnet.bounds import check_integer, check_number
from dagnet.errors import ArgumentError


def split_indices(
    m: int, strata: np.ndarray | None, test: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shuffled indices of the training and of the test examples.

    Parameters
    ----------
    m : int
        Number of examples.
    strata : ndarray (m,) of int, optional
        Class of each example; every class is shared out in the same proportion.
    test : float
        Share of the test set.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> train, test = split_indices(6, np.array([0, 0, 0, 0, 1, 1]), test=0.5, seed=0)
    >>> sorted(np.array([0, 0, 0, 0, 1, 1])[test].tolist())
    [0, 0, 1]
    """
    share = check_number(test, "test", "a share of the examples, in (0, 1)", above=0, below=1)
    if m < 2:
        raise ArgumentError(f"a split needs at least 2 examples, got {m}")
    rng = np.random.default_rng(check_integer(seed, "seed", at_least=0))
    if strata is None:
        strata = np.zeros(m, dtype=np.int64)
    _, members, counts = np.unique(strata, return_inverse=True, return_counts=True)
    quotas = _quotas(counts, share, m)

    # Shuffle all, then sort by class, stably: each class is a run in random order.
    order = rng.permutation(m)
    order = order[np.argsort(members[order], kind="stable")]
    rank = np.arange(m) - np.repeat(np.cumsum(counts) - counts, counts)
    in_test = rank < np.repeat(quotas, counts)
    return rng.permutation(order[~in_test]), rng.permutation(order[in_test])


def _quotas(counts: np.ndarray, share: float, m: int) -> np.ndarray:
    """Return how many test examples each class gives: the largest remainders round up."""
    wanted = min(max(round(share * m), 1), m - 1)
    exact = share * counts
    quotas = np.minimum(np.floor(exact), counts - 1).astype(np.int64)
    empties_training = quotas + 1 >= counts
    order = np.lexsort((quotas - exact, empties_training))
    quotas[order[: wanted - quotas.sum()]] += 1
    return quotas


def take_examples(array: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return the given examples, in the memory order of `array`."""
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        return array.T[which].T
    return np.take(array, which, axis=-1)
