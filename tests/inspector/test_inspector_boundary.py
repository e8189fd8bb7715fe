"""The decision boundary is what the model predicts, at every step."""

from base64 import b64decode

import numpy as np
import pytest
from inspector_helpers import Page, moons, train

import dagnet as dn
from dagnet.inspector import report


def grid_of(boundary):
    """Return the points of the grid, row by row from the top."""
    (x0, y0), (x1, y1) = boundary["low"], boundary["high"]
    x, y = np.linspace(x0, x1, boundary["grid"]), np.linspace(y1, y0, boundary["grid"])
    return np.array([(a, b) for b in y for a in x]).T


def answers(boundary, i):
    return np.frombuffer(b64decode(boundary["answers"][i]), "<f4")


def test_it_is_the_prediction_with_each_step_s_parameters(tmp_path):
    data = moons()
    model = dn.mlp([2, 5, 1], seed=1)
    recorded = train(model, data, last=6, every=5)
    page = Page(report(model, tmp_path / "p.html", data["X"], data["Y"], recorder=recorded))
    boundary = page.document["boundary"]
    for i, step in enumerate([6, 1]):  # the last first
        double = dn.mlp([2, 5, 1], seed=7)
        double.set_params({n: recorded.at(step)[n].params for n in ("linear1", "linear2")})
        expected = double.predict(grid_of(boundary))[0]
        np.testing.assert_allclose(answers(boundary, i), expected, rtol=1e-6)
    np.testing.assert_array_equal(np.array(boundary["points"]).T, data["X"])
    assert boundary["labels"] == data["Y"][0].tolist()


def test_raw_data_go_through_the_scaling(tmp_path):
    data = dn.data.moons(m=40)
    X = 100 + 10 * data.X
    model = dn.mlp([2, 5, 1], seed=1)
    model.fit(X, data.Y, epochs=2, scaling="standardize", progress=False)
    boundary = Page(report(model, tmp_path / "p.html", X, data.Y)).document["boundary"]
    assert boundary["low"][0] > 50
    expected = model.predict(grid_of(boundary))[0]
    np.testing.assert_allclose(answers(boundary, 0), expected, rtol=1e-6)


def test_of_several_classes_the_most_probable_is_shown(tmp_path):
    data = dn.data.spirals(m=60)
    classes = len(data.classes)
    model = dn.mlp([2, 7, classes], output="softmax", seed=1)
    boundary = Page(report(model, tmp_path / "p.html", data.X, data.Y)).document["boundary"]
    expected = model.predict(grid_of(boundary)).argmax(axis=0)
    np.testing.assert_array_equal(answers(boundary, 0), expected)
    assert boundary["classes"] == classes
    assert boundary["labels"] == np.asarray(data.Y).ravel().astype(int).tolist()


@pytest.mark.parametrize("sizes", [[3, 5, 1], [1, 5, 1]])
def test_only_of_two_features(sizes, tmp_path):
    model = dn.mlp(sizes, seed=1)
    page = Page(report(model, tmp_path / "p.html", np.ones((sizes[0], 7)), np.ones((1, 7))))
    assert page.document["boundary"] is None
