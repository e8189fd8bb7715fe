"""A page as a person uses it: opened from a file, clicked, pointed at, read."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from browser import Tab, start
from inspector_helpers import Steps, moons, train

import dagnet as dn
from dagnet.debug.alerts import Alert
from dagnet.inspector import report
from dagnet.render import draw

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    driver = start(tmp_path_factory.mktemp("profile"))
    yield Tab(driver)
    driver.quit()


@pytest.fixture(scope="module")
def recorded():
    return train(dn.mlp([2, 7, 5, 1], seed=1), moons(), last=9, every=4)


@pytest.fixture(scope="module")
def path(recorded, tmp_path_factory):
    data = moons()
    marked = Steps(recorded.model, recorded.caches, {5: ["the gradient is small"]})
    alert = Alert("zeros", "relu1", "forward", 9, 3, "half of its outputs are 0", 0.5, 0.4)
    file = tmp_path_factory.mktemp("page") / "moons.html"
    return report(recorded.model, file, data["X"], data["Y"], recorder=marked, alerts=[alert]).path


@pytest.fixture
def page(tab, path):
    """The page, freshly opened; at the end, its console is empty and it asked for nothing."""
    tab.open(path)
    yield tab
    assert not tab.complaints()
    assert not tab.requests()


#: In the page: the texts of the statistics, by value.
SHOWN = """
const texts = (card) => Object.fromEntries([...card.querySelectorAll('[data-stat]')]
  .map((stat) => [stat.dataset.stat, stat.querySelector('dd').textContent]));
return Object.fromEntries([...document.querySelectorAll('article')]
  .filter((card) => card.querySelector('dl')).map((card) => [card.dataset.value, texts(card)]));
