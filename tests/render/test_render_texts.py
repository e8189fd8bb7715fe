"""What boxes say."""

from hypothesis import example, given
from hypothesis import strategies as st
from render_helpers import chain, lesson, residual, two_branches

import dagnet as dn
from dagnet.graph import Graph, Vertex
from dagnet.render.compose import compose
from dagnet.render.describe import key_of
from dagnet.render.drawing import Box
from dagnet.render.text import LONGEST_NAME, is_wide, shortened, text_width
from dagnet.text import printable


def boxes(network: Graph | dn.Model, *, fold: bool = True) -> dict[str, Box]:
    graph = network.graph if isinstance(network, dn.Model) else network
    return {box.key: box for box in compose(graph, fold=fold).boxes}


def texts(box: Box) -> list[str]:
    return [line.text for line in box.lines]


def test_the_folded_layers_of_the_lesson_say_what_repeats_how_often_and_how_sizes_run() -> None:
    box = boxes(lesson())["linear1~relu3"]
    assert texts(box) == [
        "[LINEAR → RELU] × 3",
        "12288 → 20 → 7 → 5",
        "linear1 … relu3",
        f"{20 * 12288 + 20 + 7 * 20 + 7 + 5 * 7 + 5:,} parameters",
    ]
    assert box.kind == "repeat"
    assert box.names == ("linear1", "relu1", "linear2", "relu2", "linear3", "relu3")
    for name in box.names:
        assert name in box.tooltip


def test_a_vertex_says_its_op_its_name_its_shape_and_its_parameters() -> None:
    assert texts(boxes(lesson())["linear4"]) == [
        "LINEAR",
        "linear4",
        "W (1, 5)   b (1, 1)",
        "6 parameters",
    ]


def test_everything_is_drawn_without_folding() -> None:
    model = lesson()
    drawn = boxes(model, fold=False)
    assert sorted(drawn) == sorted(model.graph)
    assert texts(drawn["linear1"])[2:] == ["W (20, 12288)   b (20, 1)", "245,780 parameters"]


def test_a_box_counts_every_parameter_once() -> None:
    model = lesson()
    total = sum(array.size for arrays in model.params.values() for array in arrays.values())
    for fold in (True, False):
        counted = [
            int(text.split()[0].replace(",", ""))
            for box in boxes(model, fold=fold).values()
            for text in texts(box)
            if text.endswith(("parameter", "parameters"))
        ]
        assert sum(counted) == total


def test_inputs_targets_and_outputs_are_told_apart() -> None:
    drawn = boxes(lesson())
    assert texts(drawn["X"]) == ["X", "input"]
    assert texts(drawn["Y"]) == ["Y", "target"]
    assert texts(drawn["sigmoid4"]) == ["SIGMOID", "sigmoid4 · output"]
    assert {key for key, box in drawn.items() if box.training} == {"Y", "cost"}
    assert {key for key, box in drawn.items() if box.output} == {"sigmoid4"}


def test_a_network_without_outputs_has_a_loss_that_only_training_needs() -> None:
    X, Y = dn.Input(3, name="X"), dn.Input(1, name="Y")
    loss = dn.MeanSquaredError(name="cost")(dn.Linear(1, name="line")(X), Y)
    drawn = boxes(Graph.from_nodes([loss]))
    assert {key for key, box in drawn.items() if box.training} == {"cost"}


def test_shared_weights_are_said_to_be_and_count_once() -> None:
    drawn = boxes(two_branches(), fold=False)
    assert texts(drawn["encoder"])[-1] == "42 parameters"
    assert texts(drawn["encoder_2"])[-1] == "shared with encoder"


def test_a_block_with_the_same_weights_every_time_counts_them_once() -> None:
    cell, act = dn.Linear(4, name="cell"), dn.Tanh(name="act")
    (_, box) = boxes(chain(cell, act, cell, act, cell, act)).values()
    assert texts(box)[0] == "[LINEAR → TANH] × 3"
    assert texts(box)[1] == "4 throughout · output"
    assert texts(box)[-1] == "20 parameters, shared by all blocks"


def test_a_repeat_of_shared_weights_counts_none_of_them() -> None:
    cell = dn.Linear(4, name="cell")
    A = dn.Tanh(name="first")(cell(dn.Input(4, name="X")))
    for _ in range(2):
        A = dn.ReLU()(cell(A))
    drawn = boxes(Graph.from_nodes(outputs=[A]))
    (folded,) = (box for box in drawn.values() if box.kind == "repeat")
    assert texts(folded)[-1] == "parameters shared with cell"


