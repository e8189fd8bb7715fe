"""The lesson's functions give the lesson's numbers, and right ones where the lesson errs."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from dagnet import steps
from dagnet.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError

CASES = json.loads((Path(__file__).parent / "data" / "seed_cases.json").read_text())
LESSON = {case["id"]: case for case in CASES["cases"]}
LATER = {case["id"]: case for case in CASES["later"]}


def arrays(values):
    return {k: np.array(v, float) if isinstance(v, list) else v for k, v in values.items()}


def inputs(case):
    return arrays(LESSON[case]["inputs"])


def hold(case, found):
    """Compare with the lesson's print-out, to its 8 digits, and with its float64 numbers."""
    for key, tolerance in (("printed", 5e-9), ("computed", 1e-12)):
        expected = LESSON[case][key]
        shared = expected.keys() & found.keys()
        assert shared == set(expected) if key == "printed" else shared
        for name in shared:
            assert np.shape(found[name]) == np.shape(expected[name]), name
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=tolerance)


def caches_of(case):
    layers = [arrays(case[f"layer{i}"]) for i in (1, 2)]
    return [((c["A_prev"], c["W"], c["b"]), c["Z"]) for c in layers]


class TestTheElevenPrintedResults:
    def test_initialize_parameters(self):
        case = "initialize_parameters(3,2,1)"
        hold(case, steps.initialize_parameters(**LESSON[case]["inputs"]))

    def test_initialize_parameters_deep(self):
        case = "initialize_parameters_deep([5,4,3])"
        hold(case, steps.initialize_parameters_deep(**LESSON[case]["inputs"]))

    def test_linear_forward(self):
        Z, cache = steps.linear_forward(**inputs("linear_forward"))
        hold("linear_forward", {"Z": Z})
        for kept, given in zip(cache, inputs("linear_forward").values(), strict=True):
            np.testing.assert_array_equal(kept, given)

    def test_linear_activation_forward(self):
        given = inputs("linear_activation_forward")
        found = {}
        for activation in ("sigmoid", "relu"):
            found[f"A_{activation}"], cache = steps.linear_activation_forward(
                **given, activation=activation
            )
            (_, W, _), found["Z"] = cache
            np.testing.assert_array_equal(W, given["W"])
        hold("linear_activation_forward", found)

    def test_l_model_forward(self):
        given = inputs("L_model_forward_2hidden")
        AL, caches = steps.L_model_forward(given.pop("X"), given)
        (A1, _, _), Z2 = caches[1]
        hold("L_model_forward_2hidden", {"AL": AL, "Z1": caches[0][1], "A1": A1, "Z2": Z2})
        assert len(caches) == 3

    def test_compute_cost(self):
        cost = steps.compute_cost(**inputs("compute_cost"))
        hold("compute_cost", {"cost": cost})
        assert np.shape(cost) == ()

    def test_linear_backward(self):
        given = inputs("linear_backward")
        cache = given["A_prev"], given["W"], given["b"]
        names = "dA_prev", "dW", "db"
        hold(
            "linear_backward",
            dict(zip(names, steps.linear_backward(given["dZ"], cache), strict=True)),
        )

    @pytest.mark.parametrize("activation", ["sigmoid", "relu"])
    def test_linear_activation_backward(self, activation):
        case = f"linear_activation_backward_{activation}"
        given = inputs(case)
        cache = (given["A_prev"], given["W"], given["b"]), given["Z"]
        found = steps.linear_activation_backward(given["dA"], cache, activation)
        hold(case, dict(zip(("dA_prev", "dW", "db"), found, strict=True)))

    def test_l_model_backward(self):
        given = inputs("L_model_backward")
        grads = steps.L_model_backward(given["AL"], given["Y"], caches_of(given))
        assert set(grads) == {"dA1", "dW1", "db1", "dA2", "dW2", "db2"}
        # The lesson prints the gradient with respect to A1 and keeps it under "dA2".
        found = {k: grads[k] for k in ("dW1", "db1", "dW2", "db2")}
        hold("L_model_backward", found | {"true_dA1": grads["dA2"], "true_dA0": grads["dA1"]})

    def test_update_parameters(self):
        given = inputs("update_parameters")
        rate = given.pop("learning_rate")
        parameters = {k: given[k] for k in ("W1", "b1", "W2", "b2")}
        returned = steps.update_parameters(parameters, given, rate)
        hold("update_parameters", returned)
        assert returned is parameters
        assert all(returned[k] is given[k] for k in parameters)


