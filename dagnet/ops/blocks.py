"""The three products of a wide layer, computed in blocks of its inputs.

A layer with very many inputs and few units makes products with a long inner axis and a small
result. A BLAS library shares a product among its threads by the result, and here it has little to
share. So the inputs are cut into blocks, each so small that the library computes its product in
one thread, and the blocks are shared among threads of our own. The shapes alone say what the
blocks are, so the bits are the same whichever thread computes them and however many there are.

Throughout, ``W (n_out, n_in)``, ``X (n_in, m)`` in C order, which makes a block of its rows one
piece of memory, and ``Z (n_out, m)``; all of one dtype. As `numpy.dot`, and unlike
`numpy.matmul`, these functions say nothing of overflow and NaN.
"""

from collections.abc import Callable

import numpy as np

from dagnet.ops.workers import processors, share

#: Inputs in a block.
BLOCK = 96

#: Multiplications from which OpenBLAS computes a product in more than one thread.
TWO_THREADS = 2**19

#: Elements of Z up to which the product of a block stays below that.
LARGEST_RESULT = TWO_THREADS // BLOCK

#: Elements of a block of X that a processor keeps at hand.
LARGEST_BLOCK = 400 * BLOCK

#: Elements of X from which blocks pay: more than caches hold.
SMALLEST_INPUT = 2**20

#: Units up to which blocks pay; of more, a BLAS library has enough to share.
MOST_UNITS = 24

#: Inputs of several blocks, whose products are summed before the sums are.
PART = 8 * BLOCK


def is_wide(n_out: int, n_in: int) -> bool:
    """Return whether blocks pay for some number of examples."""
    return 2 <= n_out <= MOST_UNITS and n_in * most_examples(n_out) >= SMALLEST_INPUT


def most_examples(n_out: int) -> int:
    """Return the number of examples up to which blocks pay."""
    return min(LARGEST_RESULT // n_out, LARGEST_BLOCK // BLOCK)


def pay(W: np.ndarray, X: np.ndarray) -> bool:
    """Return whether to compute the products of W and X in blocks."""
    (n_out, n_in), m = W.shape, X.shape[1]
    return (
        is_wide(n_out, n_in)
        and m <= most_examples(n_out)
        and X.size >= SMALLEST_INPUT
        and X.flags.c_contiguous
        and W.dtype == X.dtype
    )


def scratch_shape(n_in: int) -> tuple[int, int]:
    """Return the shape of the scratch of `forward`: a row for each block, part and the rest."""
    blocks = n_in // BLOCK
    return (blocks + _parts(blocks, BLOCK) + 1, LARGEST_RESULT)


def forward(W: np.ndarray, X: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """Write ``W X``: the sum over the blocks, summed part by part, and then over the parts."""
    W_blocks, W_rest = _cut(W, 1, BLOCK)
    X_blocks, X_rest = _cut(X, 0, BLOCK)
    blocks = len(X_blocks)
    results = scratch[:, : out.size].reshape(-1, *out.shape)
    products = results[:blocks]
    sums = results[blocks : blocks + _parts(blocks, BLOCK) + (len(X_rest) > 0)]
    per_part = PART // BLOCK

    def multiply(part: int, some: slice) -> None:
        np.matmul(W_blocks[some], X_blocks[some], out=products[some])
        whole, left = divmod(some.stop - some.start, per_part)
        summed = products[some.start : some.stop - left].reshape(whole, per_part, *out.shape)
        np.add.reduce(summed, axis=1, out=sums[part : part + whole])
        if left:
            np.add.reduce(products[some.stop - left : some.stop], axis=0, out=sums[part + whole])

    def multiply_rest() -> None:
        np.matmul(W_rest, X_rest, out=sums[-1])

    _share(len(X), BLOCK, multiply, multiply_rest)
    with np.errstate(all="ignore"):
        np.add.reduce(sums, axis=0, out=out)


def grad_weights(
    dZ: np.ndarray, X: np.ndarray, out: np.ndarray, scratch: np.ndarray, turned: np.ndarray
) -> None:
    """Write ``dZ Xᵀ``, in blocks of its columns.

    Each is computed as ``X dZᵀ`` in the scratch ``(n_in, n_out)`` and then turned, with ``dZᵀ`` in
    the array ``turned (n_out, m)``, because OpenBLAS is faster where no factor is transposed.
    """
    dZ_turned = turned.reshape(dZ.shape[::-1])
    np.copyto(dZ_turned, dZ.T)
    X_blocks, X_rest = _cut(X, 0, BLOCK)
    out_blocks, out_rest = _cut(out, 1, BLOCK)
    products, _ = _cut(scratch, 0, BLOCK)

    def multiply(part: int, some: slice) -> None:
        np.matmul(X_blocks[some], dZ_turned, out=products[some])
        np.copyto(out_blocks[some], products[some].transpose(0, 2, 1))

    def multiply_rest() -> None:
        np.matmul(dZ, X_rest.T, out=out_rest)

    _share(len(X), BLOCK, multiply, multiply_rest)


def grad_inputs(W: np.ndarray, dZ: np.ndarray, out: np.ndarray) -> None:
    """Write ``Wᵀ dZ``, in blocks of its rows."""
    W_blocks, W_rest = _cut(W, 1, BLOCK)
    out_blocks, out_rest = _cut(out, 0, BLOCK)
    W_blocks = W_blocks.transpose(0, 2, 1)

    def multiply(part: int, some: slice) -> None:
        np.matmul(W_blocks[some], dZ, out=out_blocks[some])

    def multiply_rest() -> None:
        np.matmul(W_rest.T, dZ, out=out_rest)

    _share(len(out), BLOCK, multiply, multiply_rest)


def _cut(array: np.ndarray, axis: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return views of a matrix: the whole blocks along an axis, stacked, and what is left over.

    Cutting an axis in two takes no copy, whatever the strides.
    """
    blocks = array.shape[axis] // size
    if axis == 0:
        whole, rest = array[: blocks * size], array[blocks * size :]
        return whole.reshape(blocks, size, array.shape[1]), rest
    whole, rest = array[:, : blocks * size], array[:, blocks * size :]
    return whole.reshape(array.shape[0], blocks, size).transpose(1, 0, 2), rest


def _parts(blocks: int, size: int) -> int:
    """Return how many parts the blocks make; the last one may be smaller."""
    return -(-blocks // (PART // size))


def _share(
    n_in: int,
    size: int,
    multiply: Callable[[int, slice], None],
    multiply_rest: Callable[[], None],
) -> None:
    """Share among threads: for each its first part and its blocks, and what no block holds.

    Each gets as many parts in a row as there are for every processor: few large calls of numpy.
    """
    blocks, step = n_in // size, PART // size
    parts = _parts(blocks, size)
    shares = min(parts, processors())

    def compute(number: int) -> None:
        with np.errstate(all="ignore"):
            if number < shares:
                first, end = (parts * n // shares for n in (number, number + 1))
                multiply(first, slice(first * step, min(end * step, blocks)))
            else:
                multiply_rest()

    share(compute, shares + (n_in % size > 0))
