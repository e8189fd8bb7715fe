"""Drawings as plain text."""

import numpy as np
import pytest
from render_helpers import lesson, residual, run, staged, two_branches

import dagnet as dn
from dagnet.graph import Graph
from dagnet.render import draw, draw_text
from dagnet.render.lanes import Lanes


def rows(network: dn.Model | Graph, **options: object) -> list[str]:
    return draw_text(network, **options).split("\n")  # type: ignore[arg-type]


def test_the_lesson_is_a_row_for_every_box() -> None:
    assert rows(lesson()) == [
        "○    X                     input   (12288, m)",
        "▣    [LINEAR → RELU] × 3   12288 → 20 → 7 → 5   linear1 … relu3   "
        "245,967 parameters   (5, m)",
        "●    LINEAR                linear4   W (1, 5)   b (1, 1)   6 parameters   (1, m)",
        "●    SIGMOID               sigmoid4 · output   (1, m)",
        "│ ○  Y                     target   (1, m)",
        "├─╯",
        "◆    BINARY CROSS ENTROPY  cost",
    ]


def test_groups_have_borders_within_each_other() -> None:
    shown = [row.split("  ", 1)[1] if "  " in row else "" for row in rows(staged())]
    opened = [row.strip() for row in shown if "┌" in row]
    assert [row.split("┌ ")[1].split("   ")[0] for row in opened] == [
        "trunk",
        "stage0 … stage2  × 3",
        "block0 … block3  × 4",
    ]
    assert sum("└" in row for row in shown) == 3
    assert any("│ │ │ +" in row and "add1 … add12" in row for row in shown)


def test_ascii_is_only_ascii() -> None:
    text = draw_text(run(staged()), ascii=True, overlay="zeros", backward=True)
    assert text.isascii()
    assert len(text.split("\n")) == len(rows(run(staged()), overlay="zeros", backward=True))


def test_numbers_of_an_overlay_and_of_gradients_are_in_the_rows() -> None:
    model = run(residual())
    text = rows(model, overlay="zeros", backward=True, fold=False)
    assert text[0].startswith("arrows with open heads")
    assert text[1].startswith("share of zeros in the output: ")
    (relu,) = (row for row in text if " relu2 " in row)
    zeros = 100 * np.mean(model.cache["relu2"].output == 0)
    norm = np.linalg.norm(model.cache["add2"].grad_inputs[1])
    assert f"   {zeros:.3g}%   " in relu
    assert relu.endswith(f"gradient {norm:.2g}")


def test_wide_characters_keep_the_columns_in_line() -> None:
    X = dn.Input(3, name="输入")
    (first, second) = rows(Graph.from_nodes(outputs=[dn.ReLU(name="a")(X)]))
    assert first == "○  输入  input   (3, m)"
    assert second == "●  RELU  a · output   (3, m)" or second == "●  RELU  a · (3, m) · output"


@pytest.mark.parametrize("network", [lesson, residual, staged, two_branches])
@pytest.mark.parametrize("fold", [True, False, 1, 2])
def test_every_box_has_a_row_with_its_sign(network, fold: bool | int) -> None:
    model = network()
    signs = [row for row in rows(model, fold=fold) if set(row.split("  ")[0]) & set("○●▣◆•")]
    assert len(signs) == len(draw(model, fold=fold).boxes)


def follow(network: Graph) -> set[tuple[str, str]]:
    """Read the text back: return who reads whom, by walking along the lines."""
    text = rows(network, fold=False)
    width = max(row.find(name) for row in text for name in network if name in row)
    grid = [row[:width].ljust(width) for row in text]
    up, down, left, right = (set(s) for s in ("│╵╯╰├┤┴┼", "│╷╮╭├┤┬┼", "─╴╯╮┤┬┴┼", "─╶╰╭├┬┴┼"))
    signs = "○●◆"
    places = [(i, row.index(s)) for i, row in enumerate(grid) for s in signs if s in row]
    boxes = [box.names[0] for box in draw(network, fold=False).boxes]
    names = dict(zip(places, boxes, strict=True))
    found = set()
    for place, reader in names.items():
        seen, waiting = {place}, [place]
        while waiting:
            i, j = waiting.pop()
            steps = []
            here = grid[i][j]
            if i > 0 and (here in up or here in signs):
                above = grid[i - 1][j]
                if above in down or above in signs:
                    steps.append((i - 1, j))
            if here in left and grid[i][j - 1] in right:
                steps.append((i, j - 1))
            if here in right and grid[i][j + 1] in left:
                steps.append((i, j + 1))
            for step in steps:
                if step in names:
                    found.add((names[step], reader))
                elif step not in seen:
                    seen.add(step)
                    waiting.append(step)
    return found


def test_lines_lead_from_values_to_their_readers() -> None:
    graph = two_branches().graph
    edges = {(n, v.name) for v in graph.vertices.values() for n in v.inputs}
    assert follow(graph) >= edges


def test_lanes_join_and_part() -> None:
    lanes = Lanes()
    column, row = lanes.enter("a", [])
    assert (column, row, lanes.row(column, "A")) == (0, "", "A")
    lanes.leave(0, "a", ["b", "c"])
    column, row = lanes.enter("b", ["a"])
    assert (column, row, lanes.row(column, "B")) == (1, "├─╮", "│ B")
    lanes.leave(1, "b", ["c"])
    column, row = lanes.enter("c", ["a", "b"])
    assert (column, row, lanes.row(column, "C")) == (0, "├─╯", "C")
