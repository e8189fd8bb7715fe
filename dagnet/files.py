"""Writing files so that nobody ever sees half of one, and finding out early that one cannot."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, Literal, TextIO, overload

from dagnet.errors import ArgumentError, ArgumentTypeError, FileAccessError

#: What writing to a disk that is full, over its quota, failing or read-only raises.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb"] = "wb"
) -> AbstractContextManager[BinaryIO]: ...
@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["w"]
) -> AbstractContextManager[TextIO]: ...
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb", "w"] = "wb"
) -> AbstractContextManager[IO]:
    """Open a file for writing that appears under its name only when it is complete.

    The content goes to a temporary file in the same directory, reaches the disk, and then takes
    the place of `path` in one step. If anything is raised in between, the temporary file is
    removed and what was at `path` is untouched.

    Parameters
    ----------
    path : str or PathLike
        A regular file or a new name; through a symbolic link, the file it points to.
    mode : {"wb", "w"}
        Binary, or UTF-8 text whose line ends are written as they are on every system.

    Returns
    -------
    context manager
        Gives the open file.

    Raises
    ------
    FileAccessError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from dagnet.files import atomic_write
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory) / "cost.txt"
    ...     with atomic_write(path, "w") as file:
    ...         written = file.write("0.7717")
    ...     path.read_text()
    '0.7717'
    """
    if mode not in ("wb", "w"):
        raise ArgumentError(f"atomic_write: mode must be 'wb' or 'w', got {mode!r}")
    return _atomic_write(as_path(path), mode)


@contextmanager
def _atomic_write(path: Path, mode: str) -> Iterator[IO]:
    target = _regular_target(path)
    temporary = _temporary_beside(target)
    try:
        file = _open_new(temporary, mode)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _keep_permissions(target, temporary)
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and _came_from(error, temporary):
            raise _cannot_write(path, error) from error
        raise
    _sync_directory(target.parent)


def check_writable(path: str | os.PathLike[str], *, directory: bool = False) -> None:
    """Raise now if `path` could not be written later, after the work.

    Parameters
    ----------
    path : str or PathLike
        The file to be written; its directory must exist.
    directory : bool
        True if `path` is a directory to write files into; it and its parents are created.

    Raises
    ------
    FileAccessError
        With the path and the reason.

    Examples
    --------
    >>> from dagnet.files import check_writable
    >>> check_writable("no/such/directory/model.safetensors")
    Traceback (most recent call last):
    ...
    dagnet.errors.FileAccessError: cannot write no/such/directory/model.safetensors: ...
    """
    given = as_path(path)
    folder = given if directory else _regular_target(given).parent
    if directory and folder.exists() and not folder.is_dir():
        raise FileAccessError(f"cannot write {given}: it is not a directory")
    try:
        if directory:
            folder.mkdir(parents=True, exist_ok=True)
        # Permission bits do not tell it all (read-only mounts, root): only trying does.
        probe = _temporary_beside(folder / "probe")
        _open_new(probe, "wb").close()
        probe.unlink()
    except OSError as error:
        raise _cannot_write(given, error) from error


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return what a user gave as a path, or raise unless it can be one."""
    try:
        given = Path(path)
    except TypeError:
        raise ArgumentTypeError(f"a path must be a string or Path, got {path!r}") from None
    if "\0" in str(given):
        raise ArgumentError(f"a path cannot hold a null character, got {str(given)!r}")
    return given


def _regular_target(path: Path) -> Path:
    """Return the file that `path` leads to; replacing a directory or device is refused."""
    target = Path(os.path.realpath(path))
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:
        raise _cannot_write(path, error) from error
    if stat.S_ISDIR(kind):
        raise FileAccessError(f"cannot write {path}: it is a directory")
    if not stat.S_ISREG(kind):
        raise FileAccessError(f"cannot write {path}: it is not a regular file")
    return target


def _temporary_beside(target: Path) -> Path:
    return target.parent / f".dagnet-{secrets.token_hex(8)}.tmp"


def _open_new(path: Path, mode: str) -> IO:
    """Open a file that must not exist yet; unlike tempfile's, its permissions obey the umask."""
    if mode == "wb":
        return open(path, "xb")
    return open(path, "x", encoding="utf-8", newline="")


def _keep_permissions(target: Path, temporary: Path) -> None:
    """Give the new file the old one's permissions: a private file stays private."""
    with suppress(FileNotFoundError):
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))


def _sync_directory(directory: Path) -> None:
    """Make the new name survive a power cut, where the system has a way to do so."""
    # Not an error: the file is complete and in place, and some systems cannot sync a directory.
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _came_from(error: OSError, temporary: Path) -> bool:
    """Tell an error of writing our file, such as a full disk, from one of the caller's own."""
    if error.filename is None:
        return error.errno in _DISK_ERRORS
    return os.fspath(error.filename) == str(temporary)


def _cannot_write(path: Path, error: OSError) -> FileAccessError:
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        parent = Path(error.filename).parent
        # Some file systems, such as /proc, say "not found" where nothing can be made.
        verb = "files cannot be made in" if parent.is_dir() else "there is no directory"
        reason = f"{verb} {parent}"
    return FileAccessError(f"cannot write {path}: {reason[:1].lower()}{reason[1:]}")
