"""Graphs are aligned by structure: just what was added, removed, changed or renamed is found."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from random_networks import fewer, networks

import dagnet as dn
from dagnet.debug.diff import align as align_module
from dagnet.debug.diff.align import align
from dagnet.debug.diff.changes import changes
from dagnet.debug.diff.sequence import heaviest_alignment


def chain(*layers, inputs=5):
    """Return the graph of ops in a row, each given with its name, that ends in a loss."""
    value = dn.Input(inputs, name="X")
    for op, name in layers:
        value = op(value, name=name)
    return dn.Graph.from_nodes([dn.MeanSquaredError(name="cost")(value, dn.Input(1, name="Y"))])


def encoder(*extra, names="enc1 a1 enc2 a2 head"):
    """Return three layers, with further ones after the first activation."""
    enc1, a1, enc2, a2, head = names.split()
    first = [(dn.Linear(7), enc1), (dn.ReLU(), a1)]
    return chain(*first, *extra, (dn.Linear(7), enc2), (dn.ReLU(), a2), (dn.Linear(1), head))


def what(alignment):
    return {change.node: change.what for change in changes(alignment)}


def assert_only(alignment, added=(), removed=(), changed=None, renamed=None):
    assert alignment.added == tuple(added)
    assert alignment.removed == tuple(removed)
    assert what(alignment) == (changed or {})
    assert alignment.renamed == (renamed or {})


def test_a_graph_is_itself():
    assert_only(align(encoder(), encoder()))


@pytest.mark.parametrize(
    "extra",
    [
        [(dn.Dropout(0.2), "drop")],
        [(dn.Linear(7), "more")],
        [(dn.Linear(7), "more"), (dn.ReLU(), "a_more")],  # just like the layers around it
        [(dn.Linear(9), "more"), (dn.Tanh(), "a_more"), (dn.LayerNorm(), "norm")],
    ],
)
def test_inserted_and_removed_layers(extra):
    names = [name for _, name in extra]
    assert_only(align(encoder(), encoder(*extra)), added=names)
    assert_only(align(encoder(*extra), encoder()), removed=names)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_inserting_into_numbered_layers_shifts_no_counterpart(place):
    sizes = [5, 7, 3, 2, 1]
    more = [*sizes[: place + 1], 11, *sizes[place + 1 :]]
    alignment = align(dn.mlp(sizes).graph, dn.mlp(more).graph)
    assert alignment.added == (f"linear{place + 1}", f"relu{place + 1}")
    assert alignment.removed == ()
    assert what(alignment) == {}
    for k in range(1, 5):
        assert alignment.image[f"linear{k}"] == f"linear{k + (k > place)}"
    assert alignment.image["cost"] == "cost"
    assert alignment.image["sigmoid4"] == "sigmoid5"


def test_renamed_nodes():
    alignment = align(encoder(), encoder(names="in1 r1 in2 r2 out"))
    renamed = {"enc1": "in1", "a1": "r1", "enc2": "in2", "a2": "r2", "head": "out"}
    assert_only(alignment, renamed=renamed)


def test_a_name_that_moved_with_its_layer():
    """The op and what surrounds it say which layer it is; a name alone says nothing."""
    a = chain((dn.Linear(7), "p"), (dn.ReLU(), "q"), (dn.Linear(1), "r"))
    b = chain((dn.Linear(7), "r"), (dn.ReLU(), "p"), (dn.Dropout(0.1), "q"), (dn.Linear(1), "s"))
    assert_only(align(a, b), added=["q"], renamed={"p": "r", "q": "p", "r": "s"})


def test_twins_whose_activations_were_numbered_the_other_way_round():
    def network(*order):
        X, linears = dn.Input(5, name="X"), {}
        for name in order:
            linears[name] = dn.ReLU()(dn.Linear(3, name=name)(X))
        end = dn.Linear(1, name="end")(dn.Concat(name="all")(linears["p"], linears["q"]))
        return dn.Graph.from_nodes([dn.MeanSquaredError(name="J")(end, dn.Input(1, name="Y"))])

    renamed = {"relu1": "relu2", "relu2": "relu1"}
    assert_only(align(network("p", "q"), network("q", "p")), renamed=renamed)


def test_names_that_went_to_other_layers():
    """Two names swapped: the structure knows better."""
    a = chain((dn.Linear(7), "p"), (dn.Tanh(), "t"), (dn.Linear(3), "q"), (dn.Linear(1), "z"))
    b = chain((dn.Linear(7), "q"), (dn.Tanh(), "t"), (dn.Linear(3), "p"), (dn.Linear(1), "z"))
    assert_only(align(a, b), renamed={"p": "q", "q": "p"})


def test_changes_of_ops_sizes_and_options():
    def network(units, activation, slope, rate):
        return chain(
            (dn.Linear(units), "hidden"),
            (activation(), "act"),
            (dn.Linear(3), "last"),
            (dn.LeakyReLU(slope), "leak"),
            (dn.Dropout(rate), "drop"),
            (dn.Linear(1), "out"),
        )

    alignment = align(network(7, dn.ReLU, 0.1, 0.5), network(11, dn.Tanh, 0.3, 0.5))
    changed = {
        "hidden": ("units 7 -> 11",),
        "act": ("ReLU -> Tanh",),
        "leak": ("slope 0.1 -> 0.3",),
    }
    assert_only(alignment, changed=changed)


def test_a_changed_shape_reads_as_shapes_do():
    alignment = align(dn.mlp([5, 1]).graph, dn.mlp([11, 1]).graph)
    assert what(alignment)["X"] == ("shape (5, m) -> (11, m)",)


def test_every_width_changed():
    alignment = align(dn.mlp([5, 7, 3, 1]).graph, dn.mlp([11, 8, 4, 2]).graph)
    assert alignment.added == alignment.removed == ()
    assert list(what(alignment)) == ["X", "Y", "linear1", "linear2", "linear3"]


def test_several_edits_at_once():
    """An insertion at the front, a change in the middle and a removal at the end."""
    a = chain(
        (dn.Linear(7), "a"), (dn.ReLU(), "b"), (dn.Linear(3), "c"),
        (dn.Tanh(), "d"), (dn.Softplus(), "e"), (dn.Linear(1), "f"),
    )  # fmt: skip
    b = chain(
        (dn.LayerNorm(), "g"), (dn.Linear(7), "h"), (dn.ReLU(), "i"), (dn.Linear(4), "j"),
        (dn.Tanh(), "k"), (dn.Linear(1), "l"),
    )  # fmt: skip
    alignment = align(a, b)
    renamed = dict(zip("abcdf", "hijkl", strict=True))
    assert_only(alignment, ["g"], ["e"], {"c": ("units 3 -> 4",)}, renamed)


def test_names_decide_between_equal_ops():
    a = chain((dn.Linear(4), "u"), (dn.Linear(7), "p"), (dn.Linear(5), "w"), (dn.Linear(1), "z"))
    b = chain(
        (dn.Linear(3), "u"), (dn.Linear(7), "q"), (dn.Linear(7), "p"), (dn.Linear(6), "w"),
        (dn.Linear(1), "z"),
    )  # fmt: skip
    assert_only(align(a, b), added=["q"], changed={"u": ("units 4 -> 3",), "w": ("units 5 -> 6",)})


def joined(units=7, join=dn.Add, more_in_j=False, more_in_m=False):
    """Return two layers p and q that meet in j and in m, with room for further connections."""
    X = dn.Input(5, name="X")
    p, q = dn.Linear(units, name="p")(X), dn.Linear(3, name="q")(X)
    j = dn.Concat(name="j")(q, X, *([p] if more_in_j else []))
    ends = [dn.Linear(2, name=f"end_{n.name}")(n) for n in (p, j, *([q] if more_in_m else []))]
    guess = dn.Linear(1, name="guess")(join(name="m")(*ends))
    return dn.Graph.from_nodes([dn.MeanSquaredError(name="J")(guess, dn.Input(1, name="Y"))])


def test_a_changed_layer_that_is_read_once_more():
    changed = {"p": ("units 7 -> 6",), "j": ("2 inputs -> 3",)}
    assert_only(align(joined(), joined(units=6, more_in_j=True)), changed=changed)


def test_a_changed_join_that_reads_one_more():
    alignment = align(joined(), joined(join=dn.Multiply, more_in_m=True))
    changed = {"m": ("Add -> Multiply", "2 inputs -> 3")}
    assert_only(alignment, added=["end_q"], changed=changed)


def branches(*order, edit=None):
    """Return two branches of different depth from X that are joined, defined in some order."""
    X, tips = dn.Input(5, name="X"), {}
    for branch in order:
        if branch == "deep":
            h = dn.ReLU()(dn.Linear(3)(X))
            if edit is not None:
                h = edit(h)
            tips[branch] = dn.Linear(3)(h)
        else:
            tips[branch] = dn.Tanh()(dn.Linear(3)(X))
    joined = dn.Add(name="join")(tips["deep"], tips["flat"])
    loss = dn.MeanSquaredError(name="cost")(dn.Linear(1, name="end")(joined), dn.Input(1, name="Y"))
    return dn.Graph.from_nodes([loss])


def test_branches_defined_in_another_order():
    """Automatic names now mean other nodes; nothing has changed."""
    alignment = align(branches("deep", "flat"), branches("flat", "deep"))
    renamed = {"linear1": "linear2", "linear2": "linear3", "linear3": "linear1"}
    assert_only(alignment, renamed=renamed)


def three_branches(*order, end=(), depth=1):
    """Return three branches that begin alike, defined in some order, and unlike only after that."""
    X, tips = dn.Input(5, name="X"), {}
    for width in order:
        h = X
        for _ in range(depth):
            h = dn.ReLU()(dn.Linear(3)(h))
        tips[width] = dn.Linear(width)(h)
    value = dn.Concat(name="all")(*(tips[width] for width in sorted(tips)))
    for op in end:
        value = op(value)
    loss = dn.MeanSquaredError(name="cost")(dn.Linear(1, name="end")(value), dn.Input(1, name="Y"))
    return dn.Graph.from_nodes([loss])


@pytest.mark.parametrize(
    ("depth", "end"), [(1, []), (1, [dn.Tanh(name="more")]), (4, [])], ids=["", "edited", "deep"]
)
def test_long_branches_defined_in_another_order(depth, end):
    a = three_branches(2, 4, 7, depth=depth)
    b = three_branches(7, 2, 4, depth=depth, end=end)
    alignment = align(a, b)
    assert what(alignment) == {}
    assert alignment.removed == ()
    assert alignment.added == tuple(op.name for op in end)


def test_an_edit_in_one_branch():
    a, b = branches("deep", "flat"), branches("deep", "flat", edit=dn.Dropout(0.1, name="drop"))
    assert_only(align(a, b), added=["drop"])
    assert_only(align(b, a), removed=["drop"])


def test_a_branch_added_to_a_join():
    def network(*names):
        X = dn.Input(5, name="X")
        parts = [dn.Linear(3, name=name)(X) for name in names]
        end = dn.Linear(1, name="end")(dn.Concat(name="all")(*parts))
        return dn.Graph.from_nodes([dn.MeanSquaredError(name="J")(end, dn.Input(1, name="Y"))])

    alignment = align(network("p", "q"), network("p", "q", "r"))
    assert_only(alignment, added=["r"], changed={"all": ("2 inputs -> 3",)})


def test_twins_with_other_names_stay_together():
    """Two branches alike: each node is paired with one of the same branch."""

    def network(names):
        X, tips = dn.Input(5, name="X"), []
        for linear, relu in names:
            tips.append(dn.ReLU(name=relu)(dn.Linear(3, name=linear)(X)))
        end = dn.Linear(1, name="end")(dn.Add(name="sum")(*tips))
        return dn.Graph.from_nodes([dn.MeanSquaredError(name="J")(end, dn.Input(1, name="Y"))])

    image = align(network(["ab", "cd"]), network(["ef", "gh"])).image
    assert {(image["a"], image["b"]), (image["c"], image["d"])} == {("e", "f"), ("g", "h")}


def test_wiring_and_sharing_and_roles():
    def network(rewired=False, shared=False, lent=False):
        X = dn.Input(3, name="X")
        first = dn.Linear(3, name="first")
        h = first(X)
        second = first(h, name="second") if shared else dn.Linear(3, name="second")(h)
        joined = dn.Multiply(name="gate")(second, X if rewired else h)
        end = dn.Linear(1, name="end")(joined)
        loss = dn.MeanSquaredError(name="J")(end, dn.Input(1, name="Y"))
        return dn.Graph.from_nodes([loss], [h] if lent else [end])

    a = network()
    assert what(align(a, network(rewired=True))) == {"gate": ("input 1 from first -> X",)}
    assert what(align(a, network(shared=True))) == {
        "second": ("parameters of its own -> of first",)
    }
    assert what(align(network(shared=True), network(shared=True))) == {}
    assert what(align(a, network(lent=True))) == {
        "first": ("neither -> an output",),
        "end": ("an output -> neither",),
    }


def test_an_activation_used_twice_shares_nothing():
    def network(relus):
        return chain(
            (dn.Linear(3), "p"), (relus[0], "q"), (dn.Linear(3), "r"), (relus[1], "s"),
            (dn.Linear(1), "t"),
        )  # fmt: skip

    relu = dn.ReLU()
    assert_only(align(network([relu, relu]), network([dn.ReLU(), dn.ReLU()])))


def test_penalties():
    a, b = (dn.mlp([5, 3, 1], l2=l2).graph for l2 in (0.1, 0.2))
    assert what(align(a, b)) == {"l2": ("strength 0.1 -> 0.2",)}
    alignment = align(a, dn.mlp([5, 7, 3, 1], l2=0.1).graph)
    assert_only(
        alignment,
        ["linear1", "relu1"],
        renamed={"linear1": "linear2", "relu1": "relu2", "linear2": "linear3",
                 "sigmoid2": "sigmoid3"},
    )  # fmt: skip


def test_nothing_in_common():
    a = dn.Graph.from_nodes(outputs=[dn.ReLU(name="r")(dn.Input(5, name="X"))])
    b = dn.Graph.from_nodes(outputs=[dn.Linear(3, name="r")(dn.Input(5, name="U"))])
    alignment = align(a, b)
    assert alignment.removed == alignment.added == ("r",)
    assert alignment.image == {"X": "U"}


def test_large_graphs_are_aligned_without_recursion():
    a, b = dn.mlp([3] * 801 + [1]).graph, dn.mlp([3] * 400 + [4] + [3] * 401 + [1]).graph
    alignment = align(a, b)
    assert alignment.removed == ()
    assert len(alignment.added) == 2
    assert "linear400" in alignment.added
    assert what(alignment) == {}


def test_a_gap_too_large_to_weigh_is_aligned_by_names(monkeypatch):
    monkeypatch.setattr("dagnet.debug.diff.align.MOST_WEIGHED", 0)
    a, b = dn.mlp([5, 7, 3, 1]).graph, dn.mlp([5, 8, 4, 1], hidden="tanh").graph
    image = align(a, b).image
    assert image["linear2"] == "linear2"
    assert "relu1" not in image


@pytest.mark.parametrize("seed", range(5))
def test_the_heaviest_alignment_is_the_heaviest(seed):
    """Against the recursion over all subsequences."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 5, (5, 6)) * rng.integers(0, 2, (5, 6))

    def best(i, j):
        if i == len(weights) or j == weights.shape[1]:
            return 0
        return max(best(i + 1, j), best(i, j + 1), weights[i, j] + best(i + 1, j + 1))

    pairs = heaviest_alignment(weights.__getitem__, *weights.shape)
    assert sum(weights[pair] for pair in pairs) == best(0, 0)
    assert all(weights[pair] for pair in pairs)
    assert all(p[0] < q[0] and p[1] < q[1] for p, q in pairwise(pairs))


