"""What is in a picture: by structure, since coordinates are the layout engine's business."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from render_helpers import chain, edges, elements, lesson, nodes, residual, two_branches

import dagnet as dn
from dagnet.graph import Graph
from dagnet.render import to_dot, to_svg
from dagnet.render.compose import compose
from dagnet.render.dot import to_source

HOSTILE = [
    "<script>alert(1)</script>",
    "<b>bold</b>",
    "<>",
    "a\"b'c",
    "back\\slash",
    "\\N\\G\\E\\T\\H\\L",
    "\\n\\l\\r",
    "ends with \\",
    "a:b:c",
    "a->b",
    "a -- b",
    "{a|b}",
    "&lt;&amp;&#65;",
    "]]>",
    "a;b//c/*d*/#e",
    "%n%00",
    "node",
    "graph",
    "_",
    "-1.5",
    "  spaces  ",
    "隐藏层",
    "😀",
    "שלום",
]


def picture_of(name: str) -> Graph:
    A = dn.Linear(3, name=name)(dn.Input(5, name="X"))
    return Graph.from_nodes(outputs=[dn.Sigmoid(name="end")(A)])


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_shown_as_it_is(name: str) -> None:
    drawn = nodes(picture_of(name))
    assert len(drawn) == 3
    box = next(e for e in drawn.values() if "linear" in e.classes)
    assert box.texts[0] == "LINEAR"
    assert box.texts[1].split() == name.split()
    assert box.tooltip.split("\n")[0].startswith(name)
    arrows = edges(picture_of(name)).values()
    assert [e.tooltip for e in arrows] == [f"X → {name}\n(5, m)", f"{name} → end\n(3, m)"]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_in_a_group_is_shown_as_it_is(name: str) -> None:
    A = dn.Input(5, name="X")
    for last in (name, "last"):
        A = dn.Add(name=last)(dn.ReLU()(A), A)
    (group,) = elements(to_svg(Graph.from_nodes(outputs=[A])), "cluster").values()
    assert group.tooltip.startswith(f"× 2\nrelu1, {name}: (5, m)\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_an_input_or_a_title_is_shown_as_it_is(name: str) -> None:
    X = dn.Input(5, name=name)
    svg = to_svg(Graph.from_nodes(outputs=[dn.ReLU()(X)]), title=name)
    box = next(e for e in elements(svg, "node").values() if "input" in e.classes)
    assert box.texts[0].split() == name.split()
    assert "<script>" not in svg


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_scope_is_shown_as_it_is(name: str) -> None:
    with dn.scope(name), dn.scope("inner"):
        A = dn.ReLU()(dn.Input(5, name="X"))
    graph = Graph.from_nodes(outputs=[dn.Tanh()(A)])
    headings = elements(to_svg(graph), "heading").values()
    assert sorted(h.texts[0].split() for h in headings) == sorted([name.split(), ["inner"]])
    groups = list(elements(to_svg(graph), "cluster").values())
    assert any(g.tooltip.split("\n")[1].split() == f"{name} / inner".split() for g in groups)
    closed = next(e for e in nodes(graph, fold=1).values() if "scope" in e.classes)
    assert closed.texts[0].split() == name.split()


def test_control_characters_do_not_spoil_the_picture() -> None:
    name = "a\0b\x1b\r\td\x7f\ud800\uffff"
    box = next(e for e in nodes(picture_of(name)).values() if "linear" in e.classes)
    assert box.texts[1].startswith("a␀b␛␍␉d")


def test_names_that_differ_in_one_sign_are_different_nodes() -> None:
    names = [name for name in HOSTILE if name.strip()]
    values = [dn.ReLU(name=name)(dn.Input(3, name=f"in {name}")) for name in names]
    graph = Graph.from_nodes(outputs=[dn.Add(name="sum")(*values)])
    assert len(nodes(graph)) == 2 * len(names) + 1
    assert len(edges(graph)) == 2 * len(names)


def test_ids_and_classes_come_from_names_and_kinds() -> None:
    drawn = nodes(lesson())
    assert {id: e.classes for id, e in drawn.items()} == {
        "node-X": ("input",),
        "node-linear1~relu3": ("repeat",),
        "node-linear4": ("linear",),
        "node-sigmoid4": ("activation", "output"),
        "node-Y": ("input", "training"),
        "node-cost": ("loss", "training"),
    }
    assert {id: e.classes for id, e in edges(lesson()).items()} == {
        "edge-X~linear1~relu3~0": ("value",),
        "edge-linear1~relu3~linear4~0": ("value",),
        "edge-linear4~sigmoid4~0": ("value",),
        "edge-sigmoid4~cost~0": ("training",),
        "edge-Y~cost~1": ("training",),
    }


@pytest.mark.parametrize("direction", ["down", "right"])
def test_the_lesson_says_in_both_directions_what_it_is(direction: str) -> None:
    box = nodes(lesson(), direction=direction)["node-linear1~relu3"]
    assert box.texts[:2] == ("[LINEAR → RELU] × 3", "12288 → 20 → 7 → 5")


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("network", [lesson, residual, two_branches])
def test_every_box_and_arrow_is_in_the_picture(network, fold: bool) -> None:
    model = network()
    drawing = compose(model.graph, fold=fold)
    svg = to_svg(model, fold=fold)
    assert set(elements(svg, "node")) == {f"node-{box.key}" for box in drawing.boxes}
    assert set(elements(svg, "edge")) == {f"edge-{arrow.key}" for arrow in drawing.arrows}
    assert set(elements(svg, "cluster")) == {f"group-{group.key}" for group in drawing.groups}
    for box in drawing.boxes:
        shown = elements(svg, "node")[f"node-{box.key}"]
        assert shown.texts == tuple(line.text for line in box.lines)
        assert shown.tooltip == box.tooltip


def test_what_only_training_needs_is_dashed() -> None:
    assert {id for id, e in nodes(lesson()).items() if e.dashed} == {"node-Y"}
    dashed = {id for id, e in edges(lesson(l2=0.7)).items() if e.dashed}
    assert dashed == {
        "edge-sigmoid4~cost~0",
        "edge-Y~cost~1",
        "edge-linear1~relu3~l2~parameters",
        "edge-linear4~l2~parameters",
    }


def test_an_output_has_one_outline_more() -> None:
    drawn = nodes(two_branches(), fold=False)
    assert drawn["node-q"].outlines == drawn["node-relu1"].outlines + 1


def test_kinds_look_different_without_colours() -> None:
    ops = [dn.Linear(4), dn.ReLU(), dn.BatchNorm(), dn.Dropout(0.5), dn.Flatten()]
    dot = to_dot(chain(*ops, dn.Linear(3), dn.Linear(2)))
    looks = set()
    for kind in ("input", "linear", "activation", "normalization", "regularization", "repeat"):
        line = next(row for row in dot.splitlines() if re.search(f'class="?{kind}', row))
        fields = [f for f in line.split() if f.startswith(("shape=", "style=", "penwidth="))]
        looks.add(tuple(sorted(fields)))
    assert len(looks) == 6


def test_a_group_is_a_cluster_with_its_boxes() -> None:
    svg = to_svg(residual())
    (group,) = elements(svg, "cluster").values()
    assert group.id == "group-linear1~add4"
    assert group.texts == ("× 4", "7 throughout", "224 parameters")
    assert group.tooltip.startswith("× 4\nlinear1, relu1, add1: (7, m)\n")


def test_a_title_is_printed() -> None:
    assert "A cat?" in to_svg(lesson(), title="A cat?")


def test_direction_is_the_layouts() -> None:
    assert "rankdir=TB" in to_dot(lesson())
    assert "rankdir=LR" in to_dot(lesson(), direction="right")


# Texts that engines measure wrongly.


def chinese() -> Graph:
    return picture_of("第一层线性变换加权求和")


def test_chinese_lines_get_their_true_width_from_an_engine_without_fonts() -> None:
    dot = to_source(compose(chinese()), "down", has_fonts=False)
    row = next(part for part in dot.split("<TR>") if ">第一层线性变换加权求和<" in part)
    before = dot[: dot.index(row)]
    assert 'FIXEDSIZE="TRUE" WIDTH="1' in before[before.rindex("<TABLE") :]


def test_chinese_lines_have_room_in_any_engine() -> None:
    dot = to_source(compose(chinese()), "down")
    assert "FIXEDSIZE" not in dot
    cell = dot[: dot.index(">第一层线性变换加权求和<")].rsplit("<TD", 1)[1]
    width = int(cell.split('WIDTH="')[1].split('"')[0])
    assert width > len("第一层线性变换加权求和") * 10


def test_plain_lines_are_left_to_the_engine() -> None:
    assert "WIDTH=" not in to_dot(picture_of("linear1"))


# Determinism.

SCRIPT = """
import sys
import dagnet as dn
from dagnet.render import to_dot, to_svg
x, y = dn.Input(5, name="x"), dn.Input(3, name="y")
a = x
for i in range(6):
    a = dn.Add()(dn.Linear(5)(a), a) if i < 3 else dn.ReLU()(dn.Linear(7 - i)(a))
