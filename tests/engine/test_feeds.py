"""Feeds: what a model takes, without copying, and how it refuses the rest."""

import numpy as np
import pytest
from engine_helpers import bits, here

import dagnet as dn
from dagnet.arrays import PIECE, not_finite
from dagnet.errors import DagnetError, FeedError, FeedTypeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 7))
Y = RNG.integers(0, 2, (3, 7)).astype(float)


def binary(**options):
    return dn.mlp([5, 3], seed=1, **options)


def classes(**options):
    return dn.mlp([5, 3], output="softmax", seed=1, **options)


def refused(model, feeds, error=FeedError):
    with pytest.raises(error) as caught:
        model.forward(feeds)
    return str(caught.value)


def labelled(model, name):
    """The name with the line, as messages begin."""
    return model.graph[name].label


# Taken.


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_c_ordered_and_fortran_ordered_arrays_run_without_a_copy(keep):
    for array in (X, np.asfortranarray(X)):
        model = binary()
        model.forward({"X": array, "Y": Y}, keep=keep)
        frame = model._run.binding.frames["linear1"]
        assert frame.inputs[0] is array
        assert np.shares_memory(model.cache["X"].output, array)


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_the_layout_does_not_change_the_result(keep):
    wide = np.zeros((5, 14))
    wide[:, ::2] = X
    layouts = (X, np.asfortranarray(X), wide[:, ::2], X[::-1][::-1], X.T.copy().T)
    costs, grads = [], []
    for array in layouts:
        model = dn.mlp([5, 7, 3], seed=1)
        costs.append(model.forward({"X": array, "Y": np.asfortranarray(Y)}, keep=keep))
        model.backward()
        grads.append(model.store.grad.copy())
    np.testing.assert_allclose(costs, costs[0], rtol=1e-15)
    for grad in grads:
        np.testing.assert_allclose(grad, grads[0], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(
    "first", [dn.ReLU, dn.Sigmoid, dn.Softmax, dn.BatchNorm, lambda: dn.Dropout(0.5), dn.Flatten]
)
def test_fed_arrays_are_never_written_to(first):
    """Also not by ops that could compute in place, nor as gradients; read-only arrays run."""
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    node = dn.Linear(3)(first()(x))
    model = dn.Model(dn.MeanSquaredError()(node, y), seed=1)
    feeds = {"x": X.copy(), "y": Y.copy()}
    for array in feeds.values():
        array.flags.writeable = False
    for keep in ("needed", "all"):
        model.forward(feeds, keep=keep)
        model.backward()
    model.train_step(feeds, dn.SGD(0.1))
    model.predict(feeds["x"])
    assert bits(feeds["x"]) == bits(X)


def test_a_fed_array_that_is_an_output_is_copied():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(3)(x), y), outputs=[x])
    result = model.predict(X)
    assert bits(result) == bits(X)
    assert not np.shares_memory(result, X)


@pytest.mark.parametrize("dtype", [int, bool, np.int8, np.uint16])
def test_integers_and_booleans_are_converted(dtype):
    counts = (np.abs(X) * 3).astype(dtype)
    model = binary()
    J = model.forward({"X": counts, "Y": Y.astype(bool)})
    assert model.forward({"X": counts.astype(float), "Y": Y}) == J


def test_lists_are_arrays():
    assert binary().forward({"X": X.tolist(), "Y": Y.tolist()}) == binary().forward(
        {"X": X, "Y": Y}
    )


def test_what_was_converted_is_converted_again():
    """An integer array changed in place between two runs shows in the second."""
    model = binary()
    counts = np.arange(35).reshape(5, 7)
    first = model.train_step({"X": counts, "Y": Y}, dn.SGD(1e-9))
    counts[...] = 0
    second = model.train_step({"X": counts, "Y": Y}, dn.SGD(1e-9))
    assert second == pytest.approx(3 * np.log(2), rel=1e-6)
    assert first != second


def test_the_order_of_the_feeds_does_not_matter():
    assert binary().forward({"Y": Y, "X": X}) == binary().forward({"X": X, "Y": Y})


def test_other_arrays_are_noticed():
    model = binary()
    one, two = model.forward({"X": X, "Y": Y}), model.forward({"X": 2 * X, "Y": Y})
    assert one != two
    assert model.forward({"X": X, "Y": Y}) == one


def test_values_changed_in_place_are_used():
    model = binary()
    data = {"X": X.copy(), "Y": Y}
    model.train_step(data, dn.SGD(1e-9))
    data["X"][...] = 0
    assert model.train_step(data, dn.SGD(1e-9)) == pytest.approx(3 * np.log(2), rel=1e-6)


