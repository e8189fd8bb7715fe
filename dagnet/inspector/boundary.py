"""The decision boundary of a model with two features, on a grid over the plane."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from dagnet.cache import Cache
from dagnet.inspector.blobs import encoded
from dagnet.inspector.moments import Moments
from dagnet.model import Model
from dagnet.node import M

#: Points of the grid along each axis, and examples that are shown in it.
GRID, MOST_POINTS = 56, 400

#: Room around the examples, as a share of their range.
AROUND = 0.08


class Boundary:
    """Computes what a model answers all over the plane, step by step; see `boundary_of`.

    Parameters
    ----------
    model : Model
        With one input of two features.
    X : ndarray (2, m)
        Raw examples.
        All of them finite.
    labels : list of int
    """

    def __init__(self, model: Model, X: np.ndarray, labels: list[int]):
        self._double = deepcopy(model)
        low, high = X.min(axis=1), X.max(axis=1)
        room = AROUND * np.where(high > low, high - low, 1.0)
        self._low, self._high = low - room, high + room
        x, y = (np.linspace(a, b, GRID) for a, b in zip(self._low, self._high, strict=True))
        self._grid = np.stack([axis.ravel() for axis in np.meshgrid(x, y[::-1])])
        self._answers: list[str] = []
        self._points = X[:, :MOST_POINTS]
        self._labels = labels[:MOST_POINTS]
        self._classes = 2

    @staticmethod
    def nbytes(steps: int) -> int:
        """Return about what the answers of some steps and the examples take in a page."""
        return steps * (GRID * GRID * 16 // 3 + 8) + 48 * MOST_POINTS

    def add(self, cache: Cache) -> None:
        """Compute the answers with the parameters of a step."""
        params: dict[str, dict[str, np.ndarray]] = {}
        for (owner, name), array in cache.run.params.items():
            params.setdefault(owner, {})[name] = array
        self._double.set_params(params)
        for node, record in cache.items():
            owner = cache.graph.vertices[node].owner
            if record.state and owner in self._double.state:
                self._double.set_state({owner: record.state})
        answers = self._double.predict(self._grid)
        self._classes = max(2, len(answers))
        shown = answers[0] if len(answers) == 1 else answers.argmax(axis=0)
        self._answers.append(encoded(shown.astype(np.float32), "f4"))

    @property
    def data(self) -> dict[str, Any]:
        """What the page draws: answers row by row from the top, the last step's first."""
        return {
            "grid": GRID,
            "low": self._low.tolist(),
            "high": self._high.tolist(),
            "answers": self._answers,
            "classes": self._classes,
            "points": self._points.T.tolist(),
            "labels": self._labels,
        }


def boundary_of(model: Model, moments: Moments, X: Any, Y: Any) -> Boundary | None:
    """Return the boundary of a model, or None if its answers cannot be shown on a plane.

    Without raw examples, those of the last run do if the model has no scaling.
    """
    inputs, outputs = model.graph.data_inputs, model.graph.outputs
    if len(inputs) != 1 or len(outputs) != 1 or model.shapes[inputs[0]] != (2, M):
        return None
    if len(model.shapes[outputs[0]]) != 2:
        return None
    if X is None and not model.scaling:
        cache = moments.at(moments.steps[-1])
        X = cache[inputs[0]].output
        Y = next((cache[name].output for name in model.graph.target_inputs), None)
    if X is None:
        return None
    examples = np.asarray(X[inputs[0]] if isinstance(X, Mapping) else X, dtype=float)
    targets = next(iter(Y.values()), None) if isinstance(Y, Mapping) else Y
    good = np.flatnonzero(np.isfinite(examples).all(axis=0))
    if not good.size:
        return None
    labels = _labels(targets, examples.shape[1])
    return Boundary(model, examples[:, good], [labels[i] for i in good])


def _labels(Y: Any, m: int) -> list[int]:
    if Y is None:
        return [0] * m
    array = np.asarray(Y)
    if array.ndim == 2 and array.shape[0] > 1:
        array = array.argmax(axis=0)
    finite = np.nan_to_num(array.ravel().astype(float), posinf=0, neginf=0)
    labels: list[int] = np.rint(finite).astype(int).tolist()
    return labels
