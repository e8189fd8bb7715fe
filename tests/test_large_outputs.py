"""What is printed of a large network fits on a few screens, and takes no time in its square."""

import pytest

import dagnet as dn
from dagnet.cache import Cache
from dagnet.debug.diff import diff_models
from dagnet.profiling import NodeProfile, Profile
from dagnet.statistics_table import StatisticsTable, measure
from dagnet.tables import MOST_ROWS


def chain(depth: int, op: dn.Op) -> dn.Model:
    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    a = dn.Linear(3, name="first")(x)
    for _ in range(depth):
        a = op(a)
    return dn.Model(dn.MeanSquaredError(name="cost")(a, y), seed=1)


def rows(count: int) -> list[NodeProfile]:
    return [
        NodeProfile(f"n{i}", "ReLU", "forward", 1e-6, 1, 8, 1e-6, "calls") for i in range(count)
    ]


def test_a_long_table_shows_its_ends_and_how_much_is_between() -> None:
    entries = [measure(f"n{i}", "activation", "output", lambda: [1.0]) for i in range(1500)]
    table = StatisticsTable(entries)
    lines = str(table).splitlines()
    assert len(table.records) == 1500
    assert len(lines) == 2 + MOST_ROWS + 1
    assert lines[2].startswith("n0 ")
    assert lines[2 + MOST_ROWS // 2].split()[:3] == ["...", "500", "more"]
    assert lines[-1].startswith("n1499 ")
    assert table._repr_html_().count("<tr>") == 1 + MOST_ROWS + 1


def test_a_profile_adds_its_rows_up_once_to_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = []
    seconds = Profile.seconds.fget
    assert seconds is not None
    monkeypatch.setattr(Profile, "seconds", property(lambda p: sums.append(1) or seconds(p)))
    text = str(Profile(rows(3 * MOST_ROWS), update=1e-6, steps=1))
    assert len(text.splitlines()) == 2 + MOST_ROWS + 1
    assert len(sums) == 1


def test_a_cone_of_many_steps_names_the_first_and_the_last() -> None:
    text = str(chain(300, dn.ReLU()).cone("first"))
    assert len(text) < 1000
    assert text.startswith("forward: relu1, relu2, ")
    assert "... 261 more ..." in text
    assert text.splitlines()[0].endswith("cost")


def test_many_added_nodes_are_counted_in_a_report() -> None:
    report = str(diff_models(chain(2, dn.ReLU()), chain(200, dn.ReLU())))
    assert len(report.splitlines()) < 60
    assert "more" in report


def test_parameters_of_many_layers_are_counted() -> None:
    model = dn.mlp([2] * (MOST_ROWS + 50) + [1])
    lines = repr(model.params).splitlines()
    assert len(lines) == MOST_ROWS + 3
    assert lines[1].startswith("  linear1: W (2, 2)")
    assert lines[1 + MOST_ROWS // 2] == "... 50 more"


def test_all_layers_are_those_by_number() -> None:
    cache = Cache(dn.mlp([5, 7, 3, 1]).graph)
    assert [repr(layer) for layer in cache.layers()] == [
        repr(cache.layer(number)) for number in (1, 2, 3)
    ]
