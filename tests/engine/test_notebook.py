"""In a notebook: cells have random names of files, and the names that people see."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import dagnet as dn
from dagnet.node import Source
from dagnet.storage.graph_json import graph_to_json

CELL = "/tmp/ipykernel_17/288598088.py"


def define(file: str) -> dn.Model:
    """Make a network on the third line of a file."""
    names = {"dn": dn}
    text = "\n\nmodel = dn.mlp([5, 4, 1], seed=1, check_finite=False)"
    exec(compile(text, file, "exec"), names)
    model = names["model"]
    assert isinstance(model, dn.Model)
    return model


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand in for IPython, which names the cells that it has run."""
    compiler = SimpleNamespace(format_code_name={CELL: ("Cell", "In[3]")}.get)
    shell = SimpleNamespace(compile=compiler)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return shell


def test_a_line_of_a_cell_is_named_as_the_notebook_names_it(shell: SimpleNamespace) -> None:
    model = define(CELL)
    assert model.graph["linear1"].label == "linear1 (In[3]:3)"
    with pytest.raises(dn.DagnetError, match=r"X \(In\[3\]:3\)"):
        model.forward({"X": np.ones((4, 2)), "Y": np.ones((1, 2))})
    sources = [vertex["source"] for vertex in graph_to_json(model.graph)["vertices"]]
    assert sources == [["In[3]", 3]] * len(sources)


def test_a_file_keeps_its_name_in_a_notebook(shell: SimpleNamespace) -> None:
    assert str(Source("/home/me/net.py", 7)) == "net.py:7"


@pytest.mark.parametrize("compiler", [None, SimpleNamespace()])
def test_shells_that_do_not_tell_are_not_asked(shell: SimpleNamespace, compiler: object) -> None:
    shell.compile = compiler
    assert str(Source(CELL, 3)) == "288598088.py:3"


def test_without_a_shell_there_are_no_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert str(Source(CELL, 3)) == "288598088.py:3"
    monkeypatch.delitem(sys.modules, "IPython")
    assert str(Source(CELL, 3)) == "288598088.py:3"
