"""Files whose checksum is right and whose content is not: every one is refused by one sentence."""

import ast
import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from storage_helpers import build, content_of, feeds, forge, message, tamper

import dagnet as dn
from dagnet.errors import FileFormatError
from dagnet.storage import graph_from_json, graph_to_json, load, save

PACKAGE = Path(dn.__file__).parent


def refused(path, match):
    with pytest.raises(FileFormatError, match=match) as info:
        load(path)
    assert message(info).startswith(f"cannot load {path}: ")
    assert info.value.__suppress_context__


def test_the_forger_can_forge(saved):
    def nothing(content, arrays):
        arrays["linear1.W"][...] = 3

    assert (load(tamper(saved, nothing)).params["linear1"]["W"] == 3).all()


# JSON.


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ('{"graph":1,"graph":2}', "key 'graph' twice"),
        ("NaN", "'NaN', which is no JSON number"),
        ("-Infinity", "'-Infinity', which is no JSON number"),
        ("1e400", "'1e400', which is no JSON number"),
        ("9" * 5000, "not valid JSON"),
        ("__import__('os').abort()", "not valid JSON"),
        ("", "not valid JSON"),
        ("[]", "the model should be an object, but is a list"),
        ("null", "the model should be an object, but is null"),
        ("{}", "the model should have the keys .* it lacks 'graph'"),
    ],
    ids=lambda text: text[:20],
)
def test_hostile_json(saved, text, match):
    refused(tamper(saved, lambda content, arrays: text), match)


@pytest.mark.parametrize("depth", [34, 200, 500])
def test_nested_hyperparameters(saved, depth):
    value = json.loads("[" * depth + "]" * depth)
    refused(edit(saved, ("graph", "vertices", 2, "op", "config", "units"), value), "too deeply")


# The document.


def edit(path, keys, value):
    """Set one entry of the saved document."""

    def change(content, arrays):
        place = content
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return tamper(path, change)


LINEAR = ("graph", "vertices", 2)
INPUT = ("graph", "vertices", 0)

