"""Networks to draw, and reading of what was drawn."""

from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

import dagnet as dn
from dagnet.graph import Graph
from dagnet.render import to_svg

SVG = "{http://www.w3.org/2000/svg}"
OUTLINES = ("path", "polygon", "ellipse")
LINK_TITLE = "{http://www.w3.org/1999/xlink}title"


@dataclass(frozen=True)
class Element:
    """A node, an edge or a group of a picture."""

    id: str
    classes: tuple[str, ...]
    texts: tuple[str, ...]
    tooltip: str
    dashed: bool
    outlines: int


def elements(svg: str, kind: str) -> dict[str, Element]:
    """Return all of "node", "edge", "cluster" or "heading" in a picture, by id."""
    found = {}
    for g in ElementTree.fromstring(svg.encode()).iter(f"{SVG}g"):
        classes = g.get("class", "").split()
        if classes == ["node", "heading"]:
            classes.reverse()
        if classes[:1] == [kind]:
            shapes = [
                e for e in g.iter() if e.tag.removeprefix(SVG) in ("path", "polygon", "ellipse")
            ]
            found[g.get("id", "")] = Element(
                g.get("id", ""),
                tuple(classes[1:]),
                tuple(spaced(e.text or "") for e in g.iter(f"{SVG}text")),
                spaced(next(e.get(LINK_TITLE, "") for e in g.iter(f"{SVG}a"))),
                any("stroke-dasharray" in e.attrib for e in shapes),
                len(shapes),
            )
    return found


def spaced(text: str) -> str:
    """Return the text with common spaces: engines may write others, to keep them all."""
    return text.replace("\xa0", " ")


def text_of(svg: str) -> str:
    """Return all texts of a picture, in their order, as one."""
    found = ElementTree.fromstring(svg.encode()).iter(f"{SVG}text")
    return " ".join(spaced("".join(e.itertext())) for e in found)


def nodes(network: Graph | dn.Model, **options: object) -> dict[str, Element]:
    return elements(to_svg(network, **options), "node")  # type: ignore[arg-type]


def edges(network: Graph | dn.Model, **options: object) -> dict[str, Element]:
    return elements(to_svg(network, **options), "edge")  # type: ignore[arg-type]


def lesson(**options: object) -> dn.Model:
    return dn.mlp([12288, 20, 7, 5, 1], seed=1, **options)


def residual(blocks: int = 4) -> dn.Model:
    X, Y = dn.Input(5, name="X"), dn.Input(3, name="Y")
    A = dn.Linear(7, name="stem")(X)
    for i in range(1, blocks + 1):
        Z = dn.ReLU(name=f"relu{i}")(dn.Linear(7, name=f"linear{i}")(A))
        A = dn.Add(name=f"add{i}")(A, Z)
    P = dn.Softmax(name="softmax")(dn.Linear(3, name="head")(A))
    return dn.Model(dn.CategoricalCrossEntropy(name="cost")(P, Y), outputs=[P], seed=1)


def two_branches() -> dn.Model:
    """Two inputs through one encoder, two outputs with a loss each."""
    left, right = dn.Input(5, name="left"), dn.Input(5, name="right")
    same, kind = dn.Input(1, name="same"), dn.Input(3, name="kind")
    encoder, relu = dn.Linear(7, name="encoder"), dn.ReLU()
    a, b = relu(encoder(left)), relu(encoder(right))
    p = dn.Sigmoid(name="p")(dn.Linear(1, name="judge")(dn.Concat(name="pair")(a, b)))
    q = dn.Softmax(name="q")(dn.Linear(3, name="classify")(a))
    losses = [
        dn.BinaryCrossEntropy(name="cost_p")(p, same),
        dn.CategoricalCrossEntropy(name="cost_q")(q, kind),
    ]
    return dn.Model(losses, outputs=[p, q], seed=1)


def chain(*ops: dn.Op, size: int = 4) -> Graph:
    A = dn.Input(size, name="X")
    for op in ops:
        A = op(A)
    return Graph.from_nodes(outputs=[A])


def staged(stages: int = 3, blocks: int = 4) -> dn.Model:
    """Stages of residual blocks, in scopes."""
    X, Y = dn.Input(5, name="X"), dn.Input(3, name="Y")
    A = dn.Linear(7, name="stem")(X)
    with dn.scope("trunk"):
        for s in range(stages):
            with dn.scope(f"stage{s}"):
                for b in range(blocks):
                    with dn.scope(f"block{b}"):
                        A = dn.Add()(A, dn.ReLU()(dn.Linear(7)(A)))
                A = dn.BatchNorm()(A)
    P = dn.Softmax(name="P")(dn.Linear(3, name="head")(A))
    return dn.Model(dn.CategoricalCrossEntropy(name="cost")(P, Y), outputs=[P], seed=1)


def feeds_of(model: dn.Model, m: int = 11) -> dict[str, np.ndarray]:
    """Return random numbers for all inputs, and labels for all targets."""
    rng = np.random.default_rng(7)
    feeds = {}
    for name in model.graph.inputs:
        rows = int(model.shapes[name][0])
        if name not in model.graph.target_inputs:
            feeds[name] = rng.normal(size=(rows, m))
        elif rows == 1:
            feeds[name] = rng.integers(0, 2, (1, m)).astype(float)
        else:
            feeds[name] = np.eye(rows)[:, rng.integers(0, rows, m)]
    return feeds


def run(model: dn.Model) -> dn.Model:
    """Go forward and backward once, and return the model."""
    model.forward(feeds_of(model))
    model.backward()
    return model
