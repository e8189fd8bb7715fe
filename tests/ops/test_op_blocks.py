"""Products in blocks: the same numbers as plain products, and the same bits on any threads."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.ops import blocks, workers
from dagnet.ops.frame import Frame
from dagnet.testing.rules import peak_of

#: Numbers of units, inputs and examples that are computed in blocks: with and without inputs left
#: over by blocks of 96, and one left over alone.
SHAPES = [(20, 5280, 209), (3, 5377, 211), (24, 5281, 227), (2, 2688, 400), (7, 3073, 347)]


def whole_numbers(dtype, *shape):
    """Return numbers whose products and sums no order of computing rounds, in float32 neither."""
    return np.random.default_rng(len(shape) + shape[0]).integers(-3, 4, shape).astype(dtype)


def arrays(n_out, n_in, m, dtype=np.float64):
    W, X = whole_numbers(dtype, n_out, n_in), whole_numbers(dtype, n_in, m)
    return W, X, whole_numbers(dtype, n_out, m)


def garbage(*shape, dtype=np.float64, order="C"):
    return np.full(shape, np.nan, dtype, order)


def products(W, X, dZ):
    """Return all three products, in blocks."""
    Z, dW, dX = (np.full_like(a, np.nan) for a in (dZ, W, X))
    blocks.forward(W, X, Z, garbage(*blocks.scratch_shape(len(X)), dtype=X.dtype))
    scratch = garbage(*W.shape[::-1], dtype=X.dtype), garbage(*dZ.shape, dtype=X.dtype)
    blocks.grad_weights(dZ, X, dW, *scratch)
    blocks.grad_inputs(W, dZ, dX)
    return Z, dW, dX


def plain(W, X, dZ):
    """Return them by whole numbers, which no BLAS library computes."""
    W, X, dZ = (a.astype(np.int32) for a in (W, X, dZ))
    return W @ X, dZ @ X.T, W.T @ dZ


@pytest.fixture
def no_workers(monkeypatch):
    """Everything in the caller's own thread, as on one processor."""
    for module in (workers, blocks):
        monkeypatch.setattr(module, "processors", lambda: 1)
    monkeypatch.setattr(workers, "_workers", workers._Workers())


class TestProducts:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("shape", SHAPES[:3])
    def test_every_number_is_that_of_the_plain_product(self, shape, dtype):
        given = arrays(*shape, dtype)
        assert blocks.pay(*given[:2])
        for got, expected in zip(products(*given), plain(*given), strict=True):
            assert got.dtype == dtype
            assert np.array_equal(got, expected)

    @pytest.mark.parametrize("n_in", [1, 95, 96, 97, 767, 768, 769, 863, 864, 865])
    def test_any_number_of_inputs(self, n_in):
        given = arrays(5, n_in, 3)
        for got, expected in zip(products(*given), plain(*given), strict=True):
            assert np.array_equal(got, expected)

    def test_any_order_in_memory(self):
        W, X, dZ = arrays(5, 901, 7)
        Z, dW, dX = garbage(5, 7), garbage(5, 901, order="F"), garbage(901, 7, order="F")
        W, X, dZ = np.asfortranarray(W), np.repeat(X, 2, axis=1)[:, ::2], dZ[::-1].copy()[::-1]
        blocks.forward(W, X, Z, garbage(*blocks.scratch_shape(901)))
        blocks.grad_weights(dZ, X, dW, garbage(901, 5), garbage(5, 7))
        blocks.grad_inputs(W, dZ, dX)
        for got, expected in zip((Z, dW, dX), plain(W, X, dZ), strict=True):
            assert np.array_equal(got, expected)

    @pytest.mark.parametrize("processors", [1, 2, 3, 7, 100])
    @pytest.mark.parametrize("n_in", [5281, 5376, 12288])
    def test_no_bit_depends_on_the_number_of_processors(self, monkeypatch, processors, n_in):
        rng = np.random.default_rng(2)
        W, X, dZ = (rng.standard_normal(shape) for shape in ((5, n_in), (n_in, 70), (5, 70)))
        monkeypatch.setattr(blocks, "processors", lambda: 4)
        expected = products(W, X, dZ)
        monkeypatch.setattr(blocks, "processors", lambda: processors)
        for got, before in zip(products(W, X, dZ), expected, strict=True):
            assert got.tobytes() == before.tobytes()

    def test_nan_and_overflow_flow_on_without_a_word(self):
        W, X, dZ = arrays(5, 901, 7)
        W[1, 2], W[3, 900], X[2, 4] = np.inf, 1e308, 0.0
        X[900] = 1e308
        with np.errstate(all="raise"):
            Z, _, dX = products(W, X, dZ)
        assert np.isnan(Z[1, 4])
        assert np.isinf(Z[3]).all()
        assert not np.isfinite(dX[2]).any()


