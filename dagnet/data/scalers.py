"""The scalers: fitted on training data, applied to any."""

from typing import Any, ClassVar, Self, final

import numpy as np

from dagnet.bounds import check_positive
from dagnet.data.checks import check_finite, numeric_array
from dagnet.data.dataset import Dataset
from dagnet.data.scaling import Scaler
from dagnet.errors import DataError
from dagnet.stored import is_stored, pieces


@final
class Standardize(Scaler):
    """Mean 0 and standard deviation 1 per feature: ``Z = (X - mean) / std``.

    A feature that is the same in all training examples gets a std of 1, and so becomes 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet import data
    >>> X = np.array([[1.0, 3.0, 5.0], [7.0, 7.0, 7.0]])
    >>> data.Standardize().fit(X).transform(X).round(4)
    array([[-1.2247,  0.    ,  1.2247],
           [ 0.    ,  0.    ,  0.    ]])
    """

    name: ClassVar[str] = "standardize"
    fitted: ClassVar[tuple[str, ...]] = ("mean", "std")

    def fit(self, X: np.ndarray) -> Self:
        X, low, high = _range(X, self.name)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            mean, std = _moments(X)
        # Rounding gives equal values a mean beside them and a std above 0.
        mean = np.where(low == high, low, mean)
        std = np.where((low == high) | (std == 0), 1.0, std)
        self.arrays = _checked({"mean": mean, "std": std}, self.name)
        return self

    def _affine(self) -> tuple[np.ndarray, np.ndarray]:
        return self.arrays["mean"], self.arrays["std"]


@final
class MinMax(Scaler):
    """The range of each feature to 0..1: ``Z = (X - low) / (high - low)``.

    A feature that is the same in all training examples becomes 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet import data
    >>> X = np.array([[1.0, 3.0, 5.0], [7.0, 7.0, 7.0]])
    >>> data.MinMax().fit(X).transform(X)
    array([[0. , 0.5, 1. ],
           [0. , 0. , 0. ]])
    """

    name: ClassVar[str] = "minmax"
    fitted: ClassVar[tuple[str, ...]] = ("low", "range")

    def fit(self, X: np.ndarray) -> Self:
        _, low, high = _range(X, self.name)
        with np.errstate(over="ignore"):
            span = high - low
        span = np.where(low == high, 1.0, span)
        self.arrays = _checked({"low": low, "range": span}, self.name)
        return self

    def _affine(self) -> tuple[np.ndarray, np.ndarray]:
        return self.arrays["low"], self.arrays["range"]


@final
class Divide(Scaler):
    """One number for all: ``Z = X / by``, as for pictures of unsigned bytes.

    Needs no fitting, and takes features of any shape.

    Parameters
    ----------
    by : float
        Greater than 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet import data
    >>> data.Divide().transform(np.array([[0, 51, 255]], dtype=np.uint8))
    array([[0. , 0.2, 1. ]])
    """

    name: ClassVar[str] = "divide"

    def __init__(self, by: float = 255):
        super().__init__()
        self.by = check_positive(by, "Divide: by")

    @property
    def config(self) -> dict[str, Any]:
        return {"name": self.name, "by": self.by}

    def fit(self, X: np.ndarray) -> Self:
        return self

    def _affine(self) -> tuple[float, float]:
        return 0.0, self.by


def default_scaling(train: Dataset) -> Scaler:
    """Return a scaler fitted on a training set: `Divide(255)` for pictures of unsigned bytes.

    Anything else is standardised.

    >>> from dagnet import data
    >>> data.default_scaling(data.digits())
    <Standardize() for features (64,)>
    """
    bytes_of_pictures = train.picture is not None and train.X.dtype == np.uint8
    return (Divide(255) if bytes_of_pictures else Standardize()).fit(train.X)


def _range(X: Any, name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the checked X, and the least and greatest value of each feature."""
    if not is_stored(X):
        X = numeric_array(X, f"{name}: X")
    if X.ndim < 2 or 0 in X.shape:
        raise DataError(f"{name}: X is (features..., m) with an example at least, got {X.shape}")
    low, high = np.inf, -np.inf
    done = 0
    for piece in pieces(X):
        piece = numeric_array(piece, f"{name}: X")
        check_finite(piece, f"{name}: X" + (f", from example {done} on," if done else ""))
        done += piece.shape[-1]
        low = np.minimum(low, piece.min(axis=-1).astype(np.float64))
        high = np.maximum(high, piece.max(axis=-1).astype(np.float64))
    return X, np.asarray(low), np.asarray(high)


def _moments(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each feature, over X in pieces.

    Of an array in memory they are numpy's; of one in a file the moments of the pieces are joined as
    in Chan, Golub and LeVeque, *Updating formulae and a pairwise algorithm for computing sample
    variances* (1982).
    """
    count, mean, variance = 0, np.zeros(()), np.zeros(())
    for piece in pieces(X):
        more = piece.shape[-1]
        m, v = piece.mean(axis=-1, dtype=np.float64), piece.var(axis=-1, dtype=np.float64)
        if count == 0:
            count, mean, variance = more, m, v
            continue
        share = more / (count + more)
        gap = m - mean
        mean = mean + gap * share
        variance = variance + (v - variance) * share + gap * gap * (share * (1 - share))
        count += more
    return mean, np.sqrt(variance)


def _checked(arrays: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    for array in arrays.values():
        if not np.isfinite(array).all():
            where = np.unravel_index(np.argmin(np.isfinite(array)), array.shape)
            feature = ", ".join(map(str, where))
            raise DataError(f"{name}: the values of feature {feature} are too large to scale")
    return arrays
