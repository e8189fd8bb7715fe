"""Dataset: examples, their targets, and what is known about them."""

from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np

from dagnet.data.checks import check_finite, numeric_array
from dagnet.data.splitting import split_indices, take_examples
from dagnet.errors import DataError

#: More labels than this are taken for regression targets that were stored as integers.
MAX_CLASSES = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples and targets, checked when made.

    Parameters
    ----------
    X : array (features..., m)
        Examples on the last axis; bools, integers or floats. Kept as it is, not copied.
    Y : array
        Float ``(1, m)`` of 0 and 1 for two classes, integer labels ``(m,)`` for several, float
        ``(k, m)`` for regression. Integers of two axes become float64, labels become int64.
    name : str
    classes : sequence of str, optional
        Names of the classes; labels that come without are named by their numbers.
    feature_names : sequence of str, optional
        One per row of a two-axis X.
    picture : tuple of int, optional
        ``(h, w)`` or ``(h, w, c)``, if an example reshapes to a picture.

    Raises
    ------
    DataError
        If X and Y differ in the number of examples, are empty, ragged, not finite or no numbers,
        or do not fit the names.

    Examples
    --------
    >>> from dagnet import data
    >>> small = data.Dataset([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [0, 2, 1], name="small")
    >>> small
    <Dataset 'small': X (2, 3) float64, 3 classes>
    >>> len(small), small.task, small.classes
    (3, 'multiclass', ('0', '1', '2'))
    """

    X: np.ndarray
    Y: np.ndarray
    name: str = "data"
    classes: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    picture: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        X = numeric_array(self.X, f"{self.name}: X")
        Y = numeric_array(self.Y, f"{self.name}: Y")
        check_agreement(X, Y, self.name)
        check_finite(X, f"{self.name}: X")
        check_finite(Y, f"{self.name}: Y")
        self._set("X", X)
        self._set("Y", _targets(Y, self.name))
        for field in ("classes", "feature_names"):
            names = getattr(self, field)
            self._set(field, None if names is None else tuple(map(str, names)))
        if self.picture is not None:
            self._set("picture", tuple(map(int, self.picture)))
        self._check_classes()
        self._check_features()

    @property
    def task(self) -> Literal["binary", "multiclass", "regression"]:
        """What the targets ask for, read off Y."""
        if self.Y.ndim == 1:
            return "multiclass"
        if self.Y.shape[0] == 1 and bool(((self.Y == 0) | (self.Y == 1)).all()):
            return "binary"
        return "regression"

    def split(self, test: float = 0.2, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Return a training and a test set: shuffled, and stratified by class.

        Parameters
        ----------
        test : float
            Share of the examples that the test set gets, between 0 and 1; it gets one at least,
            and leaves one at least. Each class is shared out in the same proportion.
        seed : int

        Examples
        --------
        >>> from dagnet import data
        >>> train, test = data.digits().split(test=0.25, seed=3)
        >>> len(train), len(test)
        (1348, 449)
        """
        strata = None if self.task == "regression" else self.Y.ravel().astype(np.int64)
        chosen = split_indices(len(self), strata, test, seed)
        train_set, test_set = (
            replace(
                self,
                X=take_examples(self.X, which),
                Y=take_examples(self.Y, which),
                name=f"{self.name} {part}",
            )
            for which, part in zip(chosen, ("train", "test"), strict=True)
        )
        return train_set, test_set

    def __len__(self) -> int:
        """Return m, the number of examples."""
        return int(self.X.shape[-1])

    def __repr__(self) -> str:
        if self.task == "regression":
            targets = f"Y {self.Y.shape}"
        else:
            targets = f"{len(self.classes) if self.classes else 2} classes"
        pictures = f", pictures {'x'.join(map(str, self.picture))}" if self.picture else ""
        return f"<Dataset {self.name!r}: X {self.X.shape} {self.X.dtype.name}, {targets}{pictures}>"

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)  # frozen for users, normalised once here

    def _check_classes(self) -> None:
        if self.task == "multiclass":
            needed = int(self.Y.max()) + 1
            if self.classes is None:
                self._set("classes", tuple(map(str, range(needed))))
            elif len(self.classes) < needed:
                raise DataError(
                    f"{self.name}: label {needed - 1} needs {needed} classes, "
                    f"got {len(self.classes)} names"
                )
        elif self.classes is not None:
            if self.task == "regression":
                raise DataError(
                    f"{self.name}: class names need integer labels (m,) or a Y (1, m) of 0 and 1, "
                    f"got a float Y {self.Y.shape}"
                )
            if len(self.classes) != 2:
                raise DataError(
                    f"{self.name}: a Y (1, m) of 0 and 1 has 2 classes, "
                    f"got {len(self.classes)} names"
                )

    def _check_features(self) -> None:
        shape = self.X.shape[:-1]
        if self.feature_names is not None and (len(self.feature_names),) != shape:
            raise DataError(
                f"{self.name}: {len(self.feature_names)} feature names for features of shape "
                f"{shape}"
            )
        if self.picture is None:
            return
        if len(self.picture) not in (2, 3) or prod(self.picture) != prod(shape):
            raise DataError(
                f"{self.name}: features of shape {shape} do not make pictures of {self.picture}; "
                "give (h, w) or (h, w, c)"
            )


def check_agreement(X: np.ndarray, Y: np.ndarray, name: str) -> None:
    """Raise unless X and Y hold the same number of examples, at least one, on the last axis."""
    if X.ndim < 2:
        raise DataError(
            f"{name}: X {X.shape} has too few axes; it is (features..., m), "
            "so one feature makes it (1, m)"
        )
    if Y.ndim not in (1, 2):
        raise DataError(f"{name}: Y is (m,) or (outputs, m), got {Y.shape}")
    if 0 in X.shape or 0 in Y.shape:
        raise DataError(f"{name}: empty data, X {X.shape} and Y {Y.shape}")
    if X.shape[-1] != Y.shape[-1]:
        raise DataError(
            f"{name}: X {X.shape} has {X.shape[-1]} examples and Y {Y.shape} has {Y.shape[-1]}; "
            f"examples go on the last axis{_transpose_hint(X, Y)}"
        )


def _transpose_hint(X: np.ndarray, Y: np.ndarray) -> str:
    turned = "np.moveaxis(X, 0, -1)" if X.ndim > 2 else "X.T"
    if X.shape[0] == Y.shape[-1]:
        return f": did you mean {turned}?"
    if X.shape[-1] == Y.shape[0]:
        return ": did you mean Y.T?"
    if X.shape[0] == Y.shape[0]:
        return f": did you mean {turned} and Y.T?"
    return ""


def _targets(Y: np.ndarray, name: str) -> np.ndarray:
    """Return Y as labels (m,) int64 or as floats (k, m)."""
    if Y.ndim == 2:
        return Y if Y.dtype.kind == "f" else Y.astype(np.float64)
    if Y.dtype.kind not in "iu":
        raise DataError(
            f"{name}: a Y of one axis holds integer labels, got {Y.dtype}; two classes are "
            "0 and 1 in a Y (1, m), regression targets a float Y (1, m)"
        )
    if Y.min() < 0:
        where = int(np.argmax(Y < 0))
        raise DataError(f"{name}: labels count from 0, got {Y[where]} at example {where}")
    if Y.max() >= MAX_CLASSES:
        where = int(np.argmax(Y >= MAX_CLASSES))
        raise DataError(
            f"{name}: label {Y[where]} at example {where} would make more than {MAX_CLASSES} "
            "classes; regression targets are a float Y (1, m)"
        )
    return Y.astype(np.int64, copy=False)