def test_labels_of_a_softmax():
    model = classes()
    labels = np.array([0, 2, 1, 1, 0, 2, 2], dtype=np.int32)
    assert model.forward({"X": X, "Y": labels}) == model.forward(
        {"X": X, "Y": np.eye(3)[:, labels]}
    )
    assert model.forward({"X": X, "Y": labels.tolist()}) == model.forward({"X": X, "Y": labels})


def test_soft_targets_of_both_cross_entropies():
    binary().forward({"X": X, "Y": np.full((3, 7), 0.3)})
    classes().forward({"X": X, "Y": np.full((3, 7), 1 / 3)})
    classes(dtype="float32").forward(
        {"X": X.astype(np.float32), "Y": np.full((3, 7), 1 / 3, np.float32)}
    )


def test_a_scalar_input_of_fixed_shape():
    x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
    scale = dn.Input(name="scale", examples=False)
    loss = dn.MeanSquaredError()(dn.Linear(3)(x), y)
    cost = dn.Multiply(name="scaled")(loss, scale)
    model = dn.Model(cost, outputs=[], seed=1)
    one, three = (model.forward({"x": X, "y": Y, "scale": s}) for s in (1.0, np.array(3.0)))
    assert three == pytest.approx(3 * one, rel=1e-15)


@pytest.mark.parametrize("keep", ["needed", "all"])
def test_an_input_that_only_an_output_needs_is_fed_both_ways(keep):
    x, u, y = dn.Input(5, name="x"), dn.Input(5, name="u"), dn.Input(3, name="y")
    cost = dn.MeanSquaredError()(dn.Linear(3)(x), y)
    model = dn.Model(cost, outputs=[dn.Softmax(name="p")(u)], seed=1)
    plain = dn.Model(cost, seed=1)
    J = model.forward({"x": X, "u": X, "y": Y}, keep=keep)
    assert plain.forward({"x": X, "y": Y}, keep=keep) == J
    assert "'v'" in refused(model, {"x": X, "u": X, "y": Y, "v": X})


def test_targets_may_be_given_to_predict():
    model = binary()
    assert bits(model.predict({"X": X, "Y": Y})) == bits(model.predict(X))


# Refused.


def test_a_missing_input():
    model = binary()
    assert refused(model, {"X": X}) == f"nothing was fed for {labelled(model, 'Y')}"
    message = refused(model, {})
    assert labelled(model, "X") in message
    assert labelled(model, "Y") in message


def test_an_extra_input_gets_the_nearest_name():
    x, y = dn.Input(5, name="pictures"), dn.Input(3, name="y")
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(3)(x), y))
    message = refused(model, {"pictures": X, "y": Y, "picture": X})
    assert "'picture'" in message
    assert "did you mean 'pictures'" in message


@pytest.mark.parametrize("feeds", [[X, Y], X, None, "X"])
def test_feeds_that_are_no_dict(feeds):
    assert "feeds must be a dict of arrays by input name (X, Y)" in refused(
        binary(), feeds, FeedTypeError
    )


def test_arrays_instead_of_a_dict():
    with pytest.raises(FeedTypeError, match="not ndarray; arrays are fed in one dict"):
        binary().forward(X, Y)


def test_another_precision():
    model = binary()
    message = refused(model, {"X": X.astype(np.float32), "Y": Y}, FeedTypeError)
    assert message.startswith(labelled(model, "X"))
    for part in ("float64", "float32", ".astype('float64')", "dtype='float32'"):
        assert part in message
    single = binary(dtype="float32")
    message = refused(single, {"X": X, "Y": Y.astype(np.float32)}, FeedTypeError)
    assert ".astype('float32')" in message


@pytest.mark.parametrize("dtype", ["float16", "longdouble", ">f8", ">f4"])
def test_a_precision_that_no_model_has_is_not_recommended(dtype):
    message = refused(binary(), {"X": X.astype(dtype), "Y": Y}, FeedTypeError)
    assert ".astype('float64')" in message
    assert "dtype=" not in message


def masks(model, X, Y):
    return [
        lambda: model.forward({"X": X, "Y": Y}),
        lambda: model.fit(X, Y, epochs=1, scaling="standardize"),
        lambda: model.fit(X, Y, epochs=1, batch_size=2),
        lambda: model.evaluate(X, Y),
    ]


@pytest.mark.parametrize("which", range(4))
def test_masked_values_are_no_numbers(which):
    hidden = np.ma.masked_greater(X, 1.0)
    count = int((X > 1.0).sum())
    model = binary()
    before = model.store.data.copy()
    with pytest.raises(DagnetError, match=rf"X.* masks {count} of its \(5, 7\) values"):
        masks(model, hidden, Y)[which]()
    with pytest.raises(DagnetError, match=r"Y.* masks 1 of its \(3, 7\) values"):
        masks(model, X, np.ma.masked_array(Y, np.arange(21).reshape(3, 7) == 4))[which]()
    assert bits(model.store.data) == bits(before)


