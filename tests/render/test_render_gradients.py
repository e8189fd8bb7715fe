"""The backward pass on a drawing."""

import numpy as np
import pytest
from render_helpers import edges, lesson, nodes, residual, run, staged, text_of, two_branches

import dagnet as dn
from dagnet.render import draw, to_svg
from dagnet.render.drawing import Arrow


def gradients(network: dn.Model | dn.Graph, **options: object) -> dict[str, Arrow]:
    drawing = draw(network, backward=True, **options)  # type: ignore[arg-type]
    return {a.key: a for a in drawing.arrows if a.kind == "gradient"}


def test_every_forward_arrow_that_carries_a_gradient_has_one_back() -> None:
    drawn = {(a.tail, a.head) for a in gradients(two_branches(), fold=False).values()}
    assert drawn == {
        ("relu1", "encoder"),
        ("relu2", "encoder_2"),
        ("pair", "relu1"),
        ("pair", "relu2"),
        ("classify", "relu1"),
        ("judge", "pair"),
        ("p", "judge"),
        ("q", "classify"),
        ("cost_p", "p"),
        ("cost_q", "q"),
    }


def test_norms_are_those_of_what_each_reader_sends_back() -> None:
    model = run(residual())
    drawn = gradients(model, fold=False)
    for name in ("relu2", "add3", "head", "cost"):
        for slot, value in enumerate(model.graph[name].inputs):
            sent = model.cache[name].grad_inputs[slot]
            if sent is None:
                continue
            arrow = drawn[f"{value}~{name}~{slot}~gradient"]
            assert float(arrow.label) == pytest.approx(np.linalg.norm(sent), rel=0.06)
            assert (arrow.tail, arrow.head) == (name, value)


def test_an_arrow_of_a_repeat_shows_the_range_over_its_blocks() -> None:
    model = run(residual())
    arrow = gradients(model)["linear1~linear4~relu1~relu4~0~gradient"]
    norms = [np.linalg.norm(model.cache[f"relu{i}"].grad_inputs[0]) for i in range(1, 5)]
    assert arrow.label == f"{min(norms):.2g} … {max(norms):.2g}"


def test_a_gradient_leaves_a_group_at_its_border() -> None:
    (arrow,) = (a for a in gradients(run(staged())).values() if a.head == "stem")
    assert arrow.out_of == "linear1~batchnorm3"


def test_forward_arrows_stay_as_they_are() -> None:
    model = run(staged())
    forward = [a for a in draw(model, backward=True).arrows if a.kind != "gradient"]
    assert forward == list(draw(model).arrows)


def test_the_picture_has_them_in_a_class_of_their_own() -> None:
    model = run(lesson())
    drawn = edges(model, backward=True)
    assert {id for id, e in drawn.items() if "gradient" in e.classes} == {
        f"edge-{key}" for key in gradients(model)
    }
    assert set(nodes(model, backward=True)) == set(nodes(model))


@pytest.mark.parametrize("graph_only", [True, False])
def test_without_a_run_they_have_no_norms_and_this_is_said(graph_only: bool) -> None:
    network = lesson().graph if graph_only else lesson()
    drawing = draw(network, backward=True)
    assert [a.label for a in drawing.arrows if a.kind == "gradient"] == [""] * 3
    why = "only the graph was given" if graph_only else "nothing has run yet"
    assert f"no norms: {why}" in drawing.notes[0]
    assert why in text_of(to_svg(network, backward=True))


def test_with_norms_the_note_says_what_they_are() -> None:
    assert draw(run(lesson()), backward=True).notes[0].endswith("with their norms")


def test_no_gradient_goes_to_what_a_loss_takes_as_given() -> None:
    X = dn.Input(3, name="X")
    P, Q = (dn.Sigmoid(name=n)(dn.Linear(1, name=f"linear_{n}")(X)) for n in ("p", "q"))
    losses = [dn.BinaryCrossEntropy(name="cost")(P, Q), dn.MeanSquaredError(name="more")(Q, P)]
    drawn = gradients(dn.Graph.from_nodes(losses, [P, Q]))
    assert "q~cost~1~gradient" not in drawn
    assert "p~cost~0~gradient" in drawn
    assert "q~more~0~gradient" in drawn


def test_an_arrow_into_a_closed_block_is_that_of_every_time_it_occurs() -> None:
    drawing = draw(run(staged()), fold=3)
    (arrow,) = (a for a in drawing.arrows if a.head == "linear1~add12" and not a.into)
    assert {use.reader for use in arrow.uses} == {
        *("linear1", "linear5", "linear9"),
        *("add1", "add5", "add9"),
    }
    assert {use.value for use in arrow.uses} == {"stem", "batchnorm1", "batchnorm2"}
