"""Reading a table of numbers and a target column from a .csv file."""

import csv
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from dagnet.data.column import column_targets, is_number
from dagnet.data.dataset import Dataset
from dagnet.data.files import check_file
from dagnet.errors import DataError, FileFormatError, UnknownNameError
from dagnet.text import enumerated

#: The names a target column is looked for under, in any case.
TARGET_NAMES = ("target", "label", "class", "y")

_EMPTY = ("", "nan")


def read_csv(
    path: Path,
    *,
    target: str | None = None,
    classes: Sequence[str] | None = None,
    regression: bool | None = None,
) -> Dataset:
    """Return the data set of a .csv file: a header, then one example a row.

    Cells are separated by commas, or by semicolons or tabs if the header has no comma. X is
    ``(features, m)``, a view in Fortran order. Parameters are those of `dagnet.data.load`.
    """
    rows, columns = _rows_and_columns(path)
    if len(columns) == 1:
        raise DataError(
            f"{path}: one column only, {columns[0]!r}; features and a target are needed"
        )
    at = _target_index(path, columns, target)
    table = _Table(path, columns, [*columns[:at], *columns[at + 1 :]])
    cells = []
    for line, row in rows:
        table.add(line, row)
        cells.append(row[at].strip())
    gaps = [cell.lower() in _EMPTY for cell in cells]
    X = table.numbers({columns[at]: gaps})
    Y, names = column_targets(
        cells,
        f"{path}, column {columns[at]!r}",
        lambda i: f"line {table.lines[i]}",
        classes,
        regression,
    )
    return Dataset(X, Y, path.stem, names, tuple(table.features))


def read_features(path: Path, names: Sequence[str]) -> np.ndarray:
    """Return the columns of these names, in this order: X ``(features, m)``, without targets.

    What is in other columns does not matter.

    Raises
    ------
    DataError
        If a column is missing, or holds what is no number.
    """
    rows, columns = _rows_and_columns(path)
    missing = [name for name in names if name not in columns]
    if missing:
        raise DataError(
            f"{path} lacks {enumerated(missing)} of the features {enumerated(names)}; "
            f"it has {enumerated(columns)}"
        )
    table = _Table(path, columns, names)
    for line, row in rows:
        table.add(line, row)
    return table.numbers({})


def _rows_and_columns(path: Path) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Return the rows below the header, and the names in it."""
    check_file(path)
    rows = _rows(path)
    _, header = next(rows, (1, []))
    columns = [name.strip() for name in header]
    _check_header(path, columns)
    return rows, columns


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its first line."""
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(next((text for text in file if text.strip()), ""))
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            for row in reader:
                if row:
                    yield line, row
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path} is not UTF-8 text: {error.reason}") from None
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {line}: {error}") from None


def _delimiter(header: str) -> str:
    unquoted = re.sub(r'"[^"]*"', "", header)
    return next((mark for mark in ",;\t" if mark in unquoted), ",")


class _Table:
    """The numbers in some columns of a file, row by row, with their line numbers."""

    def __init__(self, path: Path, columns: Sequence[str], features: Sequence[str]):
        self.path = path
        self.width = len(columns)
        self.features = features
        self.at = [columns.index(name) for name in features]
        self.values = array("d")
        self.lines = array("q")

    def add(self, line: int, row: list[str]) -> None:
        """Add one example."""
        if len(row) != self.width:
            raise DataError(
                f"{self.path}, line {line}: {len(row)} cells, where the header has "
                f"{self.width} columns"
            )
        cells = [row[i] for i in self.at]
        self.lines.append(line)
        try:
            numbers = list(map(float, cells))
        except ValueError:
            numbers = []
        # The quick way took every cell, unless one is empty, a word, or has float()'s underscore.
        if not numbers or "_" in "".join(cells):
            numbers = [self._number(line, i, cell) for i, cell in enumerate(cells)]
        self.values.extend(numbers)

    def numbers(self, others: Mapping[str, Sequence[bool]]) -> np.ndarray:
        """Return what was read, or raise if any cell is empty, NaN or infinite.

        Parameters
        ----------
        others : mapping
            By column that holds no numbers: which of its cells are empty.
        """
        if not self.lines:
            raise DataError(f"{self.path} has a header and no rows")
        values = np.frombuffer(self.values).reshape(len(self.lines), -1)
        gaps = np.column_stack([~np.isfinite(values), *others.values()])
        if gaps.any():
            row, column = divmod(int(np.argmax(gaps)), gaps.shape[1])
            name = [*self.features, *others][column]
            raise DataError(
                f"{self.path}: {np.count_nonzero(gaps)} cells in "
                f"{np.count_nonzero(gaps.any(axis=1))} rows are empty, NaN or infinite; the first "
                f"is on line {self.lines[row]}, column {name!r}"
            )
        return values.T

    def _number(self, line: int, feature: int, cell: str) -> float:
        try:
            if "_" in cell:
                raise ValueError
            return float(cell) if cell.strip() else np.nan
        except ValueError:
            raise DataError(
                f"{self.path}, line {line}, column {self.features[feature]!r}: "
                f"{cell!r} is not a number"
            ) from None


def _check_header(path: Path, columns: Sequence[str]) -> None:
    if not columns:
        raise FileFormatError(f"{path} has no header")
    if all(map(is_number, columns)):
        raise DataError(
            f"{path}, line 1: numbers, where the header with the column names should be"
        )
    if "" in columns:
        raise DataError(
            f"{path}: column {columns.index('') + 1} has no name; name it, "
            "or leave it out if it only numbers the rows"
        )
    seen: set[str] = set()
    for name in columns:
        if name in seen:
            raise DataError(f"{path}: two columns are named {name!r}")
        seen.add(name)


def _target_index(path: Path, columns: Sequence[str], target: str | None) -> int:
    if target is not None:
        if target not in columns:
            raise UnknownNameError.of(f"column of {path}", target, columns)
        return columns.index(target)
    likely = [i for i, name in enumerate(columns) if name.lower() in TARGET_NAMES]
    if len(likely) != 1:
        reason = "several columns could be" if likely else "no column is named as"
        shown = ", ".join(map(repr, columns[:20]))
        more = f" and {len(columns) - 20} more" if len(columns) > 20 else ""
        raise DataError(f"{path}: {reason} the target; give target=, one of {shown}{more}")
    return likely[0]
