"""Archives: named arrays and a JSON document in one safetensors file.

Any safetensors reader sees the arrays, and one entry ``"dagnet"`` in the file's metadata. It is a
JSON object::

    {"sha256": "9f86...", "kind": "model/1", "content": {...}}

The checksum is over every byte of the file, read with 64 zeros in the checksum's own place. It
shows damage: one changed bit anywhere is found. It is not a signature: anyone who changes a file on
purpose can compute a new one. That is why everything that is read is checked as if a stranger wrote
it, and why nothing in a file is ever run.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    FileAccessError,
    FileFormatError,
    MissingFileError,
)
from dagnet.files import atomic_write
from dagnet.storage.refusing import loading, refusing, shown
from dagnet.storage.strict_json import dumps, expect, expect_keys, loads

#: The entry of the safetensors metadata. One entry only: the order of several is random.
ENTRY = "dagnet"

#: Where a header's length stands, and the longest header that safetensors readers take.
_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000

_BLANK = b"0" * 64
#: What stands before the checksum: the document comes first in the header, as JSON in JSON.
_BEFORE_CHECKSUM = rb"\"sha256\":\""

_DTYPES = set(map(np.dtype, "?bhiqBHIQefd"))


@dataclass(frozen=True)
class Archive:
    """What a file held: arrays by name, each writable and owning its memory, and the document."""

    arrays: dict[str, np.ndarray]
    metadata: Any


def write_archive(
    path: str | os.PathLike[str], kind: str, arrays: Mapping[str, np.ndarray], metadata: Any
) -> None:
    """Write arrays and a JSON document to a safetensors file, whole or not at all.

    The same content gives the same bytes.

    Parameters
    ----------
    path : str or PathLike
        Used as given; no ending is added.
    kind : str
        What the file is, and the version of its layout: ``"model/1"``.
    arrays : mapping of str to ndarray
        Of booleans, integers or floats, in any memory order.
    metadata
        What JSON can hold, which is no NaN and no infinity.

    Raises
    ------
    FileAccessError
        If the file cannot be written; what was there before is untouched.
    ArgumentError, ArgumentTypeError
        If an array, its name or the document cannot be stored.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = f"{directory}/numbers.safetensors"
    ...     write_archive(path, "numbers/1", {"primes": np.array([2, 3, 5])}, {"up to": 6})
    ...     read_archive(path, "numbers/1")
    Archive(arrays={'primes': array([2, 3, 5])}, metadata={'up to': 6})
    """
    from safetensors.numpy import save

    ready = {name: _storable(name, array) for name, array in arrays.items()}
    document = _dumped({"sha256": _BLANK.decode(), "kind": kind, "content": metadata})
    data = save(ready, metadata={ENTRY: document})
    header = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if header > _LONGEST_HEADER:
        raise ArgumentError(
            f"cannot write {os.fspath(path)}: the description of the arrays takes {header} bytes; "
            f"a safetensors file holds {_LONGEST_HEADER}"
        )
    at = _checksum_place(data)
    with atomic_write(path) as file:
        file.write(data[:at])
        file.write(_checksum(data, at).encode())
        file.write(memoryview(data)[at + len(_BLANK) :])


def read_archive(path: str | os.PathLike[str], kind: str) -> Archive:
    """Read what `write_archive` wrote.

    Parameters
    ----------
    path : str or PathLike
    kind : str
        What the file must be, as it was written.

    Raises
    ------
    FileAccessError
        If there is no such file, or it cannot be read.
    FileFormatError
        If it is truncated, damaged, foreign, of another kind or of another version.
    """
    with loading(path):
        data = _read(path)
        document = _document(data)
        _check_kind(document["kind"], kind)
        _check_checksum(data, document["sha256"])
        return Archive(_arrays(data), document["content"])


def _storable(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array in C order, which safetensors takes for granted, or raise."""
    what = f"the array {shown(name)}"
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{what} cannot be stored: its name is no valid Unicode") from None
    if name == "__metadata__":
        raise ArgumentError(f"{what} cannot be stored: safetensors keeps this name for itself")
    array = np.asarray(array)
    if array.dtype.newbyteorder("=") not in _DTYPES:
        raise ArgumentTypeError(f"{what} cannot be stored: its dtype is {array.dtype}")
    # Not ascontiguousarray, which gives an array without axes one.
    return np.asarray(array, order="C")


def _dumped(document: Any) -> str:
    try:
        return dumps(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentTypeError(f"the document to write is not JSON: {error}") from None


def _checksum_place(data: bytes) -> int:
    return data.find(_BEFORE_CHECKSUM) + len(_BEFORE_CHECKSUM)


def _checksum(data: bytes, at: int) -> str:
    """Return the checksum of a file whose own checksum stands, or will stand, at this offset."""
    digest = hashlib.sha256(memoryview(data)[:at])
    digest.update(_BLANK)
    digest.update(memoryview(data)[at + len(_BLANK) :])
    return digest.hexdigest()


def _read(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file that begins as a safetensors file does."""
    try:
        given = Path(path)
    except TypeError:
        raise ArgumentTypeError(f"a path must be a string or Path, got {path!r}") from None
    try:
        mode = given.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise FileAccessError(f"cannot load {given}: it is {kind}")
        with given.open("rb") as file:
            _check_length(file)
            return file.read()
    except FileNotFoundError:
        raise MissingFileError(f"there is no file {given}") from None
    except DagnetError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileAccessError(f"cannot load {given}: {reason}") from None


def _check_length(file: BinaryIO) -> None:
    """Refuse a file by its first bytes, before reading gigabytes of something else."""
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise FileFormatError("it is empty")
    head = file.read(_LENGTH_BYTES + 1)
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if size <= _LENGTH_BYTES:
        raise FileFormatError("it is truncated, or not a safetensors file")
    if head[_LENGTH_BYTES:] != b"{" or length > _LONGEST_HEADER:
        raise FileFormatError(f"it is not a safetensors file; it begins with {head!r}")
    if _LENGTH_BYTES + length > size:
        raise FileFormatError(f"it is truncated: it ends after {size} bytes, in the header")
    file.seek(0)


def _document(data: bytes) -> dict[str, Any]:
    """Return the JSON document of a safetensors file."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    what = "its safetensors header"
    header = expect(loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length], what), dict, what)
    metadata = expect(header.get("__metadata__", {}), dict, "its safetensors metadata")
    if ENTRY not in metadata:
        raise FileFormatError("it is a safetensors file, but not one that dagnet wrote")
    what = f"its metadata entry {ENTRY!r}"
    text = expect(metadata[ENTRY], str, what)
    document = expect_keys(loads(text, what), ("sha256", "kind", "content"), what)
    for key in ("sha256", "kind"):
        expect(document[key], str, f"{what}, {key}")
    return document


def _check_kind(found: str, wanted: str) -> None:
    """Raise unless a file is what is wanted: ``"model/1"``."""
    stem, known = found.rpartition("/")[0], wanted.rpartition("/")[0]
    if stem != known:
        raise FileFormatError(f"it holds {shown(stem)}, where {known!r} was expected")
    if found != wanted:
        raise FileFormatError(
            f"its layout is {shown(found)}, but this version of dagnet reads {wanted!r}"
        )


def _check_checksum(data: bytes, checksum: str) -> None:
    if _checksum(data, _checksum_place(data)) != checksum:
        raise FileFormatError("it is truncated or damaged: its checksum does not match its content")


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    from safetensors.numpy import load

    with refusing("its arrays cannot be read"):
        arrays = load(data)
    return {name: arrays.pop(name).copy() for name in sorted(arrays)}
