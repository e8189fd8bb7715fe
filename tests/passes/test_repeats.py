"""Repeat detection: what repeats, what does not, and that nothing else is ever found."""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dagnet as dn
from dagnet.graph import Graph, Vertex
from dagnet.passes import find_repeats


def chain(ops: Iterable[dn.Op], size: int = 4) -> Graph:
    A = dn.Input(size, name="X")
    for op in ops:
        A = op(A)
    return Graph.from_nodes(outputs=[A])


def found(graph: Graph) -> list[tuple[int, tuple[str, ...]]]:
    """Return count and first block of every repeat."""
    return [(repeat.count, repeat.blocks[0]) for repeat in find_repeats(graph)]


def test_the_lesson_repeats_its_hidden_layers() -> None:
    (repeat,) = find_repeats(dn.mlp([12288, 20, 7, 5, 1]).graph)
    assert repeat.count == 3
    assert repeat.blocks == (("linear1", "relu1"), ("linear2", "relu2"), ("linear3", "relu3"))


def test_two_blocks_are_a_repeat_and_one_is_not() -> None:
    assert found(dn.mlp([5, 3, 2, 1]).graph) == [(2, ("linear1", "relu1"))]
    assert found(dn.mlp([5, 3, 1]).graph) == []


@pytest.mark.parametrize("layers", [3, 17, 200])
def test_the_count_is_the_true_one(layers: int) -> None:
    assert found(dn.mlp([5] * layers + [1]).graph) == [(layers - 1, ("linear1", "relu1"))]


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        (lambda: dn.ReLU(), lambda: dn.Tanh()),
        (lambda: dn.LeakyReLU(0.1), lambda: dn.LeakyReLU(0.2)),
        (lambda: dn.Dropout(0.5), lambda: dn.Dropout(0.25)),
        (lambda: dn.BatchNorm(momentum=0.1), lambda: dn.BatchNorm(momentum=0.2)),
        (lambda: dn.Linear(4), lambda: dn.Linear(4, bias=False)),
        (lambda: dn.Linear(4), lambda: dn.Linear(4, init="zeros")),
    ],
)
def test_a_block_with_another_hyperparameter_ends_the_repeat(
    usual: Callable[[], dn.Op], odd: Callable[[], dn.Op]
) -> None:
    ops = [op for last in (usual, usual, odd) for op in (dn.Softplus(), last())]
    assert found(chain([*ops, dn.Sigmoid()])) == [(2, ("softplus1", ops[1].stem + "1"))]


def test_sizes_may_differ_but_not_the_number_of_axes() -> None:
    assert [count for count, _ in found(chain(dn.Linear(n) for n in (3, 5, 7)))] == [3]
    A = dn.Flatten()(dn.ReLU()(dn.Input(3, 5, name="X")))
    assert found(Graph.from_nodes(outputs=[dn.Flatten()(dn.ReLU()(A))])) == []


class Listed(dn.Identity):
    """An op with a hyperparameter that has no hash."""

    items: Any = ()


class Opaque:
    """Has neither a hash nor a comparison worth the name."""

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ([1, 2], [1, 2], 2),
        ([1, 2], [1, 3], 0),
        ([1, 2], (1, 2), 0),
        ([1], [True], 0),
        ({"a": [1]}, {"a": [1]}, 2),
        ({"a": [1]}, {"b": [1]}, 0),
        (np.arange(3), np.arange(3), 2),
        (np.arange(3), np.arange(3.0), 0),
        (Opaque(), Opaque(), 0),
    ],
)
def test_hyperparameters_that_have_no_hash_are_compared_by_value(
    first: object, second: object, count: int
) -> None:
    graph = chain([Listed(first), Listed(second)])
    assert sum(n for n, _ in found(graph)) == count


