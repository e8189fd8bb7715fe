"""Products in the compiled code: any sizes, any layout, any way of cutting them into parts."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.fused import writers
from dagnet.fused.compiled import codes
from dagnet.fused.program import Program
from dagnet.ops.frame import Frame

SIZES = [
    (1, 1, 1), (1, 7, 1), (5, 1, 3), (1, 3, 40), (4, 2, 400), (7, 300, 5), (20, 3, 209),
    (13, 64, 64), (65, 17, 33), (6, 513, 70), (97, 260, 130), (24, 1100, 31),
]  # fmt: skip
BOUND = {"float32": 2e-6, "float64": 1e-14}


def lying(X, way):
    if way == "examples":
        return np.asfortranarray(X)
    if way == "part":
        return np.concatenate([X, X[:, ::-1]], axis=1)[:, : X.shape[1]]
    if way == "part of examples":
        return np.concatenate([X, X]).copy("F")[: X.shape[0]]
    return X


def frame_of(n_out, n_in, m, dtype, way="rows"):
    rng = np.random.default_rng(n_out * n_in + m)
    frame = Frame.allocate(dn.Linear(n_out), rng.standard_normal((n_in, m)).astype(dtype))
    frame.inputs = (lying(frame.inputs[0], way),)
    for array in (*frame.params.values(), frame.grad_output):
        array[...] = rng.standard_normal(array.shape)
    return frame


def run_both(frame):
    """Run the instructions; return by name what they gave, and what numpy gives in float64."""
    op = dn.Linear(frame.output.shape[0])
    for written in (writers.forward(op, frame), writers.backward(op, frame)):
        Program(written, {}, frame.output.dtype).call()
    W, b = (frame.params[name].astype(float) for name in "Wb")
    X, dZ = frame.inputs[0].astype(float), frame.grad_output.astype(float)
    got = frame.output, frame.grad_params["W"], frame.grad_params["b"], frame.grad_inputs[0]
    want = W @ X + b, dZ @ X.T, dZ.sum(1, keepdims=True), W.T @ dZ
    return zip(("Z", "dW", "db", "dX"), got, want, strict=True)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("way", ["rows", "examples", "part", "part of examples"])
@pytest.mark.parametrize("sizes", SIZES)
def test_a_layer_of_any_size_and_layout(sizes, way, dtype):
    for name, got, want in run_both(frame_of(*sizes, dtype, way)):
        error = np.abs(got - want).max() / np.abs(want).max()
        assert error <= BOUND[dtype] * np.sqrt(max(sizes)), name


CUTS = {
    "rows": ((300, 96, 80), codes.BY_ROWS),
    "columns": ((40, 96, 800), codes.BY_COLUMNS),
    "terms": ((20, 9000, 60), codes.BY_TERMS),
}


@pytest.mark.parametrize("cut", CUTS)
def test_the_bits_do_not_depend_on_who_computes_which_part(cut):
    sizes, wanted = CUTS[cut]
    frame = frame_of(*sizes, "float64")
    written = writers.forward(dn.Linear(sizes[0]), frame)
    first = written[0][0]
    assert first.parts > 1
    assert first.sizes[-1] == wanted
    program = Program(written, {}, frame.output.dtype)
    program.alone()
    alone = frame.output.copy()
    np.testing.assert_allclose(alone, frame.params["W"] @ frame.inputs[0] + frame.params["b"])
    for _ in range(200):
        frame.output[...] = np.nan
        program.call()
        np.testing.assert_array_equal(frame.output, alone)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_flows_as_in_numpy(value):
    frame = frame_of(13, 21, 19, "float64")
    frame.inputs[0][3, 5] = frame.params["W"][2, 7] = frame.grad_output[4, 18] = value
    with np.errstate(invalid="ignore"):
        results = list(run_both(frame))
    for name, got, want in results:
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=name)
        np.testing.assert_array_equal(np.isposinf(got), np.isposinf(want), err_msg=name)
