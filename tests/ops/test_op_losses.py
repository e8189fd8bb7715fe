"""Losses against numbers from outside, and where the textbook formula gives nan."""

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

import dagnet as dn
from dagnet.ops import REGISTRY

INF = np.inf
LOSSES = [op for op in REGISTRY.values() if op.kind == "loss"]


def cross_entropy(p, y):
    """Return -sum(y log p) / m, from scipy."""
    return -special.xlogy(y, p).sum() / p.shape[-1]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


class TestBinary:
    def test_cost_agrees_with_scipy(self, run, rng):
        a, y = rng.uniform(0, 1, (5, 7)), rng.uniform(0, 1, (5, 7))
        expected = cross_entropy(a, y) + cross_entropy(1 - a, 1 - y)
        assert run(dn.BinaryCrossEntropy(), a, y).output == pytest.approx(expected, rel=1e-13)

    def test_cost_agrees_with_scikit_learn(self, run, rng):
        a, y = rng.uniform(0.01, 0.99, (1, 30)), rng.integers(0, 2, (1, 30))
        y[0, :2] = 0, 1
        expected = metrics.log_loss(y[0], a[0])
        assert run(dn.BinaryCrossEntropy(), a, y * 1.0).output == pytest.approx(expected)

    def test_units_are_summed_and_examples_averaged(self, run):
        a, y = np.full((5, 3), 0.25), np.zeros((5, 3))
        assert run(dn.BinaryCrossEntropy(), a, y).output == pytest.approx(-5 * np.log(0.75))

    def test_exact_at_0_and_1(self, run, seed_cases):
        cases = seed_cases["cost_at_0_or_1"]
        assert len(cases) == 4
        for case in cases:
            f = run(dn.BinaryCrossEntropy(), [[case["AL"]]], [[float(case["Y"])]])
            assert float(f.output) == float(case["exact_cost"])

    def test_slope_at_0_and_1(self, run):
        a, y = np.array([[0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
        f = run(dn.BinaryCrossEntropy(), a, y, grad=4.0)
        np.testing.assert_array_equal(f.grad_inputs[0], [[1, -1, -INF, INF]])

    def test_small_probabilities_keep_their_digits(self, run):
        f = run(dn.BinaryCrossEntropy(), [[1e-20]], [[0.0]])
        assert float(f.output) == pytest.approx(1e-20, rel=1e-15, abs=0)

    def test_what_is_no_probability_is_used_as_it_comes(self, run):
        a, y = 1.7886284734303187, np.array([[1.0]])
        f = run(dn.BinaryCrossEntropy(), [[a]], y)
        assert float(f.grad_inputs[0][0, 0]) == pytest.approx(-1 / a, rel=1e-15)

    def test_logits_agree_with_the_oracle(self, run, seed_cases):
        cases = seed_cases["saturated_logits"]
        assert len(cases) == 30
        for case in cases:
            f = run(dn.BinaryCrossEntropyWithLogits(), [[case["Z"]]], [[float(case["Y"])]])
            for got, expected in [
                (float(f.output), case["stable_cost"]),
                (f.grad_inputs[0][0, 0], case["exact_dZ"]),
            ]:
                assert got == pytest.approx(expected, rel=1e-12, abs=0), case

    @pytest.mark.parametrize("y", [0.0, 1e-18, 0.3, 1 - 2**-50, 1.0])
    @pytest.mark.parametrize(
        "z", [-745.0, -300.0, -40.0, -3.0, -0.0, 0.0, 1e-300, 2.0, 37.0, 740.0]
    )
    def test_logits_with_soft_labels_agree_with_scipy(self, run, z, y):
        f = run(dn.BinaryCrossEntropyWithLogits(), [[z]], [[y]])
        cost = -y * special.log_expit(z) - (1 - y) * special.log_expit(-z)
        # Two positive numbers are subtracted; neither loses a digit before.
        up, down = (1 - y) * np.exp(special.log_expit(z)), y * np.exp(special.log_expit(-z))
        assert float(f.output) == pytest.approx(cost, rel=1e-14, abs=0)
        assert abs(f.grad_inputs[0][0, 0] - (up - down)) <= 5e-15 * max(up, down)

    def test_both_forms_agree_where_both_are_exact(self, run, rng):
        z, y = rng.normal(0, 3, (2, 3, 5)), rng.uniform(0, 1, (2, 3, 5))
        f = run(dn.BinaryCrossEntropyWithLogits(weight=0.3), z, y)
        a = special.expit(z)
        g = run(dn.BinaryCrossEntropy(weight=0.3), a, y)
        assert float(f.output) == pytest.approx(float(g.output), rel=1e-13)
        np.testing.assert_allclose(f.grad_inputs[0], g.grad_inputs[0] * a * (1 - a), rtol=1e-10)

    def test_fed_targets(self):
        op = dn.BinaryCrossEntropy()
        y = np.array([[0.0, 1.0, 0.5], [1.0, 2.0, -1.0]])
        assert op.feed_problem(1, y[:1]) is None
        assert op.feed_problem(0, y) is None
        text = op.feed_problem(1, y)
        assert "2 of 6" in text
        assert "[1, 1]: 2" in text
        assert "nan" in op.feed_problem(1, np.array([[np.nan]]))


class TestCategorical:
    def test_cost_agrees_with_scikit_learn(self, run, rng):
        p = special.softmax(rng.normal(size=(5, 30)), axis=0)
        labels = np.arange(30) % 5
        y = np.eye(5)[labels].T
        expected = metrics.log_loss(labels, p.T)
        assert run(dn.CategoricalCrossEntropy(), p, y).output == pytest.approx(expected)

    def test_logits_agree_with_scipy(self, run, rng):
        z, y = rng.normal(0, 20, (5, 7)), rng.dirichlet(np.ones(5), 7).T
        f = run(dn.CategoricalCrossEntropyWithLogits(), z, y)
        expected = -(y * special.log_softmax(z, axis=0)).sum() / 7
        assert float(f.output) == pytest.approx(expected, rel=1e-13)
        np.testing.assert_allclose(
            f.grad_inputs[0], (special.softmax(z, axis=0) - y) / 7, rtol=0, atol=1e-16
        )

    def test_exact_at_0_and_1(self, run):
        p, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])
        right = run(dn.CategoricalCrossEntropy(), p[:, :1], y[:, :1])
        assert float(right.output) == 0
        np.testing.assert_array_equal(right.grad_inputs[0], [[-1], [0]])
        wrong = run(dn.CategoricalCrossEntropy(), p[:, 1:], y[:, 1:])
        assert float(wrong.output) == INF
        np.testing.assert_array_equal(wrong.grad_inputs[0], [[-INF], [0]])

    def test_logits_of_any_size(self, run):
        z = np.array([[1e3, -1e3, 0.0], [-1e3, 1e3, -INF]])
        y = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
        f = run(dn.CategoricalCrossEntropyWithLogits(), z, y)
        assert float(f.output) == pytest.approx(2e3 / 3)
        np.testing.assert_array_equal(f.grad_inputs[0] * 3, [[0, -1, 0], [0, 1, 0]])

    def test_classes_are_on_axis_0_of_any_number_of_axes(self, run, rng):
        z = rng.normal(size=(3, 2, 7))
        y = np.zeros((3, 2, 7))
        y[1] = 1
        f = run(dn.CategoricalCrossEntropyWithLogits(), z, y)
        expected = -special.log_softmax(z, axis=0)[1].sum() / 7
        assert float(f.output) == pytest.approx(expected)

    def test_one_axis_is_refused(self):
        with pytest.raises(dn.errors.ShapeError, match=r"takes \(classes, \.\.\., examples\)"):
            dn.CategoricalCrossEntropy().output_shape(("m",), ("m",))

    def test_fed_targets(self):
        op = dn.CategoricalCrossEntropy()
        y = np.array([[0.0, 1.0, 0.5, 1.5], [1.0, 0.0, 0.4, -0.5]])
        assert op.feed_problem(1, y[:, :2]) is None
        assert op.feed_problem(0, y) is None
        assert "2 of 4 columns" in op.feed_problem(1, y)
        assert "[2]: it sums to 0.9" in op.feed_problem(1, y)
        assert "[0]: it holds -0.5" in op.feed_problem(1, y[:, 3:])
        nearly = np.array([[0.5], [0.4999]])
        assert op.feed_problem(1, nearly.astype(np.float32)) is None
        assert op.feed_problem(1, nearly) is not None


class TestRegression:
    def test_costs_agree_with_scikit_learn_and_scipy(self, run, rng):
        p, y = rng.normal(size=(5, 7)), rng.normal(size=(5, 7))
        for op, expected in [
            (dn.MeanSquaredError(), metrics.mean_squared_error(y.T, p.T)),
            (dn.MeanAbsoluteError(), metrics.mean_absolute_error(y.T, p.T)),
            (dn.Huber(0.6), special.huber(0.6, p - y).mean()),
        ]:
            assert run(op, p, y).output == pytest.approx(expected, rel=1e-14), op

    @pytest.mark.parametrize("op", [dn.MeanSquaredError(), dn.MeanAbsoluteError(), dn.Huber()])
    def test_no_slope_where_prediction_is_target(self, run, op):
        f = run(op, np.ones((5, 3)), np.ones((5, 3)))
        assert f.output == 0
        assert not f.grad_inputs[0].any()
        assert not f.grad_inputs[1].any()

    def test_huber_far_away(self, run):
        f = run(dn.Huber(2.0), np.array([[1e300, -INF]]), np.zeros((1, 2)))
        assert f.output == INF
        np.testing.assert_array_equal(f.grad_inputs[0], [[1, -1]])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda op: op.__name__)
