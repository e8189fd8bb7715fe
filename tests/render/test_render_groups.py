"""Groups: nested scopes and repeats, open and closed, and what is too much to draw."""

import time
from collections import Counter

import numpy as np
import pytest
from render_helpers import chain, edges, elements, lesson, residual, staged, two_branches

import dagnet as dn
from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.graph import Graph
from dagnet.render import draw, to_svg
from dagnet.render.collapse import GATHERED, MOST_BOXES
from dagnet.render.drawing import Box, Drawing

TRUNK = "(scope)~trunk~linear1~batchnorm3"
STAGES, BLOCKS = "linear1~batchnorm3", "linear1~add12"


def texts(part: object) -> list[str]:
    return [line.text for line in part.lines]  # type: ignore[attr-defined]


def box_with(drawing: Drawing, name: str) -> Box:
    (box,) = (box for box in drawing.boxes if name in box.names)
    return box


def check(drawing: Drawing, graph: Graph) -> None:
    """Check what holds for every drawing: each vertex once, and ends that exist."""
    names = [name for box in drawing.boxes for name in box.names]
    assert sorted(names) == sorted(graph)
    keys = [box.key for box in drawing.boxes]
    assert len(set(keys)) == len(keys)
    assert {end for a in drawing.arrows for end in (a.tail, a.head)} <= set(keys)
    assert len({a.key for a in drawing.arrows}) == len(drawing.arrows)
    groups = {group.key: group for group in drawing.groups}
    assert len(groups) == len(drawing.groups)
    assert {box.group for box in drawing.boxes} - {None} <= set(groups)
    assert {group.parent for group in drawing.groups} - {None} <= set(groups)


def test_scopes_and_repeats_are_nested_groups() -> None:
    drawing = draw(staged())
    assert {g.key: (g.kind, g.parent) for g in drawing.groups} == {
        TRUNK: ("scope", None),
        STAGES: ("repeat", TRUNK),
        BLOCKS: ("repeat", STAGES),
    }
    assert [texts(g)[0] for g in drawing.groups] == [
        "trunk",
        "stage0 … stage2  × 3",
        "block0 … block3  × 4",
    ]
    assert texts(drawing.groups[2])[1:] == ["7 throughout", f"{12 * 56} parameters"]
    inside = box_with(drawing, "linear7")
    assert inside.group == BLOCKS
    assert inside.names == tuple(f"linear{i}" for i in range(1, 13))
    assert box_with(drawing, "batchnorm2").group == STAGES


def test_the_picture_has_the_groups_within_each_other() -> None:
    clusters = elements(to_svg(staged()), "cluster")
    assert {id: e.classes for id, e in clusters.items()} == {
        f"group-{TRUNK}": ("scope",),
        f"group-{STAGES}": ("repeat",),
        f"group-{BLOCKS}": ("repeat",),
    }


def test_arrows_go_from_dot_to_dot_into_nested_repeats() -> None:
    drawn = {(a.tail, a.head): a.into for a in draw(staged()).arrows}
    outer, inner = f"{STAGES}~entry", f"{BLOCKS}~entry"
    assert drawn["stem", outer] == STAGES
    assert drawn[outer, inner] == BLOCKS
    assert drawn[inner, "linear1~linear12"] is None
    assert drawn["add1~add12", "batchnorm1~batchnorm3"] is None
    assert ("batchnorm1~batchnorm3", "head") in drawn
    assert ("stem", inner) not in drawn


@pytest.mark.parametrize("network", [lesson, residual, staged, two_branches])
@pytest.mark.parametrize("fold", [True, False, 1, 2, 3, 99])
def test_every_drawing_is_whole(network, fold: bool | int) -> None:
    graph = network().graph
    check(draw(graph, fold=fold), graph)


def test_unfolded_scopes_are_groups_and_repeats_are_none() -> None:
    drawing = draw(staged(2, 3), fold=False)
    assert {g.kind for g in drawing.groups} == {"scope"}
    assert Counter(texts(g)[0] for g in drawing.groups) == {
        "trunk": 1,
        "stage0": 1,
        "stage1": 1,
        "block0": 2,
        "block1": 2,
        "block2": 2,
    }


