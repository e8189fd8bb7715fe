"""Arrays of a .h5 file that stay in the file."""

from pathlib import Path
from typing import Any

import numpy as np

from dagnet.data.h5_array import H5Array
from dagnet.data.h5_file import import_h5py
from dagnet.data.parts import one_message
from dagnet.stored import Stored


def mapped_h5(path: Path) -> "dict[str, np.ndarray | Stored]":
    """Return the arrays of a .h5 file by name, below a group as ``group/name``."""
    h5py = import_h5py()
    found: dict[str, np.ndarray | Stored] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            found[name] = _map(path, name, item)

    with one_message(path, ".h5 file"), h5py.File(path, "r") as file:
        file.visititems(take)
    return found


def _map(path: Path, name: str, item: Any) -> "np.ndarray | Stored":
    if item.dtype.hasobject or item.size == 0 or item.ndim == 0:
        return np.asarray(item[()])  # text of any length, or nothing to map
    offset = item.id.get_offset()
    elsewhere = item.external or item.is_virtual
    if item.chunks or offset is None or elsewhere:
        return H5Array(path, name)
    return np.memmap(path, item.dtype, "r", offset, item.shape)
