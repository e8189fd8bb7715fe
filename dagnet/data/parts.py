"""Files of named arrays: which of them are the examples and the targets."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from dagnet.errors import ArgumentError, DagnetError, DataError, FileFormatError

Part = Literal["train", "test"]

#: From "train" or "test" (or None, for a file of one set) to the names of X and Y.
Naming = Callable[[Part | None], tuple[str, str] | None]


def find_pair(
    path: Path, keys: Iterable[str], naming: Naming, part: Part | None, expected: str
) -> tuple[str, str]:
    """Return the keys of X and of Y, as the file spells them.

    Parameters
    ----------
    path : Path
    keys : iterable of str
        What the file holds.
    naming : callable
        The lower-case names of a part's X and Y.
    part : "train" or "test", optional
        Which part; the one there is if not given, and the training part if there are both.
    expected : str
        What the message says the keys should be.
    """
    if part not in (None, "train", "test"):
        raise ArgumentError(f"part is 'train' or 'test', got {part!r}")
    keys = list(keys)
    spelled = {key.lower(): key for key in keys}
    if len(spelled) < len(keys):
        raise DataError(f"{path}: keys that differ only in case: {', '.join(sorted(keys))}")
    candidates: tuple[Part | None, ...] = (part,) if part else (None, "train", "test")
    for candidate in candidates:
        pair = naming(candidate)
        if pair and all(name in spelled for name in pair):
            return spelled[pair[0]], spelled[pair[1]]
    raise DataError(
        f"{path} has no {f'{part} ' if part else ''}examples and targets: expected {expected}; "
        f"found {', '.join(sorted(keys)) or 'nothing'}"
    )


@contextmanager
def one_message(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library says of a broken file into a single `FileFormatError`."""
    try:
        yield
    except DagnetError:
        raise
    except MemoryError:
        raise FileFormatError(f"{path} declares more data than fits into memory") from None
    except Exception as error:
        # A damaged file can fail in any layer: zip, inflate, header, chunk index, data type.
        raise FileFormatError(f"cannot read {path}, a damaged {what}: {error}") from None
