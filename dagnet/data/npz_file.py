"""Reading examples and targets from a .npz file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dagnet.data.checks import numeric_array
from dagnet.data.dataset import Dataset, check_agreement
from dagnet.data.files import check_file
from dagnet.data.parts import Part, find_pair, one_message
from dagnet.data.targets import array_targets, text_of
from dagnet.errors import FileFormatError


def read_npz(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    regression: bool | None = None,
    part: Part | None = None,
) -> Dataset:
    """Return the data set of a .npz file: `X` and `Y`, examples on the last axis.

    The keys may be in any case and end in `_train` or `_test`; `classes` may hold names. Nothing
    is unpickled. Parameters are those of `dagnet.data.load`.
    """
    check_file(path)
    # Opened here, for np.load leaves a file open that turns out to be damaged.
    with (
        one_message(path, ".npz file"),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        key_x, key_y = find_pair(
            path, archive.files, _names, part, "X and Y, X_train and Y_train, or X_test and Y_test"
        )
        X, Y = _member(path, archive, key_x), _member(path, archive, key_y)
        if classes is None and "classes" in archive.files:
            classes = text_of(_member(path, archive, "classes").ravel())
    X = numeric_array(X, f"{path}: {key_x}")
    check_agreement(X, Y, str(path))
    Y, names = array_targets(Y, f"{path}: {key_y}", classes, regression)
    return Dataset(X, Y, path.stem, names)


def _names(part: Part | None) -> tuple[str, str]:
    return (f"x_{part}", f"y_{part}") if part else ("x", "y")


def _member(path: Path, archive: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    try:
        member = archive[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise FileFormatError(
            f"{path}: {key} holds Python objects, which would run code when loaded; "
            "store numbers or text"
        ) from None
    if not isinstance(member, np.ndarray):
        raise FileFormatError(f"{path}: {key} is no array")
    return member
