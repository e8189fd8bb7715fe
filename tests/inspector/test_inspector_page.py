"""A page holds the structure of a network and every value of it, as they are."""

import os
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from inspector_helpers import Page, Steps, moons, train

import dagnet as dn
from dagnet.debug.alerts import Alert
from dagnet.debug.gradcheck import gradcheck
from dagnet.errors import ArgumentError, ArgumentTypeError, FileAccessError, MissingDependencyError
from dagnet.inspector import drawings, report, write
from dagnet.ops import REGISTRY


@pytest.fixture(scope="module")
def recorded():
    """A training of three recorded steps."""
    model = dn.mlp([2, 7, 5, 1], seed=1)
    return train(model, moons(), last=9, every=4)


@pytest.fixture(scope="module")
def page(recorded, tmp_path_factory):
    data = moons()
    path = tmp_path_factory.mktemp("page") / "moons.html"
    written = report(recorded.model, path, data["X"], data["Y"], recorder=recorded)
    return Page(written)


def test_every_value_of_every_node_is_there_at_every_step_to_the_bit(recorded, page):
    assert page.document["steps"] == recorded.steps == [1, 5, 9]
    for step, cache in recorded.caches.items():
        for node, record in cache.items():
            for name, array in record.arrays().items():
                if not name.startswith("inputs."):
                    np.testing.assert_array_equal(page.whole(node, name, step), array, strict=True)


def test_statistics_are_numpy_s(recorded, page):
    names = page.document["statNames"]
    Z = recorded.at(5)["linear2"].output
    shown = dict(zip(names, page.entry("linear2", "output", 5)["stats"], strict=True))
    assert shown["mean"] == pytest.approx(Z.mean(), rel=1e-12)
    assert shown["std"] == pytest.approx(Z.std(), rel=1e-12)
    assert shown["norm"] == pytest.approx(np.linalg.norm(Z), rel=1e-12)
    assert (shown["min"], shown["max"]) == (Z.min(), Z.max())
    counts = page.entry("linear2", "output", 5)["bins"]
    assert counts == np.histogram(Z, bins=len(counts))[0].tolist()


def test_what_stays_the_same_is_held_once(page):
    assert len({page.entry("X", "output", step)["blob"] for step in (1, 5, 9)}) == 1
    assert len({page.entry("linear1", "params.W", step)["blob"] for step in (1, 5, 9)}) == 3


def test_structure(page):
    nodes = page.document["nodes"]
    hidden = ["linear1", "relu1", "linear2", "relu2"]
    assert list(nodes) == ["X", "Y", *hidden, "linear3", "sigmoid3", "cost"]
    assert nodes["linear2"]["inputs"] == ["relu1"]
    assert nodes["linear2"]["readers"] == [["relu2", 0]]
    assert nodes["linear2"]["parameters"] == 5 * 7 + 5
    assert nodes["linear2"]["equation"] == "Z = W A_prev + b"
    assert nodes["linear2"]["flops"] == dn.Linear(5).flops((7, 30))
    assert nodes["linear2"]["seconds"] > 0
    assert nodes["linear2"]["source"]["text"] == "model = dn.mlp([2, 7, 5, 1], seed=1)"
    first = page.document["layers"][0]
    assert first["linear"] == "linear1"
    assert first["letters"]["linear1"]["grad_params.W"] == "dW"
    assert first["letters"]["relu1"]["output"] == "A"


def test_the_cost_and_marks(recorded, page, tmp_path):
    costs = [float(cache["cost"].output) for cache in recorded.caches.values()]
    assert page.document["cost"] == pytest.approx(costs, rel=1e-15)
    marked = Steps(recorded.model, recorded.caches, {5: ["loss jumped"]})
    alert = Alert("nan", "relu1", "forward", 9, 3, "1 NaN", 1, 0)
    found = Page(report(recorded.model, tmp_path / "p.html", recorder=marked, alerts=[alert]))
    assert [(a["step"], a["node"], a["message"]) for a in found.document["alerts"]] == [
        (5, None, "loss jumped"),
        (9, "relu1", "1 NaN"),
    ]


def test_a_recorder_s_steps_and_the_last(tmp_path):
    data = dn.data.moons(m=30)
    model = dn.mlp([2, 5, 1], seed=1)
    recorder = dn.Recorder(every=4)
    model.fit(data.X, data.Y, epochs=6, batch_size=16, callbacks=[recorder], progress=False)
    found = Page(report(model, tmp_path / "p.html", data.X, data.Y, recorder=recorder))
    assert found.document["steps"] == [1, 5, 9, 12]
    for step in (5, 12):
        expected = recorder.at(step)["relu1"]
        np.testing.assert_array_equal(found.whole("relu1", "output", step), expected.output)
        dA = found.whole("relu1", "grad_output", step)
        np.testing.assert_array_equal(dA, expected.grad_output)


