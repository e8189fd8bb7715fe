"""Data sets made from a formula and a seed.

Each is a function of its parameters alone: the same call gives the same arrays, and numpy's
global random state is neither read nor changed. Except in `planar`, which keeps the order of its
recipe, the examples take turns among the classes, so that any slice of them is balanced.
"""

import numpy as np

from dagnet.bounds import check_integer, check_not_negative, check_positive
from dagnet.data.dataset import Dataset
from dagnet.data.targets import targets_of
from dagnet.errors import ArgumentError, ArgumentTypeError


def planar(m: int = 400, seed: int = 1, legacy: bool = False) -> Dataset:
    """Return the two-class flower: petals that no straight line can separate.

    Parameters
    ----------
    m : int
        Number of examples; class 0 comes first and has one less if m is odd.
    seed : int
    legacy : bool
        Draw from `numpy.random.RandomState`, as the course's notebooks do: with m=400 and seed=1
        these are its very numbers.

    Returns
    -------
    Dataset
        X ``(2, m)``, Y ``(1, m)``.

    Notes
    -----
    Class j = 0, 1, with t evenly spaced from 3.12 j to 3.12 (j + 1)::

        a = t + 0.2 N(0, 1)
        r = 4 sin(4 a) + 0.2 N(0, 1)
        x = (r sin a, r cos a)

    Examples
    --------
    >>> from dagnet import data
    >>> data.planar(legacy=True).X[:, 0].round(4)
    array([1.2044, 3.5761])
    """
    m = check_integer(m, "planar: m", at_least=2)
    seed = check_integer(seed, "planar: seed", at_least=0)
    if not isinstance(legacy, bool):
        raise ArgumentTypeError(f"planar: legacy must be True or False, got {legacy!r}")
    if legacy and seed >= 2**32:
        raise ArgumentError(f"planar: a legacy seed is below 2**32, got {seed}")
    rng = np.random.RandomState(seed) if legacy else np.random.default_rng(seed)
    petals = []
    sizes = (m // 2, m - m // 2)
    for j, size in enumerate(sizes):
        t = np.linspace(j * 3.12, (j + 1) * 3.12, size)
        angle = t + rng.standard_normal(size) * 0.2
        radius = 4 * np.sin(angle * 4) + rng.standard_normal(size) * 0.2
        petals.append(np.stack([radius * np.sin(angle), radius * np.cos(angle)]))
    labels = np.repeat([0, 1], sizes)
    return _dataset("planar", np.concatenate(petals, axis=1), labels, ("red", "blue"))


def moons(m: int = 400, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return two half circles that reach into each other.

    Parameters
    ----------
    m : int
        Number of examples.
    noise : float
        Standard deviation of what is added to both coordinates.
    seed : int

    Returns
    -------
    Dataset
        X ``(2, m)``, Y ``(1, m)``.

    Notes
    -----
    With t evenly spaced over [0, pi]: class 0 is ``(cos t, sin t)``, class 1 is
    ``(1 - cos t, 1/2 - sin t)``.

    Examples
    --------
    >>> from dagnet import data
    >>> data.moons(m=4, noise=0).X.round(1) + 0.0
    array([[ 1. ,  0. , -1. ,  2. ],
           [ 0. ,  0.5,  0. ,  0.5]])
    """
    labels, rng = _labels("moons", m, 2, seed)
    t = np.pi * _progress(labels, 2, endpoint=True)
    upper = np.stack([np.cos(t), np.sin(t)])
    lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)])
    X = np.where(labels == 0, upper, lower)
    return _dataset("moons", _noisy(X, noise, rng, "moons: noise"), labels, ("upper", "lower"))


def circles(m: int = 400, noise: float = 0.05, factor: float = 0.5, seed: int = 0) -> Dataset:
    """Return a circle inside a circle.

    Parameters
    ----------
    m : int
        Number of examples.
    noise : float
        Standard deviation of what is added to both coordinates.
    factor : float
        Radius of the inner circle; that of the outer one is 1.
    seed : int

    Returns
    -------
    Dataset
        X ``(2, m)``, Y ``(1, m)``.

    Notes
    -----
    With t evenly spaced over [0, 2 pi): class 0 is ``(cos t, sin t)``, class 1 is `factor` times
    that.

    Examples
    --------
    >>> import numpy as np
    >>> from dagnet import data
    >>> np.hypot(*data.circles(m=4, noise=0).X)
    array([1. , 0.5, 1. , 0.5])
    """
    labels, rng = _labels("circles", m, 2, seed)
    t = 2 * np.pi * _progress(labels, 2, endpoint=False)
    inner = check_positive(factor, "circles: factor")
    X = np.where(labels == 0, 1.0, inner) * np.stack([np.cos(t), np.sin(t)])
    return _dataset("circles", _noisy(X, noise, rng, "circles: noise"), labels, ("outer", "inner"))


def spirals(
    m: int = 600, classes: int = 3, noise: float = 0.2, turns: float = 0.75, seed: int = 0
) -> Dataset:
    """Return the arms of a galaxy, one class each.

    Parameters
    ----------
    m : int
        Number of examples.
    classes : int
        Number of arms.
    noise : float
        Standard deviation, in radians, of what is added to the angle.
    turns : float
        Turns from the centre to the end of an arm.
    seed : int

    Returns
    -------
    Dataset
        X ``(2, m)``; labels ``(m,)``, or Y ``(1, m)`` if there are two arms.

    Notes
    -----
    With r evenly spaced over [0, 1], class j of k is ``(r sin a, r cos a)`` with the angle
    ``a = 2 pi (j / k + turns r) + noise N(0, 1)``.

    Examples
    --------
    >>> from dagnet import data
    >>> data.spirals(m=60, classes=5)
    <Dataset 'spirals': X (2, 60) float64, 5 classes>
    """
    k = check_integer(classes, "spirals: classes", at_least=2)
    labels, rng = _labels("spirals", m, k, seed)
    r = _progress(labels, k, endpoint=True)
    angle = 2 * np.pi * (labels / k + check_not_negative(turns, "spirals: turns") * r)
    angle = _noisy(angle, noise, rng, "spirals: noise")
    X = np.stack([r * np.sin(angle), r * np.cos(angle)])
    return _dataset("spirals", X, labels, tuple(f"arm {j}" for j in range(k)))


def blobs(
    m: int = 300, classes: int = 3, features: int = 2, spread: float = 1.0, seed: int = 0
) -> Dataset:
    """Return round clouds of points, one class each.

    Parameters
    ----------
    m : int
        Number of examples.
    classes, features : int
    spread : float
        Standard deviation of a cloud in every direction.
    seed : int

    Returns
    -------
    Dataset
        X ``(features, m)``; labels ``(m,)``, or Y ``(1, m)`` if there are two classes.

    Notes
    -----
    The centres are uniform over the cube [-10, 10]; ``x = centre + spread N(0, 1)``. Centres may
    fall close to each other: another seed moves them.

    Examples
    --------
    >>> from dagnet import data
    >>> data.blobs(m=50, classes=4, features=7)
    <Dataset 'blobs': X (7, 50) float64, 4 classes>
    """
    k = check_integer(classes, "blobs: classes", at_least=2)
    n = check_integer(features, "blobs: features", at_least=1)
    labels, rng = _labels("blobs", m, k, seed)
    centres = rng.uniform(-10, 10, size=(n, k))
    X = _noisy(centres[:, labels], spread, rng, "blobs: spread")
    return _dataset("blobs", X, labels, tuple(f"blob {j}" for j in range(k)))


def xor(m: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return the exclusive or: the corners of a square, opposite ones of the same class.

    Parameters
    ----------
    m : int
        Number of examples; with m=4 and noise=0 this is the truth table.
    noise : float
        Standard deviation of what is added to both coordinates.
    seed : int

    Returns
    -------
    Dataset
        X ``(2, m)``, Y ``(1, m)``.

    Notes
    -----
    Example i sits at the corner ``(p, q)`` of the two binary digits of i mod 4, and its class is
    ``p xor q``.

    Examples
    --------
    >>> from dagnet import data
    >>> table = data.xor(m=4, noise=0)
    >>> table.X
    array([[0., 0., 1., 1.],
           [0., 1., 0., 1.]])
    >>> table.Y
    array([[0., 1., 1., 0.]])
    """
    corner, rng = _labels("xor", m, 4, seed)
    p, q = corner // 2, corner % 2
    X = np.stack([p, q]).astype(np.float64)
    return _dataset("xor", _noisy(X, noise, rng, "xor: noise"), p ^ q, ("same", "different"))


def _labels(name: str, m: int, classes: int, seed: int) -> tuple[np.ndarray, np.random.Generator]:
    """Return labels 0, 1, ..., 0, 1, ... with every class in them, and the generator."""
    m = check_integer(m, f"{name}: m", at_least=classes)
    rng = np.random.default_rng(check_integer(seed, f"{name}: seed", at_least=0))
    return np.arange(m) % classes, rng


def _progress(labels: np.ndarray, classes: int, *, endpoint: bool) -> np.ndarray:
    """Return, for each example, how far along its class it is: evenly spaced from 0 to 1."""
    size = np.bincount(labels, minlength=classes)[labels]
    steps = np.maximum(size - 1, 1) if endpoint else size
    return np.arange(len(labels)) // classes / steps


def _noisy(values: np.ndarray, noise: float, rng: np.random.Generator, what: str) -> np.ndarray:
    return values + check_not_negative(noise, what) * rng.standard_normal(values.shape)


def _dataset(name: str, X: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Dataset:
    names = tuple(f"x{i}" for i in range(1, X.shape[0] + 1))
    return Dataset(X, targets_of(labels, len(classes)), name, classes, names)
