"""Integer labels as columns with a single one."""

import numpy as np

from dagnet.bounds import check_integer
from dagnet.data.checks import numeric_array
from dagnet.errors import DataError


def one_hot(labels: object, classes: int) -> np.ndarray:
    """Return a column per label: 1.0 in the row of its class, 0.0 elsewhere.

    Parameters
    ----------
    labels : array of int (m,) or (1, m)
        Numbers from 0 to `classes` - 1; floats that are whole numbers will do.
    classes : int
        Number of rows.

    Returns
    -------
    ndarray (classes, m)

    Raises
    ------
    DataError
        If a label is out of range or not a whole number.

    Examples
    --------
    >>> from dagnet import data
    >>> data.one_hot([2, 0], classes=3)
    array([[0., 1.],
           [0., 0.],
           [1., 0.]])
    """
    rows = check_integer(classes, "one_hot: classes", at_least=1)
    values = numeric_array(labels, "one_hot: labels")
    if values.ndim == 2 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 1:
        raise DataError(f"one_hot: labels are (m,) or (1, m), got {values.shape}")
    codes = whole_numbers(values, "one_hot: labels")
    outside = (codes < 0) | (codes >= rows)
    if outside.any():
        where = int(np.argmax(outside))
        raise DataError(
            f"one_hot: label {codes[where]} at example {where} is out of range for "
            f"{rows} classes, which count from 0 to {rows - 1}"
        )
    columns = np.zeros((rows, len(codes)))
    columns[codes, np.arange(len(codes))] = 1.0
    return columns


def whole_numbers(values: np.ndarray, what: str) -> np.ndarray:
    """Return an array (m,) as int64, or raise if a value is not a whole number."""
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    # Beyond 2**53 neighbouring floats are more than 1 apart: no label, and no safe conversion.
    broken = ~((np.floor(values) == values) & (np.abs(values) < 2**53))
    if broken.any():
        where = int(np.argmax(broken))
        raise DataError(f"{what} must be whole numbers, got {values[where]} at example {where}")
    return values.astype(np.int64)
