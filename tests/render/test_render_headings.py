"""Where the texts of scopes stand: no arrow runs through them."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from render_helpers import SVG, elements, residual, staged

import dagnet as dn
from dagnet.graph import Graph
from dagnet.render import draw, to_dot, to_svg
from dagnet.render.headings import Heading, headings
from dagnet.render.text import text_width

Point = tuple[float, float]


def autoencoder() -> dn.Model:
    """Two scopes, narrow ones, and a value that passes by both."""
    X = A = dn.Input(784, name="X")
    with dn.scope("encoder"):
        for units in (256, 64, 16):
            A = dn.ReLU()(dn.Linear(units)(A))
    with dn.scope("decoder"):
        for units in (64, 256):
            A = dn.ReLU()(dn.Linear(units)(A))
        A = dn.Sigmoid(name="pixels")(dn.Linear(784)(A))
    return dn.Model(dn.MeanSquaredError(name="cost")(A, X), outputs=[A], seed=1)


def nested() -> Graph:
    """Scopes in scopes, each read from several places."""
    X = dn.Input(8, name="X")
    with dn.scope("a rather long name of a scope"):
        with dn.scope("inner"):
            A = dn.Tanh(name="bend")(dn.Linear(16, name="line")(X))
        B = dn.Concat(name="pair")(dn.ReLU()(dn.Linear(5)(A)), X)
    with dn.scope("head"):
        C = dn.Add(name="sum")(dn.Linear(7)(B), dn.Linear(7)(X))
    return Graph.from_nodes(outputs=[C])


def points(path: str) -> Iterator[Point]:
    """Yield points on a path of cubic curves."""
    at = [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]
    for i in range(0, len(at) - 3, 3):
        for k in range(51):
            t = k / 50
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
            x, y = (sum(w * p[j] for w, p in zip(weights, at[i:], strict=False)) for j in (0, 1))
            yield x, y


def crossed(svg: str) -> set[str]:
    """Return the texts that an arrow runs through."""
    tree = ElementTree.fromstring(svg.encode())
    arrows = [
        point
        for g in tree.iter(f"{SVG}g")
        if g.get("class", "").startswith("edge")
        for path in g.iter(f"{SVG}path")
        for point in points(path.get("d", ""))
    ]
    found = set()
    for text in tree.iter(f"{SVG}text"):
        said, size = text.text or "", float(text.get("font-size", ""))
        left, base = float(text.get("x", "")), float(text.get("y", ""))
        right = left + size * text_width(said, bold=text.get("font-weight") == "bold")
        if any(left < x < right and base - 0.7 * size < y < base for x, y in arrows):
            found.add(said)
    return found


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("network", [autoencoder, nested, staged, residual])
def test_no_arrow_runs_through_a_text(network, fold: bool) -> None:
    assert crossed(to_svg(network(), fold=fold)) == set()


def test_a_heading_says_what_the_border_says() -> None:
    drawing, svg = draw(autoencoder()), to_svg(autoencoder())
    for group in drawing.groups:
        heading = elements(svg, "heading")[f"heading-{group.key}"]
        assert heading.texts == tuple(line.text for line in group.lines)
        assert heading.tooltip == group.tooltip
        assert elements(svg, "cluster")[f"group-{group.key}"].texts == ()


def test_a_heading_stands_below_what_comes_in_and_above_what_is_inside() -> None:
    outer, inner, head = headings(draw(nested())).items()
    assert outer[1] == Heading("X", f"{inner[0]}~heading")
    assert inner[1] == Heading("X", "line")
    assert head[1] == Heading("pair", "linear2")


def test_what_comes_back_into_a_scope_is_not_above_its_heading() -> None:
    """Else the heading would be above and below the same node."""
    around = dn.scope("around")
    with around:
        A = dn.ReLU(name="first")(dn.Input(3, name="X"))
    B = dn.Tanh(name="outside")(A)
    with around:
        C = dn.Sigmoid(name="back")(B)
    (heading,) = headings(draw(Graph.from_nodes(outputs=[C]))).values()
    assert heading == Heading(None, "X")


def test_a_repeat_and_a_drawing_to_the_right_have_no_headings() -> None:
    assert headings(draw(residual())) == {}
    right = to_svg(autoencoder(), direction="right")
    assert elements(right, "heading") == {}
    assert "~heading" not in to_dot(autoencoder(), direction="right")
    texts = [group.texts[0] for group in elements(right, "cluster").values()]
    assert texts == ["encoder", "decoder"]
