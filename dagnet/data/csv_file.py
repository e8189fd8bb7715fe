"""Reading a table of numbers and a target column from a .csv file."""

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dagnet.data.column import column_targets, is_number
from dagnet.data.dataset import Dataset
from dagnet.data.files import check_file
from dagnet.errors import DataError, FileFormatError, UnknownNameError

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
    check_file(path)
    rows = _rows(path)
    _, header = next(rows, (1, []))
    table = _Table(path, header, target)
    for line, row in rows:
        table.add(line, row)
    return table.dataset(classes, regression)


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
    """The rows of a file, as they are read: feature values, target cells, line numbers."""

    def __init__(self, path: Path, header: list[str], target: str | None):
        self.path = path
        self.columns = [name.strip() for name in header]
        self._check_header()
        self.at = self._target_index(target)
        self.features = self.columns[: self.at] + self.columns[self.at + 1 :]
        self.values = array("d")
        self.cells: list[str] = []
        self.lines = array("q")

    def add(self, line: int, row: list[str]) -> None:
        """Add one example."""
        if len(row) != len(self.columns):
            raise DataError(
                f"{self.path}, line {line}: {len(row)} cells, where the header has "
                f"{len(self.columns)} columns"
            )
        self.cells.append(row.pop(self.at).strip())
        self.lines.append(line)
        try:
            numbers = list(map(float, row))
        except ValueError:
            numbers = []
        # The quick way took every cell, unless one is empty, a word, or has float()'s underscore.
        if not numbers or "_" in "".join(row):
            numbers = [self._number(line, i, cell) for i, cell in enumerate(row)]
        self.values.extend(numbers)

    def dataset(self, classes: Sequence[str] | None, regression: bool | None) -> Dataset:
        """Return what was read."""
        if not self.cells:
            raise DataError(f"{self.path} has a header and no rows")
        values = np.frombuffer(self.values).reshape(len(self.cells), -1)
        self._check_no_gaps(values)
        column = f"{self.path}, column {self.columns[self.at]!r}"
        Y, names = column_targets(
            self.cells, column, lambda i: f"line {self.lines[i]}", classes, regression
        )
        return Dataset(values.T, Y, self.path.stem, names, tuple(self.features))

    def _check_header(self) -> None:
        if not self.columns:
            raise FileFormatError(f"{self.path} has no header")
        if all(map(is_number, self.columns)):
            raise DataError(
                f"{self.path}, line 1: numbers, where the header with the column names should be"
            )
        if "" in self.columns:
            raise DataError(
                f"{self.path}: column {self.columns.index('') + 1} has no name; name it, "
                "or leave it out if it only numbers the rows"
            )
        seen: set[str] = set()
        for name in self.columns:
            if name in seen:
                raise DataError(f"{self.path}: two columns are named {name!r}")
            seen.add(name)
        if len(self.columns) == 1:
            raise DataError(
                f"{self.path}: one column only, {self.columns[0]!r}; "
                "features and a target are needed"
            )

    def _target_index(self, target: str | None) -> int:
        if target is not None:
            if target not in self.columns:
                raise UnknownNameError.of(f"column of {self.path}", target, self.columns)
            return self.columns.index(target)
        likely = [i for i, name in enumerate(self.columns) if name.lower() in TARGET_NAMES]
        if len(likely) != 1:
            reason = "several columns could be" if likely else "no column is named as"
            shown = ", ".join(map(repr, self.columns[:20]))
            more = f" and {len(self.columns) - 20} more" if len(self.columns) > 20 else ""
            raise DataError(f"{self.path}: {reason} the target; give target=, one of {shown}{more}")
        return likely[0]

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

    def _check_no_gaps(self, values: np.ndarray) -> None:
        """Raise if any cell is empty, NaN or infinite: how many there are, and the first."""
        empty = [cell.lower() in _EMPTY for cell in self.cells]
        gaps = np.column_stack([~np.isfinite(values), empty])
        if not gaps.any():
            return
        row, column = divmod(int(np.argmax(gaps)), gaps.shape[1])
        name = [*self.features, self.columns[self.at]][column]
        raise DataError(
            f"{self.path}: {np.count_nonzero(gaps)} cells in {np.count_nonzero(gaps.any(axis=1))} "
            f"rows are empty, NaN or infinite; the first is on line {self.lines[row]}, "
            f"column {name!r}"
        )
