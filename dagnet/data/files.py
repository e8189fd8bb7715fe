"""Opening files: is it there, and is it what its name says?"""

from pathlib import Path

from dagnet.errors import FileAccessError, FileFormatError, MissingFileError

_ZIP = "a zip archive"
_HDF5 = "an HDF5 file"
_PICTURE = "a picture"

#: How files begin.
_SIGNATURES = {
    b"PK\x03\x04": _ZIP,
    b"PK\x05\x06": _ZIP,
    b"\x89HDF\r\n\x1a\n": _HDF5,
    b"\x93NUMPY": "a single .npy array",
    b"\x1f\x8b": "a gzip file",
    b"\x80": "a Python pickle",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
}

#: What a file with this ending is; text has no signature.
_EXPECTED = {".npz": _ZIP, ".h5": _HDF5, ".hdf5": _HDF5, ".csv": None}


def check_file(path: Path) -> None:
    """Raise unless `path` can be read and begins as its ending says."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise MissingFileError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise FileAccessError(f"{path} is a directory") from None
    except (OSError, ValueError) as error:
        raise FileAccessError(f"cannot read {path}: {error}") from None
    if not head:
        raise FileFormatError(f"{path} is empty")
    expected = _EXPECTED[path.suffix.lower()]
    found = next((kind for mark, kind in _SIGNATURES.items() if head.startswith(mark)), None)
    if found != expected:
        raise FileFormatError(
            f"{path} is not {expected or 'text'}, as a {path.suffix} file is; "
            + (f"it looks like {found}" if found else f"it begins with {head!r}")
        )
