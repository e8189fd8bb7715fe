"""The sets that come with dagnet: digits, and those made from a formula."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_circles, make_moons

from dagnet import data
from dagnet.errors import ArgumentError, ArgumentTypeError

MADE = ("planar", "moons", "circles", "spirals", "blobs", "xor")


def test_digits_are_those_of_sklearn():
    digits, theirs = data.digits(), load_digits()
    np.testing.assert_array_equal(digits.X, theirs.data.T)
    np.testing.assert_array_equal(digits.Y, theirs.target)
    np.testing.assert_array_equal(digits.X[:, 9].reshape(digits.picture), theirs.images[9])
    assert (digits.X.dtype, digits.task) == (np.float64, "multiclass")
    assert digits.classes == tuple("0123456789")


def test_digits_are_fresh_arrays():
    data.digits().X[:] = 0
    assert data.digits().X.max() == 16


def test_legacy_planar_is_the_published_table():
    # The first rows of the course's data as others have written them down.
    flower = data.planar(legacy=True)
    np.testing.assert_allclose(
        flower.X[:, :3],
        [
            [1.204442292254319, 0.15870990398255372, 0.09524719604502052],
            [3.5761141481288448, -1.4821709003683443, -1.2799553276531797],
        ],
        rtol=1e-14,
    )
    assert flower.X.shape == (2, 400)
    np.testing.assert_array_equal(flower.Y[0], np.repeat([0.0, 1.0], 200))


def test_planar_keeps_to_its_formula():
    X = data.planar(m=401, seed=3).X
    radius, angle = np.hypot(*X), np.arctan2(X[0], X[1])
    # A negative radius points the other way, which adds pi to the angle: 4 sin(4 a) is the same.
    misfit = np.minimum(
        abs(radius - 4 * np.sin(4 * angle)), abs(radius + 4 * np.sin(4 * (angle + np.pi)))
    )
    assert X.shape == (2, 401)
    assert np.sqrt(np.mean(misfit**2)) == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (data.moons(m=20, noise=0), make_moons(20, shuffle=False)),
        (data.circles(m=20, noise=0, factor=0.3), make_circles(20, shuffle=False, factor=0.3)),
    ],
)
def test_moons_and_circles_are_those_of_sklearn(ours, theirs):
    points, labels = theirs
    for label in (0, 1):
        np.testing.assert_allclose(
            ours.X[:, ours.Y[0] == label], points[labels == label].T, atol=1e-15
        )


def test_spirals_keep_to_their_formula():
    made = data.spirals(m=35, classes=5, noise=0, turns=0.5)
    radius = np.hypot(*made.X)
    for arm in range(5):
        mine = np.equal(made.Y, arm)
        np.testing.assert_allclose(radius[mine], np.linspace(0, 1, 7))
        angle = 2 * np.pi * (arm / 5 + 0.5 * radius[mine])
        np.testing.assert_allclose(made.X[0, mine], radius[mine] * np.sin(angle))
        np.testing.assert_allclose(made.X[1, mine], radius[mine] * np.cos(angle))


def test_blobs_have_their_centres_and_spread():
    made = data.blobs(m=30_000, classes=3, features=5, spread=0.5, seed=2)
    for label in range(3):
        cloud = made.X[:, np.equal(made.Y, label)]
        assert (abs(cloud.mean(axis=1)) < 10).all()
        np.testing.assert_allclose(cloud.std(axis=1), 0.5, rtol=0.03)
    still = data.blobs(m=7, classes=3, features=5, spread=0, seed=2).X
    np.testing.assert_array_equal(still[:, 0], still[:, 3])


def test_xor_is_the_exclusive_or():
    made = data.xor(m=403, noise=0.05, seed=1)
    p, q = made.X.round().astype(int)
    np.testing.assert_array_equal(made.Y[0], p ^ q)
    assert np.std(made.X - made.X.round()) == pytest.approx(0.05, rel=0.1)


@pytest.mark.parametrize("name", MADE)
def test_a_seed_is_the_data(name):
    make = getattr(data, name)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = make(m=31, seed=7), make(m=31, seed=7), make(m=31, seed=8)
    np.testing.assert_array_equal(first.X, again.X)
    assert not np.array_equal(first.X, other.X)
    assert (first.name, len(first), first.X.dtype) == (name, 31, np.float64)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("name", [n for n in MADE if n not in ("planar", "xor")])
@pytest.mark.parametrize("m", [31, 64])
def test_classes_are_balanced_in_every_slice(name, m):
    made = getattr(data, name)(m=m)
    labels = made.Y.ravel().astype(int)
    for part in (labels, labels[:17], labels[9:]):
        counts = np.bincount(part, minlength=len(made.classes))
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("make", [data.spirals, data.blobs])
def test_two_classes_make_a_row_of_zeros_and_ones(make):
    made = make(m=9, classes=2)
    np.testing.assert_array_equal(made.Y, [[0, 1, 0, 1, 0, 1, 0, 1, 0]])
    assert made.task == "binary"


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("m", [4, 5])
def test_few_examples(name, m):
    assert len(getattr(data, name)(m=m)) == m


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: data.planar(m=1), ArgumentError, "planar: m must be an integer of at least 2"),
        (lambda: data.planar(legacy="yes"), ArgumentTypeError, "planar: legacy must be True"),
        (lambda: data.planar(legacy=True, seed=2**32), ArgumentError, r"below 2\*\*32"),
        (lambda: data.moons(m=10.0), ArgumentTypeError, "moons: m must be an integer"),
        (lambda: data.moons(noise=-1), ArgumentError, "moons: noise must be a number not below 0"),
        (
            lambda: data.moons(noise=np.inf),
            ArgumentError,
            "moons: noise must be a number not below 0, and finite",
        ),
        (
            lambda: data.circles(factor=0),
            ArgumentError,
            "circles: factor must be a positive number",
        ),
        (
            lambda: data.spirals(m=4, classes=5),
            ArgumentError,
            "spirals: m must be an integer of at least 5",
        ),
        (
            lambda: data.spirals(classes=1),
            ArgumentError,
            "spirals: classes must be an integer of at least 2",
        ),
        (
            lambda: data.blobs(features=0),
            ArgumentError,
            "blobs: features must be an integer of at least 1",
        ),
        (lambda: data.blobs(spread="1"), ArgumentTypeError, "blobs: spread must be a number"),
        (lambda: data.xor(m=3), ArgumentError, "xor: m must be an integer of at least 4"),
        (lambda: data.xor(seed=-3), ArgumentError, "xor: seed must be an integer of at least 0"),
    ],
)
def test_senseless_parameters_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
