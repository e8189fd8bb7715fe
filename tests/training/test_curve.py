"""The curve of costs in a notebook."""

import math
from xml.etree import ElementTree

from dagnet.training import History
from dagnet.training.curve import HEIGHT, MARGINS, MOST_POINTS, WIDTH, curves


def lines(svg):
    """Return the points of every line, and whether it is dashed."""
    return [
        (
            [tuple(map(float, point.split(","))) for point in e.get("points").split()],
            "stroke-dasharray" in e.attrib,
        )
        for e in ElementTree.fromstring(svg).iter()
        if e.tag.endswith("polyline")
    ]


def test_a_line_runs_from_the_first_number_to_the_last():
    ((points, dashed),) = lines(curves([1, 2, 4], {"cost": [8.0, 4.0, 0.0]}, "epoch"))
    left, top, right, bottom = MARGINS[0], MARGINS[1], WIDTH - MARGINS[2], HEIGHT - MARGINS[3]
    third = left + (right - left) / 3
    expected = [(left, top), (third, (top + bottom) / 2), (right, bottom)]
    assert all(math.dist(a, b) < 0.1 for a, b in zip(points, expected, strict=True))
    assert not dashed


def test_what_is_not_finite_is_left_out():
    columns = {"cost": [3.0, math.nan, math.inf, 1.0], "val_cost": [math.nan, 2.0, 2.5, math.nan]}
    drawn = lines(curves([1, 2, 3, 4], columns, "epoch"))
    assert [len(points) for points, _ in drawn] == [2, 2]
    assert [dashed for _, dashed in drawn] == [False, True]


def test_fewer_than_two_numbers_make_no_curve():
    assert curves([1, 2], {"cost": [1.0, math.nan]}, "epoch") == ""
    assert curves([], {}, "epoch") == ""
    assert "<svg" not in History()._repr_html_()


def test_a_long_training_has_a_short_picture_with_its_last_number():
    n = 10_000
    ((points, _),) = lines(curves(range(n), {"cost": [1.0 - i / n for i in range(n)]}, "step"))
    assert len(points) <= MOST_POINTS + 1
    assert points[-1][0] == WIDTH - MARGINS[2]


def test_equal_and_huge_numbers_stay_in_the_picture():
    for column in ([2.0, 2.0], [-1.7e308, 1.7e308]):
        ((points, _),) = lines(curves([1, 2], {"cost": column}, "epoch"))
        assert all(MARGINS[1] <= y <= HEIGHT - MARGINS[3] for _, y in points)


def test_a_history_shows_its_costs_and_says_what_they_are():
    history = History()
    for epoch in (1, 2, 3):
        history.append(epoch=epoch, cost=1.0 / epoch, val_cost=2.0 / epoch, accuracy=0.5)
    svg = history._repr_html_().partition("<table>")[0]
    assert len(lines(svg)) == 2
    texts = ["".join(e.itertext()) for e in ElementTree.fromstring(svg) if e.tag.endswith("text")]
    assert texts == ["2", "0.3333", "epoch 1", "3", "cost val_cost"]


def test_names_are_escaped():
    assert "<b>" not in curves([1, 2], {"<b>": [1.0, 2.0]}, "<b>")
