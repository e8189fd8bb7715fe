"""Dropout, the two normalisations, L2."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import dagnet as dn


class TestDropout:
    def test_keeps_about_one_minus_rate_and_scales_it(self, run):
        f = run(dn.Dropout(0.2), np.ones((100, 1000)))
        values, counts = np.unique(f.output, return_counts=True)
        np.testing.assert_array_equal(values, [0, 1 / 0.8])
        assert counts[1] / 1e5 == pytest.approx(0.8, abs=0.005)
        assert f.output.mean() == pytest.approx(1, abs=0.01)

    def test_mask_is_kept_and_used_again_in_backward(self, run):
        f = run(dn.Dropout(0.5), np.ones((5, 7)))
        assert f.work["mask"].dtype == bool
        assert 0 < f.work["mask"].sum() < 35
        np.testing.assert_array_equal(f.output != 0, f.work["mask"])
        np.testing.assert_array_equal(f.grad_inputs[0], f.output)

    def test_each_element_and_each_run_is_drawn_anew(self, run):
        rng = np.random.default_rng(0)
        one, two = (run(dn.Dropout(0.5), np.ones((50, 50)), rng=rng).output for _ in range(2))
        assert 0.4 < np.mean(one == two) < 0.6
        assert len({tuple(row) for row in one}) == 50

    def test_same_generator_same_mask(self, run):
        one, two = (
            run(dn.Dropout(0.5), np.ones((5, 7)), rng=np.random.default_rng(8)).work["mask"]
            for _ in range(2)
        )
        np.testing.assert_array_equal(one, two)

    def test_rate_zero_drops_nothing(self, run):
        x = np.random.default_rng(0).normal(size=(5, 7))
        np.testing.assert_array_equal(run(dn.Dropout(0.0), x).output, x)

    def test_what_is_infinite_behind_the_mask_vanishes(self, run):
        f = run(dn.Dropout(0.5), np.full((5, 7), np.inf), grad=np.full((5, 7), -np.inf))
        assert set(np.unique(f.output)) == {0, np.inf}
        assert set(np.unique(f.grad_inputs[0])) == {0, -np.inf}

    def test_in_prediction_it_is_the_identity(self):
        op = dn.Dropout(0.5, name="drop").in_prediction()
        assert isinstance(op, dn.Identity)
        assert op.name == "drop"


class TestBatchNorm:
    x = np.random.default_rng(0).normal(3, 2, (5, 7))

    def test_agrees_with_scikit_learn(self, run):
        expected = StandardScaler().fit_transform(self.x.T).T
        np.testing.assert_allclose(
            run(dn.BatchNorm(eps=1e-12), self.x).output, expected, rtol=1e-10
        )

    def test_scale_and_shift_per_unit(self, run):
        params = {"gamma": np.arange(1.0, 6)[:, None], "beta": np.arange(5.0)[:, None]}
        f = run(dn.BatchNorm(eps=1e-12), self.x, params=params)
        np.testing.assert_allclose(f.output.mean(axis=1), np.arange(5.0), atol=1e-14)
        np.testing.assert_allclose(f.output.std(axis=1), np.arange(1.0, 6), rtol=1e-10)

    def test_statistics_are_per_unit_over_all_other_axes(self, run):
        x = np.random.default_rng(0).normal(3, 2, (3, 2, 5, 7))
        f = run(dn.BatchNorm(eps=1e-12), x)
        assert f.params["gamma"].shape == (3, 1, 1, 1)
        np.testing.assert_allclose(f.output.mean(axis=(1, 2, 3)), 0, atol=1e-14)
        np.testing.assert_allclose(f.output.std(axis=(1, 2, 3)), 1, rtol=1e-10)

    def test_running_statistics_move_by_momentum_with_the_unbiased_variance(self, run):
        f = run(dn.BatchNorm(momentum=0.3), self.x)
        mean, var = self.x.mean(axis=1, keepdims=True), self.x.var(axis=1, ddof=1, keepdims=True)
        np.testing.assert_allclose(f.state["running_mean"], 0.3 * mean, rtol=1e-14)
        np.testing.assert_allclose(f.state["running_var"], 0.7 + 0.3 * var, rtol=1e-14)

    def test_of_one_value_per_unit_there_is_no_variance(self, run):
        f = run(dn.BatchNorm(), self.x[:, :1])
        np.testing.assert_array_equal(f.output, np.zeros((5, 1)))
        np.testing.assert_array_equal(f.grad_inputs[0], np.zeros((5, 1)))
        np.testing.assert_array_equal(f.state["running_var"], np.ones((5, 1)))

    def test_a_large_mean_costs_no_digits(self, run):
        far = run(dn.BatchNorm(), self.x + 2.0**20).output
        np.testing.assert_allclose(far, run(dn.BatchNorm(), self.x).output, atol=1e-9)

    def test_in_prediction_the_running_statistics_stand(self, run):
        op = dn.BatchNorm(eps=0.1, name="bn").in_prediction()
        assert isinstance(op, dn.FrozenBatchNorm)
        assert (op.eps, op.name) == (0.1, "bn")
        rng = np.random.default_rng(1)
        mean, var = rng.normal(size=(5, 1)), rng.uniform(1, 2, (5, 1))
        state = {"running_mean": mean.copy(), "running_var": var.copy()}
        params = {"gamma": rng.normal(size=(5, 1)), "beta": rng.normal(size=(5, 1))}
        f = run(op, self.x, params=params, state=state)
        expected = params["gamma"] * (self.x - mean) / np.sqrt(var + 0.1) + params["beta"]
        np.testing.assert_allclose(f.output, expected, rtol=1e-12)
        np.testing.assert_array_equal(f.state["running_mean"], mean)
        np.testing.assert_array_equal(f.state["running_var"], var)

    def test_both_have_the_same_parameters_and_states(self):
        one, other = dn.BatchNorm(), dn.FrozenBatchNorm()
        for shape in [(5, "m"), (3, 2, 5, "m")]:
            assert one.parameters(shape) == other.parameters(shape)
            assert one.states(shape) == other.states(shape)

    @pytest.mark.parametrize("op", [dn.BatchNorm(), dn.FrozenBatchNorm(), dn.LayerNorm()])
    def test_one_axis_is_refused(self, op):
        takes = rf"^{type(op).__name__} takes .* two axes or more, got \(m,\)"
        with pytest.raises(dn.errors.ShapeError, match=takes):
            op.output_shape(("m",))

    @pytest.mark.parametrize("op", [dn.BatchNorm(), dn.FrozenBatchNorm(), dn.LayerNorm()])
    def test_gamma_and_beta_are_no_weights(self, op):
        params = op.parameters((5, 3, "m"))
        assert (params["gamma"].fill, params["beta"].fill) == (1, 0)
        assert not any(p.is_weight for p in params.values())


class TestLayerNorm:
    def test_each_example_on_its_own(self, run):
        x = np.random.default_rng(0).normal(3, 2, (3, 2, 5, 7))
        f = run(dn.LayerNorm(eps=1e-12), x)
        np.testing.assert_allclose(f.output.mean(axis=(0, 1, 2)), 0, atol=1e-14)
        np.testing.assert_allclose(f.output.std(axis=(0, 1, 2)), 1, rtol=1e-10)
        alone = run(dn.LayerNorm(eps=1e-12), x[..., 3:4])
        np.testing.assert_allclose(alone.output, f.output[..., 3:4], rtol=1e-12)

    def test_scale_and_shift_have_the_shape_of_an_example(self, run):
        x = np.random.default_rng(0).normal(size=(3, 2, 7))
        gamma, beta = np.random.default_rng(1).normal(size=(2, 3, 2, 1))
        plain = run(dn.LayerNorm(), x)
        assert plain.params["gamma"].shape == (3, 2, 1)
        f = run(dn.LayerNorm(), x, params={"gamma": gamma, "beta": beta})
        np.testing.assert_allclose(f.output, gamma * plain.output + beta, rtol=1e-14)

    def test_agrees_with_scikit_learn(self, run):
        x = np.random.default_rng(0).normal(3, 2, (5, 7))
        expected = StandardScaler().fit_transform(x)
        np.testing.assert_allclose(run(dn.LayerNorm(eps=1e-12), x).output, expected, rtol=1e-10)

    def test_equal_values_give_beta(self, run):
        f = run(dn.LayerNorm(), np.full((5, 3), 4.0))
        np.testing.assert_array_equal(f.output, np.zeros((5, 3)))


class TestL2:
    def test_half_strength_over_m_times_the_squares(self, run):
        W1, W2 = np.random.default_rng(0).normal(size=(5, 3)), np.ones((1, 5))
        f = run(dn.L2(0.7), params={"a/W": W1, "b/W": W2}, m=10)
        assert float(f.output) == pytest.approx(0.7 / 20 * (np.sum(W1**2) + 5))
        np.testing.assert_allclose(f.grad_params["a/W"], 0.07 * W1, rtol=1e-15)
        np.testing.assert_allclose(f.grad_params["b/W"], 0.07 * W2, rtol=1e-15)

    def test_incoming_gradient_scales(self, run):
        f = run(dn.L2(1.0), params={"W": np.ones((2, 3))}, m=4, grad=2.0)
        np.testing.assert_array_equal(f.grad_params["W"], np.full((2, 3), 0.5))

    def test_float32(self, run):
        f = run(dn.L2(1.0), params={"W": np.ones((2, 3), np.float32)}, m=3)
        assert f.output.dtype == f.grad_params["W"].dtype == np.float32
        assert f.output == 1