class TestLaterPublishedResults:
    def test_compute_cost(self):
        case = LATER["compute_cost_v4"]
        assert float(steps.compute_cost(**case["inputs"])) == pytest.approx(
            case["published"], abs=1e-15
        )

    def test_linear_backward_of_three_units(self):
        case = LATER["linear_backward_v4"]
        given = arrays(case["inputs"])
        found = steps.linear_backward(given.pop("dZ"), tuple(given.values()))
        for name, value in zip(("dA_prev", "dW", "db"), found, strict=True):
            np.testing.assert_allclose(value, case["published"][name], rtol=0, atol=5e-9)
            np.testing.assert_allclose(value, case["computed"][name], rtol=0, atol=1e-12)

    def test_l_model_backward_under_other_keys(self):
        given = inputs("L_model_backward")
        grads = steps.L_model_backward(given["AL"], given["Y"], caches_of(given))
        keys = {"dA1": "dA2", "dA0": "dA1", "dW2": "dW2", "db2": "db2"}
        for name, value in LATER["L_model_backward_public_tests"]["published"].items():
            np.testing.assert_allclose(grads[keys[name]], value, rtol=0, atol=5e-9)

    def test_linear_forward(self):
        case = LATER["linear_forward_v1"]
        Z, _ = steps.linear_forward(**case["inputs"])
        np.testing.assert_allclose(Z, case["published"]["Z"], rtol=0, atol=5e-9)


def test_end_to_end_cost_gradients_and_one_update():
    case = CASES["end_to_end"]
    parameters = inputs("L_model_forward_2hidden")
    AL, caches = steps.L_model_forward(parameters.pop("X"), parameters)
    assert float(steps.compute_cost(AL, case["Y"])) == pytest.approx(case["cost"], abs=1e-13)
    grads = steps.L_model_backward(AL, case["Y"], caches)
    for name, value in case["grads"].items():
        np.testing.assert_allclose(grads[name], value, rtol=0, atol=1e-12)
    np.testing.assert_allclose(grads["dA1"], case["true_dX_sum_loss"], rtol=0, atol=1e-12)
    steps.update_parameters(parameters, grads, 0.1)
    for name, value in case["after_step"].items():
        np.testing.assert_allclose(parameters[name], value, rtol=0, atol=1e-12)


def test_exactly_the_fourteen_functions_are_public():
    assert steps.__all__ == sorted(
        [
            "initialize_parameters",
            "initialize_parameters_deep",
            "linear_forward",
            "sigmoid",
            "relu",
            "linear_activation_forward",
            "L_model_forward",
            "compute_cost",
            "linear_backward",
            "sigmoid_backward",
            "relu_backward",
            "linear_activation_backward",
            "L_model_backward",
            "update_parameters",
        ]
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("initialize_parameters", "n_x n_h n_y"),
        ("initialize_parameters_deep", "layer_dims"),
        ("linear_forward", "A W b"),
        ("linear_activation_forward", "A_prev W b activation"),
        ("L_model_forward", "X parameters"),
        ("compute_cost", "AL Y"),
        ("linear_backward", "dZ cache"),
        ("linear_activation_backward", "dA cache activation"),
        ("L_model_backward", "AL Y caches"),
        ("update_parameters", "parameters grads learning_rate"),
    ],
)
def test_arguments_have_the_names_of_the_lesson(name, arguments):
    assert list(inspect.signature(getattr(steps, name)).parameters) == arguments.split()