def test_the_history_is_the_curve_where_there_is_one(tmp_path):
    data = moons()
    model = dn.mlp([2, 3, 1], seed=1)
    history = model.fit(data["X"], data["Y"], epochs=20, log_every=5, progress=False)
    found = Page(report(model, tmp_path / "p.html", data["X"], data["Y"], history=history))
    assert found.document["history"]["values"] == history["cost"].tolist()


def test_badges_of_a_gradient_check(tmp_path):
    data = moons(7)
    model = dn.mlp([2, 3, 1], seed=1)
    checked = gradcheck(model, data)
    found = Page(report(model, tmp_path / "p.html", data["X"], data["Y"], checked=checked))
    assert found.document["nodes"]["linear1"]["check"]["verdict"] == "ok"
    assert 0 < found.document["nodes"]["linear1"]["check"]["error"] < 1e-6
    assert found.document["nodes"]["X"]["check"] is None


def test_dead_units_and_bad_values(tmp_path):
    data = moons()
    model = dn.mlp([2, 7, 1], seed=1, check_finite=False)
    model.params["linear1"]["b"][3] = -100
    data["X"][1, 4] = np.inf
    data["X"][0, 6] = np.nan
    found = Page(report(model, tmp_path / "p.html", data["X"], data["Y"]))
    dead = found.entry("relu1", "output", 0)["dead"]
    assert 3 not in dead  # 0 · inf: not one of its values is 0 where an input is bad
    stats = dict(
        zip(found.document["statNames"], found.entry("X", "output", 0)["stats"], strict=True)
    )
    assert (stats["nan"], stats["inf"]) == (1, 1)
    assert np.isposinf(found.sample("X", "output", 0)[1, 4])

    clean = moons()
    found = Page(report(model, tmp_path / "q.html", clean["X"], clean["Y"]))
    assert 3 in found.entry("relu1", "output", 0)["dead"]


def with_trunk(**options):
    """Return a model of three blocks in a scope."""
    x, y = dn.Input(5, name="X"), dn.Input(1, name="Y")
    A = x
    with dn.scope("trunk"):
        for _ in range(3):
            A = dn.Add()(A, dn.LayerNorm()(dn.Linear(5)(A)))
    p = dn.Sigmoid(name="P")(dn.Linear(1, name="score")(A))
    return dn.Model(dn.BinaryCrossEntropy(name="cost")(p, y), seed=1, **options)


class TestWithoutARun:
    def test_only_the_structure_is_there(self, tmp_path):
        found = Page(report(dn.mlp([3, 5, 1]), tmp_path / "p.html"))
        assert found.document["steps"] == []
        assert not found.blobs
        assert len(found.document["nodes"]) == 7
        assert 'id="node' in found.document["drawings"]["folded"]["svg"]

    def test_the_last_run_is_shown(self, tmp_path):
        model = dn.mlp([2, 3, 1], seed=1)
        model.forward(moons())
        found = Page(report(model, tmp_path / "p.html"))
        np.testing.assert_array_equal(
            found.whole("relu1", "output", 0), model.cache["relu1"].output
        )
        assert "backward" in found.entry("relu1", "grad_output", 0)["missing"]


def test_the_model_stays_as_it_is(tmp_path):
    x, y = dn.Input(2, name="X"), dn.Input(1, name="Y")
    A = dn.Dropout(0.5)(dn.BatchNorm()(dn.Linear(5)(x)))
    model = dn.Model(dn.BinaryCrossEntropy()(dn.Sigmoid()(dn.Linear(1)(A)), y), seed=1)
    state = model.rng.bit_generator.state
    before = {owner: {n: a.copy() for n, a in s.items()} for owner, s in model.get_state().items()}
    data = moons()
    report(model, tmp_path / "p.html", data["X"], data["Y"])
    assert model.rng.bit_generator.state == state
    assert not model.cache.has_run
    np.testing.assert_equal(model.get_state(), before)


