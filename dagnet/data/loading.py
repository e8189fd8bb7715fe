"""Finding data by name or by path."""

import inspect
from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any, overload

from dagnet.data.csv_file import read_csv
from dagnet.data.dataset import Dataset
from dagnet.data.embedded import digits
from dagnet.data.generated import blobs, circles, moons, planar, spirals, xor
from dagnet.data.h5_file import read_h5
from dagnet.data.npz_file import read_npz
from dagnet.data.parts import Part
from dagnet.errors import ArgumentError, ArgumentTypeError, FileFormatError, UnknownNameError

#: The data sets that are found by name.
SETS: dict[str, Callable[..., Dataset]] = {
    made.__name__: made for made in (digits, planar, moons, circles, spirals, blobs, xor)
}

_READERS: dict[str, Callable[..., Dataset]] = {
    ".npz": read_npz,
    ".csv": read_csv,
    ".h5": read_h5,
    ".hdf5": read_h5,
}


@overload
def load(
    source: str | PathLike[str],
    *,
    target: str | None = ...,
    classes: Sequence[str] | None = ...,
    regression: bool | None = ...,
    part: Part | None = ...,
    test: None = ...,
    seed: int = ...,
) -> Dataset: ...


@overload
def load(
    source: str | PathLike[str],
    *,
    target: str | None = ...,
    classes: Sequence[str] | None = ...,
    regression: bool | None = ...,
    part: Part | None = ...,
    test: float,
    seed: int = ...,
) -> tuple[Dataset, Dataset]: ...


def load(
    source: str | PathLike[str],
    *,
    target: str | None = None,
    classes: Sequence[str] | None = None,
    regression: bool | None = None,
    part: Part | None = None,
    test: float | None = None,
    seed: int = 0,
) -> Dataset | tuple[Dataset, Dataset]:
    """Return a data set by its name or from a file.

    Parameters
    ----------
    source : str or path
        `digits`, `planar`, `moons`, `circles`, `spirals`, `blobs`, `xor`, with parameters after a
        colon if wanted: ``"moons:m=500,noise=0.2"``. Or the path of a .npz, .csv or .h5 file.
    target : str, optional
        The target column of a .csv; the one named target, label, class or y if not given.
    classes : sequence of str, optional
        Names of all classes, in the order of their labels. Give those of the training set when
        loading a test file, so that both count alike even if a class is missing in one.
    regression : bool, optional
        Whether the targets of a file are numbers to predict, or classes, where it could be both.
    part : "train" or "test", optional
        Which part of a .npz or .h5 that has several; the training part if not given.
    test : float, optional
        Split off this share as a test set, as `Dataset.split` does.
    seed : int
        For that split.

    Returns
    -------
    Dataset, or (Dataset, Dataset) if `test` is given

    Raises
    ------
    UnknownNameError
        No data set, parameter or column has this name.
    FileAccessError
        The file is missing (then it is a FileNotFoundError too) or cannot be read.
    FileFormatError
        The file is damaged, or not what its ending says.
    DataError
        What the file holds is no usable data set.

    Examples
    --------
    >>> from dagnet import data
    >>> data.load("spirals:m=90,classes=5")
    <Dataset 'spirals': X (2, 90) float64, 5 classes>
    >>> train, test = data.load("digits", test=0.2)
    >>> len(train), len(test)
    (1438, 359)
    """
    given = {"target": target, "classes": classes, "regression": regression, "part": part}
    options = {name: value for name, value in given.items() if value is not None}
    if isinstance(classes, str):
        raise ArgumentTypeError(f"classes is a sequence of names, got the text {classes!r}")
    if classes is not None and regression:
        raise ArgumentError("classes and regression=True exclude each other")
    try:
        text = fspath(source)
    except TypeError:
        raise ArgumentTypeError(f"a data set is a name or a path, got {source!r}") from None
    if isinstance(source, str) and text.partition(":")[0] in SETS:
        dataset = _by_name(text, options)
    elif isinstance(source, str) and not _is_path(text):
        raise UnknownNameError.of("data set", text.partition(":")[0], SETS)
    else:
        dataset = _from_file(Path(text), options)
    return dataset if test is None else dataset.split(test, seed)


def _is_path(text: str) -> bool:
    name = Path(text.partition(":")[0])
    return Path(text).suffix.lower() in _READERS or bool(name.suffix) or name != Path(name.name)


def _by_name(text: str, options: dict[str, Any]) -> Dataset:
    name, _, listed = text.partition(":")
    _check_options(options, (), name)
    make = SETS[name]
    known = inspect.signature(make).parameters
    arguments: dict[str, Any] = {}
    for pair in filter(None, listed.split(",")):
        parameter, equals, value = (piece.strip() for piece in pair.partition("="))
        if not equals or parameter in arguments:
            raise ArgumentError(
                f"{text!r}: parameters are written once each, as {name}:name=value,name=value"
            )
        if parameter not in known:
            raise UnknownNameError.of(f"parameter of {name}", parameter, known)
        arguments[parameter] = _value(value)
    return make(**arguments)


def _value(text: str) -> object:
    """Return the text of a parameter as int, float or bool, or as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _from_file(path: Path, options: dict[str, Any]) -> Dataset:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        kinds = ", ".join(_READERS)
        raise FileFormatError(f"{path} has no ending that tells how to read it; known are {kinds}")
    _check_options(options, inspect.signature(reader).parameters, f"a {path.suffix} file")
    return reader(path, **options)


def _check_options(options: dict[str, Any], taken: object, what: str) -> None:
    for name in options:
        if name not in taken:  # type: ignore[operator]
            raise ArgumentError(f"{name}= does not apply to {what}")