@pytest.mark.parametrize(
    ("fold", "closed", "groups"),
    [
        (1, "trunk", []),
        (2, "stage0 … stage2  × 3", ["trunk"]),
        (3, "block0 … block3  × 4", ["trunk", "stage0 … stage2  × 3"]),
        (4, None, ["trunk", "stage0 … stage2  × 3", "block0 … block3  × 4"]),
    ],
)
def test_a_number_says_how_many_levels_are_open(
    fold: int, closed: str | None, groups: list[str]
) -> None:
    drawing = draw(staged(), fold=fold)
    assert [texts(g)[0] for g in drawing.groups] == groups
    shown = [texts(box)[0] for box in drawing.boxes if box.kind in ("scope", "repeat")]
    assert shown == ([closed] if closed else [])


def test_a_closed_box_says_what_is_inside() -> None:
    model = staged()
    total = sum(
        p.size for n, a in model.params.items() if n not in ("stem", "head") for p in a.values()
    )
    trunk = box_with(draw(model, fold=1), "linear1")
    assert texts(trunk) == ["trunk", "39 nodes · 7 throughout", f"{total} parameters"]
    stages = box_with(draw(model, fold=2), "linear1")
    assert texts(stages)[2] == "[[LINEAR, RELU, ADD] × 4, BATCH NORM] × 3"
    residuals = box_with(draw(residual(), fold=1), "linear1")
    assert texts(residuals)[0] == "[LINEAR, RELU, ADD] × 4"
    assert "linear2, relu2, add2: (7, m)" in residuals.tooltip


def test_a_chain_in_scopes_is_one_box_that_names_them() -> None:
    A = dn.Input(4, name="X")
    for i in range(5):
        with dn.scope(f"layer{i}"):
            A = dn.ReLU()(dn.Linear(4)(A))
    drawing = draw(Graph.from_nodes(outputs=[A]))
    assert texts(drawing.boxes[1])[0] == "[LINEAR → RELU] × 5"
    assert "layer0 … layer4" in texts(drawing.boxes[1])
    assert drawing.groups == ()


def test_a_chain_of_chains_is_one_box() -> None:
    blocks = [op for _ in range(3) for op in (*[dn.Linear, dn.ReLU] * 2, dn.LayerNorm)]
    drawing = draw(chain(*[op(4) if op is dn.Linear else op() for op in blocks]))
    assert texts(drawing.boxes[1])[0] == "[[LINEAR → RELU] × 2 → LAYER NORM] × 3"
    assert len(drawing.boxes) == 2


def test_sizes_of_a_chain_within_a_repeat_are_those_of_each_block() -> None:
    A = dn.Input(8, name="X")
    for width in (6, 4):
        B = A
        for _ in range(2):
            B = dn.ReLU()(dn.Linear(width)(B))
        A = dn.LayerNorm()(dn.Add()(B, dn.Linear(width)(A)))
    (box,) = (b for b in draw(Graph.from_nodes(outputs=[A])).boxes if b.kind == "repeat")
    assert texts(box)[:2] == ["[LINEAR → RELU] × 2", "8 → 6 → 6; 6 → 4 → 4"]


def test_an_output_inside_a_closed_box_is_said() -> None:
    X = dn.Input(3, name="X")
    with dn.scope("net"):
        P = dn.Sigmoid(name="P")(dn.Linear(2)(X))
    box = box_with(draw(Graph.from_nodes(outputs=[P]), fold=1), "P")
    assert box.output
    assert texts(box)[-1] == "output: P"


