"""Drawing a network into a file or a text."""

from os import PathLike
from pathlib import Path
from typing import Literal, Unpack
from warnings import warn_explicit

from dagnet.errors import ArgumentError, DrawingError, MissingDependencyError, UnknownNameError
from dagnet.files import atomic_write, check_writable
from dagnet.graph import Graph
from dagnet.model import Model
from dagnet.node import Source, user_source
from dagnet.render.caption import captioned
from dagnet.render.dot import RANKDIR, to_source
from dagnet.render.draw import Options, draw
from dagnet.render.drawing import Drawing
from dagnet.render.engine import ADVICE, find_engine
from dagnet.render.text import is_wide
from dagnet.render.theme import THEMES, Theme, adaptive
from dagnet.render.words import Words

Direction = Literal["down", "right"]

SUFFIXES = (".svg", ".png", ".pdf", ".dot")

#: What is laid out: an engine takes a minute and a gigabyte for so many boxes, and a gigabyte for
#: so many groups, the memory for which grows with their square.
MOST_BOXES, MOST_GROUPS = 50_000, 2_000


def render(
    network: Graph | Model,
    path: str | PathLike[str],
    *,
    direction: Direction = "down",
    theme: Theme = "light",
    **options: Unpack[Options],
) -> Path:
    """Draw a network into a file.

    Parameters
    ----------
    network : Graph or Model
    path : str or PathLike
        Ending in .svg, .png, .dot, or, where Graphviz itself is installed, .pdf.
    direction : {"down", "right"}
        Where the values flow.
    theme : {"light", "dark", "auto"}
        With "auto", an .svg adapts to what its viewer prefers; other files are light.
    **options
        What is drawn: `fold`, `title`, `overlay`, `backward`, `against`, `language`;
        see `dagnet.render.draw`.

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
    DrawingError
        If there is too much to lay out; .dot holds everything.
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
    _check(direction, theme)
    drawing = draw(network, **options)
    if format == "dot":
        picture = to_source(drawing, direction, theme=theme).encode()
    else:
        picture = _picture(drawing, direction, theme, format, _words(options))
    with atomic_write(target) as file:
        file.write(picture)
    return target


def to_dot(
    network: Graph | Model,
    *,
    direction: Direction = "down",
    theme: Theme = "light",
    **options: Unpack[Options],
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
    _check(direction, theme)
    return to_source(draw(network, **options), direction, theme=theme)


def to_svg(
    network: Graph | Model,
    *,
    direction: Direction = "down",
    theme: Theme = "light",
    **options: Unpack[Options],
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
    _check(direction, theme)
    drawing = draw(network, **options)
    return _picture(drawing, direction, theme, "svg", _words(options)).decode()


def picture(network: Graph | Model) -> str | None:
    """Return the SVG that a notebook shows of a network; None if no layout engine is there."""
    try:
        return to_svg(network)
    except MissingDependencyError:
        return None


def _check(direction: str, theme: str) -> None:
    if direction not in RANKDIR:
        raise UnknownNameError.of("direction", direction, RANKDIR)
    if theme not in THEMES:
        raise UnknownNameError.of("theme", theme, THEMES)


def _words(options: Options) -> Words:
    return Words(options.get("language", "en"))


def _picture(drawing: Drawing, direction: str, theme: str, format: str, words: Words) -> bytes:
    engine = find_engine()
    if len(drawing.boxes) > MOST_BOXES or len(drawing.groups) > MOST_GROUPS:
        size = f"{len(drawing.boxes):,} boxes in {len(drawing.groups):,} groups"
        raise DrawingError(f"{size} are too many to lay out: {ADVICE}")
    source = to_source(drawing, direction, has_fonts=engine.has_fonts, theme=theme)
    if format == "png" and not engine.has_fonts and any(map(is_wide, source)):
        user = user_source() or Source(__file__, 1)
        warn_explicit(
            f"{engine.name} has no font for Chinese, Japanese or Korean in .png: draw into .svg, "
            "or install Graphviz itself",
            UserWarning,
            user.file,
            user.line,
        )
    picture = engine.run(source, format)
    if format != "svg":
        return picture
    return captioned(adaptive(picture) if theme == "auto" else picture, drawing, words)
