"""What changes a result in place follows it part by part, and nothing else does."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.fused import writers
from dagnet.fused.compiled import codes
from dagnet.fused.instructions import Instruction, elementwise
from dagnet.fused.joining import join
from dagnet.fused.products import Factor, product
from dagnet.fused.program import Program
from dagnet.ops.frame import Frame

CUTS = {
    "one part": (5, 9, 4),
    "rows": (300, 96, 80),
    "columns": (40, 201, 300),
    "terms": (20, 333, 6000),
    "dots": (500, 1, 2000),
}


OF_TWO = [
    codes.ADD, codes.MULTIPLY,
    codes.RELU_BACK, codes.LEAKY_RELU_BACK, codes.ELU_BACK, codes.SOFTPLUS_BACK,
    codes.SIGMOID_BACK, codes.TANH_BACK,
]  # fmt: skip


def drawn(*shape, dtype="float64"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def multiplied(sizes, dots=False):
    """Return the instructions for a product, the product as numpy has it, and where it comes."""
    rows, columns, inner = sizes
    A, B, C = drawn(rows, inner), drawn(inner, columns), np.empty((rows, columns))
    b = Factor(B, columns * C.itemsize)
    if dots:
        b = Factor(np.ascontiguousarray(B.T), inner * C.itemsize, turned=True)
    return product(sizes, Factor(A, inner * C.itemsize), b, C), A @ B, C


@pytest.mark.parametrize("cut", CUTS)
def test_a_change_in_place_follows_the_parts_of_a_product(cut):
    sizes = CUTS[cut]
    written, AB, C = multiplied(sizes, dots=cut == "dots")
    factor = drawn(C.size).reshape(C.shape)
    written += [[elementwise(codes.LEAKY_RELU, C, C, size=C.size, number=0.5)]]
    written += [[elementwise(codes.MULTIPLY, C, factor, C, size=C.size)]]
    chains = join(written)[-1]
    assert [i.code for i in chains[0][1:]] == [codes.LEAKY_RELU, codes.MULTIPLY]
    program = Program(written, {}, C.dtype)
    for call in (program.alone, program.call):
        C.fill(np.nan)
        call()
        want = np.where(AB > 0, AB, AB * 0.5) * factor
        np.testing.assert_allclose(C, want, rtol=0, atol=1e-11 * np.abs(want).max())


def codes_of(joined):
    return [[[i.code for i in chain] for chain in group] for group in joined]


def test_what_does_not_work_in_place_waits_for_the_whole():
    written, _, C = multiplied((5, 9, 4))
    elsewhere = elementwise(codes.RELU, C, np.empty_like(C), size=C.size)
    assert codes_of(join([*written, [elsewhere]])) == [[[codes.PRODUCT]], [[codes.RELU]]]
    part = C[:2]
    smaller = elementwise(codes.RELU, part, part, size=part.size)
    assert codes_of(join([*written, [smaller]])) == [[[codes.PRODUCT]], [[codes.RELU]]]


def test_what_reads_a_result_of_the_same_time_waits_for_it():
    written, _, C = multiplied((5, 9, 4))
    others, _, D = multiplied((9, 5, 4))
    together = [[*written[0], *others[0]]]
    apart = elementwise(codes.MULTIPLY, C, drawn(C.size), C, size=C.size)
    assert codes_of(join([*together, [apart]])) == [
        [[codes.PRODUCT, codes.MULTIPLY], [codes.PRODUCT]]
    ]
    mixed = elementwise(codes.MULTIPLY, C, D, C, size=C.size)
    assert len(join([*together, [mixed]])) == 2


def test_a_part_of_a_sum_is_no_result():
    several = np.empty((3, 4, 5))
    part = Instruction(codes.PRODUCT, (several, several, several), (4, 5, 6, 0, 0, 0, 2), parts=3)
    change = elementwise(codes.RELU, several, several, size=several.size)
    assert len(join([[part], [change]])) == 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "code",
    [
        codes.RELU,
        codes.LEAKY_RELU,
        codes.ELU,
        codes.SOFTPLUS,
        codes.SIGMOID,
        codes.TANH,
        codes.COPY,
    ],
)
def test_in_place_and_elsewhere_are_the_same_bits(code, dtype):
    z = drawn(1003, dtype=dtype) * 5
    z[::50], z[1::50], z[2::50] = np.nan, -np.inf, -0.0
    a = np.empty_like(z)
    Program([[elementwise(code, z, a, size=z.size, number=0.1)]], {}, z.dtype).call()
    Program([[elementwise(code, z, z, size=z.size, number=0.1)]], {}, z.dtype).call()
    np.testing.assert_array_equal(z.view(f"u{z.itemsize}"), a.view(f"u{z.itemsize}"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_over_its_input_and_elsewhere_are_the_same_bits(approximate, dtype):
    op = dn.GELU(approximate)
    z = drawn(1003, dtype=dtype) * 5
    z[::50], z[1::50], z[2::50] = np.nan, -np.inf, -0.0
    found = []
    for over in (False, True):
        frame = Frame.allocate(op, z.copy())
        frame.output = frame.inputs[0] if over else frame.output
        Program(writers.forward(op, frame), {}, z.dtype).call()
        found.append((frame.output, frame.work["derivative"]))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("code", OF_TWO)
def test_of_two_arrays_in_place_and_elsewhere_are_the_same_bits(code, dtype):
    a, d = drawn(1003, dtype=dtype), drawn(1003, dtype=dtype)[::-1].copy()
    d[::50], d[1::50], a[2::50] = np.nan, -np.inf, -0.0
    # Activations come before the gradient, which is changed; a sum goes over its first input.
    arrays = (d, a) if code in (codes.ADD, codes.MULTIPLY) else (a, d)
    out = np.empty_like(d)
    Program([[elementwise(code, *arrays, out, size=d.size, number=0.1)]], {}, d.dtype).call()
    Program([[elementwise(code, *arrays, d, size=d.size, number=0.1)]], {}, d.dtype).call()
    np.testing.assert_array_equal(d.view(f"u{d.itemsize}"), out.view(f"u{d.itemsize}"))