class TestBadInput:
    def test_a_path_that_cannot_be_written_is_refused_before_the_work(self, recorded, tmp_path):
        class Untouchable(Steps):
            def at(self, step):
                raise AssertionError("it worked first")

        untouchable = Untouchable(recorded.model, recorded.caches)
        with pytest.raises(FileAccessError, match=r"no/report\.html"):
            report(recorded.model, tmp_path / "no" / "report.html", recorder=untouchable)

    @pytest.mark.parametrize(
        ("other", "difference"),
        [
            (dn.mlp([2, 7, 3, 1]), r"linear2 .*has units 3, recorded is 5"),
            (dn.mlp([2, 7, 5, 1], hidden="tanh"), "where the model has tanh1 .*it has relu1"),
        ],
    )
    def test_a_recording_of_another_model(self, other, difference, recorded, tmp_path):
        with pytest.raises(ArgumentError, match=f"of another model: {difference}"):
            report(other, tmp_path / "p.html", recorder=recorded)
        assert not list(tmp_path.iterdir())

    def test_a_network_that_goes_on_longer(self, recorded, tmp_path):
        x, y = dn.Input(2, name="X"), dn.Input(1, name="Y")
        p = dn.Sigmoid(name="p")(dn.Linear(1, name="l")(x))
        short = dn.Model(dn.BinaryCrossEntropy(name="c")(p, y))
        long = dn.Model(dn.BinaryCrossEntropy(name="c")(p, y), l2=0.1)
        with pytest.raises(ArgumentError, match="only it has l2"):
            report(short, tmp_path / "p.html", recorder=Steps(long, {1: None}))

    @pytest.mark.parametrize("image", [(3, 5), (1, 2, 4), (2,)])
    def test_an_image_that_does_not_fit(self, image, tmp_path):
        with pytest.raises(ArgumentError, match="image"):
            report(dn.mlp([2, 1]), tmp_path / "p.html", image=image)

    @pytest.mark.parametrize("max_mb", [0, -1, True, "20", float("nan"), float("inf")])
    def test_a_size_that_is_none(self, max_mb, tmp_path):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="max_mb"):
            report(dn.mlp([2, 1]), tmp_path / "p.html", max_mb=max_mb)

    def test_a_file_that_no_browser_would_open(self, tmp_path):
        with pytest.raises(ArgumentError, match=r"'net.pdf' must end in .html"):
            report(dn.mlp([2, 1]), tmp_path / "net.pdf")
        assert not list(tmp_path.iterdir())

    def test_what_is_no_model(self, tmp_path):
        with pytest.raises(ArgumentTypeError, match="needs a model, got Graph"):
            report(dn.mlp([2, 1]).graph, tmp_path / "p.html")

    def test_targets_alone(self, tmp_path):
        with pytest.raises(ArgumentTypeError, match="without examples"):
            report(dn.mlp([2, 1]), tmp_path / "p.html", Y=np.ones((1, 3)))


class TestDrawings:
    def test_every_node_is_in_a_box(self, page):
        for drawing in page.document["drawings"].values():
            shown = [name for names in drawing["boxes"].values() for name in names]
            assert sorted(shown) == sorted(page.document["nodes"])
        assert len(page.document["drawings"]["nodes"]["boxes"]) == 9

    @pytest.mark.parametrize("engine", [True, False])
    def test_what_is_said_in_chinese_has_its_places(self, engine, tmp_path, monkeypatch):
        """Every element that says something else has as many texts as it is given."""
        if not engine:
            monkeypatch.setattr("dagnet.inspector.drawings._engine", lambda: None)
        model = with_trunk(l2=0.1)
        for drawing in Page(report(model, tmp_path / "p.html")).document["drawings"].values():
            elements = {e.get("id"): e for e in ElementTree.fromstring(drawing["svg"]).iter()}
            assert drawing["zh"]["node-X"][1:] == ["X", "输入"]
            for key, (_, *lines) in drawing["zh"].items():
                texts = [e for e in elements[key].iter() if e.tag.endswith("}text")]
                assert len(texts) == len(lines)

    def test_groups_and_scopes(self, tmp_path):
        """Whatever a box stands for, every node is in one."""
        model = with_trunk()
        found = Page(report(model, tmp_path / "p.html"))
        assert list(found.document["drawings"]) == ["1", "2", "folded", "nodes"]
        closed = found.document["drawings"]["1"]["boxes"].values()
        assert max(map(len, closed)) == 9  # the scope in one box
        for drawing in found.document["drawings"].values():
            shown = {name for names in drawing["boxes"].values() for name in names}
            assert shown == set(model.graph)
            for key in drawing["boxes"]:
                assert key.replace("-", "&#45;") in drawing["svg"]

    def test_without_a_layout_engine(self, monkeypatch, tmp_path):
        def missing():
            raise MissingDependencyError("none")

        monkeypatch.setattr(drawings, "find_engine", missing)
        found = Page(report(dn.mlp([3, 5, 7, 1]), tmp_path / "p.html"))
        for drawing in found.document["drawings"].values():
            assert drawing["plain"]
            for key in drawing["boxes"]:
                assert f'<g id="{key}"' in drawing["svg"]


