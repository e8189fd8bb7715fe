"""Two networks on one picture."""

from collections.abc import Sequence

import pytest
from render_helpers import elements, lesson, staged

import dagnet as dn
from dagnet.errors import ArgumentError
from dagnet.graph import Graph
from dagnet.render import draw, to_svg
from dagnet.render.drawing import Box, Drawing


def network(*ops: tuple[str, dn.Op], skip: str = "") -> Graph:
    """Return a chain of named ops from X; `skip` names one whose value is added at the end."""
    nodes = {"X": dn.Input(4, name="X")}
    A = nodes["X"]
    for name, op in ops:
        A = nodes[name] = op(A, name=name)
    end = [dn.Add(name="sum")(A, nodes[skip])] if skip else [A]
    return Graph.from_nodes(outputs=end)


def changes(drawing: Drawing) -> dict[str, str | None]:
    return {name: box.change for box in drawing.boxes for name in box.names}


def box(drawing: Drawing, name: str) -> Box:
    return next(b for b in drawing.boxes if name in b.names)


BEFORE = [("a", dn.ReLU()), ("w", dn.Linear(5)), ("b", dn.Tanh()), ("c", dn.Sigmoid())]


def test_a_network_and_itself_have_no_marks() -> None:
    drawing = draw(staged(), against=staged())
    assert set(changes(drawing).values()) == {None}
    assert drawing.notes == ("the same structure",)
    assert [g.key for g in drawing.groups] == [g.key for g in draw(staged()).groups]


def test_an_added_node_and_its_arrows_are_marked() -> None:
    after = [*BEFORE[:2], ("new", dn.Softplus()), *BEFORE[2:]]
    drawing = draw(network(*after), against=network(*BEFORE))
    assert {n: c for n, c in changes(drawing).items() if c} == {"new": "added"}
    assert drawing.notes == ("1 node added",)
    marked = {(a.tail, a.head): a.change for a in drawing.arrows if a.change}
    assert marked == {("w", "new"): "added", ("new", "b"): "added", ("w", "b"): "removed"}


def test_a_removed_node_is_still_there_with_its_arrows() -> None:
    drawing = draw(network(*BEFORE[:2], *BEFORE[3:]), against=network(*BEFORE))
    assert {n: c for n, c in changes(drawing).items() if c} == {"b": "removed"}
    assert drawing.notes == ("1 node removed",)
    assert [line.text for line in box(drawing, "b").lines][-1] == "removed"
    marked = {(a.tail, a.head): a.change for a in drawing.arrows if a.change}
    assert marked == {("w", "b"): "removed", ("b", "c"): "removed", ("w", "c"): "added"}


def test_a_changed_node_says_what_changed() -> None:
    after = [BEFORE[0], ("w", dn.Linear(7)), *BEFORE[2:]]
    drawing = draw(network(*after), against=network(*BEFORE))
    assert {n: c for n, c in changes(drawing).items() if c} == {"w": "changed"}
    assert [line.text for line in box(drawing, "w").lines][-2:] == ["changed", "units 5 -> 7"]


def test_a_node_that_reads_another_value_has_its_old_arrow_too() -> None:
    ops = [("a", dn.ReLU()), ("b", dn.Tanh()), ("c", dn.Sigmoid())]
    drawing = draw(network(*ops, skip="a"), against=network(*ops, skip="b"))
    marked = {(a.tail, a.head): a.change for a in drawing.arrows if a.change}
    assert marked == {("a", "sum"): "added", ("b", "sum"): "removed"}


def test_a_removed_name_that_is_used_again_is_told_apart() -> None:
    before = network(("a", dn.ReLU()), ("b", dn.Tanh()), ("c", dn.Sigmoid()))
    after = network(("a", dn.ReLU()), ("c", dn.Sigmoid()), ("b", dn.Softplus()), ("d", dn.ELU()))
    drawing = draw(after, against=before)
    marks = changes(drawing)
    assert marks["b (before)"] == "removed"
    assert marks["b"] == marks["d"] == "added"


def sized(sizes: Sequence[int]) -> Graph:
    A = dn.Input(4, name="X")
    for size in sizes:
        A = dn.ReLU()(dn.Linear(size)(A))
    return Graph.from_nodes(outputs=[dn.Sigmoid(name="end")(A)])


def test_what_stays_is_folded_and_what_changed_is_not() -> None:
    same = draw(sized([5, 5, 5]), against=sized([5, 5, 5]))
    assert len(box(same, "linear1").names) == 6
    other = draw(sized([5, 7, 5]), against=sized([5, 5, 5]))
    assert box(other, "linear2").names == ("linear2",)
    assert box(other, "linear2").change == "changed"


def test_shapes_that_no_longer_fit_are_drawn_as_they_were() -> None:
    def joined(size: int, more: bool) -> Graph:
        X = dn.Input(4, name="X")
        A = dn.Linear(size, name="w")(X)
        B = dn.Linear(size, name="v")(dn.Tanh(name="t")(A)) if more else A
        return Graph.from_nodes(outputs=[dn.Add(name="sum")(A, B)])

    drawing = draw(joined(5, more=False), against=joined(3, more=True))
    removed = [line.text for line in box(drawing, "v").lines]
    assert "W (3, 3)   b (3, 1)" in removed
    assert changes(drawing)["w"] == "changed"


def test_the_picture_marks_them_by_class_by_word_and_by_line() -> None:
    after = [*BEFORE[:2], ("new", dn.Softplus()), BEFORE[3]]
    svg = to_svg(network(*after), against=network(*BEFORE))
    drawn = elements(svg, "node")
    assert "changed" in drawn["node-new"].classes
    removed = elements(to_svg(network(*BEFORE[:2]), against=network(*BEFORE)), "node")["node-c"]
    assert "removed" in removed.classes
    assert removed.dashed
    assert removed.texts[-1] == "removed"


def test_closed_boxes_say_how_many_of_their_nodes_changed() -> None:
    drawing = draw(staged(3, 4), against=staged(3, 3), fold=1)
    trunk = box(drawing, "add1")
    assert trunk.change == "changed"
    assert [line.text for line in trunk.lines][-1] == "9 of 39 nodes changed"


@pytest.mark.parametrize("option", [{"overlay": "zeros"}, {"backward": True}])
def test_a_comparison_has_no_overlay_and_no_gradients(option: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match="without overlay and gradients"):
        draw(lesson(), against=lesson(), **option)  # type: ignore[arg-type]