def test_a_group_shows_its_columns_and_counts_all_blocks() -> None:
    drawing = compose(residual().graph)
    (group,) = drawing.groups
    assert [line.text for line in group.lines] == ["× 4", "7 throughout", "224 parameters"]
    inside = [box for box in drawing.boxes if box.group == group.key]
    assert [box.kind for box in inside] == ["entry", "linear", "activation", "join"]
    assert texts(inside[1]) == [
        "LINEAR",
        "linear1 … linear4",
        "W (7, 7)   b (7, 1)",
        "224 parameters",
    ]
    assert texts(inside[3]) == ["+"]
    assert group.entry == "stem"


def test_sizes_that_run_through_a_group_are_shown_where_they_change() -> None:
    A = dn.Input(5, name="X")
    for size in (7, 3):
        A = dn.Add()(dn.ReLU()(dn.Linear(size)(A)), dn.Linear(size)(A))
    drawing = compose(Graph.from_nodes(outputs=[A]))
    (group,) = drawing.groups
    assert group.lines[1].text == "5 → 7 → 3"
    linear = next(box for box in drawing.boxes if box.kind == "linear")
    assert texts(linear)[1:] == [
        "linear1 … linear3",
        "W (7, 5) → (3, 7)   b (7, 1) → (3, 1)",
        "66 parameters",
    ]


def test_hyperparameters_are_shown_unless_they_are_sizes_or_usual() -> None:
    graph = chain(dn.Dropout(0.2, name="d"), dn.LeakyReLU(0.3, name="l"), dn.Linear(4, name="w"))
    drawn = boxes(graph)
    assert texts(drawn["d"]) == ["DROPOUT", "d", "rate = 0.2"]
    assert texts(drawn["l"])[2:] == ["slope = 0.3"]
    assert not any("=" in text for text in texts(drawn["w"]))
    folded = boxes(chain(*[op for _ in range(2) for op in (dn.ReLU(), dn.Dropout(0.25))]))
    assert "DROPOUT: rate = 0.25" in texts(folded["relu1~dropout2"])


def test_a_long_run_of_sizes_leaves_out_the_middle() -> None:
    box = boxes(dn.mlp([*range(30, 10, -1), 1]))["linear1~relu19"]
    assert texts(box)[1] == "30 → 29 → 28 → … → 13 → 12 → 11"
    assert len(box.tooltip) < 2000


def test_a_long_block_has_its_title_in_several_lines_that_end_with_arrows() -> None:
    ops = [dn.BatchNorm, dn.Softplus, dn.LeakyReLU, dn.Sigmoid, dn.ELU, dn.Tanh]
    box = boxes(chain(*[op() for _ in range(3) for op in ops]))["batchnorm1~tanh3"]
    title = [line.text for line in box.lines if line.role == "title"]
    assert len(title) == 2
    assert title[0].endswith("→")
    assert " ".join(title) == ("[BATCH NORM → SOFTPLUS → LEAKYRELU → SIGMOID → ELU → TANH] × 3")


def test_the_name_of_an_op_is_not_broken_over_lines() -> None:
    ops = [dn.Sigmoid, dn.Softplus, dn.LeakyReLU, dn.Tanh, dn.BatchNorm]
    box = boxes(chain(*[op() for _ in range(2) for op in ops]))["sigmoid1~batchnorm2"]
    assert [line.text for line in box.lines if line.role == "title"] == [
        "[SIGMOID → SOFTPLUS → LEAKYRELU → TANH →",
        "BATCH NORM] × 2",
    ]


def test_tooltips_of_a_hundred_blocks_list_the_first() -> None:
    chain_of = compose(dn.mlp([4] * 101).graph)
    group_of = compose(residual(100).graph)
    for tooltip in [part.tooltip for part in (*chain_of.boxes, *group_of.boxes, *group_of.groups)]:
        assert len(tooltip.split("\n")) < 25


def test_a_penalty_says_what_it_reads() -> None:
    drawing = compose(lesson(l2=0.7).graph)
    (penalty,) = (box for box in drawing.boxes if box.kind == "penalty")
    assert texts(penalty) == ["L2", "l2", "strength = 0.7", "of 4 parameter arrays"]
    arrows = [arrow for arrow in drawing.arrows if arrow.kind == "penalty"]
    assert [(a.tail, a.head) for a in arrows] == [("linear1~relu3", "l2"), ("linear4", "l2")]
    assert "linear1.W, linear2.W, linear3.W → l2" in arrows[0].tooltip


def test_a_penalty_on_weights_of_no_vertex_here_is_drawn_without_them() -> None:
    graph = lesson().graph
    penalty = Vertex("l2", dn.L2(0.7), borrows=(("gone", "W"), ("linear4", "W")))
    more = graph.replace(vertices=[*graph.vertices.values(), penalty], losses=["cost", "l2"])
    arrows = [arrow for arrow in compose(more).arrows if arrow.kind == "penalty"]
    assert [arrow.tail for arrow in arrows] == ["linear4"]


