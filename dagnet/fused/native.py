"""The compiled function as native code, which is kept on disk.

numba, which compiles it, is imported only where it is not on disk yet: to import and set up numba
takes several times the time and the memory that all else here does. The code is kept as an object
file, which LLVM can load; and, where there is a linker, as a shared library, which needs no LLVM.
"""

import hashlib
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock

import llvmlite
import numpy as np
import platformdirs

from dagnet.errors import FileAccessError
from dagnet.files import atomic_write, check_writable
from dagnet.fused.compiled.processor import processor
from dagnet.fused.loading import Execute, from_library, from_object, linked

#: Bytes after the code in a file: its digest.
_DIGEST = hashlib.sha256().digest_size

_one_at_a_time = Lock()


def execute(dtype: np.dtype) -> Execute:
    """Return the function that runs programs on arrays of a dtype.

    The first call for a dtype on a machine compiles it, which takes up to half a minute.
    """
    with _one_at_a_time:  # a thread that comes meanwhile waits, as to compile it too takes longer
        return _found(dtype)


@cache
def _found(dtype: np.dtype) -> Execute:
    """Return the function from disk or, if it is not there, compiled and put there."""
    library = _path(dtype, ".so")
    whole = _read(library) is not None
    if whole and (function := from_library(library)) is not None:
        return function
    code = _compiled(dtype)
    if not whole and (made := linked(code)) is not None:
        with suppress(FileAccessError):  # which `_compiled` has spoken of
            _keep(library, made)
    return from_object(code)


def _compiled(dtype: np.dtype) -> bytes:
    """Return the object file from disk or, if it is not there, compile it and put it there."""
    path = _path(dtype, ".o")
    code = _read(path)
    if code is None:
        from dagnet.fused.compiled.object_code import object_code  # here, because it loads numba

        code = object_code(dtype)
        try:
            _keep(path, code)
        except FileAccessError as error:
            message = f"executor='fused': every process will compile its code anew: {error}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
    return code


def _path(dtype: np.dtype, suffix: str) -> Path:
    """Return where the code for a dtype is kept: its name changes with all that it depends on."""
    kind, features = processor()
    # The version of llvmlite stands for that of numba: each numba asks for one of them.
    facts = llvmlite.__version__, kind, *sorted(features)
    digest = hashlib.sha256("\n".join(facts).encode())
    for source in sorted((Path(__file__).parent / "compiled").glob("*.py")):
        digest.update(source.read_bytes())
    try:
        directory = Path(platformdirs.user_cache_dir("dagnet", appauthor=False))
    except RuntimeError as error:
        raise FileAccessError(
            f"executor='fused' finds no place for its compiled code: {error}; "
            "set XDG_CACHE_HOME to a directory"
        ) from None
    return directory / f"execute-{dtype.name}-{digest.hexdigest()[:20]}{suffix}"


def _read(path: Path) -> bytes | None:
    """Return the code in a file; None if there is none, or it is not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    code, digest = content[:-_DIGEST], content[-_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _keep(path: Path, code: bytes) -> None:
    """Write the code where later processes find it."""
    check_writable(path.parent, directory=True)
    with atomic_write(path) as file:
        file.write(code + hashlib.sha256(code).digest())