def test_arrows_between_closed_boxes_are_one_with_all_values() -> None:
    X = dn.Input(3, name="X")
    with dn.scope("a"):
        left, right = dn.ReLU(name="left")(X), dn.Linear(2, name="right")(X)
    with dn.scope("b"):
        out = dn.Concat(name="out")(left, right)
    arrows = [a for a in draw(Graph.from_nodes(outputs=[out]), fold=1).arrows if a.tail != "X"]
    assert [a.label for a in arrows] == ["2 values"]
    assert [use.value for use in arrows[0].uses] == ["left", "right"]
    for text in ("left → out", "right → out"):
        assert text in arrows[0].tooltip


@pytest.mark.parametrize(
    ("fold", "error"), [(0, ArgumentError), (-1, ArgumentError), ("all", ArgumentTypeError)]
)
def test_a_fold_that_makes_no_sense_is_an_error(fold: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="fold must"):
        draw(lesson(), fold=fold)  # type: ignore[arg-type]


# Arrows.


def test_every_value_has_its_shape_on_one_arrow() -> None:
    labels = [(a.tail, a.label) for a in draw(residual(), fold=False).arrows if a.label]
    assert ("X", "(5, m)") in labels
    assert ("head", "(3, m)") in labels
    assert len({tail for tail, _ in labels}) == len(labels)
    texts = [t for e in edges(residual(), fold=False).values() for t in e.texts]
    assert Counter(texts) == Counter(label for _, label in labels)


def test_shared_weights_are_joined_by_a_line() -> None:
    drawn = [a for a in draw(two_branches(), fold=False).arrows if a.kind == "shared"]
    assert [(a.tail, a.head) for a in drawn] == [("encoder", "encoder_2")]
    assert edges(two_branches(), fold=False)["edge-encoder~encoder_2~shared"].dashed


# Too much to draw.


def irregular(count: int) -> Graph:
    rng = np.random.default_rng(3)
    kinds = [dn.ReLU, dn.Tanh, dn.Sigmoid, dn.Softplus, dn.ELU]
    values = [dn.Input(4, name="X")]
    for i in range(count - 1):
        A = kinds[rng.integers(5)]()(values[-1])
        values.append(
            dn.Add()(A, values[-int(rng.integers(1, 9)) % len(values)]) if i % 7 == 3 else A
        )
    return Graph.from_nodes(outputs=[values[-1]])


def test_ten_thousand_nodes_without_structure_are_gathered_in_seconds() -> None:
    graph = irregular(10_000)
    start = time.process_time()
    drawing = draw(graph)
    assert len(elements(to_svg(graph), "node")) == len(drawing.boxes) < 2 * GATHERED
    assert time.process_time() - start < 10
    check(drawing, graph)
    assert drawing.notes == (
        f"{len(graph):,} nodes, too many to draw each; neighbours are put together",
    )
    runs = [box for box in drawing.boxes if box.kind == "run"]
    assert texts(runs[0])[0] == f"{len(runs[0].names)} nodes"
    order = {box.key: i for i, box in enumerate(drawing.boxes)}
    assert all(order[a.tail] < order[a.head] for a in drawing.arrows)


def test_ten_thousand_nodes_in_scopes_are_closed_from_the_innermost() -> None:
    rng = np.random.default_rng(3)
    kinds = [dn.ReLU, dn.Tanh, dn.Sigmoid, dn.Softplus, dn.ELU]
    A = dn.Input(4, name="X")
    for i in range(40):
        with dn.scope(f"part{i}"):
            for j in range(5):
                with dn.scope(f"cell{j}"):
                    for _ in range(50):
                        A = kinds[rng.integers(5)]()(A)
    graph = Graph.from_nodes(outputs=[A])
    drawing = draw(graph)
    check(drawing, graph)
    assert len(drawing.boxes) == 201 <= MOST_BOXES
    assert {texts(g)[0] for g in drawing.groups} == {f"part{i}" for i in range(40)}
    assert drawing.notes[0].endswith("closed below level 2: fold=3 opens more")
    assert len(draw(graph, fold=1).boxes) == 41


def test_what_fits_is_drawn_without_a_note() -> None:
    assert draw(irregular(200)).notes == ()
    assert draw(irregular(400), fold=False).notes == ()