def test_masked_values_stay_out_of_a_prediction_with_a_scaling():
    model = binary()
    model.fit(X, Y, epochs=1, scaling="standardize")
    with pytest.raises(FeedError, match="X: masks"):
        model.predict(np.ma.masked_greater(X, 1.0))


def test_a_masked_array_without_masked_values_is_an_array():
    feeds = {"X": np.ma.masked_array(X), "Y": Y}
    assert binary().forward(feeds) == binary().forward({"X": X, "Y": Y})


@pytest.mark.parametrize("given", [None, 5, "X", [X]])
def test_raw_feeds_that_are_no_dict(given):
    for call in (binary().prepare, binary().sources):
        with pytest.raises(FeedTypeError, match="feeds must be a dict"):
            call(given)


@pytest.mark.parametrize(
    "array",
    [
        X.astype(object),
        X.astype(complex),
        X.astype(str),
        np.zeros((5, 7), "datetime64[s]"),
        np.array([None] * 7),
        "text",
    ],
)
def test_arrays_of_something_else_than_numbers(array):
    model = binary()
    message = refused(model, {"X": array, "Y": Y}, FeedTypeError)
    assert message.startswith(labelled(model, "X"))
    assert f"got dtype {np.asarray(array).dtype}" in message


def test_none_is_no_array():
    """Before and after a run, and never the array of the run before."""
    model = binary()
    for feeds in ({"X": None, "Y": Y}, {"X": X, "Y": None}):
        refused(model, feeds, FeedTypeError)
        model.forward({"X": X, "Y": Y})
        refused(model, feeds, FeedTypeError)
        with pytest.raises(FeedTypeError):
            model.train_step(feeds, dn.SGD(0.1))


def test_a_ragged_list():
    model = binary()
    message = refused(model, {"X": [[1.0, 2.0], [3.0]], "Y": Y})
    assert message.startswith(labelled(model, "X"))


def test_different_numbers_of_examples():
    model = binary()
    message = refused(model, {"X": X[:, :5], "Y": Y})
    assert f"{labelled(model, 'X')} has 5" in message
    assert f"{labelled(model, 'Y')} has 7" in message


def test_no_examples():
    model = binary()
    message = refused(model, {"X": X[:, :0], "Y": Y[:, :0]})
    assert message == f"{labelled(model, 'X')}: the array holds no examples"


@pytest.mark.parametrize(
    ("array", "parts"),
    [
        (np.ones((3, 7)), ["(5, m)", "(3, 7)", "axis 0: 5 expected, 3 came"]),
        (np.ones((7, 5)), ["(5, m)", "(7, 5)", "axis 0: 5 expected, 7 came", "transpose"]),
        (np.ones(5), ["(5, m)", "(5,)", "2 axes expected, 1 came"]),
        (np.ones((2, 5, 7)), ["(5, m)", "(2, 5, 7)", "2 axes expected, 3 came"]),
        (np.float64(3), ["(5, m)", "()", "2 axes expected, 0 came"]),
    ],
)
def test_wrong_shapes_name_both_axes(array, parts):
    model = binary()
    message = refused(model, {"X": array, "Y": Y})
    assert message.startswith(labelled(model, "X"))
    assert all(part in message for part in parts), message


def test_one_row_of_labels_for_a_column_input():
    model = dn.mlp([5, 1], seed=1)
    assert "feed .reshape(1, -1)" in refused(model, {"X": X, "Y": np.ones(7)})


def test_a_fixed_shape_is_wholly_checked():
    c, y = dn.Input(5, 7, name="c", examples=False), dn.Input(3, 7, name="y", examples=False)
    line = here(-1)
    model = dn.Model(dn.MeanSquaredError()(dn.Linear(3)(c), y), seed=1)
    message = refused(model, {"c": X[:, :3], "y": Y})
    assert message.startswith(f"c ({line})")
    assert "axis 1: 7 expected, 3 came" in message


def test_nan_and_inf_are_counted_and_located():
    model = binary()
    bad = X.copy()
    bad[1, 2], bad[3, 4], bad[4, 6] = np.nan, np.inf, -np.inf
    message = refused(model, {"X": bad, "Y": Y})
    assert message.startswith(labelled(model, "X"))
    assert "1 NaN and 2 Inf among its (5, 7) values" in message
    assert "the first is nan at feature 1, example 2" in message
    assert "check_finite=False" in message


def test_nan_in_the_labels():
    model = binary()
    assert refused(model, {"X": X, "Y": np.full((3, 7), np.nan)}).startswith(labelled(model, "Y"))


def test_the_check_can_be_switched_off():
    bad = X.copy()
    bad[1, 2] = np.nan
    model = binary(check_finite=False)
    assert np.isnan(model.forward({"X": bad, "Y": Y}))


