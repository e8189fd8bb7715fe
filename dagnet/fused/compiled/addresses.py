"""What the compiled code does with addresses and bits, of which numba itself knows nothing."""

import platform

from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

#: How everything here is compiled: dividing by zero gives Inf as in numpy.
compiled = njit(error_model="numpy")

#: For what is called from one or two places: written into its callers, as every function that is
#: compiled by itself is optimized again with each that calls it, directly or not.
inlined = njit(error_model="numpy", inline="always")

#: For sums alone: terms may be added in another order, as BLAS and numpy do; NaN and Inf stay.
summing = njit(error_model="numpy", fastmath={"reassoc"})

#: For polynomials: a product and a sum may be rounded once instead of twice. A loop that calls one
#: is done on several numbers at once only if it is written into the loop, however long it is.
contracting = njit(error_model="numpy", fastmath={"contract"}, forceinline=True)

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_COUNTER = ir.IntType(64).as_pointer()


@intrinsic
def pointer(context, address):
    """Return an integer as an address."""

    def generate(context, builder, signature, args):
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@compiled
def at(address, size, like):
    """Return the array of `size` elements, of the dtype of the array `like`, at an address."""
    return carray(pointer(address), (size,), like.dtype)


@compiled
def copy(source, target):
    for i in range(target.size):
        target[i] = source[i]


@intrinsic
def as_float(context, bits):
    """Return the float64 of these 64 bits."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@intrinsic
def as_bits(context, value):
    """Return the 64 bits of a float64."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def add_atomic(context, address, value):
    """Add to the counter at an address, which other threads see, and return what it was."""

    def generate(context, builder, signature, args):
        counter = builder.inttoptr(args[0], _COUNTER)
        return builder.atomic_rmw("add", counter, args[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def load_atomic(context, address):
    """Return the counter at an address, and see all that was written before it was set."""

    def generate(context, builder, signature, args):
        return builder.load_atomic(builder.inttoptr(args[0], _COUNTER), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
def store_atomic(context, address, value):
    """Set the counter at an address, after all that was written before."""

    def generate(context, builder, signature, args):
        counter = builder.inttoptr(args[0], _COUNTER)
        builder.store_atomic(args[1], counter, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def exchange_atomic(context, address, expected, value):
    """Set the counter at an address if it is what is expected; return whether it was."""

    def generate(context, builder, signature, args):
        counter = builder.inttoptr(args[0], _COUNTER)
        result = builder.cmpxchg(counter, args[1], args[2], "seq_cst", "seq_cst")
        return builder.extract_value(result, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@intrinsic
def pause(context):
    """Tell the processor that this thread waits for another, where there is a way to."""

    def generate(context, builder, signature, args):
        if _X86:
            function = ir.FunctionType(ir.VoidType(), [])
            hint = cgutils.get_or_insert_function(builder.module, function, "llvm.x86.sse2.pause")
            builder.call(hint, [])
        return context.get_dummy_value()

    return types.void(), generate
