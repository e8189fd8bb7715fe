"""``dn.report``: write the page. ``view``: and open it."""

import tempfile
import webbrowser
from collections.abc import Iterable
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from dagnet import __version__
from dagnet.bounds import check_positive
from dagnet.debug.alerts import Alert
from dagnet.debug.gradreport import GradCheck
from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.files import atomic_write, check_writable
from dagnet.inspector.boundary import Boundary, boundary_of
from dagnet.inspector.budget import Budget, plan_budget
from dagnet.inspector.drawings import drawings_of
from dagnet.inspector.films import SHARE, Films
from dagnet.inspector.moments import Moments, Recording, moments_of
from dagnet.inspector.result import Report
from dagnet.inspector.structure import alerts_of, layers_of, nodes_of
from dagnet.inspector.values import STATS, Values, costs, survey
from dagnet.inspector.write import as_json, page, shell_size
from dagnet.model import Model
from dagnet.training import History

MB = 1_000_000

SUFFIXES = (".html", ".htm")


def report(
    model: Model,
    path: str | PathLike[str],
    X: Any = None,
    Y: Any = None,
    *,
    recorder: Recording | None = None,
    history: History | None = None,
    alerts: Iterable[Alert] = (),
    checked: GradCheck | None = None,
    image: tuple[int, ...] | None = None,
    max_mb: float = 20,
    title: str | None = None,
) -> Report:
    """Write one HTML file in which every value of a model can be looked at.

    The file needs nothing but a browser: no server, no connection. It has the drawing of the
    network, and for every node its arrays and all gradients, as heatmaps and histograms, with the
    exact numbers under the pointer.

    Parameters
    ----------
    model : Model
    path : str or PathLike
        Ending in .html or .htm.
    X, Y : ndarray or dict of ndarray, optional
        Raw examples and targets, as for `Model.fit`; a training pass over them is shown. Without
        them, the model's last run is, or if there was none, only the structure.
    recorder : Recorder, optional
        What it recorded is shown, step by step; `X` and `Y` are then only for pictures.
    history : History, optional
        What `fit` returned, for a finer curve of the cost.
    alerts : iterable of Alert, optional
        Such as ``debugger.alerts``, to mark.
    checked : GradCheck, optional
        What `dn.gradcheck` returned, for a badge at every node.
    image : tuple of int, optional
        ``(height, width)`` or ``(height, width, 3)``, if an example makes a picture.
    max_mb : float
        How large the file may be, in millions of bytes. If it would be larger, samples of large
        arrays are kept, and fewer steps. Statistics are always of everything.
    title : str, optional

    Returns
    -------
    Report
        Its ``path``; in a notebook it shows the page.

    Raises
    ------
    FileAccessError
        At once, if the file cannot be written.
    ArgumentError
        If the path has another ending; if the recording is of another network, naming the first
        difference; if an example makes no such image; if `max_mb` is too little for even small
        samples.

    Examples
    --------
    >>> import tempfile, dagnet as dn
    >>> from dagnet.inspector import report
    >>> data = dn.data.moons(m=40)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = report(dn.mlp([2, 5, 1], seed=1), f"{folder}/moons.html", data.X, data.Y)
    ...     page.path.read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"report: needs a model, got {type(model).__name__}")
    check_writable(path)
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ArgumentError(
            f"report: {Path(path).name!r} must end in {' or '.join(SUFFIXES)}: it is a page for a "
            "browser"
        )
    room = int(check_positive(max_mb, "report: max_mb") * MB)
    pictured = _pictured(model, image)
    moments = moments_of(model, X, Y, recorder)
    document = _structure(model, moments, checked, alerts)
    document |= {
        "title": title or Path(path).stem,
        "image": None if image is None else _image(model, image, pictured),
        "history": _curve(history),
    }
    room -= shell_size() + len(as_json(document))
    blobs: list[str] = []
    if moments.steps:
        shown = _Shown(model, moments, room, {alert["step"] for alert in document["alerts"]})
        shown.collect(pictured, boundary_of(model, moments, X, Y))
        document |= shown.document
        blobs = shown.blobs
    with atomic_write(path, "w") as file:
        file.write(page(document, blobs, document["title"]))
    return Report(Path(path))


def view(model: Model, X: Any = None, Y: Any = None, **options: Any) -> Report:
    """Write the page of a model to a temporary file and open it in the browser.

    Parameters are those of `report`, but for the path.

    Returns
    -------
    Report
        Its ``path`` is where the file is.
    """
    folder = Path(tempfile.mkdtemp(prefix="dagnet-"))
    written = report(model, folder / "report.html", X, Y, **options)
    webbrowser.open(written.path.as_uri())
    return written


def _pictured(model: Model, image: tuple[int, ...] | None) -> list[str]:
    """Return the inputs whose examples make pictures of this shape."""
    if image is None:
        return []
    if len(image) not in (2, 3) or (len(image) == 3 and image[2] not in (1, 3)):
        raise ArgumentError(
            f"report: image must be (height, width) or (height, width, 3), got {image!r}"
        )
    fitting = [
        name
        for name in model.graph.data_inputs
        if prod(d for d in model.shapes[name] if isinstance(d, int)) == prod(image)
    ]
    if not fitting:
        sizes = ", ".join(f"{n} has {model.shapes[n]}" for n in model.graph.data_inputs)
        raise ArgumentError(
            f"report: an image of {'x'.join(map(str, image))} has "
            f"{prod(image)} numbers, but {sizes}"
        )
    return fitting


def _image(model: Model, image: tuple[int, ...], pictured: list[str]) -> dict[str, Any]:
    """Return the shape of pictures, and what turns an input's features back into raw ones."""
    raw = {}
    for name in pictured:
        scaler = model.scaling.get(name)
        if scaler is not None and scaler.features is not None:  # else all features scale alike
            zero = np.zeros((*scaler.features, 1))
            shift = scaler.inverse(zero)
            scale = scaler.inverse(zero + 1) - shift
            raw[name] = {"shift": _short(shift), "scale": _short(scale)}
    return {"shape": list(image), "inputs": pictured, "raw": raw}