def test_a_value_in_between_that_is_read_elsewhere_does_not_disappear() -> None:
    A = X = dn.Input(4, name="X")
    values = []
    for _ in range(4):
        A = dn.ReLU()(dn.Linear(4)(A))
        values.append(A)
    graph = Graph.from_nodes(outputs=[dn.Sigmoid()(A), dn.Tanh()(values[1])])
    assert found(graph) == [(2, ("linear1", "relu1")), (2, ("linear3", "relu3"))]
    A = X
    for _ in range(2):
        Z = dn.Linear(4)(A)
        A = dn.ReLU()(Z)
    assert found(Graph.from_nodes(outputs=[A])) == [(2, ("linear1", "relu1"))]
    assert found(Graph.from_nodes(outputs=[A, dn.Tanh()(Z)])) == []


def test_an_output_in_between_does_not_disappear() -> None:
    A = dn.Input(4, name="X")
    values = []
    for _ in range(4):
        A = dn.ReLU()(dn.Linear(4)(A))
        values.append(A)
    graph = Graph.from_nodes(outputs=[A, values[1]])
    assert found(graph) == [(2, ("linear1", "relu1")), (2, ("linear3", "relu3"))]
    assert found(Graph.from_nodes(outputs=[A])) == [(4, ("linear1", "relu1"))]


def test_an_input_that_is_read_in_between_does_not_disappear() -> None:
    A = dn.Input(4, name="X")
    for t in range(3):
        A = dn.Tanh()(dn.Add()(dn.Linear(4)(A), dn.Input(4, name=f"x{t}")))
    assert found(Graph.from_nodes(outputs=[A])) == []


@pytest.mark.parametrize("returned", [True, False])
def test_a_value_inside_a_residual_block_that_is_wanted_does_not_disappear(returned: bool) -> None:
    A = dn.Input(4, name="X")
    inside = []
    for _ in range(5):
        inside.append(dn.ReLU()(dn.Linear(4)(A)))
        A = dn.Add()(A, inside[-1])
    wanted = inside[2] if returned else dn.Tanh()(inside[2])
    assert found(Graph.from_nodes(outputs=[A, wanted])) == [
        (2, ("linear1", "relu1", "add1")),
        (2, ("linear4", "relu4", "add4")),
    ]


def residual(A: dn.Node, inner: int = 1) -> dn.Node:
    B = A
    for _ in range(inner):
        B = dn.ReLU()(dn.Linear(4)(B))
    return dn.Add()(A, B)


def test_residual_blocks_repeat() -> None:
    A = dn.Input(4, name="X")
    for _ in range(4):
        A = residual(A)
    assert found(Graph.from_nodes(outputs=[A])) == [(4, ("linear1", "relu1", "add1"))]


def test_blocks_that_join_the_other_way_round_differ() -> None:
    A = dn.Input(4, name="X")
    for flip in (False, True):
        B = dn.ReLU()(dn.Linear(4)(A))
        A = dn.Concat()(B, A) if flip else dn.Concat()(A, B)
        A = dn.Linear(4)(A)
    assert found(Graph.from_nodes(outputs=[A])) == []


def test_a_skip_over_two_blocks_makes_them_one_and_not_two() -> None:
    A = dn.Input(4, name="X")
    B = dn.Softplus()(dn.Softplus()(A))
    C = dn.Sigmoid()(dn.Tanh()(dn.Add()(B, A)))
    graph = Graph.from_nodes(outputs=[dn.Multiply()(C, A, dn.Sigmoid()(C))])
    assert found(graph) == [(2, ("softplus1",))]


def test_repeats_inside_a_block_give_way_to_those_of_the_block() -> None:
    X = dn.Input(4, name="X")
    once = Graph.from_nodes(outputs=[residual(X, inner=3)])
    assert found(once) == [(3, ("linear1", "relu1"))]
    twice = Graph.from_nodes(outputs=[residual(residual(X, inner=3), inner=3)])
    assert [(n, len(block)) for n, block in found(twice)] == [(2, 7)]
    mixed = Graph.from_nodes(outputs=[residual(residual(X, inner=3), inner=2)])
    assert [(n, len(block)) for n, block in found(mixed)] == [(3, 2), (2, 2)]