def test_infinities_that_cancel_and_sums_that_overflow():
    """The quick sum over the data must not be fooled either way."""
    both = X.copy()
    both[0, 0], both[0, 1] = np.inf, -np.inf
    assert "0 NaN and 2 Inf" in refused(binary(), {"X": both, "Y": Y})
    huge = np.full((5, 7), 1e308)
    model = binary(init="zeros")
    assert model.forward({"X": huge, "Y": Y}) == pytest.approx(3 * np.log(2), rel=1e-15)


def test_nan_written_into_a_fed_array_is_noticed():
    model = binary()
    feeds = {"X": X.copy(), "Y": Y}
    model.forward(feeds)
    feeds["X"][1, 2] = np.nan
    assert "1 NaN" in refused(model, feeds)


def test_nan_written_into_an_array_to_predict_is_noticed():
    model = binary()
    data = X.copy()
    model.predict(data)
    data[1, 2] = np.nan
    with pytest.raises(FeedError, match="1 NaN"):
        model.predict(data)


@pytest.mark.parametrize("value", [-0.5, 1.5, 2.0, -1.0])
def test_labels_outside_the_range_of_binary_cross_entropy(value):
    model = binary()
    bad = Y.copy()
    bad[1, 2] = value
    message = refused(model, {"X": X, "Y": bad})
    assert message.startswith(labelled(model, "Y"))
    assert "BinaryCrossEntropy needs targets between 0 and 1" in message
    assert "1 of 21" in message
    assert "[1, 2]" in message
    assert f"{value:g}" in message


def test_columns_that_are_no_distribution():
    model = classes()
    bad = np.eye(3)[:, [0, 1, 2, 0, 1, 2, 0]]
    bad[:, 4] = 0
    message = refused(model, {"X": X, "Y": bad})
    assert message.startswith(labelled(model, "Y"))
    assert "sum to 1" in message
    assert "[4]" in message
    assert "sums to 0" in message


@pytest.mark.parametrize("label", [3, -1, 17])
def test_labels_outside_the_classes(label):
    model = classes()
    labels = np.array([0, 1, 2, 0, label, 2, 1])
    message = refused(model, {"X": X, "Y": labels})
    assert message.startswith(labelled(model, "Y"))
    assert "0 to 2" in message
    assert str(label) in message
    assert "example 4" in message


@pytest.mark.parametrize("labels", [[0, 1, 2, 0, 1, 2, 0], [0, 1, 2]])  # more than classes, as many
def test_labels_as_a_row_where_one_hot_is_expected(labels):
    message = refused(classes(), {"X": X[:, : len(labels)], "Y": np.array([labels])})
    assert "one-hot columns (3, m) or integer labels of shape (m,)" in message


def test_labels_as_floats_where_one_hot_is_expected():
    message = refused(classes(), {"X": X, "Y": np.array([0.0, 1, 2, 0, 1, 2, 0])})
    assert "integer labels of shape (m,)" in message


def test_no_labels_at_all():
    message = refused(classes(), {"X": X[:, :0], "Y": np.array([], int)})
    assert "no examples" in message


def test_a_refused_run_can_be_repeated_with_the_right_arrays():
    model = binary()
    J = model.forward({"X": X, "Y": Y})
    for _ in range(2):
        refused(model, {"X": X[:, :5], "Y": Y})
        assert model.forward({"X": X, "Y": Y}) == J


def test_training_and_prediction_check_too():
    model = binary()
    with pytest.raises(FeedError, match="axis 0: 5 expected, 3 came"):
        model.train_step({"X": X[:3], "Y": Y}, dn.SGD(0.1))
    with pytest.raises(FeedError, match="axis 0: 5 expected, 3 came"):
        model.predict(X[:3])
    with pytest.raises(DagnetError, match="axis 0: 5 expected, 3 came"):
        model.evaluate(X[:3], Y)


def gaps(array):
    wide = np.zeros((array.shape[0], 2 * array.shape[1]), array.dtype)
    wide[:, ::2] = array
    return wide[:, ::2]


LAYOUTS = {"rows": np.ascontiguousarray, "columns": np.asfortranarray, "gaps": gaps}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("examples", [3, PIECE // 5, 3 * PIECE // 5 + 1])
def test_one_bad_number_anywhere_is_found(layout, examples):
    for bad in (np.nan, np.inf, -np.inf):
        for place in (0, 2 * examples + 1, 5 * examples - 1):
            array = np.ones((5, examples), np.float32)
            array.flat[place] = bad
            feature, example = divmod(place, examples)
            found = not_finite(LAYOUTS[layout](array))
            assert found.endswith(f"is {bad} at feature {feature}, example {example}")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("examples", [3, 3 * PIECE // 5])
def test_numbers_whose_sum_is_not_finite_are_finite_all_the_same(layout, examples):
    assert not_finite(LAYOUTS[layout](np.full((5, examples), 3e38, np.float32))) is None
