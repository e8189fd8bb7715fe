"""Reading pictures from a .h5 file with the course's keys."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dagnet.data.checks import numeric_array
from dagnet.data.dataset import Dataset
from dagnet.data.files import check_file
from dagnet.data.parts import Part, find_pair, one_message
from dagnet.data.targets import array_targets, text_of
from dagnet.errors import DataError, FileFormatError, MissingDependencyError

_EXPECTED = "train_set_x and train_set_y, or test_set_x and test_set_y"


def read_h5(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    regression: bool | None = None,
    part: Part | None = None,
) -> Dataset:
    """Return the data set of a .h5 file: `train_set_x (m, h, w, c)` and `train_set_y (m,)`.

    Examples are on the first axis of the file. X is the flattened pictures, ``(h w c, m)``, with
    the file's dtype: a view of what was read, in Fortran order, so that each picture stays in one
    piece. `list_classes` may hold names. Parameters are those of `dagnet.data.load`.
    """
    check_file(path)
    h5py = import_h5py()
    with one_message(path, ".h5 file"), h5py.File(path, "r") as file:
        key_x, key_y = find_pair(path, file, _names, part, _EXPECTED)
        pictures = _array(path, h5py, file, key_x)
        labels = _array(path, h5py, file, key_y)
        if classes is None and "list_classes" in file:
            classes = text_of(_array(path, h5py, file, "list_classes").ravel())
    pictures = numeric_array(pictures, f"{path}: {key_x}")
    labels = _one_axis(labels)
    if pictures.ndim < 2 or labels.ndim != 1 or len(pictures) != len(labels):
        raise DataError(
            f"{path}: {key_x} {pictures.shape} and {key_y} {labels.shape} disagree; "
            "examples go on the first axis, (m, h, w, c) and (m,)"
        )
    if pictures.size == 0:
        raise DataError(f"{path}: empty data, {key_x} {pictures.shape}")
    Y, names = array_targets(labels, f"{path}: {key_y}", classes, regression)
    X = pictures.reshape(len(pictures), -1).T
    picture = pictures.shape[1:] if pictures.ndim in (3, 4) else None
    return Dataset(X, Y, path.stem, names, picture=picture)


def import_h5py() -> ModuleType:
    """Return h5py, or say how to install it."""
    try:
        import h5py
    except ImportError:
        raise MissingDependencyError(
            'reading .h5 files needs h5py: pip install "dagnet[h5]"'
        ) from None
    return h5py


def _names(part: Part | None) -> tuple[str, str] | None:
    return (f"{part}_set_x", f"{part}_set_y") if part else None


def _array(path: Path, h5py: ModuleType, file: Any, key: str) -> np.ndarray:
    item = file[key]
    if not isinstance(item, h5py.Dataset):
        raise FileFormatError(f"{path}: {key} is no array")
    values = np.asarray(item[()])
    # Text of variable length comes as objects.
    return values.astype("S") if values.dtype == object else values


def _one_axis(labels: np.ndarray) -> np.ndarray:
    """Return labels (1, m) and (m, 1) as (m,)."""
    return labels.ravel() if labels.ndim == 2 and 1 in labels.shape else labels
