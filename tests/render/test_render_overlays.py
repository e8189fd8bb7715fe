"""Overlays: the numbers are those of the run, and the drawing says them."""

import pickle
from math import inf, nan

import numpy as np
import pytest
from render_helpers import (
    elements,
    feeds_of,
    lesson,
    nodes,
    residual,
    run,
    staged,
    text_of,
    two_branches,
)

import dagnet as dn
from dagnet.debug.alerts import Alert
from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from dagnet.profiling import Limits, NodeProfile, Profile
from dagnet.render import MEASURES, Overlay, draw, style, to_dot, to_svg
from dagnet.render.drawing import Box
from dagnet.render.measures import measured
from dagnet.render.quantities import quantity


@pytest.fixture
def ideal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is faster than any, so that nothing of it is measured."""
    limits = Limits(flops=1e15, bytes=((1, 1e15),), call=1e-9)
    monkeypatch.setattr("dagnet.profiling.timing.measured", lambda dtype: limits)


def values(name: str, model: dn.Model) -> dict[str, float]:
    return dict(measured(name, model.graph, model).values)


def numbers(box: Box) -> list[str]:
    return [line.text for line in box.lines if line.role == "value"]


def boxes(network: dn.Model | dn.Graph, **options: object) -> dict[str, Box]:
    return {box.key: box for box in draw(network, **options).boxes}  # type: ignore[arg-type]


# What is measured.


def test_parameters_count_each_array_once() -> None:
    model = two_branches()
    counted = values("parameters", model)
    assert counted["encoder"] == 5 * 7 + 7
    assert "encoder_2" not in counted
    assert sum(counted.values()) == model.store.data.size


def test_flops_are_those_of_the_examples_of_the_run() -> None:
    model = residual()
    one = values("flops", model)
    assert one["relu1"] == 7
    many = values("flops", run(model))
    assert many["relu1"] == 7 * 11
    assert many["stem"] == model.graph["stem"].op.flops((5, 11))
    assert "X" not in many


def test_statistics_of_outputs_are_numpy_s() -> None:
    model = run(residual())
    of = {name: values(name, model) for name in ("mean", "std", "max", "zeros")}
    for name, record in model.cache.items():
        A = record.output
        assert of["mean"][name] == pytest.approx(A.mean())
        assert of["std"][name] == pytest.approx(A.std())
        assert of["max"][name] == np.abs(A).max()
        assert of["zeros"][name] == np.mean(A == 0)


def test_gradient_norms_are_numpy_s_and_only_where_gradients_flow() -> None:
    model = run(residual())
    norms = values("grad_norm", model)
    for name, norm in norms.items():
        assert norm == pytest.approx(np.linalg.norm(model.cache[name].grad_output))
    assert set(model.graph) - set(norms) == {"X", "Y"}


def test_the_update_ratio_is_the_learning_rate_times_the_gradient_by_the_weights() -> None:
    model = residual()
    before = model.get_params()
    model.train_step(feeds_of(model), dn.SGD(0.25), keep="all")
    ratios = values("update_ratio", model)
    assert set(ratios) == set(model.params)
    for name, ratio in ratios.items():
        old = np.concatenate([a.ravel() for a in before[name].values()])
        grads = model.cache[name].grad_params
        step = 0.25 * np.concatenate([grads[key].ravel() for key in before[name]])
        assert ratio == pytest.approx(np.linalg.norm(step) / np.linalg.norm(old))


def test_the_update_ratio_of_shared_weights_is_theirs_once() -> None:
    model = two_branches()
    model.train_step(feeds_of(model), dn.SGD(0.1), keep="all")
    assert "encoder" in values("update_ratio", model)
    assert "encoder_2" not in values("update_ratio", model)


def test_bytes_are_what_the_run_holds() -> None:
    model = run(residual())
    held = model.cache.run.binding.arrays.values()
    assert sum(values("bytes", model).values()) == sum(array.nbytes for array in held)


def test_measuring_time_changes_nothing() -> None:
    X, Y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    A = dn.Dropout(0.5, name="drop")(dn.BatchNorm(name="norm")(dn.Linear(3, name="l")(X)))
    P = dn.Sigmoid(name="P")(dn.Linear(1, name="head")(A))
    model = run(dn.Model(dn.BinaryCrossEntropy(name="cost")(P, Y), seed=1))
    before = pickle.dumps((model.get_params(), model.get_state(), model.rng.bit_generator.state))
    mask = model.cache["drop"].output.copy()
    seconds = values("time", model)
    assert set(seconds) == set(model.graph) - {"X", "Y"}
    assert min(seconds.values()) > 0
    after = pickle.dumps((model.get_params(), model.get_state(), model.rng.bit_generator.state))
    assert after == before
    assert (model.cache["drop"].output == mask).all()


def test_shares_of_the_limit_are_those_of_a_profile_of_the_same_step(ideal: None) -> None:
    model = run(residual())
    shares = values("limit", model)
    assert list(shares) == list(model.profile(feeds_of(model), steps=1).node_shares)
    assert "softmax" not in shares  # the cost takes its logits
    assert all(0 < share < 1 for share in shares.values())


def test_measuring_shares_changes_nothing(ideal: None) -> None:
    model = run(residual())
    before, gradient = model.get_params(), model.cache["stem"].grad_params["W"].copy()
    values("limit", model)
    for name, arrays in model.get_params().items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(array, before[name][key])
    np.testing.assert_array_equal(model.cache["stem"].grad_params["W"], gradient)


def test_a_profile_is_drawn_as_it_was_measured() -> None:
    def row(node: str, phase: str, seconds: float, least: float) -> NodeProfile:
        return NodeProfile(node, "Linear", phase, seconds, 10, 10, least, "calls")  # type: ignore[arg-type]

    found = Profile(
        [
            row("linear1", "forward", 4e-6, 2e-6),
            row("relu1", "forward", 1e-6, 8e-7),
            row("linear2", "forward", 1e-6, 6e-7),
            row("relu1", "backward", 1e-6, 6e-7),
            row("linear1", "backward", 6e-6, 1e-6),
        ],
        update=0.0,
        steps=1,
    )
    model = dn.mlp([5, 4, 4, 1], seed=1)
    drawing = draw(model, overlay=found)
    assert drawing.legend.title == "share of the machine's limit"
    assert drawing.legend.marks == ("30%", "50%", "70%")
    box = next(box for box in drawing.boxes if box.kind == "repeat")
    assert numbers(box) == ["30% · 60% · 70%", "worst: linear1 30%"]
    assert box.level == 0.0
    unfolded = boxes(model, overlay=found, fold=False)
    assert numbers(unfolded["linear1"]) == ["30%"]
    assert numbers(unfolded["sigmoid3"]) == []
    with pytest.raises(UnknownNameError, match="linear1"):
        draw(two_branches(), overlay=found)


# A model that has not run.


@pytest.mark.parametrize("name", sorted(set(MEASURES) - {"parameters", "flops"}))
def test_without_a_run_the_structure_is_drawn_and_says_so(name: str) -> None:
    drawing = draw(lesson(), overlay=name)
    assert drawing.legend is None
    assert "nothing has run yet" in drawing.notes[0]
    assert drawing.notes[0] in text_of(to_svg(lesson(), overlay=name))
    assert all(box.level is None for box in drawing.boxes)
    assert "only the graph was given" in draw(lesson().graph, overlay=name).notes[0]


def test_without_a_backward_pass_there_are_no_gradient_norms() -> None:
    model = lesson()
    model.forward(feeds_of(model))
    assert "backward pass has not run" in draw(model, overlay="grad_norm").notes[0]


def test_without_an_update_there_is_no_ratio() -> None:
    assert "no update since the last run" in draw(run(lesson()), overlay="update_ratio").notes[0]


# What is drawn.


def test_a_box_has_its_number_its_colour_and_a_place_in_the_legend() -> None:
    X = dn.Input(3, name="X")
    graph = dn.Graph.from_nodes(outputs=[dn.Tanh(name="b")(dn.ReLU(name="a")(X))])
    drawing = draw(graph, overlay={"a": 10, "b": 30.5})
    drawn = {box.key: box for box in drawing.boxes}
    assert (numbers(drawn["a"]), drawn["a"].level) == (["10"], 0.0)
    assert (numbers(drawn["b"]), drawn["b"].level) == (["30.5"], 1.0)
    assert (numbers(drawn["X"]), drawn["X"].level) == ([], None)
    assert drawing.legend.marks == ("10", "20.25", "30.5")
    assert "overlay: 30.5" in drawn["b"].tooltip
    dot = to_dot(graph, overlay={"a": 10, "b": 30.5})
    for key, colour in (("a", style.SCALE[0]), ("b", style.SCALE[-1]), ("X", style.PAPER)):
        (line,) = (row for row in dot.splitlines() if f'id="node-{key}"' in row)
        assert f'fillcolor="{colour}"' in line


def test_a_dict_may_have_the_nodes_themselves_as_keys() -> None:
    A = dn.ReLU()(dn.Input(3, name="X"))
    graph = dn.Graph.from_nodes(outputs=[dn.Tanh()(A)])
    assert numbers(boxes(graph, overlay={A: np.float32(2.5)})["relu1"]) == ["2.5"]


def test_a_folded_box_says_least_median_most_total_and_worst() -> None:
    drawing = draw(lesson(), overlay="parameters")
    box = next(box for box in drawing.boxes if box.kind == "repeat")
    assert numbers(box) == [
        "40 · 147 · 245,780",
        "total 245,967",
        "worst: linear1 245,780",
    ]
    assert box.level == 1.0
    assert "least · median · most" in drawing.legend.notes[0]
    texts = nodes(lesson(), overlay="parameters")["node-linear1~relu3"].texts
    assert texts[-3:] == tuple(numbers(box))


def test_columns_and_closed_boxes_are_measured_over_all_their_nodes() -> None:
    model = run(staged())
    zeros = [np.mean(model.cache[f"relu{i}"].output == 0) for i in range(1, 13)]
    open_box = boxes(model, overlay="zeros")["relu1~relu12"]
    low, middle, high = (f"{100 * f(zeros):.3g}%" for f in (min, np.median, max))
    assert numbers(open_box)[0] == f"{low} · {middle} · {high}"
    worst = 1 + int(np.argmax(zeros))
    assert numbers(open_box)[1] == f"worst: relu{worst} {high}"
    (closed,) = (
        box for box in boxes(model, overlay="zeros", fold=1).values() if box.kind == "scope"
    )
    assert numbers(closed)[1] == numbers(open_box)[1]


def test_the_odd_one_is_farthest_from_the_median_in_orders_of_magnitude() -> None:
    graph = dn.mlp([4, 4, 4, 4, 1]).graph
    low = {"linear1": 1.0, "linear2": 0.001, "linear3": 5.0}
    high = {"linear1": 1.0, "linear2": 0.4, "linear3": 40.0}
    for given, rule, worst in (
        (low, "most", "linear3"),
        (high, "least", "linear2"),
        (low, "odd", "linear2"),
        (high, "odd", "linear3"),
    ):
        box = boxes(graph, overlay=Overlay("x", given, worst=rule))["linear1~relu3"]
        assert numbers(box)[1].startswith(f"worst: {worst} ")


def test_equal_numbers_in_a_folded_box_have_no_worst() -> None:
    graph = dn.mlp([4, 4, 4, 1]).graph
    box = boxes(graph, overlay={"linear1": 2, "linear2": 2})["linear1~relu2"]
    assert numbers(box) == ["2 each"]


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_what_is_not_finite_is_the_worst_and_has_a_colour_of_its_own(bad: float) -> None:
    graph = dn.mlp([4, 4, 4, 1]).graph
    overlay = {"linear1": 1.0, "linear2": bad, "linear3": 3.0}
    box = boxes(graph, overlay=overlay)["linear1~relu2"]
    assert numbers(box) == ["1 each", "1 not finite"]
    assert box.level != box.level
    assert f'fillcolor="{style.NOT_FINITE}"' in to_dot(graph, overlay=overlay)


def test_all_numbers_may_be_infinite_or_equal() -> None:
    graph = dn.mlp([4, 1]).graph
    assert "no finite number" in draw(graph, overlay={"linear1": inf}).legend.marks
    drawing = draw(graph, overlay={"linear1": 3, "sigmoid1": 3})
    assert drawing.legend.marks == ("3",)
    assert "3" in to_svg(graph, overlay={"linear1": 3, "sigmoid1": 3})


def test_a_logarithmic_scale_spreads_orders_of_magnitude_evenly() -> None:
    graph = dn.mlp([4, 1]).graph
    numbers = {"linear1": 1.0, "sigmoid1": 100.0, "cost": 10_000.0, "Y": 0.0}
    drawn = boxes(graph, overlay=Overlay("x", numbers, scale="log"))
    assert [drawn[key].level for key in numbers] == [0.0, 0.5, 1.0, 0.0]


def test_alerts_are_counted_by_node() -> None:
    def alert(node: str) -> Alert:
        return Alert("nan", node, "forward", 1, 2, "1 value is nan")

    drawing = draw(lesson(), overlay=[alert("relu2"), alert("cost"), alert("relu2")])
    drawn = {box.key: numbers(box) for box in drawing.boxes}
    assert drawn["linear1~relu3"] == ["2"]
    assert drawn["cost"] == ["1"]
    assert drawing.legend.title == "alerts"
    assert draw(lesson(), overlay=[]).notes == ("alerts: none",)


def test_an_overlay_does_not_change_what_is_where() -> None:
    model = run(staged())
    plain, laid = to_svg(model), to_svg(model, overlay="zeros")
    for kind in ("node", "edge", "cluster"):
        drawn = elements(laid, kind)
        assert {id: e.classes for id, e in drawn.items()} == {
            id: e.classes for id, e in elements(plain, kind).items()
        }


# Errors.


def test_an_unknown_overlay_is_an_error_with_the_nearest_names() -> None:
    with pytest.raises(
        UnknownNameError, match="no overlay named 'grad_nrom'; did you mean 'grad_norm'"
    ):
        draw(lesson(), overlay="grad_nrom")


def test_an_unknown_node_is_an_error_with_the_nearest_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'linear1'"):
        draw(lesson(), overlay={"linaer1": 3.0})


@pytest.mark.parametrize("value", ["3", None, 1j])
def test_a_value_that_is_no_number_is_an_error(value: object) -> None:
    with pytest.raises(ArgumentTypeError, match=r"linear1 has .* which is no number"):
        draw(lesson(), overlay={"linear1": value})  # type: ignore[dict-item]


@pytest.mark.parametrize("overlay", [3, [3], object()])
def test_anything_else_is_an_error(overlay: object) -> None:
    with pytest.raises(ArgumentTypeError, match="an overlay is a name"):
        draw(lesson(), overlay=overlay)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["scale", "worst"])
def test_an_unknown_option_of_an_overlay_is_an_error(option: str) -> None:
    with pytest.raises(ArgumentError, match=f"{option} must be one of"):
        Overlay("x", {}, **{option: "sideways"})  # type: ignore[arg-type]


def test_quantities() -> None:
    assert [quantity(n, "s") for n in (2e-9, 3.5e-6, 0.25, 40.0)] == [
        "2 ns",
        "3.5 µs",
        "250 ms",
        "40 s",
    ]
    assert [quantity(n, "B") for n in (0, 1023, 1536, 3 * 2**30)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "3 GiB",
    ]
    assert quantity(nan, "count") == "nan"
