"""Arrays that stay in their file: more than memory holds can be trained on."""

from os import PathLike
from pathlib import Path
from typing import BinaryIO, Literal
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from dagnet.data.files import check_file
from dagnet.data.mapped_h5 import mapped_h5
from dagnet.data.parts import one_message
from dagnet.errors import FileFormatError
from dagnet.stored import Stored

#: Bytes of what stands before each member of a zip file, and where in it two lengths are.
_HEADER, _LENGTHS = 30, slice(26, 30)


def mapped(path: str | PathLike[str]) -> "dict[str, np.ndarray | Stored]":
    """Return the arrays of an uncompressed .npz file or of a .h5 file without reading them.

    Parts of the file come into memory when they are used, and go when it is wanted for something
    else. `Model.fit` in mini-batches reads each batch when its turn comes; `predict` and
    `evaluate` read block by block.

    Parameters
    ----------
    path : str or path
        A .npz as `numpy.savez` writes it; `numpy.savez_compressed` writes what must be read
        whole. Or a .h5, compressed or not.

    Returns
    -------
    dict of array
        By the names in the file, read only. Data sets of a .h5 that are compressed or in chunks
        cannot be mapped: they are `Stored`, which is indexed and transposed like an array, and
        read when it is used.

    Raises
    ------
    FileFormatError
        If the file is none of these kinds, or an array of a .npz is compressed or holds objects.
    MissingDependencyError
        If a .h5 is to be read and h5py is not there.

    Notes
    -----
    Examples are read fastest if each lies in one piece: store them on the first axis, ``(m, n)``,
    and train on the transpose, ``arrays["X"].T``, which moves nothing.

    Examples
    --------
    >>> import numpy as np, dagnet as dn, tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "large.npz")
    ...     np.savez(path, X=np.ones((500, 3)), Y=np.zeros((500, 1)))
    ...     arrays = dn.data.mapped(path)
    ...     {name: array.T.shape for name, array in arrays.items()}
    {'X': (3, 500), 'Y': (1, 500)}
    """
    path = Path(path)
    if path.suffix.lower() not in (".npz", ".h5", ".hdf5"):
        raise FileFormatError(f"{path}: only .npz and .h5 files can be mapped")
    check_file(path)
    if path.suffix.lower() != ".npz":
        return mapped_h5(path)
    with one_message(path, ".npz file"), path.open("rb") as file, ZipFile(file) as archive:
        return {
            info.filename.removesuffix(".npy"): _map(path, file, info)
            for info in archive.infolist()
        }


def _map(path: Path, file: BinaryIO, info: ZipInfo) -> np.ndarray:
    name = f"{path}: {info.filename.removesuffix('.npy')}"
    if info.compress_type != ZIP_STORED:
        raise FileFormatError(
            f"{name} is compressed, so it cannot stay in the file; write it with numpy.savez"
        )
    file.seek(info.header_offset)
    header = file.read(_HEADER)
    lengths = np.frombuffer(header[_LENGTHS], "<u2")
    file.seek(info.header_offset + _HEADER + int(lengths.sum()))
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise FileFormatError(f"{name} is in version {version} of the .npy format, not 1.0 or 2.0")
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise FileFormatError(f"{name} holds Python objects; store numbers or text")
    order: Literal["F", "C"] = "F" if fortran else "C"
    if 0 in shape:
        return np.empty(shape, dtype, order)  # nothing can be mapped of nothing
    return np.memmap(path, dtype, "r", file.tell(), shape, order)