class TestEveryLoss:
    def test_weight_and_incoming_gradient_scale(self, run, loss):
        example = next(iter(loss.examples()))
        draw = example.draw or (lambda rng: [rng.normal(size=s) for s in example.shapes])
        inputs = draw(np.random.default_rng(0))
        one, three = run(loss(), *inputs), run(loss(weight=3), *inputs, grad=0.5)
        assert three.output == pytest.approx(3 * one.output)
        np.testing.assert_allclose(three.grad_inputs[0], 1.5 * one.grad_inputs[0], rtol=1e-14)

    def test_float32_in_float32_out(self, run, loss):
        x = np.full((5, 3), 0.2, np.float32)
        f = run(loss(), x, x)
        assert f.output.dtype == f.grad_inputs[0].dtype == np.float32
        assert f.output.shape == ()

    def test_other_shapes_are_refused_with_both(self, loss):
        with pytest.raises(
            dn.errors.ShapeError,
            match=rf"{loss.__name__} needs inputs of one shape; .*\(axis 0: 5 against 3\)",
        ):
            loss()(dn.Input(5), dn.Input(3))

    def test_a_number_without_examples_is_refused(self, loss):
        with pytest.raises(dn.errors.ShapeError, match=loss.__name__):
            loss().output_shape((), ())

    def test_nan_flows(self, run, loss):
        x, y = np.full((5, 3), 0.2), np.full((5, 3), 0.2)
        x[1, 2] = np.nan
        f = run(loss(), x, y)
        assert np.isnan(f.output)
        assert np.isnan(f.grad_inputs[0][1, 2])


def test_fusing_keeps_name_and_weight():
    for loss, activation, fused in [
        (dn.BinaryCrossEntropy, dn.Sigmoid(), dn.BinaryCrossEntropyWithLogits),
        (dn.CategoricalCrossEntropy, dn.Softmax(), dn.CategoricalCrossEntropyWithLogits),
    ]:
        op = loss(weight=0.5, name="cost").from_logits(activation)
        assert (type(op), op.weight, op.name) == (fused, 0.5, "cost")


def test_what_does_not_fuse():
    assert dn.BinaryCrossEntropy().from_logits(dn.Tanh()) is None
    assert dn.BinaryCrossEntropy().from_logits(dn.Softmax()) is None
    assert dn.CategoricalCrossEntropy().from_logits(dn.Sigmoid()) is None
    assert dn.CategoricalCrossEntropy().from_logits(dn.Softmax(axis=1)) is None
    assert dn.MeanSquaredError().from_logits(dn.Sigmoid()) is None
