"""The compiled function as native code, which is kept on disk.

llvmlite alone loads it. numba, which compiles it, is imported only where it is not on disk yet: to
import and set up numba takes several times the time and the memory that all else here does.
"""

import ctypes
import hashlib
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import platformdirs

from dagnet.errors import FileAccessError
from dagnet.files import atomic_write, check_writable
from dagnet.fused.compiled.shared import NAME

Integer = ctypes.c_int64

#: In the place of an address that is not needed.
NOTHING = Integer(0)

#: What is called with the role of a thread, and addresses; see `compiled.execute`.
Execute = Callable[[Integer, Integer, Integer, Integer], None]

#: Bytes before the code in a file: its digest.
_DIGEST = hashlib.sha256().digest_size

_one_at_a_time = Lock()


def execute(dtype: np.dtype) -> Execute:
    """Return the function that runs programs on arrays of a dtype.

    The first call for a dtype on a machine compiles it, which takes ten to twenty seconds.
    """
    with _one_at_a_time:  # a thread that comes meanwhile waits, as to compile it too takes longer
        return _found(dtype)


@cache
def _found(dtype: np.dtype) -> Execute:
    """Return the function from disk or, if it is not there, compiled and put there."""
    path = _path(dtype)
    code = _read(path)
    if code is None:
        from dagnet.fused.compiled.object_code import object_code  # here, because it loads numba

        code = object_code(dtype)
        _keep(path, code)
    return _load(code)


def _path(dtype: np.dtype) -> Path:
    """Return where the code for a dtype is kept: its name changes with all that it depends on."""
    # The version of llvmlite stands for that of numba: each numba asks for one of them.
    facts = llvmlite.__version__, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
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
    return directory / f"execute-{dtype.name}-{digest.hexdigest()[:20]}.o"


def _read(path: Path) -> bytes | None:
    """Return the code in a file; None if there is none, or it is not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _keep(path: Path, code: bytes) -> None:
    """Write the code where later processes find it."""
    try:
        check_writable(path.parent, directory=True)
        with atomic_write(path) as file:
            file.write(hashlib.sha256(code).digest() + code)
    except FileAccessError as error:
        message = f"executor='fused': every process will compile its code anew: {error}"
        warnings.warn(message, RuntimeWarning, stacklevel=2)


def _load(code: bytes) -> Execute:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    # Without types of its arguments: to check integers of Python takes longer than the call.
    function = ctypes.CFUNCTYPE(None)(engine.get_function_address(NAME))
    function.engine = engine  # type: ignore[attr-defined]  # it owns the memory of the code
    return function
