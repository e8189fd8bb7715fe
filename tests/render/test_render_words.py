"""A drawing in Chinese says everything in Chinese, but for names and what ops are called."""

import re

import numpy as np
import pytest

import dagnet as dn
from dagnet.debug.alerts import Alert
from dagnet.render import MEASURES, Overlay, draw, draw_text
from dagnet.render.collapse import View
from dagnet.render.words import CHINESE, Words

#: Settings, parameters and numbers that are said as in Python.
AS_IN_PYTHON = re.compile(r"\w+ = [\w.]+|(gamma|beta) \(|\binf\b|units 5 -> 7")


def branches(units=7, dropped=True):
    """Two encoders with the same weights, blocks with a skip connection, a chain, a penalty."""
    one, other = dn.Input(3, name="甲"), dn.Input(3, name="乙")
    encode = dn.Linear(5, name="编码")
    A = dn.Concat(name="合并")(encode(one), encode(other))
    with dn.scope("主干"):
        for i in range(3):
            A = dn.Add(name=f"和{i}")(A, dn.Tanh(name=f"弯{i}")(dn.Linear(10, name=f"线{i}")(A)))
    for i in range(2):
        A = dn.ReLU(name=f"截{i}")(dn.Linear(units, name=f"层{i}")(A))
    A = dn.Dropout(0.5, name="失活")(A) if dropped else A
    P = dn.Sigmoid(name="概率")(dn.Linear(1, name="末")(dn.LayerNorm(name="归一")(A)))
    cost = dn.BinaryCrossEntropy(name="成本")(P, dn.Input(1, name="标签"))
    return dn.Model(cost, outputs=[P], seed=1, l2=0.1)


@pytest.fixture(scope="module")
def model():
    model = branches()
    rng = np.random.default_rng(1)
    feeds = {"甲": rng.normal(size=(3, 4)), "乙": rng.normal(size=(3, 4)), "标签": [[0, 1, 1, 0]]}
    model.train_step(feeds, dn.SGD(0.1), keep="all")
    return model


def words_of(drawing):
    """Return all that a drawing says, but for equations, which the first tooltip lines have."""
    yield from drawing.notes
    if drawing.legend is not None:
        yield from (drawing.legend.title, *drawing.legend.marks, *drawing.legend.notes)
    for part in (*drawing.boxes, *drawing.groups):
        yield from (line.text for line in part.lines)
    for arrow in drawing.arrows:
        yield from (arrow.label, arrow.tooltip)


def english(texts):
    found = (AS_IN_PYTHON.sub("", text) for text in texts)
    return [text for text in found if re.search("[a-z]{3}", text)]


OPTIONS = [
    {"backward": True},
    {"fold": 1},
    {"fold": False},
    {"against": branches(5)},
    {"against": branches(7, dropped=False)},
    {"overlay": {"末": 1.0, "层0": 2.0, "层1": float("nan")}},
    {"overlay": Overlay("准确率", {"末": float("inf")})},
    {"overlay": [Alert("zeros", "层1", "forward", 9, 3, "半数为零", 0.5, 0.4)]},
    *({"overlay": name} for name in MEASURES if name != "limit"),
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: str(options)[:40])
def test_no_english_is_left(options, model):
    assert english(words_of(draw(model, **options))), "or else this test shows nothing"
    assert not english(words_of(draw(model, language="zh", **options)))
    assert not english(draw_text(model, language="zh", **options).splitlines())


def test_what_is_too_large_says_so_in_chinese():
    note = View((), 2, nodes=12_000, is_closed=True, is_gathered=True).note
    assert english([note(Words())])
    assert not english([note(Words("zh")).replace("fold=", "")])
    assert "12,000 个节点" in note(Words("zh"))


def test_boxes_are_the_same_in_both_languages(model):
    here, there = draw(model, backward=True), draw(model, backward=True, language="zh")
    for parts in ("boxes", "groups", "arrows"):
        mine, theirs = getattr(here, parts), getattr(there, parts)
        assert [p.key for p in mine] == [p.key for p in theirs]
    assert [len(b.lines) for b in here.boxes] == [len(b.lines) for b in there.boxes]


def test_a_phrase_has_as_many_values_in_chinese():
    for english, chinese in CHINESE.items():
        assert english.count("{}") == chinese.count("{}"), english


def test_a_title_that_looks_like_a_phrase_with_values_is_shown_as_it_is(model):
    overlay = Overlay("a {} of {}", {"末": 1.0})
    assert draw(model, overlay=overlay, language="zh").legend.title == "a {} of {}"


def test_an_unknown_language_is_an_error(model):
    with pytest.raises(dn.DagnetError, match="no language named 'cn'"):
        draw(model, language="cn")
