"""What a picture says to who does not see it."""

from xml.etree import ElementTree

import pytest
from render_helpers import SVG, lesson, staged, two_branches

import dagnet as dn
from dagnet.graph import Graph
from dagnet.render import draw, render, to_svg


def caption(svg: str) -> tuple[str, list[str]]:
    root = ElementTree.fromstring(svg.encode())
    assert root.get("role") == "img"
    title, description = list(root)[:2]
    assert (title.tag, description.tag) == (f"{SVG}title", f"{SVG}desc")
    return title.text or "", (description.text or "").split("\n")


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_a_picture_has_a_title_and_tells_every_box(theme: str) -> None:
    title, rows = caption(to_svg(lesson(), theme=theme))
    assert title == "network of 11 nodes"
    assert rows == [
        "X, input",
        "[LINEAR → RELU] × 3, 12288 → 20 → 7 → 5, linear1 … relu3, 245,967 parameters, reads X",
        "LINEAR, linear4, W (1, 5)   b (1, 1), 6 parameters, reads linear1 … relu3",
        "SIGMOID, sigmoid4 · output, reads linear4",
        "Y, target",
        "BINARY CROSS ENTROPY, cost, reads sigmoid4, Y",
    ]


def test_the_dots_of_groups_stand_for_what_comes_to_them() -> None:
    rows = caption(to_svg(staged()))[1]
    assert rows[2].startswith("LINEAR, linear1 … linear12")
    assert rows[2].endswith("reads stem")
    assert rows[4] == "+, add1 … add12, reads stem, relu1 … relu12"
    assert rows[5].endswith("reads add1 … add12")


def test_the_given_title_is_the_title_whatever_is_in_it() -> None:
    hostile = "a < b & \\1 \\g<0> </title><script>"
    svg = to_svg(lesson(), title=hostile)
    assert caption(svg)[0] == hostile
    assert "<script>" not in svg


def test_notes_come_first_and_the_words_are_chinese_if_asked() -> None:
    title, rows = caption(to_svg(lesson(), backward=True, language="zh"))
    assert title == "11 个节点的网络"
    assert rows[0].startswith("空心箭头")
    assert "依次读取 sigmoid4，Y" in rows[-1]


def test_a_file_has_the_same_caption(tmp_path) -> None:
    path = render(two_branches(), tmp_path / "net.svg")
    assert path.read_text(encoding="utf-8") == to_svg(two_branches())


def test_what_keeps_its_inputs_in_order_says_in_which() -> None:
    X, side = dn.Input(5, name="X"), dn.Input(3, name="side")
    twice = dn.Add(name="twice")(side, side)
    pair = dn.Concat(name="pair")(dn.ReLU(name="bend")(X), twice, X)
    many = dn.Concat(name="many")(*[dn.ReLU()(pair) for _ in range(6)])
    drawing = draw(Graph.from_nodes(outputs=[dn.Tanh()(many)]))
    lines = {box.names[0]: [line.text for line in box.lines] for box in drawing.boxes}
    assert lines["pair"] == ["CONCAT", "pair", "reads bend, twice (+), X"]
    assert lines["many"] == ["CONCAT", "many", "reads relu1, relu2, …, relu6"]
    assert not any("reads" in text for text in lines["bend"])


def test_of_a_sum_and_a_loss_no_order_is_said() -> None:
    for box in draw(two_branches()).boxes:
        if box.kind == "loss" or box.symbol:
            assert not any("reads" in line.text for line in box.lines)