class TestWhenBlocksPay:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_wide_layers_on_many_examples(self, shape):
        W, X, _ = arrays(*shape)
        assert blocks.pay(W, X)

    @pytest.mark.parametrize(
        "shape", [(1, 5280, 209), (25, 5280, 209), (20, 5280, 198), (20, 5280, 274), (4, 3000, 401)]
    )
    def test_no_other_shapes(self, shape):
        n_out, n_in, m = shape
        assert not blocks.pay(np.zeros((n_out, n_in)), np.zeros((n_in, m)))

    def test_not_for_inputs_whose_rows_lie_apart(self):
        W, X, _ = arrays(20, 5280, 209)
        assert not blocks.pay(W, np.asfortranarray(X))
        assert not blocks.pay(W, np.zeros((5280, 418))[:, ::2])
        assert not blocks.pay(W, X.astype(np.float32))

    def test_a_product_is_small_enough_for_one_thread_of_blas(self):
        for n_out in range(2, 25):
            assert n_out * blocks.BLOCK * blocks.most_examples(n_out) <= blocks.TWO_THREADS


def frame(op, n_in, m, order="C", dtype=np.float64):
    rng = np.random.default_rng(3)
    X = np.asarray(rng.standard_normal((n_in, m)), dtype, order)
    params = {"W": rng.standard_normal((op.units, n_in)).astype(dtype)}
    params |= {"b": rng.standard_normal((op.units, 1)).astype(dtype)} if op.bias else {}
    f = Frame.allocate(op, X, params=params)
    f.grad_output = rng.standard_normal(f.output.shape).astype(dtype)
    for array in (f.output, *f.work.values(), *f.grad_params.values(), *f.grad_inputs):
        array.fill(np.nan)
    return f


def run(op, f):
    op.forward(f)
    op.backward(f)
    return [f.output, f.grad_inputs[0], *f.grad_params.values()]


class TestBlockedLinear:
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("m", [209, 7])
    def test_computes_what_linear_computes(self, m, bias):
        op, f = dn.BlockedLinear(20, bias=bias), frame(dn.BlockedLinear(20, bias=bias), 5290, m)
        expected = run(dn.Linear(20, bias=bias), frame(dn.Linear(20, bias=bias), 5290, m))
        for got, linear in zip(run(op, f), expected, strict=True):
            np.testing.assert_allclose(got, linear, rtol=1e-10, atol=1e-10)

    def test_leaves_out_gradients_that_nobody_asks_for(self):
        op = dn.BlockedLinear(20)
        f = frame(op, 5290, 209)
        f.grad_inputs, asked = (None,), f.grad_params.pop("b")
        op.forward(f)
        op.backward(f)
        assert np.isfinite(f.grad_params["W"]).all()
        assert np.isnan(asked).all()

    def test_without_blocks_the_bits_are_those_of_linear(self):
        for order, m in (("F", 209), ("C", 7)):
            expected = run(dn.Linear(20), frame(dn.Linear(20), 5290, m, order))
            got = run(dn.BlockedLinear(20), frame(dn.BlockedLinear(20), 5290, m, order))
            assert all(map(np.array_equal, got, expected))

    def test_the_bits_are_those_of_one_thread(self, request):
        op = dn.BlockedLinear(20)
        several = [run(op, frame(op, 5290, 209)) for _ in range(3)]
        request.getfixturevalue("no_workers")
        alone = run(op, frame(op, 5290, 209))
        for got in several:
            assert all(map(np.array_equal, got, alone))

    @pytest.mark.usefixtures("no_workers")
    def test_takes_next_to_no_memory_beside_its_buffers(self):
        op = dn.BlockedLinear(20)
        f = frame(op, 5290, 209)
        run(op, f)
        for call in (op.forward, op.backward):
            assert peak_of(call, f) < f.inputs[0].nbytes / 100