class TestWhereTheLessonErrs:
    def test_one_cache_per_layer(self):
        for dims in ([3, 1], [3, 5, 1], [3, 5, 7, 5, 2]):
            parameters = steps.initialize_parameters_deep(dims)
            AL, caches = steps.L_model_forward(np.ones((3, 4)), parameters)
            assert len(caches) == len(dims) - 1
            assert AL.shape == (dims[-1], 4)

    @pytest.mark.parametrize("dims", [[5, 1], [5, 7, 3], [5, 4, 7, 2]])
    def test_any_number_of_outputs_and_layers_by_central_differences(self, dims):
        rng = np.random.default_rng(0)
        parameters = {
            k: v + rng.normal(size=v.shape)
            for k, v in steps.initialize_parameters_deep(dims).items()
        }
        X, Y = rng.normal(size=(5, 3)), rng.integers(0, 2, (dims[-1], 3))

        def cost():
            return float(steps.compute_cost(steps.L_model_forward(X, parameters)[0], Y))

        AL, caches = steps.L_model_forward(X, parameters)
        grads = steps.L_model_backward(AL, Y, caches)
        targets = [(v, grads[f"d{k}"]) for k, v in parameters.items()] + [(X, grads["dA1"] / 3)]
        for array, grad in targets:
            for index in np.ndindex(array.shape):
                middle = array[index]
                array[index] = middle + 1e-5
                above = cost()
                array[index] = middle - 1e-5
                difference = (above - cost()) / 2e-5
                array[index] = middle
                assert grad[index] == pytest.approx(difference, abs=1e-8)

    def test_numpys_random_state_is_left_alone(self):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        steps.initialize_parameters(3, 2, 1)
        steps.initialize_parameters_deep([5, 4, 3])
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002

    def test_cost_at_0_and_1(self):
        for case in CASES["cost_at_0_or_1"]:
            cost = steps.compute_cost([[case["AL"]]], [[case["Y"]]])
            assert float(cost) == float(case["exact_cost"])

    def test_gradients_of_saturated_units_are_exact(self):
        for case in CASES["saturated_logits"]:
            AL, caches = steps.L_model_forward([[case["Z"]]], {"W1": [[1.0]], "b1": [[0.0]]})
            grads = steps.L_model_backward(AL, [[case["Y"]]], caches)
            assert grads["db1"].item() == pytest.approx(case["exact_dZ"], rel=1e-12, abs=0)

    @pytest.mark.parametrize("name", ["sigmoyd", "tanh", None])
    def test_an_unknown_activation_names_the_known_ones(self, name):
        cache = ([[1.0]], [[1.0]], [[1.0]]), [[1.0]]
        with pytest.raises(ArgumentError, match="'sigmoid'"):
            steps.linear_activation_forward([[1.0]], [[1.0]], [[1.0]], name)
        with pytest.raises(ArgumentError, match="'sigmoid'"):
            steps.linear_activation_backward([[1.0]], cache, name)


class TestActivations:
    def test_return_the_value_and_z(self):
        Z = np.random.default_rng(0).normal(size=(2, 3, 5))
        for function, expected in [
            (steps.sigmoid, special.expit(Z)),
            (steps.relu, np.maximum(Z, 0)),
        ]:
            A, cache = function(Z)
            np.testing.assert_allclose(A, expected, rtol=1e-15)
            assert cache is Z

    def test_backward(self):
        Z, dA = np.random.default_rng(0).normal(size=(2, 5, 7))
        a = special.expit(Z)
        np.testing.assert_allclose(steps.sigmoid_backward(dA, Z), dA * a * (1 - a), rtol=1e-13)
        np.testing.assert_array_equal(steps.relu_backward(dA, Z), np.where(Z > 0, dA, 0))

    def test_leave_what_they_are_given_alone(self):
        Z, dA = np.random.default_rng(0).normal(size=(2, 5, 7))
        before = Z.copy(), dA.copy()
        for forward, backward in [
            (steps.relu, steps.relu_backward),
            (steps.sigmoid, steps.sigmoid_backward),
        ]:
            forward(Z)
            backward(dA, Z)
        np.testing.assert_array_equal((Z, dA), before)

    def test_another_shape_of_the_gradient_is_refused(self):
        with pytest.raises(ShapeError, match=r"dA must have shape \(5, 7\), got \(7, 5\)"):
            steps.relu_backward(np.ones((7, 5)), np.ones((5, 7)))


class TestTypes:
    def test_integers_become_float64(self):
        Z, cache = steps.linear_forward([[1, 2]], [[3], [4], [5]], [[0], [0], [1]])
        np.testing.assert_array_equal(Z, [[3, 6], [4, 8], [6, 11]])
        assert all(a.dtype == np.float64 for a in (Z, *cache))
        parameters = {"W1": np.array([[1]]), "b1": np.array([[2]])}
        steps.update_parameters(parameters, {"dW1": [[1]], "db1": [[1]]}, 0.25)
        assert (parameters["W1"], parameters["b1"]) == (0.75, 1.75)

    def test_float32_stays_float32(self):
        parameters = {
            k: v.astype(np.float32) for k, v in steps.initialize_parameters_deep([5, 3, 2]).items()
        }
        X, Y = np.ones((5, 7), np.float32), np.ones((2, 7), np.float32)
        AL, caches = steps.L_model_forward(X, parameters)
        grads = steps.L_model_backward(AL, Y, caches)
        found = [AL, steps.compute_cost(AL, Y), *grads.values()]
        assert all(a.dtype == np.float32 for a in found)
        assert all(
            a.dtype == np.float32 for a in steps.update_parameters(parameters, grads, 1).values()
        )

    @pytest.mark.parametrize("bad", [[["a"]], [[1j]], [[None]]])
    def test_what_is_no_real_number_is_refused(self, bad):
        with pytest.raises(ArgumentTypeError, match="real numbers"):
            steps.sigmoid(bad)
        with pytest.raises(ArgumentTypeError, match="real numbers"):
            steps.compute_cost(bad, [[1]])