def test_branches_repeat_each_on_its_own_however_they_are_interleaved() -> None:
    A, B = dn.Input(4, name="a"), dn.Input(4, name="b")
    for _ in range(3):
        A = dn.ReLU()(dn.Linear(4)(A))
        dn.Input(7, name="not used")
        B = dn.Tanh()(dn.Linear(5)(B))
    graph = Graph.from_nodes(outputs=[dn.Concat()(A, B)])
    assert found(graph) == [(3, ("linear1", "relu1")), (3, ("linear2", "tanh1"))]


def test_branches_from_one_value_repeat_each_on_its_own() -> None:
    X = dn.Input(4, name="X")
    heads = []
    for op in (dn.ReLU, dn.Tanh):
        A = X
        for _ in range(2):
            A = op()(dn.Linear(4)(A))
        heads.append(A)
    graph = Graph.from_nodes(outputs=heads)
    assert found(graph) == [(2, ("linear1", "relu1")), (2, ("linear3", "tanh1"))]


def test_the_shortest_period_and_the_largest_part_win() -> None:
    a, b, c = dn.ReLU, dn.Tanh, dn.Sigmoid
    names = ("relu1", "tanh1")
    assert found(chain(op() for op in (a, b, a, b, a, b, a, b))) == [(4, names)]
    assert found(chain(op() for op in (a, b, a, b, a, b, a))) == [(3, names)]
    assert found(chain(op() for op in (a, b, c, a, b, c, c))) == [(2, (*names, "sigmoid1"))]
    assert found(chain(op() for op in (c, c, c, c, a, c, a))) == [(4, ("sigmoid1",))]


def test_what_a_larger_repeat_leaves_of_a_run_may_repeat_too() -> None:
    a, b = dn.ReLU, dn.Tanh
    for left in (2, 3):
        ops = [b, a, a] * 2 + [a] * left
        assert found(chain(op() for op in ops)) == [
            (2, ("tanh1", "relu1", "relu2")),
            (left, ("relu5",)),
        ]
    assert found(chain(op() for op in [b, a, a, b, a, a, a])) == [(2, ("tanh1", "relu1", "relu2"))]


def test_blocks_that_all_use_one_array_of_weights_repeat() -> None:
    cell, act = dn.Linear(4, name="cell"), dn.Tanh(name="act")
    assert found(chain([cell, act] * 5)) == [(5, ("cell", "act"))]


def test_blocks_that_share_their_weights_with_somewhere_else_do_not_repeat() -> None:
    layers = [dn.Linear(4) for _ in range(3)]
    tails = []
    for side in ("left", "right"):
        A = dn.Input(4, name=side)
        for layer in layers:
            A = dn.ReLU()(layer(A))
        tails.append(A)
    assert found(Graph.from_nodes(outputs=[dn.Add()(*tails)])) == []


def test_one_activation_object_for_all_layers_is_no_difference() -> None:
    one, other = dn.ReLU(), dn.ReLU()
    graph = chain([op for relu in (one, one, other, other) for op in (dn.Linear(4), relu)])
    assert [count for count, _ in found(graph)] == [4]


def test_a_penalty_on_all_blocks_is_no_difference_but_one_on_some_is() -> None:
    assert found(dn.mlp([5, 4, 3, 2, 1], l2=0.7).graph) == [(3, ("linear1", "relu1"))]
    graph = dn.mlp([5, 4, 3, 2, 1]).graph
    on_first = Vertex("l2", dn.L2(0.7), borrows=(("linear1", "W"),))
    partly = graph.replace(
        vertices=[*graph.vertices.values(), on_first], losses=[*graph.losses, "l2"]
    )
    assert found(partly) == [(3, ("relu1", "linear2"))]


