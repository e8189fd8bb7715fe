"""The one compiled function: it runs any program, alone or with helpers.

A program is a table of integers with a row for each instruction. So one compilation, kept on disk,
serves all networks of a dtype.

Instructions are cut into parts. Threads draw the parts in order, each the next that nobody has: a
number in memory counts them. A part waits until all are done that its instruction needs. So the
thread that leads never waits for a helper who has not begun, and a helper may come late or never.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    DOTS,
    MULTIPLY,
    NEEDS,
    NUMBER,
    PARTS,
    PRODUCT,
    PRODUCT_OF_TRANSPOSED,
    RELU,
    ROW_SUMS,
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
from dagnet.fused.compiled.products import dots, product_part, region, row_sums, sum_parts

#: What a thread does in `execute`: run a program, run it with helpers, or help.
ALONE, LEAD, HELP = 0, 1, 2

#: Places of what threads share, each in a line of the cache of its own: the number of the program
#: and, below it, of the next part; how many parts are done; what is running; whether to stop.
TICKET, DONE, PROGRAM, CONSTANTS, ROWS, TOTAL, KIND, STOP, SHARED = 0, 8, 16, 17, 18, 19, 20, 24, 32

#: The number of the program stands in the bits of a ticket from here on.
EPOCH = 32

#: The part that no program has: nobody draws while this is the next.
CLOSED = 2**EPOCH - 1

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
def help_others(shared, constants, area, like):
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
        numbers = carray(pointer(shared[CONSTANTS]), (0,), constants.dtype)
        if shared[KIND] != like.itemsize:
            return
        # What was read is of the program of that number only if it still runs; `draw` sees to it.
        share(shared, drawn >> EPOCH, program, numbers, area, like, total)
        idle = 0


def _stamp() -> str:
    """Return what changes with any file of this package."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _entry(stamp: str) -> Callable[..., Any]:
    # numba looks at one file only to see whether what it kept on disk is still true, but also at
    # what a function encloses.
    @njit(cache=True, error_model="numpy", nogil=True)
    def execute(role, shared, program, constants, area, like):
        """Run a program, or help with those of others; `like` is an empty array of its dtype."""
        stamp  # noqa: B018
        if role == ALONE:
            run_alone(program, constants, area, like)
        elif role == LEAD:
            lead(shared, program, constants, area, like)
        else:
            help_others(shared, constants, area, like)

    return execute


execute = _entry(_stamp())