class TestSafety:
    NAME = "</script><script>alert(1)</script>"

    def test_names_are_text(self, tmp_path):
        x, y = dn.Input(2, name=self.NAME), dn.Input(1, name="Y & 目标")
        p = dn.Sigmoid(name="<b>p</b>")(dn.Linear(1, name='"quoted"')(x))
        model = dn.Model(dn.BinaryCrossEntropy(name="cost")(p, y), seed=1)
        data = moons()
        feeds = {self.NAME: data["X"]}, {"Y & 目标": data["Y"]}
        found = Page(report(model, tmp_path / "p.html", *feeds, title=self.NAME))
        assert self.NAME in found.document["nodes"]
        assert "alert(1)</script>" not in found.text
        assert "<b>p" not in found.text

    def test_nothing_is_asked_for_from_anywhere(self, page):
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page.text)
        assert policy.startswith("default-src 'none'")
        for element, text in (
            ("script", re.findall(r"<script>(.*?)</script>", page.text, re.S)),
            ("style", re.findall(r"<style>(.*?)</style>", page.text, re.S)),
        ):
            (text,) = text
            hashed = b64encode(sha256(text.encode()).digest()).decode()
            assert f"{element}-src 'sha256-{hashed}'" in policy
        assert not re.findall(r"(?:src|href)=", page.text)
        addresses = set(re.findall(r"https?://[^\"'\s\\<]+", page.text))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


class TestLanguages:
    def test_every_kind_of_op_has_a_word_in_chinese(self):
        known = set(re.findall(r"(\w+): \"", self.WORDS))
        assert known == {op.kind for op in REGISTRY.values()}

    @pytest.mark.parametrize("keep", ["all", "needed"])
    def test_every_reason_for_a_missing_array_has_one(self, keep, tmp_path):
        model = dn.mlp([2, 4, 3, 1], seed=1)
        X, Y = np.ones((2, 5)), np.ones((1, 5))
        if keep == "all":
            model.forward({"X": X, "Y": Y})
        else:
            model.train_step({"X": X, "Y": Y}, dn.SGD(0.1))
        text = report(model, tmp_path / "p.html").path.read_text(encoding="utf-8")
        reasons = re.findall(r'^  "(.+?)":', self.WORDS, re.M)
        missing = set(re.findall(r'"missing": ?"([^"]*)"', text))
        assert missing
        assert [m for m in missing if not m.endswith(tuple(reasons))] == []

    PAGE = Path(write.__file__).parent / "page"
    WORDS = (PAGE / "words.js").read_text(encoding="utf-8")

    def texts(self):
        """Return the texts of both languages, by their keys."""
        language = (self.PAGE / "language.js").read_text(encoding="utf-8")
        english, chinese = language.split("zh: {")
        pair = re.compile(r'(\w+): "([^"]*)"')
        return dict(pair.findall(english)), dict(pair.findall(chinese))

    def test_both_say_the_same_things(self):
        english, chinese = self.texts()
        assert len(english) > 60
        assert set(english) == set(chinese)
        for key, text in english.items():
            holes = set(re.findall(r"\{\d\}", text))
            assert holes == set(re.findall(r"\{\d\}", chinese[key])), key

    def test_every_text_is_used_and_every_one_used_is_there(self):
        scripts = [p.read_text(encoding="utf-8") for p in self.PAGE.glob("*.js")]
        code = "".join(text for text in scripts if "const TEXTS" not in text)
        english, _ = self.texts()
        assert set(re.findall(r'\bt\("(\w+)"', code)) <= set(english)
        unused = [k for k in english if not re.search(rf"\b{k}\b", code)]
        assert [k for k in unused if not k.startswith(("stat_", "check_"))] == []


def test_a_notebook_shows_the_page(page, recorded, tmp_path):
    written = report(recorded.model, tmp_path / "p.html", recorder=recorded)
    (shown,) = re.findall(r'<iframe srcdoc="([^"]*)"', written._repr_html_())
    assert unescape(shown) == written.path.read_text(encoding="utf-8")
    assert 'sandbox="allow-scripts"' in written._repr_html_()
    assert str(written) == os.fspath(written) == str(tmp_path / "p.html")