def test_blocks_that_borrow_different_parameters_do_not_repeat() -> None:
    graph = chain([dn.Linear(4), dn.Sigmoid(), dn.ReLU(), dn.ReLU()])
    assert found(graph) == [(2, ("relu1",))]
    borrowing = [
        replace(v, borrows=(("linear1", "W"),)) if v.name == "relu2" else v
        for v in graph.vertices.values()
    ]
    assert found(graph.replace(vertices=borrowing)) == []


def test_repeats_come_in_topological_order() -> None:
    ops = [dn.ReLU(), dn.ReLU(), dn.Sigmoid(), dn.Tanh(), dn.Tanh(), dn.Tanh()]
    assert found(chain(ops)) == [(2, ("relu1",)), (3, ("tanh1",))]


# Properties.

UNARY = [dn.ReLU, dn.Sigmoid, dn.Softplus, dn.ELU]


@st.composite
def blocks(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw a block: for every vertex an op and one more value of the block that it reads."""
    length = draw(st.integers(0, 6))
    return [(draw(st.integers(0, 3)), draw(st.integers(0, i))) for i in range(length)]


def unroll(block: Sequence[tuple[int, int]], times: int) -> Graph:
    """Build the block several times in a row; it ends with a Tanh, which it has nowhere else."""
    A = dn.Input(4, name="X")
    for _ in range(times):
        values = [A]
        for op, other in block:
            A = UNARY[op]()(dn.Add()(values[-1], values[other]))
            values.append(A)
        A = dn.Tanh()(dn.Add()(*values))
    return Graph.from_nodes(outputs=[dn.Softmax()(A)])


@settings(deadline=None)
@given(blocks(), st.integers(2, 6))
def test_a_block_unrolled_is_one_repeat(block: list[tuple[int, int]], times: int) -> None:
    graph = unroll(block, times)
    (repeat,) = find_repeats(graph)
    assert repeat.count == times
    vertices = [name for name in graph if name not in ("X", "softmax1")]
    assert [name for part in repeat.blocks for name in part] == vertices


@settings(deadline=None)
@given(st.data())
def test_whatever_is_found_is_a_repeat(data: st.DataObject) -> None:
    values = [dn.Input(4, name="X"), dn.Input(4, name="Z")]
    for _ in range(data.draw(st.integers(1, 20))):
        recent = st.integers(max(0, len(values) - 3), len(values) - 1)
        read = [values[i] for i in data.draw(st.lists(recent, min_size=1, max_size=2))]
        op = data.draw(st.sampled_from([dn.Add, dn.Concat])) if len(read) > 1 else dn.Linear
        values.append(op(4)(*read) if op is dn.Linear else dn.Linear(4)(op()(*read)))
    graph = Graph.from_nodes(outputs=[values[-1], *data.draw(st.lists(st.sampled_from(values)))])
    seen: set[str] = set()
    for repeat in find_repeats(graph):
        assert repeat.count >= 2
        check_repeat(graph, repeat.blocks)
        names = {name for block in repeat.blocks for name in block}
        assert not names & seen
        seen |= names


def check_repeat(graph: Graph, blocks: Sequence[Sequence[str]]) -> None:
    """Check the definition of a repeat literally."""
    members = [set(block) for block in blocks]
    entries = []
    for block, inside in zip(blocks, members, strict=True):
        (entry,) = {n for name in block for n in graph[name].inputs} - inside
        entries.append(entry)
        for name in block[:-1]:
            assert name not in graph.outputs
            assert {reader for reader, _ in graph.consumers[name]} <= inside
    for before, inside, entry in zip(blocks, members[1:], entries[1:], strict=False):
        assert entry == before[-1]
        assert entry not in graph.outputs
        assert {reader for reader, _ in graph.consumers[entry]} <= inside
    assert len({structure(graph, b, e) for b, e in zip(blocks, entries, strict=True)}) == 1


def structure(graph: Graph, block: Sequence[str], entry: str) -> str:
    place = {entry: -1} | {name: i for i, name in enumerate(block)}
    return repr(
        [
            (replace(v.op, name=None), [place[n] for n in v.inputs])
            for v in (graph[name] for name in block)
        ]
    )


def test_the_checker_of_repeats_rejects_what_is_none() -> None:
    graph = chain([dn.ReLU(), dn.Tanh(), dn.ReLU()])
    with pytest.raises(AssertionError):
        check_repeat(graph, [("relu1",), ("tanh1",)])
    with pytest.raises(AssertionError):
        check_repeat(graph, [("relu1",), ("relu2",)])


@pytest.mark.parametrize(
    "ops",
    [[dn.Softplus, dn.ReLU], [dn.ReLU], [dn.ReLU, dn.Tanh, dn.ReLU, dn.ReLU, dn.Sigmoid]],
)
def test_twice_the_vertices_take_twice_the_calls(ops: list[type[dn.Op]]) -> None:
    def of_chain(length: int) -> int:
        graph = chain(ops[i % len(ops)]() for i in range(length))
        (repeat,), calls = counted(lambda: find_repeats(graph))
        assert repeat.count == length // len(ops)
        return calls

    assert of_chain(4_000) < 2.2 * of_chain(2_000)


def test_so_do_vertices_that_all_depend_on_two_values() -> None:
    def of_ladder(length: int) -> int:
        A, B = dn.Input(4, name="A"), dn.Input(4, name="B")
        for _ in range(length):
            A, B = dn.Add()(A, B), dn.Multiply()(A, B)
        graph = Graph.from_nodes(outputs=[A, B])
        repeats, calls = counted(lambda: found(graph))
        assert repeats == []
        return calls

    assert of_ladder(2_000) < 2.2 * of_ladder(1_000)


def counted(function: Callable[[], Any]) -> tuple[Any, int]:
    """Return what a function returns, and how many calls it makes."""
    calls = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        result = function()
    finally:
        sys.setprofile(None)
    return result, calls


def test_one_vertex_that_reads_ten_thousand_is_no_trouble() -> None:
    X = dn.Input(4, name="X")
    graph = Graph.from_nodes(outputs=[dn.Add()(*[dn.ReLU()(X) for _ in range(10_000)])])
    assert found(graph) == []


# Repeats in repeats.


def nested(graph: Graph) -> list[Any]:
    """Return count, first vertex and inner repeats of every repeat."""

    def tree(repeats: Iterable[Any]) -> list[Any]:
        return [(r.count, r.blocks[0][0], tree(r.inner)) for r in repeats]

    return tree(find_repeats(graph))


def stages(sizes: Sequence[int], scoped: bool) -> Graph:
    """Build stages of residual blocks, as many in each as `sizes` says, with a norm after each."""
    A = dn.Input(4, name="X")
    for s, blocks in enumerate(sizes):
        with dn.scope(f"stage{s}") if scoped else nullcontext():
            for b in range(blocks):
                with dn.scope(f"block{b}") if scoped else nullcontext():
                    A = residual(A)
            A = dn.LayerNorm()(A)
    return Graph.from_nodes(outputs=[dn.Sigmoid()(A)])


@pytest.mark.parametrize("scoped", [True, False])
def test_repeats_within_a_block_are_found(scoped: bool) -> None:
    graph = stages([4, 4, 4], scoped)
    assert nested(graph) == [(3, "linear1", [(4, "linear1", [])])]
    (outer,) = find_repeats(graph)
    (inner,) = outer.inner
    assert [name for block in inner.blocks for name in block] == list(outer.blocks[0][:-1])


def test_stages_of_different_lengths_do_not_repeat_but_their_blocks_do() -> None:
    assert nested(stages([4, 2, 3], scoped=True)) == [
        (4, "linear1", []),
        (2, "linear5", []),
        (3, "linear7", []),
    ]


def test_a_repeat_three_levels_deep() -> None:
    A = dn.Input(4, name="X")
    for _ in range(2):
        for _ in range(3):
            B = A
            for _ in range(5):
                B = dn.ReLU()(dn.Linear(4)(B))
            A = dn.Add()(A, B)
        A = dn.Tanh()(A)
    assert nested(Graph.from_nodes(outputs=[A])) == [
        (2, "linear1", [(3, "linear1", [(5, "linear1", [])])])
    ]


# Scopes.


def layers(A: dn.Node, names: Iterable[str], each: int = 1) -> dn.Node:
    for name in names:
        with dn.scope(name):
            for _ in range(each):
                A = dn.ReLU()(dn.Linear(4)(A))
    return A


@pytest.mark.parametrize(
    ("names", "each", "expected"),
    [
        (["block0", "block1", "block2"], 1, [(3, "linear1", [])]),
        (["block", "block", "block"], 1, [(3, "linear1", [])]),
        (["layer.1", "layer.2"], 3, [(2, "linear1", [(3, "linear1", [])])]),
        (["encoder", "decoder"], 1, []),
        (["encoder", "decoder"], 2, [(2, "linear1", []), (2, "linear3", [])]),
        (["a1", "a2", "b1", "b2"], 1, [(2, "linear1", []), (2, "linear3", [])]),
    ],
)
def test_scopes_repeat_as_a_whole_if_their_names_differ_in_numbers_only(
    names: list[str], each: int, expected: list[Any]
) -> None:
    graph = Graph.from_nodes(outputs=[dn.Sigmoid()(layers(dn.Input(4, name="X"), names, each))])
    assert nested(graph) == expected


def test_a_repeat_does_not_cross_the_border_of_a_scope() -> None:
    A = layers(dn.Input(4, name="X"), ["part1"], each=3)
    A = layers(A, ["part2"], each=5)
    assert found(Graph.from_nodes(outputs=[A])) == [
        (3, ("linear1", "relu1")),
        (5, ("linear4", "relu4")),
    ]


def test_scopes_inside_a_block_must_have_the_same_borders() -> None:
    def block(A: dn.Node, first: int) -> dn.Node:
        for name, number in (("front", first), ("back", 3 - first)):
            with dn.scope(name):
                for _ in range(number):
                    A = dn.ReLU()(A)
        return dn.Tanh()(A)

    def graph(*firsts: int) -> Graph:
        A = dn.Input(4, name="X")
        for i, first in enumerate(firsts):
            with dn.scope(f"block{i}"):
                A = block(A, first)
        return Graph.from_nodes(outputs=[A])

    assert [count for count, _, _ in nested(graph(1, 1, 1))] == [3]
    assert [count for count, _, _ in nested(graph(1, 2))] == [2, 2]  # of relus, in back and front


def test_blocks_with_a_scope_in_one_of_them_only_do_not_repeat() -> None:
    A = dn.Input(4, name="X")
    for scoped in (True, False):
        with dn.scope("branch") if scoped else nullcontext():
            B = dn.ReLU()(dn.Linear(4)(A))
        A = dn.Add()(A, B)
    assert found(Graph.from_nodes(outputs=[A])) == []


def test_blocks_that_hold_only_a_part_of_a_scope_do_not_repeat() -> None:
    def network(side: bool) -> Graph:
        A = X = dn.Input(4, name="X")
        for _ in range(2):
            with dn.scope("branch"):
                B = dn.ReLU()(dn.Linear(4)(A))
                other = dn.Tanh()(X)
            A = dn.Add()(A, B)
        return Graph.from_nodes(outputs=[A, other] if side else [A])

    assert [count for count, _ in found(network(side=False))] == [2]
    assert found(network(side=True)) == []
