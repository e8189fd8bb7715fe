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
from dagnet.debug.alerts import Alert
from dagnet.debug.gradreport import GradCheck
from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.files import atomic_write, check_writable
from dagnet.inspector.boundary import Boundary
from dagnet.inspector.budget import Budget, plan_budget
from dagnet.inspector.drawings import drawings_of
from dagnet.inspector.moments import Moments, Recording, moments_of
from dagnet.inspector.structure import alerts_of, layers_of, nodes_of
from dagnet.inspector.values import BINS, STATS, Values, costs, survey
from dagnet.inspector.write import as_json, page, shell_size
from dagnet.model import Model
from dagnet.training import History

MB = 1_000_000


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
) -> Path:
    """Write one HTML file in which every value of a model can be looked at.

    The file needs nothing but a browser: no server, no connection. It has the drawing of the
    network, and for every node its arrays and all gradients, as heatmaps and histograms, with the
    exact numbers under the pointer.

    Parameters
    ----------
    model : Model
    path : str or PathLike
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
    Path

    Raises
    ------
    FileAccessError
        At once, if the file cannot be written.
    ArgumentError
        If the recording is of another network, naming the first difference; if an example makes no
        such image; if `max_mb` is too little for even small samples.

    Examples
    --------
    >>> import tempfile, dagnet as dn
    >>> from dagnet.inspector import report
    >>> data = dn.data.moons(m=40)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = report(dn.mlp([2, 5, 1], seed=1), f"{folder}/moons.html", data.X, data.Y)
    ...     path.read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"report: needs a model, got {type(model).__name__}")
    check_writable(path)
    room = _room(max_mb)
    pictured = _pictured(model, image)
    moments = moments_of(model, X, Y, recorder)
    document: dict[str, Any] = {
        "version": __version__,
        "title": title or Path(path).stem,
        "model": repr(model),
        "statNames": list(STATS),
        "bins": BINS,
        "drawings": drawings_of(model.graph),
        "layers": layers_of(model.graph),
        "borrowed": [list(key) for v in model.graph.vertices.values() for key in v.borrows],
        "image": None if image is None else {"shape": list(image), "inputs": pictured},
        "history": _curve(history),
        "nodes": nodes_of(model, moments.at(moments.steps[-1]) if moments.steps else model.cache,
                          checked),
        "alerts": alerts_of(alerts, moments.marks),
        "recorded": len(moments.steps),
        "steps": [],
    }
    room -= shell_size() + len(as_json(document))
    blobs: list[str] = []
    if moments.steps:
        document |= _shown(model, moments, X, Y, room, {a["step"] for a in document["alerts"]})
        blobs = document.pop("blobs")
    with atomic_write(path, "w") as file:
        file.write(page(document, blobs, document["title"]))
    return Path(path)


def view(model: Model, X: Any = None, Y: Any = None, **options: Any) -> Path:
    """Write the page of a model to a temporary file and open it in the browser.

    Parameters are those of `report`, but for the path.

    Returns
    -------
    Path
        Where the file is.
    """
    folder = Path(tempfile.mkdtemp(prefix="dagnet-"))
    path = report(model, folder / "report.html", X, Y, **options)
    webbrowser.open(path.as_uri())
    return path


def _room(max_mb: float) -> int:
    if isinstance(max_mb, bool) or not isinstance(max_mb, int | float) or not max_mb > 0:
        raise ArgumentError(f"report: max_mb must be a number above 0, got {max_mb!r}")
    return int(max_mb * MB)


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
            f"report: an image of {'x'.join(map(str, image))} has {prod(image)} numbers, but {sizes}"
        )
    return fitting


def _curve(history: History | None) -> dict[str, Any] | None:
    if history is None or not {"step", "cost"} <= set(history):
        return None
    return {"steps": history["step"].tolist(), "values": history["cost"].tolist()}


def _shown(
    model: Model, moments: Moments, X: Any, Y: Any, room: int, alarming: set[int]
) -> dict[str, Any]:
    """Return what the page has of the steps, and the blobs."""
    last = moments.steps[-1]
    found = survey(moments.at(last), moments.at(moments.steps[0]) if len(moments.steps) > 1 else None)
    budget: Budget = plan_budget(found.items, found.values, moments.steps, room, alarming)
    values = Values(budget)
    boundary = _boundary(model, moments, X, Y)
    for step in [last, *budget.steps[:-1]]:
        cache = moments.at(step)
        values.collect(step, cache)
        if boundary is not None:
            boundary.add(cache)
    return {
        "steps": budget.steps,
        "examples": moments.at(last).run.binding.m,
        "values": values.table,
        "cost": costs(model.graph.losses, values.table),
        "boundary": boundary and boundary.data,
        "blobs": values.blobs.texts,
    }


def _boundary(model: Model, moments: Moments, X: Any, Y: Any) -> Boundary | None:
    if not Boundary.fits(model):
        return None
    (name,) = model.graph.data_inputs
    if X is None and not model.scaling:
        cache = moments.at(moments.steps[-1])
        X = cache[name].output
        targets = model.graph.target_inputs
        Y = cache[targets[0]].output if targets else None
    if X is None:
        return None
    examples = X[name] if isinstance(X, dict) else X
    targets = next(iter(Y.values())) if isinstance(Y, dict) else Y
    return Boundary(model, np.asarray(examples, dtype=float), targets)
