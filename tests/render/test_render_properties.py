"""What holds for the drawing of any network: every vertex once, every use of a value shown."""

from contextlib import ExitStack

from hypothesis import given, settings
from hypothesis import strategies as st
from test_render_groups import check
from test_render_terminal import follow

import dagnet as dn
from dagnet.graph import Graph
from dagnet.passes import find_repeats
from dagnet.render import draw, draw_text
from dagnet.render.drawing import Drawing, Use

KINDS = [dn.ReLU, dn.Tanh, dn.Sigmoid]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw a graph of repeated, nested and shared parts, in scopes that may cross them."""
    values = [dn.Input(4, name="X"), dn.Input(4, name="Z")]
    shared = dn.Linear(4, name="shared")
    for _ in range(draw(st.integers(1, 4))):
        scopes = draw(st.lists(st.sampled_from(["a", "b", "b1", "b2"]), max_size=2))
        block = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
        each = draw(st.booleans())
        with ExitStack() as around:
            for name in () if each else scopes:
                around.enter_context(dn.scope(name))
            for i in range(draw(st.integers(1, 4))):
                with ExitStack() as inner:
                    for name in scopes if each else ():
                        inner.enter_context(dn.scope(f"{name}{i}"))
                    entry = values[-1]
                    for op in block:
                        values.append(_applied(op, values, entry, shared))
        if draw(st.booleans()):
            values.append(dn.Add()(values[-1], draw(st.sampled_from(values))))
    more = draw(st.lists(st.sampled_from(values), max_size=2))
    return Graph.from_nodes(outputs=[values[-1], *more])


def _applied(op: int, values: list[dn.Node], entry: dn.Node, shared: dn.Op) -> dn.Node:
    if op < len(KINDS):
        return KINDS[op]()(values[-1])
    if op == 3:
        return dn.Add()(values[-1], entry)
    return (dn.Linear(4) if op == 4 else shared)(values[-1])


def uses_of(graph: Graph) -> set[Use]:
    return {Use(n, v.name, i) for v in graph.vertices.values() for i, n in enumerate(v.inputs)}


def hidden(drawing: Drawing, use: Use) -> bool:
    """Tell whether a use is inside a box, or leads from one block of a repeat to the next."""
    if any({use.value, use.reader} <= set(box.names) for box in drawing.boxes):
        return True
    return any(
        group.kind == "repeat" and {use.value, use.reader} <= set(group.names)
        for group in drawing.groups
    )


@settings(deadline=None, max_examples=30)
@given(graphs(), st.sampled_from([True, False, 1, 2, 3]))
def test_every_vertex_has_one_box_and_every_use_is_shown_or_inside(
    graph: Graph, fold: bool | int
) -> None:
    drawing = draw(graph, fold=fold)
    check(drawing, graph)
    shown = {use for arrow in drawing.arrows for use in arrow.uses}
    uses = uses_of(graph)
    assert shown <= uses
    assert all(hidden(drawing, use) for use in uses - shown)
    if fold is False:
        assert shown == uses


@settings(deadline=None, max_examples=30)
@given(graphs())
def test_no_repeat_crosses_the_border_of_a_scope(graph: Graph) -> None:
    waiting = find_repeats(graph)
    while waiting:
        repeat = waiting.pop()
        waiting += repeat.inner
        scopes = [graph[name].scope for block in repeat.blocks for name in block]
        outer = 0
        while min(map(len, scopes)) > outer and len({scope[outer] for scope in scopes}) == 1:
            outer += 1
        for block in repeat.blocks:
            for scope in (graph[name].scope for name in block):
                for end in range(outer + 1, len(scope) + 1):
                    inside = {n for n in graph if graph[n].scope[:end] == scope[:end]}
                    assert inside <= set(block)


@settings(deadline=None, max_examples=25)
@given(graphs())
def test_the_lines_of_a_text_lead_to_every_reader(graph: Graph) -> None:
    edges = {(use.value, use.reader) for use in uses_of(graph)}
    assert follow(graph) >= edges
    assert len(draw_text(graph, ascii=True).split("\n")) == len(draw_text(graph).split("\n"))