"""


def number(text):
    return float(text.replace("−", "-").replace(",", "").removesuffix("%"))


def select(page, node):
    if not page.all(page.box(node)):
        page.choose("#drawing", "nodes")
    page.click(page.box(node))
    assert page.text("#node-name").startswith(node)


def exact(page, value):
    return page.run(
        "return Number(document.querySelector(arguments[0]).dataset.exact)",
        f'[data-value="{value}"] .readout b',
    )


def test_every_node_opens_by_a_click_and_shows_numpy_s_numbers(page, recorded):
    cache = recorded.at(9)
    page.choose("#drawing", "nodes")
    for node, record in cache.items():
        select(page, node)
        shown = page.run(SHOWN)
        assert set(shown) == {name for name in record.names if name in record.arrays()}
        for name, array in record.arrays().items():
            of = {stat: number(text) for stat, text in shown[name].items()}
            for stat in ("mean", "std", "min", "max"):
                expected = getattr(array, stat)()
                assert of[stat] == pytest.approx(expected, rel=1e-6, abs=1e-12)
            assert of["norm"] == pytest.approx(np.linalg.norm(array), rel=1e-6)
    assert page.text('[data-value="output"] h4').startswith("output")


def test_the_number_under_the_pointer_is_the_array_s_to_the_bit(page, recorded):
    select(page, "linear2")
    for value, row, column in (("output", 3, 17), ("grad_params.W", 4, 6), ("params.b", 2, 0)):
        page.point(value, row, column)
        array = recorded.at(9)["linear2"].array(value)
        assert exact(page, value) == array[row, column]
        assert page.text(f'[data-value="{value}"] .readout').startswith(f"[{row}, {column}] = ")


def test_the_slider_takes_everything_along(page, recorded):
    select(page, "linear1")
    for index, step in enumerate(recorded.steps):
        page.choose("#step", index)
        assert number(page.text("#cost")) == pytest.approx(
            float(recorded.at(step)["cost"].output), rel=1e-6
        )
        page.point("params.W", 6, 1)
        assert exact(page, "params.W") == recorded.at(step)["linear1"].params["W"][6, 1]
        mean = page.text('[data-value="grad_output"] [data-stat="mean"] dd')
        dZ = recorded.at(step)["linear1"].grad_output
        assert number(mean) == pytest.approx(dZ.mean(), rel=1e-6)


def test_alerts_are_marked_and_lead_to_their_step(page):
    assert [mark.get_attribute("data-step") for mark in page.all(".alert")] == ["5", "9"]
    page.click('.alert[data-step="5"]')
    assert "5 / 9" in page.text("#step-readout")
    assert "the gradient is small" in page.text(".alert-text")


class TestLens:
    CASES = (
        ("linear2", "output", (3, 17)),
        ("linear2", "grad_params.W", (4, 6)),
        ("linear2", "grad_params.b", (2, 0)),
        ("linear2", "grad_inputs.0", (6, 11)),
        ("relu1", "grad_output", (6, 11)),
    )

    @pytest.mark.parametrize(("node", "value", "place"), CASES)
    def test_the_products_add_up(self, node, value, place, page, recorded):
        select(page, node)
        for index, step in ((2, 9), (0, 1)):
            page.choose("#step", index)
            page.point(value, *place)
            found = page.one(".lens-found")
            total, shown = (float(found.get_attribute(f"data-{n}")) for n in ("sum", "value"))
            assert shown == recorded.at(step)[node].array(value)[place]
            assert total == pytest.approx(shown, abs=1e-12)
            assert found.get_attribute("data-missing") == "0"

    def test_the_terms_are_the_row_and_the_column(self, page, recorded):
        select(page, "linear2")
        page.point("output", 3, 17)
        rows = lens_rows(page)
        record = recorded.at(9)["linear2"]
        W, A = record.params["W"][3], record.inputs[0][:, 17]
        np.testing.assert_allclose(rows, np.c_[np.arange(7), W, A, W * A], rtol=1e-6, atol=1e-300)
        bias = number(page.all(".terms .bias td")[-1].text)
        assert bias == pytest.approx(record.params["b"][3, 0], rel=1e-6)

    def test_what_a_penalty_adds_is_told_apart(self, tab, tmp_path):
        x, y = dn.Input(2, name="X"), dn.Input(1, name="Y")
        p = dn.Sigmoid(name="P")(dn.Linear(1, name="line")(x))
        model = dn.Model(dn.BinaryCrossEntropy(name="cost")(p, y), seed=1, l2=0.5)
        data = moons()
        tab.open(report(model, tmp_path / "p.html", data["X"], data["Y"]).path)
        tab.choose("#search", "line")
        tab.point("grad_params.W", 0, 1)
        added = number(tab.all(".terms .elsewhere td")[-1].text)
        assert added == pytest.approx(0.5 / 30 * model.params["line"]["W"][0, 1], rel=1e-6)
        tab.point("output", 0, 1)
        assert not tab.all(".terms .elsewhere")

    def test_a_click_holds_it_over_the_steps(self, page, recorded):
        select(page, "linear2")
        page.point("output", 3, 17)
        page.hold()
        page.point("params.b", 2, 0)
        page.choose("#step", 0)
        assert page.text(".formula").startswith("Z[3, 17]")
        shown = float(page.one(".lens-found").get_attribute("data-value"))
        assert shown == recorded.at(1)["linear2"].output[3, 17]

    def test_pointing_does_not_move_what_is_pointed_at(self, page):
        select(page, "linear2")
        place = "return document.querySelector('[data-value=output]').getBoundingClientRect().top"
        lens = "return document.querySelector('.lens').getBoundingClientRect().top"
        page.point("output", 3, 17)
        before = page.run(place), page.run(lens)
        page.point("output", 4, 2)
        assert (page.run(place), page.run(lens)) == before
        page.run("document.querySelector('[data-value=output] canvas').blur()")
        assert (page.run(place), page.run(lens)) == before


def drawn(tab, value):
    """Return the colours of a heatmap, (rows, columns, 3)."""
    width, height, data = tab.run(
        "const c = document.querySelector(arguments[0]);"
        "const image = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        "return [c.width, c.height, [...image.data]]",
        f'[data-value="{value}"] canvas.heat',
    )
    return np.array(data).reshape(height, width, 4)[..., :3].astype(int)


def strides_of(tab, value):
    """Return the strides that the page says a sample has, rows and then examples."""
    said = tab.text(f'[data-value="{value}"]')
    found = [re.search(rf"1 in (\d+) {axis}", said) for axis in ("rows", "examples")]
    return [int(match[1]) if match else 1 for match in found]


def lens_rows(tab):
    """Return the numbers of the terms that the lens shows one by one."""
    return [
        [number(cell.text) for cell in row.find_elements("css selector", "td")]
        for row in tab.all(".terms:not(.totals) tbody tr:not(.bias, .others)")
    ]


def test_what_a_sample_lacks_is_said_and_what_it_has_is_right(tab, tmp_path):
    rng = np.random.default_rng(1)
    X, Y = rng.random((192, 60)), np.ones((1, 60))
    model = dn.mlp([192, 20, 5, 1], seed=1)
    model.forward({"X": X, "Y": Y})
    model.backward()
    record = model.cache["linear1"]
    tab.open(report(model, tmp_path / "p.html", max_mb=0.25).path)
    tab.choose("#search", "linear1")
    assert "Statistics and histogram are of everything" in tab.text('[data-value="inputs.0"]')
    tab.point("inputs.0", 3, 5)
    place = re.findall(r"\d+", tab.text('[data-value="inputs.0"] .readout').split("]")[0])
    assert exact(tab, "inputs.0") == X[int(place[0]), int(place[1])]
    assert int(place[0]) > 3
    tab.point("output", 2, 0)  # the first example is in every sample
    i, j = map(int, re.findall(r"\d+", tab.text('[data-value="output"] .readout').split("]")[0]))
    for k, w, a, product in lens_rows(tab):
        assert w == pytest.approx(record.params["W"][i, int(k)], rel=1e-6)
        assert a == pytest.approx(X[int(k), j], rel=1e-6)
        assert product == pytest.approx(w * a, rel=1e-5)
    found = tab.one(".lens-found")
    assert 0 < int(found.get_attribute("data-missing")) < 192
    total, shown = (float(found.get_attribute(f"data-{n}")) for n in ("sum", "value"))
    assert shown == record.output[i, j]
    rest = number(tab.all(".terms .left-out td")[-1].text)
    assert total + rest == pytest.approx(shown, rel=1e-6)

    some, few = (strides_of(tab, value)[1] for value in ("output", "inputs.0"))
    assert some < few  # the input is thinned out more
    tab.choose("#example", some)
    assert f"Example {some} is not in the sample" in tab.text('[data-value="inputs.0"]')
    tab.choose("#example", few)
    for value, array in (("inputs.0", X), ("output", record.output)):
        tab.point(value, 0, 0)
        assert exact(tab, value) == array[0, few]
    assert not tab.complaints()


def test_one_example(page, recorded):
    select(page, "relu1")
    page.choose("#example", 11)
    width = page.run("return document.querySelector('[data-value=output] canvas.heat').width")
    assert width == 1
    page.point("output", 2, 0)
    assert page.text('[data-value="output"] .readout').startswith("[2, 11]")
    assert exact(page, "output") == recorded.at(9)["relu1"].output[2, 11]


class TestGraph:
    def test_a_folded_box_opens(self, page):
        page.click('.node[aria-label="linear1 … relu2"]')
        assert [chip.text for chip in page.all(".panel-body td .chip")] == [
            *("linear1", "relu1", "linear2", "relu2")
        ]
        page.click("#expand")
        assert page.text("#node-name").startswith("linear1")
        assert page.one(page.box("relu2"))

    def test_overlays_follow_the_step(self, page, recorded):
        page.choose("#drawing", "nodes")
        page.choose("#overlay", "grad_norm")
        for index, step in enumerate(recorded.steps):
            page.choose("#step", index)
            shown = number(page.text('.legend tr[data-node="relu2"] td:last-child'))
            expected = np.linalg.norm(recorded.at(step)["relu2"].grad_output)
            assert shown == pytest.approx(expected, rel=1e-3)
        fill = page.run(
            "return document.querySelector(arguments[0]).style.fill",
            f"{page.box('relu2')} :is(path, polygon):not([fill=none])",
        )
        assert fill.startswith("rgb")

    def test_the_extreme_layer_is_the_one_that_the_drawing_names(self, tab, tmp_path):
        """Of gradients, the one that vanishes; of two numbers, the median is between them."""
        model = dn.mlp([2, 16, 16, 16, 1], hidden="sigmoid", init="lecun", seed=1)
        data = dn.data.moons(m=30)
        feeds = model.prepare({"X": data.X, "Y": data.Y})
        model.forward(feeds)
        model.backward()
        drawing = draw(model, overlay="grad_norm")
        box = next(box for box in drawing.boxes if box.kind == "repeat")
        (worst,) = (line.text for line in box.lines if line.text.startswith("worst: "))
        tab.open(report(model, tmp_path / "deep.html").path)
        tab.choose("#overlay", "grad_norm")
        said = tab.text('.legend tr[data-node="linear1"] td:last-child')
        assert said.split("extreme: ")[1] == worst.split()[1]
        norms = [np.linalg.norm(model.cache[name].grad_output) for name in box.names]
        shown = re.search(r"median ([^ ]+)", said)
        assert number(shown[1]) == pytest.approx(np.median(norms), rel=1e-3)

    def test_keyboard(self, page):
        page.press("ARROW_LEFT")
        assert "5 / 9" in page.text("#step-readout")
        before = page.run(
            "return document.querySelector('.graph-canvas svg').viewBox.baseVal.width"
        )
        page.press("+")
        after = page.run("return document.querySelector('.graph-canvas svg').viewBox.baseVal.width")
        assert after < before
        page.run("arguments[0].focus()", page.one(page.box("sigmoid3")))
        page.press("ENTER", on=page.box("sigmoid3"))
        assert page.text("#node-name").startswith("sigmoid3")
        page.press("/")
        assert page.run("return document.activeElement.id") == "search"

    def test_search(self, page):
        page.one("#search").send_keys("LINEAR3")
        page.press("ENTER", on="#search")
        assert page.text("#node-name").startswith("linear3")


def test_colours_of_numbers(page, recorded):
    """Below zero the blue of a colour prevails, above it the red; the larger, the farther."""
    select(page, "linear2")
    W = recorded.at(9)["linear2"].params["W"]
    pixels = drawn(page, "params.W")
    warmth = pixels[..., 0] - pixels[..., 2]
    clear = abs(W) > 0.1 * abs(W).max()
    assert (np.sign(warmth) == np.sign(W))[clear].all()
    lightness = pixels @ [0.2126, 0.7152, 0.0722]
    for side in (W < 0, W > 0):  # also in grey: the larger, the darker
        order = np.argsort(abs(W[side]))
        assert (np.diff(lightness[side][order]) <= 1).all()


def test_both_languages_say_everything(page):
    keys = page.text("#language")
    page.click("#language")
    assert page.text("#language") != keys
    assert page.run("return document.documentElement.lang") == "zh"
    assert "总览" in page.text("h2")
    select(page, "linear2")
    assert "前向" in page.text(".panel-body")


def test_boxes_speak_chinese_where_they_spoke_english(page):
    page.choose("#drawing", "nodes")
    texts = "return [...document.querySelectorAll('.graph-canvas text')].map((e) => e.textContent)"
    middles = (
        "return [...document.querySelectorAll('.graph-canvas text')]"
        ".map((e) => e.getBBox()).map((box) => box.x + box.width / 2)"
    )
    english, places = page.run(texts), page.run(middles)
    assert {"input", "target", "40 parameters"} <= set(english)
    viewed = "return document.querySelector('.graph-canvas svg').getAttribute('viewBox')"
    page.run("document.querySelector('.zooms button').click()")
    view = page.run(viewed)
    page.click("#language")
    assert {"输入", "目标", "40 个参数", "sigmoid3 · 输出"} <= set(page.run(texts))
    assert not {"input", "target", "40 parameters"} & set(page.run(texts))
    assert page.run(middles) == pytest.approx(places, abs=0.6)
    assert page.run(viewed) == view
    select(page, "linear2")  # the boxes still answer
    page.click("#language")
    assert page.run(texts) == english


def test_on_paper_it_is_light(page):
    page.click("#theme")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert page.run("return document.documentElement.dataset.theme") == "light"
    page.run("window.dispatchEvent(new Event('afterprint'))")
    assert page.run("return document.documentElement.dataset.theme") == "dark"


def test_the_plane_shows_the_prediction(page, recorded):
    from selenium.webdriver import ActionChains

    ActionChains(page.driver, duration=0).move_to_element(page.one(".plane-box")).perform()
    x, y, answer = map(
        number, re.findall(r"−?[\d.]+(?:e−?\d+)?", page.text(".plane-card .readout"))
    )
    data = moons()["X"]
    assert data[0].min() < x < data[0].max()
    assert data[1].min() < y < data[1].max()
    assert recorded.model.predict(np.array([[x], [y]])) == pytest.approx(answer, abs=0.05)


def test_names_are_shown_and_not_run(tab, tmp_path):
    name = "<script>document.title='run'</script>"
    x, y = dn.Input(2, name=name), dn.Input(1, name='目标 & "Y"')
    p = dn.Sigmoid(name="<img src=x onerror=alert(1)>")(dn.Linear(1, name="线性 1")(x))
    model = dn.Model(dn.BinaryCrossEntropy(name="cost")(p, y), seed=1)
    data = moons()
    feeds = {name: data["X"]}, {'目标 & "Y"': data["Y"]}
    tab.open(report(model, tmp_path / "p.html", *feeds, title="<b>bold</b>").path)
    assert tab.text("h1") == "<b>bold</b>"
    for node in model.graph:
        tab.choose("#search", node)
        assert tab.text("#node-name").startswith(node)
    assert tab.driver.title == "<b>bold</b>"
    assert not tab.complaints()


def test_pictures(tab, tmp_path):
    digits = dn.data.load("digits")
    X, Y = digits.X[:, :40], digits.Y[:40]
    model = dn.mlp([64, 7, 10], output="softmax", seed=1)
    tab.open(report(model, tmp_path / "p.html", X, Y, image=(8, 8)).path)
    tab.choose("#search", "linear1")
    assert len(tab.all(".pictures.weights canvas")) == 7
    assert len(tab.all('[data-value="params.W"] canvas.heat')) == 1
    tab.choose("#search", "X")
    pixels = tab.run(
        "const c = document.querySelectorAll('.pictures.examples canvas')[5];"
        "return [c.width, [...c.getContext('2d').getImageData(0, 0, 8, 8).data]]"
    )
    assert pixels[0] == 8
    shown = np.array(pixels[1]).reshape(64, 4)[:, 0]
    np.testing.assert_allclose(shown, 255 * X[:, 5] / X.max(), atol=0.51)
    assert not tab.complaints()


def test_pictures_are_those_before_the_scaling(tab, tmp_path):
    digits = dn.data.load("digits")
    X, Y = digits.X[:, :40], digits.Y[:40]
    model = dn.mlp([64, 7, 10], output="softmax", seed=1)
    model.fit(X, Y, epochs=1, scaling="standardize", progress=False)
    tab.open(report(model, tmp_path / "p.html", X, Y, image=(8, 8)).path)
    tab.choose("#search", "X")
    pixels = tab.run(
        "const c = document.querySelectorAll('.pictures.examples canvas')[5];"
        "return [...c.getContext('2d').getImageData(0, 0, 8, 8).data]"
    )
    shown = np.array(pixels).reshape(64, 4)[:, 0]
    np.testing.assert_allclose(shown, 255 * X[:, 5] / X.max(), atol=0.51)
    assert not tab.complaints()


def test_a_model_that_never_ran(tab, tmp_path):
    tab.open(report(dn.mlp([3, 5, 1]), tmp_path / "p.html").path)
    assert "has not run" in tab.text(".ran")
    tab.choose("#search", "linear1")
    assert "Z = W A_prev + b" in tab.text(".facts")
    assert not tab.all("canvas.heat")
    assert not tab.complaints()


def test_bad_values_and_dead_units_are_marked(tab, tmp_path):
    data = moons()
    model = dn.mlp([2, 7, 1], seed=1, check_finite=False)
    model.params["linear1"]["b"][3] = -100
    tab.open(report(model, tmp_path / "p.html", data["X"], data["Y"]).path)
    tab.choose("#search", "relu1")
    assert re.search(r"1 dead.*: 3$", tab.text('[data-value="output"] .warn.dead'))
    assert len(tab.all('[data-value="output"] .dead-mark')) == 1
    data["X"][1, 4] = math.inf
    data["X"][0, 6] = math.nan
    tab.open(report(model, tmp_path / "p.html", data["X"], data["Y"]).path)
    tab.choose("#search", "X")
    assert "1 NaN" in tab.text('[data-value="output"] .warn.nan')
    assert "1 Inf" in tab.text('[data-value="output"] .warn.inf')
    pixels = drawn(tab, "output")
    nan, infinite, finite = (pixels[0, 6], pixels[1, 4], pixels[0, 5])
    assert (nan.tolist(), infinite.tolist()) == ([214, 0, 110], [0, 158, 115])
    assert finite.tolist() not in (nan.tolist(), infinite.tolist())
    tab.point("output", 0, 6)
    assert tab.text('[data-value="output"] .readout').endswith("NaN")
    assert tab.all(".node.bad")
    assert not tab.complaints()


#: Runs in the page; returns what is wrong with its texts.
TROUBLE = (Path(__file__).parent / "trouble.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(1440, 1000), (620, 900)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_text_is_cut_or_covered(size, language, tab, path):
    tab.open(path, *size)
    if language == "zh":
        tab.click("#language")
    assert tab.run(TROUBLE) == []
    tab.choose("#drawing", "nodes")
    tab.choose("#overlay", "std")
    for node in ("linear2", "relu1", "cost"):
        tab.choose("#search", node)
        if node == "linear2":
            tab.point("output", 3, 17)
        assert tab.run(TROUBLE) == []
    tab.click("#theme")
    assert tab.run("return document.documentElement.dataset.theme") == "dark"
    assert tab.run(TROUBLE) == []


class TestTrouble:
    """A page of a network that does not train says so at first sight."""

    def test_the_first_value_that_is_not_finite_is_that_of_why(self, tab, tmp_path):
        model = dn.mlp([5, 4, 3, 1], seed=1, check_finite=False)
        model.params["linear2"]["W"][1, 2] = np.nan
        rng = np.random.default_rng(1)
        model.forward({"X": rng.normal(size=(5, 8)), "Y": rng.integers(0, 2, (1, 8))})
        model.backward()
        why = model.why()
        tab.open(report(model, tmp_path / "nan.html").path)
        found = f"■ First value that is not finite: {why.node} {why.value}"
        assert tab.text("#first-bad").split() == found.split()
        row = next(r for r in tab.all("table.values tbody tr") if r.text.startswith("linear2"))
        assert [cell.text for cell in row.find_elements("css selector", "td")][-2:] == [
            "NaN",
            "■ 8 NaN",
        ]
        tab.click("#first-bad button")
        assert tab.text("#node-name").startswith("linear2")
        assert not tab.complaints()

    def test_a_gradient_may_be_the_first(self, tab, tmp_path):
        x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
        scores = dn.Linear(3, name="linear")(x)
        model = dn.Model(
            dn.MeanSquaredError(name="cost")(Spoiling(name="spoil")(scores), y), seed=1
        )
        model.forward({"x": np.ones((3, 8)), "y": np.ones((3, 8))})
        model.backward()
        tab.open(report(model, tmp_path / "back.html").path)
        assert tab.text("#first-bad").split()[-2:] == ["spoil", "grad_inputs.0"]

    def test_dead_units_are_counted_in_the_overview(self, tab, tmp_path):
        model = dn.mlp([2, 7, 5, 1], seed=1)
        model.params["linear2"]["b"][:3] = -50
        data = moons()
        model.forward(data)
        model.backward()
        tab.open(report(model, tmp_path / "dead.html").path)
        rows = {r.text.split()[0]: r.text for r in tab.all("table.values tbody tr")}
        dead = int((~model.cache["relu2"].output.any(axis=1)).sum())
        assert dead >= 3
        assert rows["relu2"].endswith(f"▸ {dead} of 5 dead")
        assert "dead" not in rows["linear2"]
        assert not tab.all("#first-bad")


class Spoiling(dn.Op):
    """The identity, whose gradient is infinite."""

    kind = "activation"

    def output_shape(self, *inputs):
        return inputs[0]

    def forward(self, f):
        np.copyto(f.output, f.inputs[0])

    def backward(self, f):
        f.grad_inputs[0][...] = np.inf
