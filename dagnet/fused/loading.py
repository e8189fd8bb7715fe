"""From an object file to the function in it: by way of a shared library, or by LLVM."""

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from dagnet.fused.compiled.shared import NAME

Integer = ctypes.c_int64

#: In the place of an address that is not needed.
NOTHING = Integer(0)

#: What is called with the role of a thread, and addresses; see `compiled.execute`.
Execute = Callable[[Integer, Integer, Integer, Integer], None]

# The functions know no types of their arguments: to check integers of Python takes longer than
# the call.


def linked(code: bytes) -> bytes | None:
    """Return a shared library made of an object file; None where there is no linker for it."""
    linker = shutil.which("cc") if sys.platform == "linux" else None
    if linker is None:
        return None
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "code.o"), Path(folder, "code.so")
        source.write_bytes(code)
        command = [linker, "-shared", "-o", str(target), str(source), "-lm"]
        done = subprocess.run(command, capture_output=True, check=False)
        return target.read_bytes() if done.returncode == 0 else None


def from_library(path: Path) -> Execute | None:
    """Return the function in a shared library; None if the system does not let it be loaded."""
    try:
        function = ctypes.CDLL(str(path))[NAME]
    except OSError:  # as from a directory of which nothing may be run
        return None
    function.restype = None
    return function


def from_object(code: bytes) -> Execute:
    """Return the function in an object file, loaded by LLVM, which takes half as much memory
    again as all else here."""
    import llvmlite.binding as llvm  # here, because a library needs none of it

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(None)(engine.get_function_address(NAME))
    function.engine = engine  # type: ignore[attr-defined]  # it owns the memory of the code
    return function
