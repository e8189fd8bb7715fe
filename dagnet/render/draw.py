"""What is drawn of a network: its structure, and what is laid over it."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.profiling import Profile
from dagnet.render.compose import compose
from dagnet.render.drawing import Drawing
from dagnet.render.gradients import with_gradients
from dagnet.render.measures import measured, profiled
from dagnet.render.overlay import Overlay, counts, lay_over
from dagnet.render.words import Language, Words


class Options(TypedDict, total=False):
    """The keyword arguments of `draw`, for what passes them on."""

    fold: bool | int
    title: str | None
    overlay: str | Mapping[Any, float] | Overlay | Iterable[Any] | None
    backward: bool
    against: Graph | Model | None
    language: Language


def draw(
    network: Graph | Model,
    *,
    fold: bool | int = True,
    title: str | None = None,
    overlay: str | Mapping[Any, float] | Overlay | Iterable[Any] | None = None,
    backward: bool = False,
    against: Graph | Model | None = None,
    language: Language = "en",
) -> Drawing:
    """Return the drawing of a network: boxes, groups and arrows, laid out nowhere yet.

    Parameters
    ----------
    network : Graph or Model
    fold : bool or int
        True: a block that repeats is drawn once, with how often and how its sizes run. A number:
        only so many levels of scopes and repeats are opened. False: every node is drawn.
    title : str, optional
        Printed above the network.
    overlay : str, dict, Overlay, Profile or alerts, optional
        Numbers to show at every node, in colours and digits. A name is of `MEASURES`: what is
        known of the definition (``"parameters"``, ``"flops"``) or of the model's last run
        (``"time"``, ``"limit"``, ``"bytes"``, ``"mean"``, ``"std"``, ``"max"``, ``"zeros"``,
        ``"grad_norm"``, ``"update_ratio"``). A dict has numbers by node. Of a profile, the share
        of the machine's limit is shown. Alerts are counted by node.
    backward : bool
        Whether the gradients are drawn, too, with their norms in the last run.
    against : Graph or Model, optional
        An older network: what was added, removed and changed since is marked.
    language : {"en", "zh"}
        What texts are written in. Names stay as they are.

    Raises
    ------
    UnknownNameError
        If there is no such overlay or language, or no such node in an overlay.
    ArgumentError, ArgumentTypeError
        If an option makes no sense.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render import draw
    >>> drawing = draw(dn.mlp([5, 3, 1]), overlay="parameters")
    >>> drawing.legend.title, drawing.legend.marks
    ('parameters', ('4', '8', '18'))
    """
    graph, model = _parts(network)
    words = Words(language)
    if against is not None:
        if overlay is not None or backward:
            raise ArgumentError("a comparison is drawn without overlay and gradients")
        from dagnet.render.comparison import compared

        return compared(_parts(against)[0], graph, fold=fold, title=title, words=words)
    numbers = None if overlay is None else _overlay(overlay, graph, model)
    drawing = compose(graph, fold=fold, title=title, words=words)
    if backward:
        drawing = with_gradients(drawing, graph, model, words)
    return drawing if numbers is None else lay_over(drawing, numbers, words)


def _parts(network: object) -> tuple[Graph, Model | None]:
    if isinstance(network, Model):
        return network.graph, network
    if isinstance(network, Graph):
        return network, None
    raise ArgumentTypeError(f"a model or graph can be drawn, not {type(network).__name__}")


def _overlay(overlay: object, graph: Graph, model: Model | None) -> Overlay:
    if isinstance(overlay, str):
        return measured(overlay, graph, model)
    if isinstance(overlay, Mapping):
        return Overlay("overlay", overlay).of_nodes(graph)
    if isinstance(overlay, Overlay):
        return overlay.of_nodes(graph)
    if isinstance(overlay, Profile):
        return profiled(overlay).of_nodes(graph)
    if isinstance(overlay, Iterable):
        return counts(overlay).of_nodes(graph)
    return counts([overlay])
