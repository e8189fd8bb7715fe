"""Activations against numbers from outside, and at the ends of the number line."""

import math

import numpy as np
import pytest
from scipy import special

import dagnet as dn

INF = np.inf
EXTREMES = np.array([-INF, -1e300, -1e3, -745.0, -700.0, -1.0, -0.0, 0.0, 1.0, 700.0, 1e3, INF])
ALL = [
    dn.ReLU(),
    dn.LeakyReLU(),
    dn.ELU(),
    dn.GELU(),
    dn.GELU("tanh"),
    dn.Softplus(),
    dn.Sigmoid(),
    dn.Tanh(),
    dn.Identity(),
]
Z = np.random.default_rng(0).normal(0, 3, (5, 7))


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (dn.ReLU(), np.where(Z > 0, Z, 0)),
        (dn.LeakyReLU(0.2), np.where(Z > 0, Z, 0.2 * Z)),
        (dn.ELU(0.7), np.where(Z > 0, Z, 0.7 * special.expm1(Z))),
        (dn.GELU(), Z * special.ndtr(Z)),
        (dn.Softplus(), special.log1p(np.exp(Z))),
        (dn.Sigmoid(), special.expit(Z)),
        (dn.Tanh(), np.sinh(Z) / np.cosh(Z)),
        (dn.Softmax(), special.softmax(Z, axis=0)),
        (dn.Identity(), Z),
    ],
    ids=repr,
)
def test_values_agree_with_scipy(run, op, expected):
    np.testing.assert_allclose(run(op, Z).output, expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("op", ALL, ids=repr)
def test_nan_flows_forward_and_back(run, op):
    f = run(op, np.array([[np.nan, 1.0]]))
    assert np.isnan(f.output[0, 0])
    assert np.isfinite(f.output[0, 1])
    f = run(op, np.array([[0.5, 1.0]]), grad=[[np.nan, 1.0]])
    assert np.isnan(f.grad_inputs[0][0, 0])
    assert np.isfinite(f.grad_inputs[0][0, 1])


@pytest.mark.parametrize("op", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_nan_from_extreme_inputs(run, op, dtype):
    with np.errstate(over="ignore"):
        z = EXTREMES.astype(dtype)
    f = run(op, z[None])
    assert f.output.dtype == dtype
    assert not np.isnan(f.output).any()
    assert not np.isnan(f.grad_inputs[0]).any()


def test_ends_of_the_line(run):
    ends = np.array([[-INF, INF]])
    for op, expected, slopes in [
        (dn.ReLU(), [0, INF], [0, 1]),
        (dn.LeakyReLU(0.1), [-INF, INF], [0.1, 1]),
        (dn.ELU(0.5), [-0.5, INF], [0, 1]),
        (dn.GELU(), [0, INF], [0, 1]),
        (dn.GELU("tanh"), [0, INF], [0, 1]),
        (dn.Softplus(), [0, INF], [0, 1]),
        (dn.Sigmoid(), [0, 1], [0, 0]),
        (dn.Tanh(), [-1, 1], [0, 0]),
    ]:
        f = run(op, ends)
        np.testing.assert_array_equal(f.output, [expected], err_msg=repr(op))
        np.testing.assert_array_equal(f.grad_inputs[0], [slopes], err_msg=repr(op))


@pytest.mark.parametrize("op", [dn.ReLU(), dn.LeakyReLU(), dn.ELU(2.0), dn.Sigmoid(), dn.GELU()])
def test_the_two_zeros_are_one(run, op):
    f = run(op, np.array([[-0.0, 0.0]]))
    assert f.output[0, 0] == f.output[0, 1]
    assert f.grad_inputs[0][0, 0] == f.grad_inputs[0][0, 1]


def test_slopes_at_zero(run):
    for op, slope in [(dn.ReLU(), 0), (dn.LeakyReLU(0.1), 0.1), (dn.ELU(2.0), 2.0)]:
        assert run(op, np.array([[0.0]])).grad_inputs[0] == slope


def test_an_infinite_gradient_behind_the_relu_mask_vanishes(run):
    f = run(dn.ReLU(), np.array([[-1.0, 1.0]]), grad=[[INF, INF]])
    np.testing.assert_array_equal(f.grad_inputs[0], [[0, INF]])


@pytest.mark.parametrize("z", [-745.0, -744.0, -709.9, -700.0, -40.0, -1e-300, 36.8, 710.0])
def test_sigmoid_keeps_its_digits(run, z):
    expected = math.exp(z) if z < -709 else 1 / (1 + math.exp(-z))
    assert run(dn.Sigmoid(), np.array([[z]])).output[0, 0] == pytest.approx(
        expected, rel=1e-13, abs=0
    )


def test_sigmoid_and_softplus_raise_no_warning():
    for op in (dn.Sigmoid(), dn.Softplus(), dn.Tanh()):
        f = dn.Frame.allocate(op, np.array([[-1e3, -700.0, 0.0, 700.0, 1e3]]))
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            op.forward(f)
            op.backward(f)


def test_softplus_slope_is_the_sigmoid_to_the_last_digits(run):
    z = np.array([[-700.0, -40.0, -1.0, 0.0, 3.0, 40.0]])
    np.testing.assert_allclose(
        run(dn.Softplus(), z).grad_inputs[0], special.expit(z), rtol=1e-14, atol=0
    )


class TestGELU:
    z = np.concatenate([np.linspace(-37, 37, 7401), [-0.0, 1e-300, -1e-300]])

    def test_value_is_that_of_erfc(self, run):
        expected = [x / 2 * math.erfc(-x / math.sqrt(2)) for x in self.z]
        near = np.abs(self.z) < 8
        out = run(dn.GELU(), self.z[None]).output[0]
        np.testing.assert_allclose(out[near], np.array(expected)[near], rtol=2e-14, atol=0)
        np.testing.assert_allclose(out, expected, rtol=5e-13, atol=0)

    def test_slope_is_that_of_erfc(self, run):
        expected = [
            math.erfc(-x / math.sqrt(2)) / 2 + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
            for x in self.z
        ]
        slopes = run(dn.GELU(), self.z[None]).grad_inputs[0][0]
        np.testing.assert_allclose(slopes, expected, rtol=0, atol=1e-15)

    def test_float32_is_as_exact_as_float32_is(self, run):
        z = self.z[np.abs(self.z) < 5].astype(np.float32)
        out = run(dn.GELU(), z[None]).output[0]
        assert out.dtype == np.float32
        np.testing.assert_allclose(out, z * special.ndtr(z.astype(float)), rtol=5e-6, atol=1e-37)

    def test_tanh_form_is_the_published_formula(self, run):
        z = np.linspace(-5, 5, 101)[None]
        expected = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
        out = run(dn.GELU("tanh"), z).output
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-15)
        assert 1e-4 < np.max(np.abs(out - run(dn.GELU(), z).output)) < 5e-4


class TestSoftmax:
    def test_sums_to_one_over_its_axis_only(self, run):
        z = np.random.default_rng(1).normal(0, 50, (2, 5, 3, 7))
        p = run(dn.Softmax(axis=1), z).output
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(p, special.softmax(z, axis=1), rtol=1e-12)

    def test_large_scores_do_not_overflow(self, run):
        p = run(dn.Softmax(), np.array([[1e3, -1e3], [0.0, -1e3 - 1], [-1e300, -INF]])).output
        np.testing.assert_allclose(p[:, 0], [1, 0, 0], atol=0)
        np.testing.assert_allclose(p[:, 1], [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0])

    def test_a_shift_of_all_scores_changes_nothing(self, run):
        z = np.random.default_rng(1).integers(-4, 5, (5, 3)).astype(float)
        assert np.array_equal(run(dn.Softmax(), z).output, run(dn.Softmax(), z + 1024).output)
        grad = run(dn.Softmax(), z, grad=np.random.default_rng(2).normal(size=(5, 3)))
        np.testing.assert_allclose(grad.grad_inputs[0].sum(axis=0), 0, atol=1e-15)

    @pytest.mark.parametrize("axis", [-1, 1])
    def test_the_examples_axis_is_refused(self, axis):
        with pytest.raises(dn.errors.ShapeError, match=rf"Softmax: axis {axis} of \(5, m\) holds"):
            dn.Softmax(axis)(dn.Input(5))

    def test_a_missing_axis_is_refused(self):
        with pytest.raises(dn.errors.ShapeError, match=r"Softmax: axis 3 does not exist in"):
            dn.Softmax(3)(dn.Input(5, 2))
