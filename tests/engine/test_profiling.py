"""The profile of a training step: every node, its work by hand, and nothing changed."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import ArgumentTypeError
from dagnet.profiling import Limits, NodeProfile, Profile, limits

FEEDS = {"X": np.ones((5, 7)), "Y": np.ones((2, 7))}


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of round numbers, so that nothing is measured but the nodes."""
    ideal = Limits(flops=1e9, bytes=((1000, 1e9), (10**6, 1e8)), call=1e-7)
    monkeypatch.setattr("dagnet.profiling.timing.measured", lambda dtype: ideal)


def test_every_step_of_the_plan_has_a_row_in_its_order():
    found = dn.mlp([5, 3, 2], seed=1).profile(FEEDS, steps=3)
    forward = ["linear1", "relu1", "linear2", "cost"]
    assert [(n.node, n.phase) for n in found] == [
        *((name, "forward") for name in forward),
        *((name, "backward") for name in reversed(forward)),
    ]
    assert found.seconds == sum(n.seconds for n in found) > 0
    assert found.steps == 3


def test_the_work_of_a_layer_counted_by_hand():
    found = dn.mlp([5, 3, 2], seed=1).profile(FEEDS, steps=1)
    forward = {n.node: n for n in found if n.phase == "forward"}
    backward = {n.node: n for n in found if n.phase == "backward"}
    assert forward["linear2"].flops == 2 * 7 * (2 * 3)  # 3 products, 2 sums, the bias
    assert forward["linear2"].nbytes == 8 * (3 * 7 + 2 * 3 + 2 + 2 * 7)
    # W and A_prev are asked for. It reads dZ, A_prev, W and b; it writes dW, db and dA_prev.
    assert backward["linear2"].flops == 2 * forward["linear2"].flops
    assert backward["linear2"].nbytes == 8 * (2 * 7 + 2 * (3 * 7) + 2 * (2 * 3 + 2))
    # The first layer's input has no gradient.
    assert backward["linear1"].flops == forward["linear1"].flops == 3 * 7 * (2 * 5)
    assert backward["linear1"].nbytes == 8 * (3 * 7 + 5 * 7 + 2 * (3 * 5 + 3))


def test_the_limit_is_what_takes_longest():
    ideal = Limits(flops=1e9, bytes=((1000, 1e9), (10**6, 1e8)), call=1e-6)
    assert ideal.least(3e6, 10) == (0.003, "flops")
    assert ideal.least(10, 999) == (1e-6, "calls")
    assert ideal.least(10, 1001) == (1001 / 1e8, "bytes")
    assert ideal.least(10, 10**7) == (0.1, "bytes")
    row = NodeProfile("a", "Tanh", "forward", 4e-6, 10, 1000, 1e-6, "calls")
    assert row.share == 0.25


def test_a_machine_is_measured_once(monkeypatch):
    calls = []
    monkeypatch.setattr(limits, "_best", lambda call, repeats: calls.append(call()) or 0.5)
    limits.measured.cache_clear()
    try:
        first = limits.measured("float32")
        assert limits.measured("float32") is first
    finally:
        limits.measured.cache_clear()
    assert first.flops == 4 * 512**3
    assert first.bytes == tuple((size, size / 0.5) for size in limits.COPIES)
    assert len(calls) == 2 + len(limits.COPIES)


def test_measuring_a_machine_does_nothing_that_numpy_warns_of():
    limits.measured.cache_clear()
    try:
        found = limits.measured("float32")
    finally:
        limits.measured.cache_clear()
    assert found.flops > 0
    assert found.call > 0


def noisy():
    x, y = dn.Input(5, name="X"), dn.Input(2, name="Y")
    hidden = dn.Dropout(0.5)(dn.BatchNorm()(dn.Linear(3)(x)))
    return dn.Model(dn.MeanSquaredError(name="cost")(dn.Linear(2)(hidden), y), seed=1)


def test_without_an_optimizer_nothing_changes():
    model = noisy()
    before = model.store.data.copy(), model.get_state(), model.rng.bit_generator.state
    assert model.profile(FEEDS, steps=2).update == 0
    np.testing.assert_array_equal(model.store.data, before[0])
    for owner, arrays in model.get_state().items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, before[1][owner][name])
    assert model.rng.bit_generator.state == before[2]


def test_an_optimizer_is_timed_and_trains():
    model, optimizer = noisy(), dn.Adam(0.01)
    found = model.profile(FEEDS, optimizer, steps=4)
    assert optimizer.steps == 5
    assert found.update > 0
    assert found.seconds == pytest.approx(sum(n.seconds for n in found) + found.update)
    assert str(found).splitlines()[-1].startswith("(parameters)")


def test_the_table_says_times_and_shares():
    rows = [
        NodeProfile("a", "Tanh", "forward", 3e-6, 1234, 5678, 1.5e-6, "bytes"),
        NodeProfile("a", "Tanh", "backward", 1e-6, 10, 20, 1e-7, "calls"),
    ]
    lines = [line.split() for line in str(Profile(rows, 0.0, 2)).splitlines()]
    assert lines[2] == ["a", "Tanh", "forward", "3.0", "75%", "1,234", "5,678", "50%", "bytes"]
    assert lines[3] == ["a", "Tanh", "backward", "1.0", "25%", "10", "20", "10%", "calls"]


def test_no_steps_are_refused():
    with pytest.raises(dn.errors.DagnetError, match="steps"):
        noisy().profile(FEEDS, steps=0)


def test_an_optimizer_that_is_none():
    model = dn.mlp([3, 1], seed=1)
    with pytest.raises(ArgumentTypeError, match=r"must be an object such as dn\.SGD"):
        model.profile({"X": np.ones((3, 5)), "Y": np.ones((1, 5))}, 0.1)


def test_a_report_of_a_run_that_left_a_branch_out(tmp_path):
    x, u, y = dn.Input(3, name="x"), dn.Input(4, name="u"), dn.Input(1, name="y")
    guess, aside = dn.Linear(1)(x), dn.ReLU(name="aside")(u)
    model = dn.Model(dn.MeanSquaredError()(guess, y), outputs=[guess, aside], seed=1)
    feeds = {"x": np.ones((3, 5)), "u": np.ones((4, 5)), "y": np.ones((1, 5))}
    model.train_step(feeds, dn.SGD(0.1))
    dn.report(model, tmp_path / "page.html")
    assert "aside" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert model.render(tmp_path / "net.dot", overlay="time").exists()