CHANGES = [
    (("graph",), [], "the graph should be an object"),
    (("graph", "vertices"), {}, "vertices should be a list"),
    (("graph", "vertices"), [1], "node 0 should be an object"),
    (("graph", "vertices"), [{}], "node 0 should have the keys .* it lacks 'name'"),
    (("graph", "vertices"), [], "'cost' is a loss or an output, but no node"),
    (("graph", "losses"), ["nothing"], "'nothing' is a loss or an output, but no node"),
    (("graph", "losses"), "cost", "losses should be a list"),
    (("graph", "losses"), [["cost"]], "every entry of the graph: losses should be a string"),
    (("graph", "losses"), ["linear1"], "this input is never used"),
    (("graph", "outputs"), [None], "every entry of the graph: outputs should be a string"),
    (("graph", "own_ops"), None, "own_ops should be a list"),
    (("graph", "own_ops"), ["Linear"], "is a 'Linear', which is not one of dagnet's"),
    (("graph", "code"), "print()", "it also has 'code'"),
    (("dtype",), "float16", "dtype should be one of"),
    (("dtype",), ["float64"], "dtype should be one of"),
    (("dtype",), "float32", "'linear1.W' should be .* float32, but is .* float64"),
    (("scaling",), [], "scaling should be an object"),
    (("scaling",), {"X": 3}, "the scaling of 'X' should be an object"),
    (("scaling",), {"Z": {"name": "divide"}}, "is for no input"),
    (("scaling",), {"linear1": {"name": "divide"}}, "is for no input"),
    (("scaling",), {"X": {}}, "the scaling of 'X': the saved scaling"),
    (("scaling",), {"X": {"name": "os.system"}}, "no scaler named 'os.system'"),
    (("scaling",), {"X": {"name": {"dict": {}}}}, "no scaler named"),
    (("scaling",), {"X": {"name": "divide", "by": 0}}, "above 0|greater than 0|positive|> 0"),
    (("scaling",), {"X": {"name": "divide", "by": {"float": "nan"}}}, "by"),
    (("scaling",), {"X": {"name": "divide", "code": 1}}, "unusable"),
    (("scaling",), {"X": {"name": "standardize"}}, "should have the arrays"),
    (("tensors",), [], "the list of its arrays should be an object"),
    (("tensors",), {}, "list entry of the array .* is missing"),
    (("tensors", "more"), ["parameter", "a", "W"], "the array 'more' is missing"),
    (("tensors", "linear1.W"), "W", "should be a list"),
    (("tensors", "linear1.W"), ["parameter", "linear1"], "should hold 3 strings, but holds 2"),
    (("tensors", "linear1.W"), ["parameter", "linear1", 3], "should be a string"),
    (("tensors", "linear1.W"), ["parameter", "linear1", "b"], "'linear1.b' is there twice"),
    (("tensors", "linear1.W"), ["parameter", "linear2", "V"], "'linear1.W' is missing"),
    (("tensors", "linear1.W"), ["state", "linear1", "W"], "parameter 'linear1.W' is missing"),
    (("tensors", "linear1.W"), ["scaling", "X", "W"], "has arrays, but is not described"),
    ((*LINEAR, "name"), "", "its name: not usable: a name must be one non-empty line"),
    ((*LINEAR, "name"), "a\nb", "a name must be one non-empty line"),
    ((*LINEAR, "name"), None, "its name should be a string"),
    ((*LINEAR, "name"), "X", "node 'relu1' reads 'linear1', which is no node"),
    ((*LINEAR, "owner"), 3, "its owner should be a string"),
    ((*LINEAR, "owner"), "elsewhere", "parameter 'elsewhere.W' is missing"),
    ((*LINEAR, "owner"), "linear2", "shares W with 'linear2'"),
    ((*LINEAR, "inputs"), "X", "inputs should be a list"),
    ((*LINEAR, "inputs"), ["Z"], "node 'linear1' reads 'Z', which is no node"),
    ((*LINEAR, "inputs"), [], "Linear takes 1 input, got 0"),
    ((*LINEAR, "inputs"), ["X", "X"], "Linear takes 1 input, got 2"),
    ((*LINEAR, "inputs"), ["relu1"], "the graph has a cycle"),
    ((*LINEAR, "inputs"), ["linear1"], "the graph has a cycle"),
    ((*LINEAR, "inputs"), ["Y"], "this input is never used"),
    ((*LINEAR, "borrows"), {}, "borrows should be a list"),
    ((*LINEAR, "borrows"), [["linear2"]], "should hold 2 strings"),
    ((*LINEAR, "borrows"), [["linear2", 1]], "should be a string"),
    ((*LINEAR, "borrows"), [["linear2", "V"]], "borrows 'linear2.V', which is no parameter"),
    ((*LINEAR, "source"), "net.py", "its source should be a list"),
    ((*LINEAR, "source"), ["net.py"], "its source should be a file and a line"),
    ((*LINEAR, "source"), ["net.py", "7"], "its source should be a whole number"),
    ((*LINEAR, "source"), ["net.py", True], "its source should be a whole number"),
    ((*LINEAR, "source"), [7, 7], "its source should be a string"),
    ((*LINEAR, "op"), "Linear", "its op should be an object"),
    ((*LINEAR, "op", "class"), ["Linear"], "its op's class should be a string"),
    (
        (*LINEAR, "op", "class"),
        "__import__('os')",
        r"pass its class: dn.load\(path, ops=\[\.\.\.\]\)",
    ),
    ((*LINEAR, "op", "class"), "x" * 100_000, "xxx..."),
    ((*LINEAR, "op", "class"), "Op", "'Op', which is not one of dagnet's"),
    ((*LINEAR, "op", "class"), "Input", "'Input', which is not one of dagnet's"),
    ((*LINEAR, "op", "class"), "Placeholder", "Placeholder has no hyperparameter 'units'"),
    ((*LINEAR, "op", "name"), 3, "its op's name should be a string"),
    ((*LINEAR, "op", "config"), [], "hyperparameters should be an object"),
    ((*LINEAR, "op", "config"), {}, "Linear lacks its hyperparameter 'units'"),
    ((*LINEAR, "op", "config", "unit"), 3, "Linear has no hyperparameter 'unit'"),
    ((*LINEAR, "op", "config", "name"), "a", "Linear has no hyperparameter 'name'"),
    ((*LINEAR, "op", "config", "__class__"), 3, "no hyperparameter '__class__'"),
    ((*LINEAR, "op", "config", "units"), "3", "units must be a positive integer"),
    ((*LINEAR, "op", "config", "units"), True, "units must be a positive integer"),
    ((*LINEAR, "op", "config", "units"), 3.0, "units must be a positive integer"),
    ((*LINEAR, "op", "config", "units"), [3], "units must be a positive integer"),
    ((*LINEAR, "op", "config", "units"), -3, "units must be a positive integer"),
    ((*LINEAR, "op", "config", "units"), 10**12, "'linear1.W' should be"),
    ((*LINEAR, "op", "config", "units"), 10**4000, r"'linear1.W' should be \(too large, 5\)"),
    ((*LINEAR, "op", "config", "units"), {"a": 1, "b": 2}, "an object with the keys"),
    ((*LINEAR, "op", "config", "units"), {"eval": "3"}, "an object with the keys"),
    ((*LINEAR, "op", "config", "units"), {"float": "3"}, "an object with the keys"),
    ((*LINEAR, "op", "config", "units"), {"float": [3]}, "an object with the keys"),
    ((*LINEAR, "op", "config", "units"), {}, "an object with the keys"),
    ((*LINEAR, "op", "config", "units"), {"list": {}}, "should be a list"),
    ((*LINEAR, "op", "config", "units"), {"dict": []}, "should be an object"),
    ((*LINEAR, "op", "config", "bias"), False, "'linear1.b' belongs to nothing"),
    ((*LINEAR, "op", "config", "init"), "bogus", "no initialiser named 'bogus'"),
    (
        (*LINEAR, "op", "config", "init"),
        -1.0,
        "init must be a name or a standard deviation of at least 0",
    ),
    ((*LINEAR, "op", "config", "init"), [], "init must be a name or a standard deviation"),
    ((*INPUT, "op", "config", "shape"), [5], "Linear takes"),
    ((*INPUT, "op", "config", "shape"), [7, "m"], "'linear1.W' should be"),
    ((*INPUT, "op", "config", "shape"), [5, "n"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), ["m", "m"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), [0, "m"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), [-5, "m"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), [5.0, "m"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), [True, "m"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), [[5], "m"], "an input's shape"),
    ((*INPUT, "op", "config", "shape"), "m", "an input's shape"),
    ((*INPUT, "op", "config", "shape"), None, "an input's shape"),
]


