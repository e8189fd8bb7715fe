"""The compiled function as an object file, which is loaded without numba."""

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, from_dtype, types

from dagnet.errors import ArgumentError
from dagnet.fused.compiled.execute import entry
from dagnet.fused.compiled.shared import NAME

#: How many integers the function is called with.
_ARGUMENTS = 4

#: Settings of numba with which it compiles nothing, or code that stops where an array of unknown
#: length is read, as the constants are.
_FORBIDDEN = "DISABLE_JIT", "BOUNDSCHECK"


def object_code(dtype: np.dtype) -> bytes:
    """Compile the function for arrays of a dtype, and return the object file that holds it."""
    for setting in _FORBIDDEN:
        if getattr(config, setting):
            raise ArgumentError(
                f"executor='fused' cannot compile its code while NUMBA_{setting} is set: unset it "
                "for the first run on this machine, or leave out the executor"
            )
    function = entry(from_dtype(dtype))
    function.compile(types.void(*[types.int64] * _ARGUMENTS))
    module = llvm.parse_assembly(function.inspect_llvm(function.signatures[0]))
    (inner,) = (
        f.name
        for f in module.functions
        if not f.is_declaration and f.linkage == llvm.Linkage.external
    )
    module.link_in(llvm.parse_assembly(_face(inner, module.triple)))
    for defined in (*module.functions, *module.global_variables):
        if not defined.is_declaration and defined.name != NAME:
            defined.linkage = llvm.Linkage.internal  # calls need no detour by a table of names
    machine = llvm.Target.from_triple(module.triple).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",  # for a shared library
        codemodel="small",
    )
    return machine.emit_object(module)


def _face(inner: str, triple: str) -> str:
    """Return a module that gives numba's function the face of one in C."""
    module = ir.Module()
    module.triple = triple
    number, address = ir.IntType(64), ir.IntType(8).as_pointer()
    # numba has a function write its result and its error to the first two addresses. There is
    # neither.
    takes = [address, address, *[number] * _ARGUMENTS]
    called = ir.Function(module, ir.FunctionType(ir.IntType(32), takes), inner)
    face = ir.Function(module, ir.FunctionType(ir.VoidType(), takes[2:]), NAME)
    builder = ir.IRBuilder(face.append_basic_block())
    nowhere = [builder.alloca(address) for _ in range(2)]
    builder.call(called, [builder.bitcast(place, address) for place in nowhere] + [*face.args])
    builder.ret_void()
    # Arrays at addresses own no memory, so what would end one is named, and never called.
    ends = ir.Function(module, ir.FunctionType(ir.VoidType(), [address]), "NRT_MemInfo_call_dtor")
    ir.IRBuilder(ends.append_basic_block()).ret_void()
    return str(module)
