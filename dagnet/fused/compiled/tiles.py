"""The innermost loops of products of matrices, written as vector instructions.

A *tile* is as much of the result as the registers of a processor hold. numba's compiler does not
find this use of them in plain loops, so the instructions are generated here, for vectors as wide
as the processor has.
"""

from itertools import product as pairs

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dagnet.fused.compiled.blocks import ROWS, VECTOR, VECTORS

_I32, _I64 = ir.IntType(32), ir.IntType(64)


class _Lanes:
    """Vectors of one dtype, in the function that a builder is writing."""

    def __init__(self, context, builder, dtype):
        self.builder = builder
        self.scalar = context.get_value_type(dtype)
        self.size = dtype.bitwidth // 8
        self.count = VECTOR // self.size
        self.type = ir.VectorType(self.scalar, self.count)
        self.bits = ir.VectorType(ir.IntType(1), self.count)
        self.zero = ir.Constant(self.type, [0.0] * self.count)
        self.suffix = f"v{self.count}f{dtype.bitwidth}"

    def mask(self, filled):
        """Return the mask of the first lanes, as many as are `filled`."""
        lanes = ir.VectorType(_I32, self.count)
        numbers = ir.Constant(lanes, list(range(self.count)))
        limit = self._splat(self.builder.trunc(filled, _I32), lanes)
        return self.builder.icmp_signed("<", numbers, limit)

    def broadcast(self, address):
        """Return a vector of the number at an address."""
        pointer = self.builder.inttoptr(address, self.scalar.as_pointer())
        return self._splat(self.builder.load(pointer, align=self.size), self.type)

    def load(self, address, mask=None):
        pointer = self.builder.inttoptr(address, self.type.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.size)
        arguments = [self.type.as_pointer(), _I32, self.bits, self.type]
        load = self._intrinsic("masked.load", self.type, arguments, f".p0{self.suffix}")
        align = ir.Constant(_I32, self.size)
        return self.builder.call(load, [pointer, align, mask, self.zero])

    def store(self, value, address, mask=None):
        pointer = self.builder.inttoptr(address, self.type.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self.size)
            return
        arguments = [self.type, self.type.as_pointer(), _I32, self.bits]
        store = self._intrinsic("masked.store", ir.VoidType(), arguments, f".p0{self.suffix}")
        self.builder.call(store, [value, pointer, ir.Constant(_I32, self.size), mask])

    def fetch(self, address):
        """Fetch a line of memory into the caches; an address that is nobody's does no harm."""
        pointer = self.builder.inttoptr(address, cgutils.voidptr_t)
        arguments = [cgutils.voidptr_t, _I32, _I32, _I32]
        function = ir.FunctionType(ir.VoidType(), arguments)
        fetch = cgutils.get_or_insert_function(self.builder.module, function, "llvm.prefetch.p0i8")
        read, keep, data = (ir.Constant(_I32, n) for n in (0, 3, 1))
        self.builder.call(fetch, [pointer, read, keep, data])

    def multiply_add(self, a, b, c):
        """Return ``a b + c``, rounded once where the processor can."""
        fused = self._intrinsic("fmuladd", self.type, [self.type] * 3)
        return self.builder.call(fused, [a, b, c])

    def transposed(self, rows):
        """Return the columns of a square of vectors: blocks of 1, 2, 4, ... change places."""
        rows, lanes = list(rows), range(self.count)
        half = 1
        while half < self.count:
            low = [n if not n & half else self.count + n - half for n in lanes]
            high = [n + half if not n & half else self.count + n for n in lanes]
            for i in lanes:
                if not i & half:
                    a, b = rows[i], rows[i + half]
                    rows[i], rows[i + half] = self._shuffle(a, b, low), self._shuffle(a, b, high)
            half *= 2
        return rows

    def _shuffle(self, a, b, places):
        order = ir.Constant(ir.VectorType(_I32, len(places)), places)
        return self.builder.shuffle_vector(a, b, order)

    def _splat(self, value, vector):
        nothing = ir.Constant(vector, ir.Undefined)
        one = self.builder.insert_element(nothing, value, ir.Constant(_I32, 0))
        return self._shuffle(one, nothing, [0] * vector.count)

    def _intrinsic(self, name, result, arguments, more=""):
        function = ir.FunctionType(result, arguments)
        return cgutils.get_or_insert_function(
            self.builder.module, function, f"llvm.{name}.{self.suffix}{more}"
        )