@pytest.mark.parametrize(("keys", "value", "match"), CHANGES, ids=lambda x: str(x)[:40])
def test_hostile_documents(saved, keys, value, match):
    refused(edit(saved, keys, value), match)


def test_a_name_that_fills_the_screen(saved):
    name = "\x1b[2J" + "x" * 1_000_000
    refused(edit(saved, (*LINEAR, "inputs"), [name]), "reads")
    refused(edit(saved, (*LINEAR, "name"), name), "linear1|xxx")


def test_a_node_twice(saved):
    def change(content, arrays):
        content["graph"]["vertices"].append(content["graph"]["vertices"][2])

    refused(tamper(saved, change), "two nodes are named 'linear1'")


def test_a_name_that_moves_the_cursor(saved):
    def change(content, arrays):
        twin = dict(content["graph"]["vertices"][2], name="\x1b[2J\u202e")
        content["graph"]["vertices"] += [twin, twin]

    refused(tamper(saved, change), "two nodes are named")


def test_a_cost_of_many_numbers(saved):
    def change(content, arrays):
        relu = content["graph"]["vertices"][3]
        content["graph"]["losses"] = ["cost", relu["name"]]

    refused(tamper(saved, change), "relu1 .*: a cost must be one number")


def test_a_product_of_sizes_that_cannot_be_written(saved):
    def change(content, arrays):
        x, flat = content["graph"]["vertices"][0], content["graph"]["vertices"][3]
        x["op"]["config"]["shape"] = [10**4000, 10**4000, "m"]
        flat = dict(flat, name="flat", owner="flat", inputs=["X"])
        flat["op"] = {"class": "Flatten", "name": None, "config": {}}
        content["graph"]["vertices"][2]["inputs"] = ["flat"]
        content["graph"]["vertices"].insert(1, flat)

    refused(tamper(saved, change), r"'linear1.W' should be \(3, too large\)")


def test_a_long_cycle(saved):
    def change(content, arrays):
        relu = content["graph"]["vertices"][3]
        chain = [dict(relu, name=f"r{i}", owner=f"r{i}", inputs=[f"r{i - 1}"]) for i in range(2000)]
        chain[0]["inputs"] = ["r1999"]
        content["graph"]["vertices"][4:4] = chain

    refused(tamper(saved, change), "the graph has a cycle")


# The arrays.


@pytest.mark.parametrize(
    ("name", "array", "match"),
    [
        ("linear1.W", np.zeros((5, 3)), r"should be \(3, 5\) float64, but is \(5, 3\) float64"),
        ("linear1.W", np.zeros((3, 5), "f4"), r"should be .* float64, but is \(3, 5\) float32"),
        ("linear1.W", np.zeros((3, 5), "i8"), "but is .* int64"),
        ("linear1.W", np.zeros((3, 5, 1)), "but is"),
        ("linear1.W", np.zeros(15), "but is"),
        ("linear1.b", np.zeros(()), "but is"),
        ("extra", np.zeros(3), "list entry of the array 'extra' is missing"),
    ],
)
def test_arrays_that_do_not_fit(saved, name, array, match):
    refused(tamper(saved, lambda content, arrays: arrays.update({name: array})), match)


