"""Imports point one way, and `import dagnet` loads next to nothing."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import dagnet

PACKAGE = Path(dagnet.__file__).parent
MODULES = {
    ".".join(("dagnet", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

#: From the bottom to the top; who stands in one row does not import its neighbours in a circle.
ROWS = [
    [
        "errors",
        "names",
        "scopes",
        "node",
        "files",
        "arena",
        "settings",
        "bounds",
        "arrays",
        "stored",
        "text",
        "garbage",
        "late",
    ],
    ["statistics", "tables", "statistics_table", "ahead", "data", "initializers"],
    ["ops", "definition"],
    ["graph", "parameters", "steps", "testing"],
    ["passes"],
    ["plan", "lifetimes", "planner", "executors", "diagnosis"],
    ["memory", "binding", "scheduler", "run", "gradients", "cache", "record", "layer", "fused"],
    ["feeds", "preparing", "streams"],
    ["building", "runners", "totals", "predicting", "updates"],
    ["model"],
    ["storage", "networks"],
    ["training"],
    ["cli", "render", "debug", "display", "profiling", "inspector", "export", "__main__"],
]
RANK = {name: rank for rank, row in enumerate(ROWS) for name in row}

#: Methods of `Model` and `Graph` that stand for what lies above them.
FACADE = {
    "dagnet.model": {"fit", "evaluate", "save", "render", "run", "cone", "debug", "report"}
    | {"profile", "_repr_svg_"},
    "dagnet.graph": {"_repr_svg_"},
}

#: Packages that one module or folder alone may import.
KEEPERS = {
    "networkx": ["graph"],
    "safetensors": ["storage"],
    "numba": ["fused"],
    "llvmlite": ["fused"],
}

#: Packages that some modules need, but `import dagnet` does not load.
LATE = ["matplotlib", "rich", "h5py", "sklearn", "numba", "llvmlite", "scipy", "click", "graphviz"]


def unit(module):
    """The row's name of a module: ``dagnet.ops.linear`` stands where ``ops`` stands."""
    return module.split(".")[1] if "." in module else ""


class Imports(ast.NodeVisitor):
    """The imports of a module: (imported module, the function it is in or None, line)."""

    def __init__(self, module, path):
        self.module = module
        self.is_package = path.name == "__init__.py"
        self.functions = []
        self.found = []
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_FunctionDef(self, node):
        self.functions.append(node.name)
        self.generic_visit(node)
        self.functions.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_If(self, node):
        if ast.unparse(node.test) not in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name, node)

    def visit_ImportFrom(self, node):
        base = node.module or ""
        if node.level:
            parents = self.module.split(".")
            up = parents[: len(parents) - node.level + self.is_package]
            base = ".".join([*up, base] if base else up)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            self.add(full if full in MODULES else base, node)

    def add(self, name, node):
        function = self.functions[0] if self.functions else None
        self.found.append((name, function, node.lineno))


@cache
def imports(module):
    return Imports(module, MODULES[module]).found


def inside(module):
    """The imports of dagnet's own modules."""
    return [found for found in imports(module) if found[0].split(".")[0] == "dagnet"]


def test_the_parser_sees_every_form_of_import(tmp_path):
    file = tmp_path / "probe.py"
    file.write_text(
        "import os, dagnet.graph\n"
        "from dagnet import plan, Model\n"
        "from dagnet.ops import linear\n"
        "from . import node\n"
        "from .errors import DagnetError\n"
        "if TYPE_CHECKING:\n    import cli\n"
        "try:\n    import rich\nexcept ImportError:\n    pass\n"
        "class C:\n    def f(self):\n        import networkx.drawing\n",
        encoding="utf-8",
    )
    assert Imports("dagnet.probe", file).found == [
        ("os", None, 1),
        ("dagnet.graph", None, 1),
        ("dagnet.plan", None, 2),
        ("dagnet", None, 2),
        ("dagnet.ops.linear", None, 3),
        ("dagnet.node", None, 4),
        ("dagnet.errors", None, 5),
        ("rich", None, 9),
        ("networkx.drawing", "f", 14),
    ]


