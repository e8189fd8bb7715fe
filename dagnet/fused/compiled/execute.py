"""The one compiled function: it runs any program, alone or with helpers.

A program is a table of integers with a row for each instruction, and one before them which says how
long it is. So one compilation, kept on disk, serves all networks of a dtype.

Instructions are cut into parts. Threads draw the parts in order, each the next that nobody has: a
number in memory counts them. A part waits until all are done that its instruction needs. So the
thread that leads never waits for a helper who has not begun, and a helper may come late or never.
"""

import numpy as np
from numba import carray, njit

from dagnet.fused.compiled.addresses import (
    add_atomic,
    at,
    compiled,
    exchange_atomic,
    inlined,
    load_atomic,
    pause,
    pointer,
    store_atomic,
)
from dagnet.fused.compiled.codes import (
    ACCUMULATE,
    CATEGORICAL,
    CATEGORICAL_BACK,
    CODE,
    CONSTANTS_AT,
    DOTS,
    LAYER_NORM_BACK,
    MULTIPLY,
    NEEDS,
    NUMBER,
    PARTS,
    PRODUCT,
    PRODUCT_OF_TRANSPOSED,
    RELU,
    ROW_SUMS,
    SIZE,
    SIZES,
    START,
    SUM_PARTS,
    TANH,
    TANH_BACK,
    TOTAL_OF_SQUARES,
    WIDTH,
)
from dagnet.fused.compiled.elementwise import activation, activation_back, collect, join, update
from dagnet.fused.compiled.losses import loss, loss_back, total
from dagnet.fused.compiled.normalization import normalize
from dagnet.fused.compiled.products import dots, product_part, region, row_sums, sum_parts
from dagnet.fused.compiled.shared import (
    ALONE,
    CLOSED,
    CONSTANTS,
    DONE,
    EPOCH,
    HELP,
    KIND,
    PROGRAM,
    ROWS,
    SHARED,
    STOP,
    TOTAL,
)

#: How often a helper looks for a part before it goes to sleep: about a millisecond. It takes longer
#: to wake up than a small step takes, and some milliseconds until it has a processor of its own.
PATIENCE = 2**15


@compiled
def instruct(r, part, constants, area, like):
    """Do one part of an instruction. Codes of a kind follow each other."""
    code, n, parts = r[CODE], r[SIZES], r[PARTS]
    start, stop = n * part // parts, n * (part + 1) // parts
    if code <= MULTIPLY or RELU <= code <= TANH_BACK:
        change(r, start, stop, constants, like)
    elif code <= PRODUCT_OF_TRANSPOSED:
        product_part(r, part, area, like)
    elif code == SUM_PARTS:
        sum_parts(r, start, stop, like)
    elif code == DOTS:
        dots(r, start, stop, like)
    elif code == ROW_SUMS:
        row_sums(r, start, stop, like)
    elif code <= LAYER_NORM_BACK:
        normalize(r, start, stop, constants[r[NUMBER]], area, like)
    elif code <= CATEGORICAL:
        loss(r, start, stop, like)
    elif code <= TOTAL_OF_SQUARES:
        total(r, constants[r[NUMBER]], like)
    elif code <= CATEGORICAL_BACK:
        loss_back(r, start, stop, constants[r[NUMBER]], like)
    else:
        update(r, start, stop, like)


@compiled
def change(r, start, stop, constants, like):
    """Do an instruction to the elements from `start` to `stop`, each by itself."""
    code = r[CODE]
    if code <= ACCUMULATE:
        collect(r, start, stop, like)
    elif code <= MULTIPLY:
        join(r, start, stop, like)
    elif code <= TANH:
        activation(r, start, stop, constants[r[NUMBER]], like)
    else:
        activation_back(r, start, stop, constants[r[NUMBER]], like)


@compiled
def follow(r, part, then, constants, like):
    """Change what a part of an instruction has written as the instruction `then` says."""
    code, columns = r[CODE], 1
    top, bottom = r[SIZES] * part // r[PARTS], r[SIZES] * (part + 1) // r[PARTS]
    left, right = 0, columns
    if PRODUCT <= code <= DOTS:
        columns = right = r[SIZES + 1]
        if code <= PRODUCT_OF_TRANSPOSED:
            top, bottom, left, right = region(r, part, like)
    if right - left == columns:
        change(then, top * columns, bottom * columns, constants, like)
    else:
        for i in range(top, bottom):
            change(then, i * columns + left, i * columns + right, constants, like)