def test_missing_and_extra_arrays(saved, tmp_path):
    content, arrays = content_of(saved), load_file(saved)
    dump = json.dumps
    less = {k: v for k, v in arrays.items() if k != "linear1.b"}
    refused(forge(tmp_path / "a", dump(content), less), "the array 'linear1.b' is missing")
    index = {k: v for k, v in content["tensors"].items() if k != "linear1.b"}
    refused(
        forge(tmp_path / "b", dump(content | {"tensors": index}), less),
        "the parameter 'linear1.b' is missing",
    )
    for slot in (["parameter", "none", "W"], ["state", "linear1", "mean"], ["os", "a", "b"]):
        more = content["tensors"] | {"extra": slot}
        path = forge(
            tmp_path / "c", dump(content | {"tensors": more}), arrays | {"extra": np.zeros(3)}
        )
        refused(path, "belongs to nothing in the graph")


@pytest.mark.parametrize(
    "mean", [np.zeros(3), np.zeros((5, 1)), np.full(5, np.nan), np.zeros(5, "f4")], ids=str
)
def test_arrays_of_a_scaling_that_do_not_fit(saved, mean):
    def change(content, arrays):
        content["scaling"]["X"] = {"name": "standardize"}
        for name, array in (("mean", mean), ("std", np.ones_like(mean))):
            arrays[f"scaling.X.{name}"] = array
            content["tensors"][f"scaling.X.{name}"] = ["scaling", "X", name]

    refused(tamper(saved, change), "scaling of 'X'")


# Anything at all.


def paths_of(value, prefix=()):
    """Yield the place of every value in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*prefix, key)
        if isinstance(item, dict | list):
            yield from paths_of(item, (*prefix, key))


GRAPH = graph_to_json(build().graph)
PLACES = list(paths_of(GRAPH))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5) | st.sampled_from(["m", "X", "enc", "W", "Linear", "list", "float"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_gives_a_graph_or_that_error(place, value):
    data = copy.deepcopy(GRAPH)
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    try:
        graph = graph_from_json(data)
    except FileFormatError:
        return
    assert graph_to_json(graph)  # what is accepted can be written again


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_gives_a_model_that_runs_or_that_error(tmp_path_factory, place, value):
    path = tmp_path_factory.getbasetemp() / "hostile"
    model = build()
    save(model, path)
    try:
        again = load(edit(path, ("graph", *place), value))
    except FileFormatError:
        return
    assert np.isfinite(again.forward(feeds(3)))


# No code.


def test_the_package_cannot_run_what_it_reads():
    banned = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "importlib"}
    calls = {"eval", "exec", "compile", "__import__", "getattr", "import_module"}
    for file in (PACKAGE / "storage").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert banned.isdisjoint(a.name.split(".")[0] for a in node.names), file
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in banned, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                allowed = {"getattr"} if file.name == "archive.py" else set()
                assert node.func.id not in calls - allowed, file


#: Runs what the user types at the debugger's prompt; see docs/decisions/0012-console.md.
TYPED = PACKAGE / "debug" / "console" / "expressions.py"


def test_no_pickle_anywhere_in_dagnet():
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {"pickle", "marshal", "shelve"} & {n.split(".")[0] for n in names}, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"} or file == TYPED, file
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), file
                assert node.value.value is False, file


def test_loading_imports_and_calls_nothing_of_the_files_choosing(saved, tmp_path):
    """An audit hook sees every import, file and process while a hostile file is read."""
    evil = edit(saved, (*LINEAR, "op", "class"), "os.system('touch pwned')")
    program = (
        "import sys\n"
        "import dagnet.storage, safetensors.numpy\n"
        "path = sys.argv[1]\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append((event, args)))\n"
        "try:\n"
        "    dagnet.storage.load(path)\n"
        "except dagnet.errors.FileFormatError as error:\n"
        "    found = list(seen)\n"
        "watched = ('import', 'exec', 'compile', 'os.system', 'subprocess', 'pickle', 'open')\n"
        "found = [(e, a[0]) for e, a in found if e.startswith(watched)]\n"
        "assert [(e, str(a)) for e, a in found] == [('open', path)], found\n"
    )
    subprocess.run([sys.executable, "-c", program, evil], cwd=tmp_path, check=True)
    assert not (tmp_path / "pwned").exists()


def test_importing_dagnet_does_not_import_safetensors():
    program = "import sys, dagnet; assert 'safetensors' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
    program = "import sys, dagnet.storage; assert 'safetensors' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
