"""What a file says about targets, as the Y of a data set and the names of its classes."""

from collections.abc import Callable, Sequence

import numpy as np

from dagnet.data.checks import numeric_array
from dagnet.data.labels import whole_numbers
from dagnet.errors import DataError

#: Y and the names of its classes, or None if they have none.
Targets = tuple[np.ndarray, tuple[str, ...] | None]


def targets_of(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return Y: float (1, m) if there are two classes, the labels (m,) if there are more."""
    return labels[np.newaxis].astype(np.float64) if classes == 2 else labels


def named_targets(
    names: Sequence[str],
    what: str,
    classes: Sequence[str] | None = None,
    place: Callable[[int], str] = "example {}".format,
) -> Targets:
    """Return the targets that are given as names of classes.

    Parameters
    ----------
    names : sequence of str
        One per example.
    what : str
        What messages call it.
    classes : sequence of str, optional
        All names in the order of their labels; those that occur, sorted, if not given.
    place : callable
        From the index of an example to where the user finds it.

    Examples
    --------
    >>> named_targets(["dog", "cat", "dog"], "kind")
    (array([[1., 0., 1.]]), ('cat', 'dog'))
    """
    known = tuple(sorted(set(names)) if classes is None else classes)
    if len(known) < 2:
        raise DataError(
            f"{what} holds one class only, {known[0]!r}; give the names of all as classes"
            if known
            else f"{what}: classes is empty"
        )
    codes = {name: code for code, name in enumerate(known)}
    for i, name in enumerate(names):
        if name not in codes:
            raise DataError(
                f"{what}: {name!r} at {place(i)} is none of the classes "
                + ", ".join(map(repr, known))
            )
    labels = np.array([codes[name] for name in names], dtype=np.int64)
    return targets_of(labels, len(known)), known


def coded_targets(codes: np.ndarray, what: str, classes: Sequence[str] | None = None) -> Targets:
    """Return the targets that are given as integer labels (m,), counted from 0.

    The numbers are kept, whichever of them occur: a test file in which a class is missing must
    not shift the others.

    Examples
    --------
    >>> import numpy as np
    >>> coded_targets(np.array([0, 1, 1]), "y")
    (array([[0., 1., 1.]]), ('0', '1'))
    >>> coded_targets(np.array([3, 0]), "y", classes=["n", "e", "s", "w"])
    (array([3, 0]), ('n', 'e', 's', 'w'))
    """
    labels = whole_numbers(codes, what)
    binary = bool(((labels == 0) | (labels == 1)).all())
    if classes is None:
        return (targets_of(labels, 2), ("0", "1")) if binary else (labels, None)
    names = tuple(classes)
    if len(names) == 2 and not binary:
        where = int(np.argmax((labels != 0) & (labels != 1)))
        raise DataError(f"{what}: label {labels[where]} at example {where}, with 2 classes")
    return targets_of(labels, len(names)), names


def array_targets(
    values: np.ndarray,
    what: str,
    classes: Sequence[str] | None = None,
    regression: bool | None = None,
) -> Targets:
    """Return the targets that are given as an array, whose dtype says what they are.

    Text is names of classes, integers are labels, floats are 0 and 1, or one-hot columns, or
    regression targets. `regression` overrides that, and so do `classes` for floats.

    Parameters
    ----------
    values : ndarray (m,) or (k, m)
    what : str
    classes : sequence of str, optional
    regression : bool, optional
    """
    single = values.ndim == 1 or values.shape[0] == 1
    if values.dtype.kind in "US" and single and not regression:
        return named_targets(text_of(values.ravel()), what, classes)
    values = numeric_array(values, what)
    if regression:
        return np.atleast_2d(values).astype(np.float64), None
    if not single:
        if _is_one_hot(values):
            return coded_targets(np.argmax(values, axis=0), what, classes)
        return values.astype(np.float64), None
    flat = values.ravel()
    labelled = values.dtype.kind != "f" or classes is not None or regression is False
    if labelled or bool(((flat == 0) | (flat == 1)).all()):
        return coded_targets(flat, what, classes)
    return flat[np.newaxis], None


def text_of(values: np.ndarray) -> tuple[str, ...]:
    """Return an array (n,) of bytes, text or numbers as text."""
    return tuple(
        v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist()
    )


def _is_one_hot(values: np.ndarray) -> bool:
    ones = values == 1
    return bool((ones | (values == 0)).all() and (ones.sum(axis=0) == 1).all())
