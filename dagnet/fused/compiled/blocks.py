"""How large the pieces of a product of matrices are: for registers, and for the caches."""

from dagnet.fused.compiled.processor import processor

_, _FEATURES = processor()

#: Bytes of a vector.
VECTOR = 64 if "avx512f" in _FEATURES else 32 if "avx2" in _FEATURES else 16

#: Rows and vectors of the largest tile: 24 accumulators of AVX-512's 32 registers, 12 of 16.
ROWS, VECTORS = (6, 4) if VECTOR == 64 else (6, 2)

#: Numbers in a row of A, and rows of B, that go through all tiles together, as they fit into the
#: caches. Their sums are added to those before, which loses fewer bits than one long sum.
DEPTH = 256

#: Bytes of a thread's memory for a block of B, laid out in panels as wide as a tile, and for a
#: block of A.
PANEL = VECTORS * VECTOR
B_AREA = A_AREA = 2**18
AREA = B_AREA + A_AREA

#: Rows of A that are too few for laying out B to be worth it.
FEW = 4 * ROWS