model = dn.Model(dn.MeanSquaredError()(dn.Linear(3)(a), y), seed=1, l2=0.1)
text = to_dot(model) + to_dot(model, fold=False, direction="right") + to_svg(model)
sys.stdout.buffer.write(text.encode())
"""


def test_the_bytes_are_the_same_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "draw.py"
    script.write_text(SCRIPT)
    root = str(Path(dn.__file__).parents[1])
    runs = [
        subprocess.run(
            [sys.executable, str(script)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": root, "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert b"</svg>" in runs[0]


def test_the_bytes_are_the_same_for_an_equal_network() -> None:
    assert to_svg(lesson()) == to_svg(lesson())
    assert to_dot(two_branches()) == to_dot(two_branches())


def test_no_address_of_an_object_is_in_a_picture() -> None:
    assert "0x" not in to_svg(lesson())


# Size.


def test_ten_thousand_nodes_are_drawn_folded_in_seconds() -> None:
    graph = chain(*[op for _ in range(5000) for op in (dn.Linear(4), dn.ReLU())])
    start = time.process_time()
    drawn = nodes(graph)
    assert time.process_time() - start < 10
    assert drawn["node-linear1~relu5000"].texts[0] == "[LINEAR → RELU] × 5000"
    assert len(drawn) == 2


def test_two_hundred_nodes_are_drawn_without_folding() -> None:
    graph = chain(*[op for _ in range(100) for op in (dn.Linear(4), dn.ReLU())])
    assert len(nodes(graph, fold=False)) == 201