@inlined
def do_part(program, row, part, constants, area, like):
    """Do one part of an instruction, and all that is joined to it."""
    r = program[row : row + WIDTH]
    instruct(r, part, constants, area, like)
    row += WIDTH
    while row < program.size and program[row + PARTS] == 0:
        follow(r, part, program[row : row + WIDTH], constants, like)
        row += WIDTH


@inlined
def run_alone(program, constants, area, like):
    for row in range(0, program.size, WIDTH):
        for part in range(program[row + PARTS]):
            do_part(program, row, part, constants, area, like)


@inlined
def draw(shared, epoch, total):
    """Return the number of the next part of a program, now the caller's; -1 if none is left."""
    place = shared.ctypes.data
    while True:
        ticket = load_atomic(place)
        if ticket >> EPOCH != epoch or ticket & CLOSED >= total:
            return -1
        if exchange_atomic(place, ticket, ticket + 1):
            return ticket & CLOSED


@inlined
def share(shared, epoch, program, constants, area, like, total):
    """Do parts until none is left."""
    done = shared.ctypes.data + DONE * 8
    row = 0
    while True:
        number = draw(shared, epoch, total)
        if number < 0:
            return
        while number >= program[row + START] + program[row + PARTS]:
            row += WIDTH
        while load_atomic(done) < program[row + NEEDS]:
            pause()
        do_part(program, row, number - program[row + START], constants, area, like)
        add_atomic(done, 1)


@inlined
def lead(shared, program, constants, area, like):
    """Run a program with whoever helps."""
    ticket, done = shared.ctypes.data, shared.ctypes.data + DONE * 8
    last = program.size - WIDTH
    total = program[last + START] + program[last + PARTS]
    epoch = (load_atomic(ticket) >> EPOCH) + 1
    store_atomic(ticket, (epoch << EPOCH) | CLOSED)
    shared[PROGRAM], shared[CONSTANTS] = program.ctypes.data, constants.ctypes.data
    shared[ROWS], shared[TOTAL], shared[KIND] = program.size, total, like.itemsize
    store_atomic(done, 0)
    store_atomic(ticket, epoch << EPOCH)
    share(shared, epoch, program, constants, area, like, total)
    while load_atomic(done) < total:
        pause()


@inlined
def help_others(shared, area, like):
    """Help with programs of this dtype until there is none for a while, or another's."""
    ticket, stop = shared.ctypes.data, shared.ctypes.data + STOP * 8
    idle = 0
    while idle < PATIENCE and load_atomic(stop) == 0:
        drawn = load_atomic(ticket)
        total = shared[TOTAL]
        if drawn & CLOSED >= total:
            idle += 1
            pause()
            continue
        program = at(shared[PROGRAM], shared[ROWS], shared)
        constants = carray(pointer(shared[CONSTANTS]), (0,), np.float64)
        if shared[KIND] != like.itemsize:
            return
        # What was read is of the program of that number only if it still runs; `draw` sees to it.
        share(shared, drawn >> EPOCH, program, constants, area, like, total)
        idle = 0


def entry(dtype):
    """Return the function for arrays of a dtype, which numba has not compiled yet."""

    @njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
    def execute(role, shared, program, area):
        """Run the program at an address, or help with those of others.

        `shared` is the address of what the threads share, `area` that of `AREA` bytes which no
        other thread uses.
        """
        like = carray(pointer(0), (0,), dtype)
        common = carray(pointer(shared), (SHARED,), np.int64)
        if role == HELP:
            help_others(common, area, like)
            return
        head = carray(pointer(program), (WIDTH,), np.int64)
        table = carray(pointer(program + WIDTH * 8), (head[SIZE],), np.int64)
        constants = carray(pointer(head[CONSTANTS_AT]), (0,), np.float64)
        if role == ALONE:
            run_alone(table, constants, area, like)
        else:
            lead(common, table, constants, area, like)

    return execute
