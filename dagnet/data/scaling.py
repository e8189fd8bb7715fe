"""What every scaler does: ``Z = (X - shift) / scale``, and storing itself with a model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar, Self, final

import numpy as np

from dagnet.data.checks import numeric_array
from dagnet.errors import (
    ArgumentError,
    DagnetError,
    DataError,
    FeedError,
    FeedTypeError,
    FileFormatError,
    NotKeptError,
    UnknownNameError,
)

#: The scalers by name; a subclass of `Scaler` enters itself.
SCALERS: dict[str, type["Scaler"]] = {}


class Scaler(ABC):
    """What turns raw features into those a network learns from, and back.

    `fit` learns from training data, `transform` and `inverse` apply it to any data with the same
    features. `config` and `arrays` are all of its state, and `Scaler.from_saved` reads them back.
    """

    name: ClassVar[str]
    #: Names of the fitted arrays, each of the shape of the features.
    fitted: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        SCALERS[cls.name] = cls

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    @abstractmethod
    def fit(self, X: np.ndarray) -> Self:
        """Learn from training examples X (features..., m), and return self."""

    @abstractmethod
    def _affine(self) -> tuple[np.ndarray | float, np.ndarray | float]:
        """Return shift and scale."""

    @property
    def config(self) -> dict[str, Any]:
        """What JSON can hold of its state: the name and the hyperparameters."""
        return {"name": self.name}

    @property
    def features(self) -> tuple[int, ...] | None:
        """Shape of the features it was fitted on, or None if any will do."""
        return self.arrays[self.fitted[0]].shape if self.arrays else None

    @final
    def transform(
        self, X: np.ndarray, dtype: Any = np.float64, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Return X scaled, as a new array or in `out`.

        Parameters
        ----------
        X : ndarray (features..., m)
        dtype : float32 or float64
            Of the result. It is computed in float64 either way, and rounded.
        out : ndarray of that dtype and X's shape, optional
            Where to put it.

        Raises
        ------
        FeedError
            If the features are not of the shape it was fitted on.
        """
        X, (shift, scale) = self._prepare(X, dtype)
        Z = np.empty_like(X, dtype=dtype) if out is None else out
        np.subtract(X, shift, out=Z, dtype=np.float64, casting="same_kind")
        return np.divide(Z, scale, out=Z, dtype=np.float64, casting="same_kind")

    @final
    def inverse(self, Z: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        """Return what `transform` would turn into Z, as a new array."""
        Z, (shift, scale) = self._prepare(Z, dtype)
        X = np.empty_like(Z, dtype=dtype)
        np.multiply(Z, scale, out=X, dtype=np.float64, casting="same_kind")
        return np.add(X, shift, out=X, dtype=np.float64, casting="same_kind")

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> "Scaler":
        """Return the scaler with this `config` and these `arrays`.

        Raises
        ------
        FileFormatError
            If they are not what a scaler wrote.

        Examples
        --------
        >>> import numpy as np
        >>> from dagnet import data
        >>> fitted = data.MinMax().fit(np.array([[2.0, 4.0, 3.0]]))
        >>> data.Scaler.from_saved(fitted.config, fitted.arrays) == fitted
        True
        """
        try:
            options = dict(config)
            loaded = scaler(options.pop("name", None), **options)
        except (DagnetError, TypeError, ValueError) as error:
            raise FileFormatError(f"the saved scaling is unusable: {error}") from None
        what = f"the saved scaling {loaded.name!r}"
        if set(arrays) != set(loaded.fitted):
            raise FileFormatError(
                f"{what} should have the arrays {sorted(loaded.fitted)}, got {sorted(arrays)}"
            )
        loaded.arrays = {key: np.array(arrays[key]) for key in loaded.fitted}
        shapes = {array.shape for array in loaded.arrays.values()}
        sound = all(a.dtype == np.float64 and np.isfinite(a).all() for a in loaded.arrays.values())
        if len(shapes) > 1 or shapes == {()} or not sound:
            raise FileFormatError(f"{what} needs finite float64 arrays of the features' shape")
        if np.any(np.less_equal(loaded._affine()[1], 0)):
            raise FileFormatError(f"{what} divides by a number that is not positive")
        return loaded

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return (
            self.config == other.config
            and self.arrays.keys() == other.arrays.keys()
            and all(np.array_equal(self.arrays[key], other.arrays[key]) for key in self.arrays)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        state = f" for features {self.features}" if self.arrays else ""
        options = ", ".join(f"{k}={v:g}" for k, v in self.config.items() if k != "name")
        return f"<{type(self).__name__}({options}){state}>"

    def _prepare(self, values: np.ndarray, dtype: Any) -> tuple[np.ndarray, tuple]:
        """Return the checked input, and the broadcast shift and scale."""
        if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ArgumentError(f"{self.name}: dtype is float32 or float64, got {np.dtype(dtype)}")
        if self.fitted and not self.arrays:
            raise NotKeptError(f"{type(self).__name__} is not fitted yet: call fit(X) first")
        try:
            values = numeric_array(values, f"{self.name}: X")
        except DataError as error:
            raise FeedTypeError(str(error)) from None
        if values.ndim < 1 or (self.arrays and values.shape[:-1] != self.features):
            expected = "features" if self.features is None else ", ".join(map(str, self.features))
            raise FeedError(
                f"{self.name}: expected ({expected}, m), as it was fitted, got {values.shape}"
            )
        affine = tuple(
            a[..., np.newaxis] if isinstance(a, np.ndarray) else a for a in self._affine()
        )
        return values, affine


def scaler(name: object, **options: Any) -> Scaler:
    """Return a new scaler by its name.

    >>> from dagnet import data
    >>> data.scaler("divide", by=16)
    <Divide(by=16)>
    """
    if not isinstance(name, str) or name not in SCALERS:
        raise UnknownNameError.of("scaler", name, SCALERS)
    return SCALERS[name](**options)


def fresh_scaler(scaling: Scaler | str) -> Scaler:
    """Return a scaler to fit: a copy of an object, or a new one by name."""
    if isinstance(scaling, Scaler):
        return deepcopy(scaling)
    return scaler(scaling)