class TestRefusals:
    def test_shapes_of_a_layer(self):
        A, W, b = np.ones((3, 7)), np.ones((5, 3)), np.ones((5, 1))
        with pytest.raises(ShapeError, match=r"got W \(3, 5\) and A \(3, 7\)"):
            steps.linear_forward(A, W.T, b)
        with pytest.raises(ShapeError, match=r"b must have shape \(5, 1\), got \(5,\)"):
            steps.linear_forward(A, W, b[:, 0])
        with pytest.raises(ShapeError, match=r"A \(3,\)"):
            steps.linear_forward(A[:, 0], W, b)
        with pytest.raises(ShapeError, match=r"dZ must have shape \(5, 7\), got \(7, 5\)"):
            steps.linear_backward(np.ones((7, 5)), (A, W, b))

    def test_labels(self):
        AL = np.full((2, 3), 0.5)
        with pytest.raises(ShapeError, match=r"Y must have shape \(2, 3\), got \(3, 2\)"):
            steps.compute_cost(AL, np.ones((3, 2)))
        with pytest.raises(ShapeError, match=r"got \(6,\)"):
            steps.compute_cost(AL, np.ones(6))
        with pytest.raises(ShapeError, match="at least one example"):
            steps.compute_cost(np.ones((1, 0)), np.ones((1, 0)))
        with pytest.raises(ArgumentError, match="caches is empty"):
            steps.L_model_backward(AL, AL, [])

    def test_labels_of_one_row_may_lack_the_row_axis(self):
        assert steps.compute_cost([[0.5, 0.5]], [0, 1]) == pytest.approx(np.log(2))

    def test_sizes(self):
        with pytest.raises(ArgumentError, match="every size must be a positive integer, got 0"):
            steps.initialize_parameters(3, 0, 1)
        with pytest.raises(ArgumentError, match="at least one layer"):
            steps.initialize_parameters_deep([5])
        with pytest.raises(ArgumentTypeError, match="a list of sizes, not int"):
            steps.initialize_parameters_deep(5)

    def test_names(self):
        parameters = steps.initialize_parameters_deep([5, 3, 1])
        with pytest.raises(UnknownNameError, match="'dW1'"):
            steps.update_parameters(parameters, {}, 0.1)
        del parameters["b2"]
        with pytest.raises(ArgumentError, match="W and b for each layer"):
            steps.L_model_forward(np.ones((5, 2)), parameters)
        parameters["c2"] = 0
        with pytest.raises(UnknownNameError, match="no array named 'b2'"):
            steps.L_model_forward(np.ones((5, 2)), parameters)

    def test_update_changes_nothing_when_it_refuses(self):
        parameters = {"W1": np.ones((1, 2)), "b1": np.ones((1, 1))}
        with pytest.raises(ShapeError, match=r"db1 must have shape \(1, 1\), got \(2,\)"):
            steps.update_parameters(parameters, {"dW1": np.ones((1, 2)), "db1": np.ones(2)}, 0.1)
        np.testing.assert_array_equal(parameters["W1"], np.ones((1, 2)))

    @pytest.mark.parametrize("rate", ["0.1", None])
    def test_learning_rate(self, rate):
        with pytest.raises(ArgumentTypeError, match="learning_rate must be a number"):
            steps.update_parameters(steps.initialize_parameters(3, 2, 1), {}, rate)


def test_masked_values_are_refused():
    hidden = np.ma.masked_greater(np.arange(6.0).reshape(2, 3), 4.5)
    for call in (
        lambda: steps.relu(hidden),
        lambda: steps.linear_forward(hidden, np.ones((1, 2)), np.ones((1, 1))),
        lambda: steps.compute_cost(np.full((2, 3), 0.5), hidden),
    ):
        with pytest.raises(ArgumentError, match="masks 1 of its"):
            call()


def test_parameters_and_activations_of_another_type():
    with pytest.raises(ArgumentTypeError, match="must be a dict of W1, b1"):
        steps.L_model_forward(np.ones((2, 3)), None)
    with pytest.raises(ArgumentError, match="no activation named"):
        steps.linear_activation_forward(np.ones((2, 3)), np.ones((1, 2)), np.ones((1, 1)), ["relu"])