def test_tooltips_say_everything() -> None:
    tooltip = boxes(lesson())["linear4"].tooltip
    assert set(tooltip.split("\n")) >= {
        "Linear: Z = W A_prev + b",
        "units = 1",
        "input 0: relu3 (5, m)",
        "output: (1, m)",
        "W (1, 5)   b (1, 1)",
        "6 parameters",
    }


def test_tooltips_name_the_users_line_without_its_directory() -> None:
    X = dn.Input(3, name="X")
    tooltip = boxes(Graph.from_nodes(outputs=[X]))["X"].tooltip
    assert tooltip.startswith("X (test_render_texts.py:")


# Arrows.


def test_every_slot_has_an_arrow_without_folding() -> None:
    graph = two_branches().graph
    arrows = [a for a in compose(graph, fold=False).arrows if a.kind != "shared"]
    drawn = [(a.tail, a.head) for a in arrows]
    assert sorted(drawn) == sorted((n, v.name) for v in graph.vertices.values() for n in v.inputs)


def test_a_value_read_twice_has_two_arrows() -> None:
    A = dn.ReLU(name="a")(dn.Input(3, name="X"))
    arrows = compose(Graph.from_nodes(outputs=[dn.Add(name="sum")(A, A)])).arrows
    assert [a.key for a in arrows] == ["X~a~0", "a~sum~0", "a~sum~1"]


def test_arrows_that_only_training_needs_are_marked() -> None:
    kinds = {a.key: a.kind for a in compose(lesson().graph).arrows}
    assert kinds == {
        "X~linear1~relu3~0": "value",
        "linear1~relu3~linear4~0": "value",
        "linear4~sigmoid4~0": "value",
        "sigmoid4~cost~0": "training",
        "Y~cost~1": "training",
    }


def test_a_group_has_one_arrow_in_and_one_out() -> None:
    drawing = compose(residual().graph)
    inside = {box.key for box in drawing.boxes if box.group}
    ways_in = [a for a in drawing.arrows if a.head in inside and a.tail not in inside]
    ways_out = [a for a in drawing.arrows if a.tail in inside and a.head not in inside]
    assert [(a.tail, a.into) for a in ways_in] == [("stem", drawing.groups[0].key)]
    assert [(a.tail, a.head) for a in ways_out] == [("add1~add4", "head")]
    entry = ways_in[0].head
    linear, relu, add = "linear1~linear4", "relu1~relu4", "add1~add4"
    assert [(a.tail, a.head) for a in drawing.arrows if a.tail in inside] == [
        (entry, linear),
        (linear, relu),
        (entry, add),
        (relu, add),
        (add, "head"),
    ]


def test_folded_or_not_a_drawing_has_every_vertex_in_one_box() -> None:
    for model in (lesson(), residual(), two_branches(), lesson(l2=0.1)):
        for fold in (True, False):
            drawing = compose(model.graph, fold=fold)
            names = [name for box in drawing.boxes for name in box.names]
            assert sorted(names) == sorted(model.graph)
            keys = [box.key for box in drawing.boxes]
            assert len(set(keys)) == len(keys)
            assert {end for a in drawing.arrows for end in (a.tail, a.head)} <= set(keys)


def test_an_empty_graph_has_an_empty_drawing() -> None:
    drawing = compose(Graph([]))
    assert (drawing.boxes, drawing.groups, drawing.arrows) == ((), (), ())


# Letters.


@given(st.lists(st.text(min_size=1), min_size=1), st.lists(st.text(min_size=1), min_size=1))
@example(["☃"], ["&03"])
@example(["a~b"], ["a", "b"])
def test_keys_are_unique_and_harmless(a: list[str], b: list[str]) -> None:
    assert (key_of(*a) == key_of(*b)) == (a == b)
    assert not set(key_of(*a)) & set("<>&\"'\\:;%|{}[] \t\n")


def test_a_long_name_is_cut_in_the_middle() -> None:
    assert shortened("a" * LONGEST_NAME) == "a" * LONGEST_NAME
    assert shortened("abcdefghijk", 5) == "ab…jk"
    assert shortened("隐藏层线性变换", 9) == "隐藏…变换"
    (box,) = boxes(Graph.from_nodes(outputs=[dn.Input(3, name="x" * 500)])).values()
    assert len(box.lines[0].text) < 50
    assert "x" * 500 in box.tooltip


def test_control_characters_become_visible() -> None:
    assert printable("\0\x1b[31m\x7f\x85\ud800\uffff") == "␀␛[31m" + "\ufffd" * 4
    assert printable("隐藏 ☃ 😀") == "隐藏 ☃ 😀"


def test_chinese_is_as_wide_as_high() -> None:
    assert text_width("隐藏层") == text_width("隐藏层", bold=True) == 3
    assert is_wide("隐")
    assert not is_wide("W")
    assert text_width("LINEAR", bold=True) > text_width("LINEAR") > 3