@intrinsic
def tile(
    context, like, rows, vectors, last, inner, a, a_row, a_step, b, b_step, c, c_row, first, bias,
    ahead, ahead_step,
):  # fmt: skip
    """Compute one tile of ``C = A B``, or add it to C.

    `rows` and `vectors` are its size, `last` the lanes in use of its last vectors, and `inner` the
    numbers in a row of A. The tile begins at the addresses `a`, `b` and `c`. From there to the
    next row of A it is `a_row` bytes, to the next number in the row `a_step`, to the next row of B
    `b_step` and to that of C `c_row`. Rows of B and C are contiguous. If `first` is 0, the
    sum is added to C; sums begin with the numbers at `bias`, one for each row, unless it is 0.

    Meanwhile the lines of memory at `ahead`, `ahead + ahead_step`, ... are fetched into the caches,
    one for each number in a row of A: there is room for them beside the arithmetic.
    """

    def generate(context, builder, signature, args):
        lanes = _Lanes(context, builder, like.dtype)
        sizes = list(pairs(range(1, ROWS + 1), range(1, VECTORS + 1)))
        key = builder.add(builder.mul(args[1], ir.Constant(_I64, VECTORS + 1)), args[2])
        end = builder.append_basic_block("tiled")
        choice = builder.switch(key, end)
        for size in sizes:
            block = builder.append_basic_block("tile")
            choice.add_case(ir.Constant(_I64, size[0] * (VECTORS + 1) + size[1]), block)
            builder.position_at_end(block)
            _tile(lanes, *size, *args[3:])
            builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(like, *[types.int64] * 15), generate


def _tile(
    lanes, rows, vectors, last, inner, a, a_row, a_step, b, b_step, c, c_row, first, bias,
    ahead, ahead_step,
):  # fmt: skip
    builder = lanes.builder
    masks = [None] * (vectors - 1) + [lanes.mask(last)]
    places = [ir.Constant(_I64, j * VECTOR) for j in range(vectors)]
    sums = [[cgutils.alloca_once(builder, lanes.type) for _ in masks] for _ in range(rows)]
    for place in (place for row in sums for place in row):
        builder.store(lanes.zero, place)
    with builder.if_then(builder.icmp_signed("!=", bias, ir.Constant(_I64, 0))):
        for i, row in enumerate(sums):
            number = lanes.broadcast(builder.add(bias, ir.Constant(_I64, i * lanes.size)))
            for place in row:
                builder.store(number, place)
    row_starts = [builder.mul(a_row, ir.Constant(_I64, i)) for i in range(rows)]
    a_place = cgutils.alloca_once_value(builder, a)
    b_place = cgutils.alloca_once_value(builder, b)
    ahead_place = cgutils.alloca_once_value(builder, ahead)
    with cgutils.for_range(builder, inner):
        at_a, at_b = builder.load(a_place), builder.load(b_place)
        row = [lanes.load(builder.add(at_b, p), m) for p, m in zip(places, masks, strict=True)]
        for i in range(rows):
            factor = lanes.broadcast(builder.add(at_a, row_starts[i]))
            for total, value in zip(sums[i], row, strict=True):
                builder.store(lanes.multiply_add(factor, value, builder.load(total)), total)
        at_ahead = builder.load(ahead_place)
        lanes.fetch(at_ahead)
        builder.store(builder.add(at_ahead, ahead_step), ahead_place)
        builder.store(builder.add(at_a, a_step), a_place)
        builder.store(builder.add(at_b, b_step), b_place)
    starts = [builder.add(c, builder.mul(c_row, ir.Constant(_I64, i))) for i in range(rows)]
    with builder.if_then(builder.icmp_signed("==", first, ir.Constant(_I64, 0))):
        for i, j in pairs(range(rows), range(vectors)):
            before = lanes.load(builder.add(starts[i], places[j]), masks[j])
            builder.store(builder.fadd(before, builder.load(sums[i][j])), sums[i][j])
    for i, j in pairs(range(rows), range(vectors)):
        lanes.store(builder.load(sums[i][j]), builder.add(starts[i], places[j]), masks[j])


@intrinsic
def transpose(context, like, source, source_row, rows, columns, target, target_row):
    """Write the transpose of a square block, as wide as a vector, to another place.

    Of the source only the first `rows` and `columns` are read, from 1 to as many as a vector has
    lanes; what stands for the others in the target means nothing. Rows are `source_row` and
    `target_row` bytes apart.
    """

    def generate(context, builder, signature, args):
        _, source, source_row, rows, columns, target, target_row = args
        lanes = _Lanes(context, builder, like.dtype)
        mask = lanes.mask(columns)
        last = builder.sub(rows, ir.Constant(_I64, 1))
        block = []
        for i in range(lanes.count):
            number = ir.Constant(_I64, i)
            inside = builder.select(builder.icmp_signed("<", number, last), number, last)
            block.append(lanes.load(builder.add(source, builder.mul(source_row, inside)), mask))
        for i, column in enumerate(lanes.transposed(block)):
            place = builder.add(target, builder.mul(target_row, ir.Constant(_I64, i)))
            lanes.store(column, place)
        return context.get_dummy_value()

    return types.void(like, *[types.int64] * 6), generate
