"""Files, layout engines, and what goes wrong with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from render_helpers import elements, lesson, run

import dagnet as dn
from dagnet.errors import (
    ArgumentError,
    ArgumentTypeError,
    DagnetError,
    FileAccessError,
    MissingDependencyError,
    UnknownNameError,
)
from dagnet.render import DrawingError, engine, figure, render, style, to_dot, to_svg
from dagnet.render.engine import Engine, find_engine


@pytest.fixture
def pure() -> Engine:
    """Return the layout engine that comes as a Python package."""
    path = Path(sys.executable).parent / "graphviz-pure"
    return Engine("graphviz-pure", str(path))


@pytest.fixture
def command(tmp_path: Path):
    """Return a function that writes an executable running a shell script."""

    def write(name: str, script: str) -> Path:
        folder = tmp_path / f"bin-{name}"
        folder.mkdir()
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.shutil, "which", lambda name, path=None: None)


@pytest.mark.parametrize(
    ("suffix", "beginning"),
    [(".svg", b"<?xml"), (".SVG", b"<?xml"), (".png", b"\x89PNG\r\n"), (".dot", b"digraph {")],
)
def test_the_suffix_decides_the_format(tmp_path: Path, suffix: str, beginning: bytes) -> None:
    path = tmp_path / f"net{suffix}"
    assert render(lesson(), str(path)) == path
    assert path.read_bytes().startswith(beginning)
    assert os.listdir(tmp_path) == [path.name]


def test_a_file_holds_what_the_functions_return(tmp_path: Path) -> None:
    model = lesson()
    options = {"direction": "right", "fold": False, "title": "A cat?"}
    svg = render(model, tmp_path / "net.svg", **options)
    assert svg.read_text(encoding="utf-8") == to_svg(model, **options)
    dot = render(model, tmp_path / "net.dot", **options)
    assert dot.read_text(encoding="utf-8") == to_dot(model, **options)


def test_a_graph_is_drawn_as_its_model_is() -> None:
    model = lesson()
    assert to_dot(model) == to_dot(model.graph)


@pytest.mark.parametrize("name", ["net", "net.jpeg", "net.svgz", ".svg"])
def test_another_suffix_is_an_error_that_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match=r"end in one of \.svg, \.png, \.pdf, \.dot"):
        render(lesson(), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_missing_directory_is_an_error_before_any_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "find_engine", lambda: pytest.fail("too late"))
    with pytest.raises(FileAccessError, match="no directory"):
        render(lesson(), tmp_path / "none" / "net.svg")


def test_only_networks_are_drawn() -> None:
    with pytest.raises(ArgumentTypeError, match="not list"):
        to_dot([1, 2])  # type: ignore[arg-type]


def test_an_unknown_direction_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no direction named 'left'"):
        to_dot(lesson(), direction="left")  # type: ignore[arg-type]


# Finding an engine.


def test_without_an_engine_the_error_says_what_to_install(no_engine: None, tmp_path: Path) -> None:
    for draw in (lambda: to_svg(lesson()), lambda: render(lesson(), tmp_path / "net.png")):
        with pytest.raises(MissingDependencyError, match="pip install graphviz-pure"):
            draw()
    assert os.listdir(tmp_path) == []


def test_without_an_engine_the_dot_text_is_there(no_engine: None, tmp_path: Path) -> None:
    path = render(lesson(), tmp_path / "net.dot")
    assert "[LINEAR → RELU] × 3" in path.read_text(encoding="utf-8")
    assert to_dot(lesson()) == path.read_text(encoding="utf-8")


def test_the_engine_beside_python_is_found_without_a_path(
    pure: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_engine() == pure


def test_graphviz_itself_is_preferred(command, monkeypatch: pytest.MonkeyPatch) -> None:
    dot = command("dot", "cat > /dev/null; echo '<svg>drawn by dot</svg>'")
    monkeypatch.setenv("PATH", f"{dot.parent}{os.pathsep}{os.environ['PATH']}")
    assert find_engine() == Engine("dot", str(dot))
    assert to_svg(lesson()).endswith(">drawn by dot</svg>\n")


def test_graphviz_itself_gets_the_text_and_the_format(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dot = command("dot", f"echo \"$@\" > '{tmp_path}/arguments'; cat")
    monkeypatch.setenv("PATH", f"{dot.parent}{os.pathsep}{os.environ['PATH']}")
    path = render(lesson(), tmp_path / "net.pdf")
    assert path.read_text(encoding="utf-8") == to_dot(lesson())
    assert (tmp_path / "arguments").read_text().split() == ["-Kdot", "-Tpdf"]


# What an engine cannot do.


def test_pdf_needs_graphviz_itself(
    pure: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "find_engine", lambda: pure)
    with pytest.raises(ArgumentError, match=r"cannot write \.pdf.*install Graphviz itself"):
        render(lesson(), tmp_path / "net.pdf")
    assert os.listdir(tmp_path) == []


def test_a_broken_text_is_an_error_with_what_the_engine_said(pure: Engine) -> None:
    with pytest.raises(DrawingError, match=r"graphviz-pure failed .*exit code 1.*syntax error"):
        pure.run("digraph {", "svg")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'no such font' >&2; exit 3", "exit code 3.*no such font"),
        ("echo half a picture; exit 4", "exit code 4"),
        ("cat > /dev/null", "exit code 0.*it said nothing"),
        ("exit 1", "exit code 1.*it said nothing"),
    ],
)
def test_an_engine_that_fails_is_an_error_with_what_it_said(
    command, script: str, message: str
) -> None:
    with pytest.raises(DrawingError, match=message):
        Engine("dot", str(command("dot", script))).run("digraph {}", "svg")


def test_an_engine_that_takes_too_long_is_stopped(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TIMEOUT", 0.2)
    with pytest.raises(DrawingError, match="fold=True"):
        Engine("dot", str(command("dot", "exec sleep 60"))).run("digraph {}", "svg")


def scopes(count: int) -> dn.Graph:
    value = dn.Input(3, name="X")
    for number in range(count):
        with dn.scope(f"block{number}"):
            value = dn.Add()(dn.ReLU()(value), value)
    return dn.Graph.from_nodes(outputs=[value])


def test_of_many_boxes_the_layout_is_rough_and_all_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = scopes(5)
    assert "nslimit" not in to_dot(graph, fold=False)
    fine = to_svg(graph, fold=False)
    monkeypatch.setattr(style, "MOST_POLISHED", 10)
    assert "nslimit=0" in to_dot(graph, fold=False)
    rough = to_svg(graph, fold=False)
    for kind in ("node", "edge", "cluster"):
        assert elements(rough, kind).keys() == elements(fine, kind).keys()


@pytest.mark.parametrize("limit", ["MOST_BOXES", "MOST_GROUPS"])
def test_more_than_an_engine_can_take_is_not_given_to_it(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = scopes(5)
    monkeypatch.setattr(figure, limit, 4)
    monkeypatch.setattr(Engine, "run", lambda *_: pytest.fail("too late"))
    with pytest.raises(DrawingError, match=r"11 boxes in 5 groups .*fold=True.*\.dot"):
        render(graph, tmp_path / "net.svg", fold=False)
    assert render(graph, tmp_path / "net.dot", fold=False).exists()


def size_of(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_a_large_picture_has_fewer_dots_per_inch(
    pure: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = to_dot(lesson(), fold=False)
    whole = size_of(pure.run(source, "png"))
    most = whole[0] * whole[1] // 4
    monkeypatch.setattr(engine, "MOST_PIXELS", most)
    smaller = size_of(pure.run(source, "png"))
    assert 0.98 * most < smaller[0] * smaller[1] < 1.02 * most
    assert smaller[0] / smaller[1] == pytest.approx(whole[0] / whole[1], rel=0.01)
    monkeypatch.setattr(engine, "MOST_PIXELS", most // 8)
    with pytest.raises(DrawingError, match=r"inches large.*\.svg"):
        pure.run(source, "png")


def test_an_engine_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "dot"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    with pytest.raises(DrawingError, match="cannot be run"):
        Engine("dot", str(broken)).run("digraph {}", "svg")


def test_an_error_leaves_the_old_picture(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dot = command("dot", "exit 1")
    path = render(lesson(), tmp_path / "net.svg")
    before = path.read_bytes()
    monkeypatch.setattr(figure, "find_engine", lambda: Engine("dot", str(dot)))
    with pytest.raises(DagnetError):
        render(dn.mlp([3, 1]), path)
    assert path.read_bytes() == before


def test_chinese_in_pixels_is_warned_of_where_there_is_no_font(
    pure: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "find_engine", lambda: pure)
    network = dn.Graph.from_nodes(outputs=[dn.ReLU(name="激活")(dn.Input(3, name="X"))])
    with pytest.warns(UserWarning, match="no font for Chinese") as caught:
        render(network, tmp_path / "net.png")
    assert caught[0].filename == __file__
    svg = render(network, tmp_path / "net.svg").read_text(encoding="utf-8")
    assert "激活 · (3, m)" in elements(svg, "node")["node-激活"].texts[1]


@pytest.mark.parametrize("name", ["dot", "graphviz-pure"])
def test_an_engine_without_fonts_is_told_the_width_of_chinese(
    command, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "find_engine", lambda: Engine(name, str(command(name, "cat"))))
    network = dn.Graph.from_nodes(outputs=[dn.Input(3, name="图像")])
    assert ("FIXEDSIZE" in to_svg(network)) == (name == "graphviz-pure")


def test_viewers_without_helvetica_are_led_to_its_likes() -> None:
    assert "Liberation Sans" in to_svg(lesson())


# Imports.


def test_importing_dagnet_does_not_load_graphviz() -> None:
    code = "import sys, dagnet; sys.exit('graphviz' in sys.modules)"
    root = str(Path(dn.__file__).parents[1])
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": root}, check=True)


def test_one_module_imports_graphviz() -> None:
    package = Path(dn.__file__).parent
    importers = [p.name for p in package.rglob("*.py") if "import graphviz" in p.read_text("utf-8")]
    assert importers == ["dot.py"]


def test_a_model_draws_its_last_run(tmp_path: Path) -> None:
    model = run(lesson())
    path = model.render(tmp_path / "net.svg", overlay="zeros", backward=True)
    assert path.read_text(encoding="utf-8") == to_svg(model, overlay="zeros", backward=True)
    assert "share of zeros in the output" in path.read_text(encoding="utf-8").replace("\xa0", " ")


def test_a_wrong_overlay_is_an_error_before_any_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "find_engine", lambda: pytest.fail("too late"))
    with pytest.raises(UnknownNameError, match="did you mean 'zeros'"):
        render(lesson(), tmp_path / "net.svg", overlay="zeroes")


def test_notebooks_show_models_and_graphs_as_their_drawings() -> None:
    model = lesson()
    assert model._repr_svg_() == model.graph._repr_svg_() == to_svg(model)


def test_notebooks_without_an_engine_show_no_drawing_and_no_error(no_engine: None) -> None:
    assert lesson()._repr_svg_() is None
    assert lesson().graph._repr_svg_() is None