def _short(array: np.ndarray) -> list[float]:
    """Return the numbers to six digits: more than a picture shows."""
    return [float(f"{number:.6g}") for number in array.ravel()]


def _curve(history: History | None) -> dict[str, Any] | None:
    if history is None or not {"step", "cost"} <= set(history):
        return None
    return {"steps": history["step"].tolist(), "values": history["cost"].tolist()}


def _structure(
    model: Model, moments: Moments, checked: GradCheck | None, alerts: Iterable[Alert]
) -> dict[str, Any]:
    """Return what the page shows besides values."""
    graph = model.graph
    cache = moments.at(moments.steps[-1]) if moments.steps else model.cache
    return {
        "version": __version__,
        "model": {
            "nodes": len(graph),
            "parameters": model.store.data.size,
            "dtype": str(model.dtype),
        },
        "statNames": list(STATS),
        "drawings": drawings_of(graph),
        "layers": layers_of(graph),
        "borrowed": [list(key) for v in graph.vertices.values() for key in v.borrows],
        "nodes": nodes_of(model, cache, checked),
        "alerts": alerts_of(alerts, moments.marks),
        "recorded": len(moments.steps),
        "steps": [],
    }


class _Shown:
    """What the page shows of the steps."""

    def __init__(self, model: Model, moments: Moments, room: int, alarming: set[int]):
        self._model = model
        self._moments = moments
        self._room = room
        self._alarming = alarming
        self.document: dict[str, Any] = {}
        self.blobs: list[str] = []

    def collect(self, pictured: list[str], boundary: Boundary | None) -> None:
        """Go through the steps, the last one first, whose arrays are kept best."""
        films = Films(self._model, pictured)
        budget = self._plan(films, boundary)
        values = Values(budget)
        order = [budget.steps[-1], *budget.steps[:-1]]
        for step in order:
            cache = self._moments.at(step)
            values.collect(step, cache)
            films.add(step, cache)
            if boundary is not None:
                boundary.add(cache)
        found, frames = films.data(order, len(values.blobs))
        self.blobs = [*values.blobs, *frames]
        self.document = {
            "steps": budget.steps,
            "examples": self._moments.at(order[0]).run.binding.m,
            "values": values.table,
            "films": found,
            "cost": costs(self._model.graph.losses, values.table),
            "boundary": boundary and boundary.data,
        }

    def _plan(self, films: Films, boundary: Boundary | None) -> Budget:
        steps = self._moments.steps
        found = survey(self._moments.at(steps[-1]), self._moments.at(steps[0]))
        room = self._room - (boundary.nbytes(len(steps)) if boundary else 0)
        budget = plan_budget(found, steps, room, self._alarming)
        taken = films.plan(budget.steps, budget.each, int(room * SHARE))
        return plan_budget(found, steps, room - taken, self._alarming) if taken else budget
