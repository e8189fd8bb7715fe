"""What the help says of options that take a name, and what Tab completes."""

import pytest
from click.shell_completion import ShellComplete

from dagnet.cli import main
from dagnet.debug.watches import CATALOGUE
from dagnet.render import MEASURES


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("train", ["sgd", "adamw", "leakyrelu", "minmax", "float32", "fused", "all"]),
        ("train", [watch.name for watch in CATALOGUE]),
        ("render", MEASURES),
    ],
)
def test_the_help_lists_the_names(run, command, names):
    shown = " ".join(run(command, "--help").stdout.split())
    missing = [name for name in names if f" {name}" not in shown]
    assert not missing


def completed(*words):
    *before, incomplete = words
    found = ShellComplete(main, {}, "dagnet", "_DAGNET_COMPLETE").get_completions(
        before, incomplete
    )
    return [(item.value, item.type) for item in found]


def test_tab_completes_names_and_files():
    assert completed("ev") == [("evaluate", "plain")]
    assert completed("train", "--optimizer", "adam") == [("adam", "plain"), ("adamw", "plain")]
    assert completed("train", "--watch", "dead") == [
        ("dead relu", "plain"),
        ("dead layer", "plain"),
    ]
    assert completed("evaluate", "m.safetensors", "--data", "mo") == [("moons", "plain")]
    assert completed("evaluate", "m.safetensors", "--data", "my") == [("my", "file")]
    assert completed("evaluate", "m") == [("m", "file")]