@fewer
@given(networks(), networks())
def test_any_two_graphs_are_aligned_one_to_one(one, other):
    a, b = one.graph(), other.graph()
    alignment = align(a, b)
    assert len(set(alignment.image.values())) == len(alignment.image)
    assert len(alignment.image) + len(alignment.removed) == len(a)
    assert len(alignment.image) + len(alignment.added) == len(b)
    for name, counterpart in alignment.image.items():
        assert a.vertices[name].op.kind == b.vertices[counterpart].op.kind
    assert_only(align(a, a.replace()))


def star(branches: int) -> dn.Graph:
    """Equal branches from one input, each to a loss of its own."""
    x, y = dn.Input(3, name="x"), dn.Input(2, name="y")
    return dn.Graph.from_nodes([dn.MeanSquaredError()(dn.Linear(2)(x), y) for _ in range(branches)])


def test_equal_branches_are_paired_by_name_without_comparing_each_with_each(monkeypatch):
    comparisons = []
    likeness = align_module._Aligner._likeness

    def counted(aligner, name, other):
        comparisons[-1] += 1
        return likeness(aligner, name, other)

    monkeypatch.setattr(align_module._Aligner, "_likeness", counted)
    for branches in (40, 80):
        comparisons.append(0)
        graph = star(branches)
        alignment = align(graph, star(branches))
        assert alignment.image == {name: name for name in graph}
    assert comparisons[1] <= 2.2 * comparisons[0]