def test_every_module_has_a_place():
    homeless = {unit(m) for m in MODULES if unit(m)} - set(RANK)
    assert not homeless, f"give these a row in ROWS: {sorted(homeless)}"


@pytest.mark.parametrize("module", [m for m in MODULES if m != "dagnet"])
def test_imports_only_go_down(module):
    """Inside functions, too, but for the facade methods of the model."""
    for name, function, line in inside(module):
        if unit(name) == unit(module) != "":
            continue
        if name == "dagnet":
            assert unit(module) in ROWS[-1], f"{module}:{line} imports the package's own face"
            continue
        if function in FACADE.get(module, ()):
            continue
        assert RANK[unit(name)] <= RANK[unit(module)], f"{module}:{line} imports {name}, above it"


def test_no_module_reaches_itself():
    """Module-level imports make no circle, within a row and a folder neither."""
    edges = {
        m: {n for n, function, _ in inside(m) if function is None and n != "dagnet"}
        for m in MODULES
    }
    edges["dagnet"] = set()
    done = set()
    while len(done) < len(edges):
        ready = {m for m in edges if m not in done and edges[m] - {m} <= done}
        assert ready, f"a circle among {sorted(set(edges) - done)}"
        done |= ready


def test_the_face_holds_names_and_nothing_else():
    tree = ast.parse(MODULES["dagnet"].read_text(encoding="utf-8"))
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr, ast.FunctionDef, ast.If)
    assert all(isinstance(node, allowed) for node in tree.body)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert functions <= {"__getattr__", "__dir__"}


@pytest.mark.parametrize("package", KEEPERS)
def test_a_package_with_one_keeper(package):
    users = {unit(m) for m in MODULES for n, _, _ in imports(m) if n.split(".")[0] == package}
    assert users <= set(KEEPERS[package])


def test_graphviz_is_imported_by_one_module():
    for package in ("graphviz", "graphviz_pure"):
        users = [m for m in MODULES if package in {n.split(".")[0] for n, _, _ in imports(m)}]
        assert len(users) <= 1, users


def run(code):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_importing_dagnet_loads_numpy_and_no_other_package():
    unwanted = [*LATE, "networkx", "safetensors", "graphviz_pure", "onnx", "pandas", "tqdm"]
    unwanted += ["PIL", "IPython"]
    loaded = run("import sys, dagnet; print(*sorted({m.split('.')[0] for m in sys.modules}))")
    assert "numpy" in loaded
    assert not set(unwanted) & set(loaded)


def test_what_import_dagnet_loads_imports_no_late_package_at_module_level():
    loaded = run(
        "import sys, dagnet; print(*[m for m in sys.modules if m in sys.argv or m[:6] == 'dagnet'])"
    )
    assert "dagnet.model" in loaded
    for module in loaded:
        top = {n.split(".")[0] for n, function, _ in imports(module) if function is None}
        assert not top & {*LATE, "safetensors"}, module


def test_a_training_step_loads_nothing_of_dagnet_that_only_files_or_looking_need():
    loaded = run(
        "import sys, numpy as np, dagnet as dn;"
        "feeds = {'X': np.ones((2, 3)), 'Y': np.ones((1, 3))};"
        "dn.mlp([2, 4, 1]).train_step(feeds, dn.SGD(0.1));"
        "print(*{m.split('.')[1] for m in sys.modules if m.startswith('dagnet.')})"
    )
    assert "scheduler" in loaded
    assert not {"data", "streams", "storage", "cache", "layer", "diagnosis", *ROWS[-1]} & {*loaded}


def test_importing_dagnet_prints_nothing_and_leaves_numpy_s_random_state_alone():
    assert not run(
        "import numpy as np; np.random.seed(1); a = np.random.get_state()[1].tolist();"
        "import dagnet; assert np.random.get_state()[1].tolist() == a"
    )


def test_every_module_can_be_imported():
    """Also those for optional packages, which say what is missing only when they are used."""
    modules = ", ".join(reversed([m for m in MODULES if not m.endswith("__main__")]))
    run(f"import {modules}")
