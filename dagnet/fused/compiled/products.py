"""Products of matrices in parts, each of which a thread can compute by itself.

How they are cut does not depend on the number of threads, and in which order the terms of a sum
are added not on who computes it. So neither do the bits.
"""

from dagnet.fused.compiled.addresses import at, compiled, copy, inlined, summing
from dagnet.fused.compiled.blocks import (
    A_AREA,
    B_AREA,
    DEPTH,
    FEW,
    PANEL,
    ROWS,
    VECTOR,
)
from dagnet.fused.compiled.codes import (
    ARRAYS,
    BY_COLUMNS,
    BY_ROWS,
    BY_TERMS,
    CODE,
    CUT,
    PARTS,
    PRODUCT_OF_TRANSPOSED,
    SIZES,
)
from dagnet.fused.compiled.tiles import tile, transpose

#: Bytes that a processor fetches from memory together.
LINE = 64

#: Bytes between the first and the last column of a block of A, lying in memory as its transpose
#: does, up to which the columns stay near enough to each other to be read as they lie.
NEAR = 2**15


@inlined
def product(
    like, a, a_row, a_step, b, b_row, turned, c, c_row, bias, rows, columns, inner, area
):  # fmt: skip
    """Compute ``C = A B``, where rows of C are contiguous, and those of B or, if turned, of Bᵀ.

    `a`, `b` and `c` are addresses; the next row of A is `a_row` bytes away, the next number in a
    row `a_step`; so A may be transposed. The numbers at `bias` are added to the rows of C, unless
    it is 0. `area` is the address of `AREA` bytes.
    """
    size = like.itemsize
    right, down = (b_row, size) if turned else (size, b_row)
    as_it_lies = not turned and rows <= FEW
    most = _depth(size, columns) if as_it_lies else DEPTH
    for k in range(0, inner, most):
        depth = min(most, inner - k)
        chunk = B_AREA // (depth * PANEL) * (PANEL // size)
        for left in range(0, columns, chunk):
            width = min(chunk, columns - left)
            block = b + left * right + k * down
            start, step, panel = block, b_row, PANEL
            if turned:
                _turn(like, block, b_row, width, depth, area)
                start, step, panel = area, PANEL, depth * PANEL
            elif not as_it_lies:
                _lay_out(like, block, b_row, width, depth, area)
                start, step, panel = area, PANEL, depth * PANEL
            # The next block of B, as far as it is contiguous, is fetched meanwhile.
            ahead, run = block + chunk * right, (depth if turned else width) * size
            if left + chunk >= columns:
                ahead = b + (k + most) * down
                if k + most >= inner:
                    run = 0
            if run == b_row:
                run *= width if turned else depth
            _rows(
                like, a + k * a_step, a_row, a_step, start, step, panel, c + left * size, c_row,
                rows, width, depth, k == 0, 0 if k else bias, area + B_AREA,
                ahead, run, LINE if run > b_row else b_row,
            )  # fmt: skip


