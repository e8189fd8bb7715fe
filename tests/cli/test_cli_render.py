"""dagnet render: overlays, gradients and comparisons from the command line, and text."""

import os
import subprocess
import sys
from pathlib import Path

import dagnet as dn


def test_render_prints_the_drawing_as_text(run, tmp_path):
    result = run("render", "--layers", "12288,20,7,5,1", "--text")
    assert result.output.rstrip("\n") == dn.draw_text(dn.mlp([12288, 20, 7, 5, 1], init="zeros"))
    assert not list(tmp_path.glob("*.svg"))


def test_render_prints_ascii_where_there_is_nothing_else(network_file, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "dagnet", "render", str(network_file), "--text"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert done.stdout.isascii()
    assert b"?" not in done.stdout
    assert len(done.stdout.splitlines()) > 3


def test_render_with_data_draws_numbers_of_a_run(run, tmp_path):
    drawn = tmp_path / "net.dot"
    options = (
        "--overlay",
        "zeros",
        "--backward",
        "--depth",
        "1",
        "--theme",
        "dark",
        "--title",
        "T",
    )
    run("render", "--layers", "2,5,5,1", "--data", "moons", *options, "--title", "T", "-o", drawn)
    text = drawn.read_text(encoding="utf-8")
    assert "share of zeros in the output" in text
    assert "with their norms" in text
    assert "<B>T</B>" in text
    assert "#15181C" in text


def test_render_against_an_older_network(run, network_file, tmp_path):
    drawn = tmp_path / "net.dot"
    run("render", network_file, "--against", network_file, "-o", drawn)
    assert "the same structure" in drawn.read_text(encoding="utf-8")


def test_render_finds_mistakes_before_it_runs_anything(run, fails, tmp_path):
    (tmp_path / "net.py").write_text("raise SystemExit('this was run')")
    for options, message in (
        (("-o", tmp_path / "none" / "net.svg"), "there is no directory"),
        (("-o", tmp_path / "net.svg", "--overlay", "zeroes"), "did you mean 'zeros'"),
    ):
        assert message in fails("render", tmp_path / "net.py", *options)
    run("render", "--layers", "2,1", "--text", "-o", tmp_path / "net.svg", code=2)
