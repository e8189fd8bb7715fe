"""Drawing a network into a file or a text."""

from os import PathLike
from pathlib import Path
from typing import Literal
from warnings import warn_explicit

from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from dagnet.files import atomic_write, check_writable
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.node import Source, user_source
from dagnet.render.compose import compose
from dagnet.render.dot import RANKDIR, to_source
from dagnet.render.drawing import Drawing
from dagnet.render.engine import find_engine
from dagnet.render.text import is_wide

Direction = Literal["down", "right"]

SUFFIXES = (".svg", ".png", ".pdf", ".dot")


def render(
    network: Graph | Model,
    path: str | PathLike[str],
    *,
    direction: Direction = "down",
    fold: bool = True,
    title: str | None = None,
) -> Path:
    """Draw a network into a file.

    Parameters
    ----------
    network : Graph or Model
    path : str or PathLike
        Ending in .svg, .png, .dot, or, where Graphviz itself is installed, .pdf.
    direction : {"down", "right"}
        Where the values flow.
    fold : bool
        Whether a block that repeats is drawn once, with how often and how its sizes run.
    title : str, optional
        Printed above the network.

    Returns
    -------
    Path
        Where the drawing is.

    Raises
    ------
    ArgumentError
        If the path has another ending, or the layout engine cannot write that kind of file.
    FileAccessError
        If the file cannot be written.
    MissingDependencyError
        If there is no layout engine on this machine; .dot needs none.

    Examples
    --------
    >>> import tempfile, dagnet as dn
    >>> from dagnet.render import render
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = render(dn.mlp([5, 3, 1]), folder + "/network.svg", direction="right")
    ...     path.name, path.read_text(encoding="utf-8")[:5]
    ('network.svg', '<?xml')
    """
    check_writable(path)
    target = Path(path)
    format = target.suffix.lower().removeprefix(".")
    if f".{format}" not in SUFFIXES:
        raise ArgumentError(
            f"cannot draw into {target.name!r}: the name must end in one of {', '.join(SUFFIXES)}"
        )
    drawing = _drawing(network, direction, fold, title)
    if format == "dot":
        picture = to_source(drawing, direction).encode()
    else:
        picture = _picture(drawing, direction, format)
    with atomic_write(target) as file:
        file.write(picture)
    return target


def to_dot(
    network: Graph | Model,
    *,
    direction: Direction = "down",
    fold: bool = True,
    title: str | None = None,
) -> str:
    """Return the drawing of a network as DOT text; no layout engine is needed.

    Parameters are those of `render`.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render import to_dot
    >>> "[LINEAR → RELU] × 3" in to_dot(dn.mlp([12288, 20, 7, 5, 1]))
    True
    """
    return to_source(_drawing(network, direction, fold, title), direction)


def to_svg(
    network: Graph | Model,
    *,
    direction: Direction = "down",
    fold: bool = True,
    title: str | None = None,
) -> str:
    """Return the drawing of a network as SVG text.

    Parameters are those of `render`.

    Examples
    --------
    >>> import dagnet as dn
    >>> from dagnet.render import to_svg
    >>> 'id="node' in to_svg(dn.mlp([5, 3, 1]))
    True
    """
    return _picture(_drawing(network, direction, fold, title), direction, "svg").decode()


def _drawing(network: object, direction: str, fold: bool, title: str | None) -> Drawing:
    graph = network.graph if isinstance(network, Model) else network
    if not isinstance(graph, Graph):
        raise ArgumentTypeError(f"a model or graph can be drawn, not {type(network).__name__}")
    if direction not in RANKDIR:
        raise UnknownNameError.of("direction", direction, RANKDIR)
    return compose(graph, fold=fold, title=title)


def _picture(drawing: Drawing, direction: str, format: str) -> bytes:
    engine = find_engine()
    source = to_source(drawing, direction, has_fonts=engine.has_fonts)
    if format == "png" and not engine.has_fonts and any(map(is_wide, source)):
        user = user_source() or Source(__file__, 1)
        warn_explicit(
            f"{engine.name} has no font for Chinese, Japanese or Korean in .png: draw into .svg, "
            "or install Graphviz itself",
            UserWarning,
            user.file,
            user.line,
        )
    return engine.run(source, format)
