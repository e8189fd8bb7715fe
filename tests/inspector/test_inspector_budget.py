"""The size budget: what a page leaves out of large arrays it says, and it leaves out no node."""

from base64 import b64decode

import numpy as np
import pytest
from inspector_helpers import Page, Steps, train

import dagnet as dn
from dagnet.errors import ArgumentError
from dagnet.inspector import report
from dagnet.inspector.budget import Item, Survey, plan_budget
from dagnet.inspector.films import shades
from dagnet.inspector.sampling import sampled_size, strides_for


@pytest.mark.parametrize("shape", [(), (0, 5), (1, 1), (20, 12288), (12288, 209), (3, 5, 7, 11)])
@pytest.mark.parametrize("limit", [1, 16, 300, 10**7])
@pytest.mark.parametrize("examples", [False, True])
def test_a_sample_is_within_its_limit_and_not_much_smaller(shape, limit, examples):
    if examples and not shape:
        return
    strides = strides_for(shape, limit, examples)
    size = sampled_size(shape, strides)
    assert size <= limit
    assert size == np.zeros(shape)[tuple(slice(None, None, s) for s in strides)].size
    if any(s > 1 for s in strides):
        assert size >= min(limit / 3, limit - 1) or limit < 30


def test_examples_go_first_until_there_are_eight():
    assert strides_for((50, 100), 2500, True) == (1, 2)
    assert strides_for((50, 100), 700, True) == (1, 8)
    thinned = strides_for((1000, 100), 2000, True)
    assert -(-100 // thinned[1]) >= 8
    assert thinned[0] > 1
    assert strides_for((1000, 100), 2000, False)[0] > thinned[0]


class TestPlan:
    def items(self, *shapes, **kwargs):
        return Survey([Item(shape, 8, True, **kwargs) for shape in shapes], len(shapes))

    def test_all_is_whole_where_there_is_room(self):
        budget = plan_budget(self.items((50, 100), (7, 100)), [1, 2, 3], 10**6)
        assert budget.steps == [1, 2, 3]
        assert budget.last == budget.each == 5000

    def test_the_last_step_is_kept_best(self):
        budget = plan_budget(self.items((500, 100), (7, 100)), list(range(1, 21)), 10**6)
        assert budget.steps == list(range(1, 21))
        assert budget.last > budget.each >= 256

    def test_what_never_changes_is_paid_for_once(self):
        steps = list(range(1, 21))
        changing = plan_budget(self.items((500, 100), (70, 100)), steps, 10**6)
        constant = Survey([Item((500, 100), 8, True, constant=True), Item((70, 100), 8, True)], 2)
        assert plan_budget(constant, steps, 10**6).each > changing.each

    def test_steps_go_before_samples_get_useless(self):
        many = self.items(*[(50, 100)] * 40)
        budget = plan_budget(many, list(range(1, 101)), 3 * 10**6, wanted={58})
        assert 2 < len(budget.steps) < 100
        assert budget.steps[0] == 1
        assert budget.steps[-1] == 100
        assert 58 in budget.steps
        assert budget.each >= 256

    def test_too_little(self):
        with pytest.raises(ArgumentError, match=r"small samples of all arrays take 0\.0\d* MB"):
            plan_budget(self.items(*[(50, 100)] * 40), [1, 2], 9000)


@pytest.fixture(scope="module")
def wide():
    """A wide network, twelve of whose steps are recorded."""
    rng = np.random.default_rng(1)
    feeds = {"X": rng.random((8 * 8 * 3, 60)), "Y": rng.integers(0, 2, (1, 60)).astype(float)}
    model = dn.mlp([192, 20, 5, 1], seed=1)
    return train(model, feeds, last=12, every=2)


@pytest.mark.parametrize("max_mb", [0.45, 0.8, 20])
def test_the_page_is_within_its_budget_and_has_every_value(wide, max_mb, tmp_path):
    written = report(wide.model, tmp_path / "p.html", recorder=wide, max_mb=max_mb)
    assert written.path.stat().st_size <= max_mb * 1e6
    page = Page(written)
    steps = page.document["steps"]
    assert {steps[0], steps[-1]} == {wide.steps[0], wide.steps[-1]}
    for step in steps:
        for node, record in wide.at(step).items():
            for name, array in record.arrays().items():
                if name.startswith("inputs."):
                    continue
                entry = page.entry(node, name, step)
                every = tuple(slice(None, None, stride) for stride in entry["strides"])
                np.testing.assert_array_equal(page.sample(node, name, step), array[every])
                assert entry["stats"][0] == pytest.approx(array.mean(), rel=1e-9, abs=1e-12)
    sampled = page.entry("linear1", "params.W", steps[0])["strides"] != [1, 1]
    assert sampled == (max_mb < 20)


def test_a_budget_that_cannot_be_kept_says_how_much_it_takes(wide, tmp_path):
    with pytest.raises(ArgumentError, match="MB beside the drawing, and max_mb leaves"):
        report(wide.model, tmp_path / "p.html", recorder=wide, max_mb=0.1)


def test_weights_that_are_sampled_have_pictures_at_more_steps(wide, tmp_path):
    page = Page(
        report(wide.model, tmp_path / "p.html", recorder=wide, max_mb=0.45, image=(8, 8, 3))
    )
    frames = page.document["films"]["linear1"]
    assert len(frames) > 1
    assert frames[0][0] == page.document["steps"][-1]  # the last step comes first
    for step, number in frames:
        shown = np.frombuffer(b64decode(page.blobs[number]), "u1").reshape(20, 192)
        W = wide.at(step)["linear1"].params["W"]
        np.testing.assert_array_equal(shown, shades(W))
        assert abs((shown.astype(float) - 127.5) / 127.5 - W / abs(W).max(1)[:, None]).max() < 0.01


def test_no_films_where_weights_are_whole(wide, tmp_path):
    page = Page(report(wide.model, tmp_path / "p.html", recorder=wide, image=(8, 8, 3)))
    assert page.document["films"] == {"linear1": []}
    assert page.document["image"] == {"shape": [8, 8, 3], "inputs": ["X"], "raw": {}}


def test_batches_of_different_lengths(tmp_path):
    rng = np.random.default_rng(1)
    model = dn.mlp([5, 3, 1], seed=1)
    caches = {}
    for step, m in ((1, 7), (2, 4)):
        feeds = {"X": rng.random((5, m)), "Y": np.ones((1, m))}
        model.train_step(feeds, dn.SGD(0.1), keep="all")
        caches[step] = model.cache.copy()
    page = Page(report(model, tmp_path / "p.html", recorder=Steps(model, caches)))
    assert [page.entry("relu1", "output", step)["shape"] for step in (1, 2)] == [[3, 7], [3, 4]]
