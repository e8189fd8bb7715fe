"""Arrays as text: base64 of their bytes, little-endian, each of them once."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from dagnet.inspector.sampling import Strides

#: How the page reads them: numpy's kind and size of an element.
FORMATS = {"f8": "<f8", "f4": "<f4", "u1": "u1"}


def digest(array: np.ndarray) -> bytes:
    """Return what tells one array's content from another's."""
    content = np.ascontiguousarray(array)
    hashed = blake2b(repr((content.shape, content.dtype.str)).encode(), digest_size=16)
    hashed.update(content.data.cast("B") if content.size else b"")
    return hashed.digest()


def format_of(dtype: np.dtype) -> str:
    """Return the format in which an array of some type is kept.

    Examples
    --------
    >>> format_of(np.dtype("float32")), format_of(np.dtype("bool")), format_of(np.dtype("int64"))
    ('f4', 'u1', 'f8')
    """
    if dtype.kind == "b" or dtype == np.uint8:
        return "u1"
    return "f4" if dtype == np.float32 else "f8"


def encoded(array: np.ndarray, format: str) -> str:
    return b64encode(np.ascontiguousarray(array, FORMATS[format]).tobytes()).decode()


class Blobs:
    """The samples of all arrays; what is the same is kept once, in its best sample.

    Attributes
    ----------
    texts : list of str
        By their numbers.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._known: dict[bytes, dict[str, object]] = {}

    def add(self, array: np.ndarray, strides: Strides, content: bytes) -> dict[str, object]:
        """Return which blob holds an array, and how, after adding it if it is new.

        Parameters
        ----------
        array : ndarray
        strides : tuple of int
        content : bytes
            Its `digest`.
        """
        known = self._known.get(content)
        if known is None:
            format = format_of(array.dtype)
            sample = array[tuple(slice(None, None, stride) for stride in strides)]
            known = {"blob": len(self.texts), "format": format, "strides": list(strides)}
            self.texts.append(encoded(sample, format))
            self._known[content] = known
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)
