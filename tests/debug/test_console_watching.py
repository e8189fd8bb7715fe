"""The console's commands about watches."""

import pytest

import dagnet as dn
from dagnet.debug.console.table import complete
from dagnet.debug.watches import CATALOGUE


@pytest.fixture
def dead(debugger):
    """The run of a model whose relu1 is dead."""
    debugger.model.params["linear1"]["b"][...] = -100.0
    debugger.restart()
    return debugger


def test_a_watch_stops_the_run_and_why_explains_its_alert(do, dead):
    shown = do("watch dead layer", "c", "why")
    assert "<watch 1: DeadLayer() at" in shown
    assert "forward relu1: dead layer: the 3 units give the same output" in shown
    explained = dead.stop.alerts[0].why()
    assert str(explained) in shown
    assert explained.node == "relu1"


def test_nodes_and_options_follow_the_name(do, debugger):
    do("watch dead relu relu1 over=5 share=0.5", "watch large update 2", "watch nan")
    first, second, third = debugger.watches
    assert first.watch == dn.watches.DeadUnits(over=5, share=0.5)
    assert first.nodes == ("relu1",)
    assert second.nodes == ("2",)
    assert set(third.nodes) == set(debugger.model.graph)


def test_listing_removing_and_alerts(do, dead):
    assert do("watch") == "no watches"
    assert do("alerts") == "nothing seen"
    do("watch all zero", "watch nan", "c")
    assert do("alerts").startswith(f"step {dead.iteration}, forward relu1: all zero")
    assert "AllZero" in do("watch")
    assert "AllZero" not in do("unwatch all zero")
    assert do("unwatch 2") == "no watches"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("watch dead lay", "did you mean 'dead layer'"),
        ("watch nan relu9", "did you mean 'relu1'"),
        ("watch dead relu tanh", "no node named 'tanh'"),
        ("watch large update abov=2", "did you mean 'above'"),
        ("watch large update above=big", "above must be a number, got 'big'"),
        ("watch large update above=-1", "above must be"),
        ("watch dead relu linear1", "nothing to look at"),
        ("unwatch 3", "no watch 3"),
        ("alerts now", "takes nothing"),
    ],
)
def test_what_it_refuses(do, debugger, command, message):
    with pytest.raises(dn.DagnetError, match=message):
        do(command)
    assert len(debugger.watches) == 0
    assert debugger.position == 0


def test_completion_of_watches_and_their_nodes(debugger):
    assert complete(debugger, "watch dead l") == (6, ["dead layer"])
    assert complete(debugger, "watch nan rel") == (10, ["relu1"])
    debugger.watch("nan")
    assert complete(debugger, "unwatch ") == (8, ["1"])


def test_all_watches_at_once(do, dead):
    shown = do("watch all", "c")
    assert shown.count("<watch ") == len(CATALOGUE)
    assert {type(entry.watch) for entry in dead.watches} == set(CATALOGUE)
    assert dead.stop.alerts
    assert complete(dead, "watch al") == (6, ["all", "all zero"])


def test_the_help_names_every_watch(do):
    shown = " ".join(do("help watch").split())
    assert all(f" {watch.name}" in shown for watch in CATALOGUE)