@inlined
def _depth(size, columns):
    """Return how many rows of B as it lies, and as many to come, fit into the caches."""
    panels = -(-columns * size // PANEL)
    return max(DEPTH // 4, min(DEPTH, B_AREA // (panels * PANEL)))


@compiled
def _turn(like, b, b_row, columns, depth, area):
    """Write panels of B, of which the transpose lies in memory."""
    size = like.itemsize
    lanes = VECTOR // size
    for j in range(0, columns, lanes):
        place = area + j * size // PANEL * depth * PANEL + j * size % PANEL
        for i in range(0, depth, lanes):
            transpose(
                like, b + j * b_row + i * size, b_row,
                min(lanes, columns - j), min(lanes, depth - i), place + i * PANEL, PANEL,
            )  # fmt: skip


@compiled
def _lay_out(like, b, b_row, columns, depth, area):
    """Write panels of B."""
    size = like.itemsize
    for i in range(depth):
        for j in range(0, columns, PANEL // size):
            count = min(PANEL // size, columns - j)
            place = area + j * size * depth + i * PANEL
            copy(at(b + i * b_row + j * size, count, like), at(place, count, like))


@compiled
def _rows(
    like, a, a_row, a_step, b, b_step, b_panel, c, c_row, rows, columns, depth, first, bias, area,
    ahead, run, step_ahead,
):  # fmt: skip
    """Compute rows of C, from panels of B that are `b_panel` bytes apart.

    This is compiled by itself: written into a larger function, the tiles lose their registers.
    Meanwhile fetch what is `ahead`: from there and from each place `step_ahead` bytes further a
    line, then those next to them, `run` bytes in all.
    """
    size = like.itemsize
    fetched, more = 0, LINE * depth if step_ahead == LINE else LINE
    most = A_AREA // (depth * size) // ROWS * ROWS
    for top in range(0, rows, most):
        count = min(most, rows - top)
        start, row, step = a + top * a_row, a_row, a_step
        if a_row < a_step and rows > ROWS and depth * a_step > NEAR:
            for i in range(depth):
                copy(at(start + i * a_step, count, like), at(area + i * count * size, count, like))
            start, row, step = area, size, count * size
        tiles = -(-count // ROWS)
        for q in range(tiles):
            low, high = count * q // tiles, count * (q + 1) // tiles
            biases = bias + (top + low) * size if bias else 0
            for j in range(0, columns, PANEL // size):
                width = min(PANEL // size, columns - j)
                vectors = -(-width * size // VECTOR)
                goes_on = fetched < run
                tile(
                    like, high - low, vectors, width - (vectors - 1) * (VECTOR // size), depth,
                    start + low * row, row, step, b + j * size // PANEL * b_panel, b_step,
                    c + (top + low) * c_row + j * size, c_row, int(first), biases,
                    ahead + fetched if goes_on else a, step_ahead if goes_on else 0,
                )  # fmt: skip
                fetched += more


@summing
def dot(a, b):
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@summing
def total_of(a):
    total = 0.0  # in double precision, as numpy's pairwise sums lose little
    for i in range(a.size):
        total += a[i]
    return total


@summing
def total_of_squares(a):
    total = 0.0
    for i in range(a.size):
        total += float(a[i]) * a[i]
    return total


@summing
def total_of_products(a, b):
    total = 0.0
    for i in range(a.size):
        total += float(a[i]) * b[i]
    return total


@compiled
def region(r, part, like):
    """Return which rows and columns of the result a part of a product has: the first and the end
    of the rows, then of the columns."""
    rows, columns, parts = r[SIZES], r[SIZES + 1], r[PARTS]
    if r[CUT] == BY_ROWS:
        return rows * part // parts, rows * (part + 1) // parts, 0, columns
    if r[CUT] == BY_COLUMNS:
        lanes = VECTOR // like.itemsize
        width = -(-columns // lanes)
        left, right = width * part // parts * lanes, width * (part + 1) // parts * lanes
        return 0, rows, left, min(right, columns)
    return 0, rows, 0, columns


@inlined
def product_part(r, part, area, like):
    """Compute one part of a product: some of its rows, or columns, or of the terms of all sums."""
    size = like.itemsize
    rows, columns, inner = r[SIZES], r[SIZES + 1], r[SIZES + 2]
    a_row, a_step, b_row = r[SIZES + 3], r[SIZES + 4], r[SIZES + 5]
    a, b, c, bias = r[ARRAYS], r[ARRAYS + 1], r[ARRAYS + 2], r[ARRAYS + 3]
    turned = r[CODE] == PRODUCT_OF_TRANSPOSED
    right, down = (b_row, size) if turned else (size, b_row)
    c_row, first, stop = columns * size, 0, inner
    if r[CUT] == BY_TERMS:
        first, stop = inner * part // r[PARTS], inner * (part + 1) // r[PARTS]
        c += part * rows * c_row
    top, bottom, left, end = region(r, part, like)
    product(
        like, a + top * a_row + first * a_step, a_row, a_step,
        b + first * down + left * right, b_row, turned, c + top * c_row + left * size, c_row,
        bias + top * size if bias else 0, bottom - top, end - left, stop - first, area,
    )  # fmt: skip


@compiled
def _add(row, number):
    for j in range(row.size):
        row[j] += number


@compiled
def sum_parts(r, start, stop, like):
    """Sum up rows of the parts of a product, and add the bias."""
    rows, columns, count = r[SIZES], r[SIZES + 1], r[SIZES + 2]
    row = columns * like.itemsize
    for i in range(start, stop):
        c = at(r[ARRAYS + 1] + i * row, columns, like)
        copy(at(r[ARRAYS] + i * row, columns, like), c)
        for part in range(1, count):
            more = at(r[ARRAYS] + (part * rows + i) * row, columns, like)
            for j in range(columns):
                c[j] += more[j]
        if r[ARRAYS + 2]:
            _add(c, at(r[ARRAYS + 2], rows, like)[i])


@compiled
def dots(r, start, stop, like):
    """Compute rows of ``A Bᵀ``, where rows of both are contiguous, by sums along them."""
    columns, inner, a_row, b_row = r[SIZES + 1], r[SIZES + 2], r[SIZES + 3], r[SIZES + 5]
    for i in range(start, stop):
        a = at(r[ARRAYS] + i * a_row, inner, like)
        c = at(r[ARRAYS + 2] + i * columns * like.itemsize, columns, like)
        for j in range(columns):
            c[j] = dot(a, at(r[ARRAYS + 1] + j * b_row, inner, like))
        if r[ARRAYS + 3]:
            add = at(r[ARRAYS + 3], r[SIZES], like)[i]
            for j in range(columns):
                c[j] += add


@compiled
def row_sums(r, start, stop, like):
    """Sum up rows of a matrix."""
    inner = r[SIZES + 1]
    sums = at(r[ARRAYS + 1], r[SIZES], like)
    for i in range(start, stop):
        sums[i] = total_of(at(r[ARRAYS] + i * inner * like.itemsize, inner, like))
