"""The compiled code on disk: where it is, the compiler is not needed; where it cannot be, it is."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier, BrokenBarrierError

import numba
import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import FileAccessError
from dagnet.fused import native
from dagnet.fused.compiled import object_code

FLOAT32 = np.dtype(np.float32)

STEP = """
import sys
import numpy as np
import dagnet as dn

model = dn.mlp([3, 5, 2], seed=1, dtype="float32", executor="fused")
feeds = {"X": np.ones((3, 7), np.float32), "Y": np.ones((2, 7), np.float32)}
model.train_step(feeds, dn.Adam(0.1))
"""


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """Where code is kept, and nothing is yet."""
    place = tmp_path / "cache" / "dagnet"
    monkeypatch.setattr(native.platformdirs, "user_cache_dir", lambda *_, **__: str(place))
    return place


@pytest.fixture
def compiler(monkeypatch):
    """A compiler that gives what was compiled before, and notes for what it was asked."""
    native.execute(FLOAT32)
    code, asked = native._read(native._path(FLOAT32)), []

    def compile_again(dtype):
        asked.append(dtype)
        return code

    monkeypatch.setattr(object_code, "object_code", compile_again)
    return asked


def load():
    """Do what a new process does."""
    return native._found.__wrapped__(FLOAT32)


def gradient(function, monkeypatch):
    monkeypatch.setattr("dagnet.fused.program.execute", lambda dtype: function)
    model = dn.mlp([3, 5, 2], seed=1, dtype="float32", executor="fused")
    model.forward({"X": np.ones((3, 7), np.float32), "Y": np.ones((2, 7), np.float32)})
    model.backward()
    return model.store.grad.copy()


def test_a_later_process_loads_the_code_without_the_compiler():
    native.execute(FLOAT32)
    seen = "print('llvmlite.binding' in sys.modules, 'numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", STEP + seen], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True False\n"


def test_code_is_compiled_once_and_then_loaded(compiler, directory, monkeypatch):
    first = load()
    assert compiler == [FLOAT32]
    (file,) = directory.iterdir()
    assert file.name.startswith("execute-float32-")
    again = load()
    assert compiler == [FLOAT32]
    assert np.any(gradient(first, monkeypatch))
    np.testing.assert_array_equal(gradient(again, monkeypatch), gradient(first, monkeypatch))


def test_threads_that_want_the_code_at_once_compile_it_once(compiler, directory, monkeypatch):
    both = Barrier(2)
    compiled = object_code.object_code

    def meet(dtype):
        with pytest.raises(BrokenBarrierError):  # nobody else comes in
            both.wait(0.5)
        return compiled(dtype)

    monkeypatch.setattr(object_code, "object_code", meet)
    monkeypatch.setattr(native, "_found", cache(native._found.__wrapped__))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(native.execute, [FLOAT32, FLOAT32])
    assert compiler == [FLOAT32]
    assert first is second


@pytest.mark.parametrize("damage", [lambda c: c[:1000], lambda c: c[:-1] + b"?", lambda c: b""])
def test_a_damaged_file_is_replaced(compiler, directory, damage):
    load()
    (file,) = directory.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    load()
    assert compiler == [FLOAT32] * 2
    assert file.read_bytes() == whole


def test_where_nothing_can_be_kept_it_says_so_and_works(compiler, directory, monkeypatch):
    directory.parent.write_text("a file, where the directory should be")
    with pytest.warns(RuntimeWarning, match=r"every process will compile.*cannot write .*dagnet"):
        function = load()
    assert np.any(gradient(function, monkeypatch))


@pytest.mark.parametrize("setting", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_no_code_is_compiled_that_a_setting_of_numba_makes_useless(setting, monkeypatch):
    monkeypatch.setattr(numba.config, setting, 1)
    with pytest.raises(dn.errors.ArgumentError, match=f"NUMBA_{setting} is set: unset it"):
        object_code.object_code(FLOAT32)


def test_who_has_no_home_is_told_what_to_set(monkeypatch):
    def nobody(*_, **__):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(native.platformdirs, "user_cache_dir", nobody)
    with pytest.raises(FileAccessError, match=r"home directory.*set XDG_CACHE_HOME"):
        load()


def test_the_name_follows_the_processor_the_version_and_the_dtype(monkeypatch):
    names = {native._path(FLOAT32).name, native._path(np.dtype(np.float64)).name}
    monkeypatch.setattr(native.llvm, "get_host_cpu_name", lambda: "another")
    names.add(native._path(FLOAT32).name)
    monkeypatch.setattr(native.llvmlite, "__version__", "0.1")
    names.add(native._path(FLOAT32).name)
    assert len(names) == 4


def test_the_name_follows_every_source(tmp_path, monkeypatch):
    (tmp_path / "compiled").mkdir()
    source = tmp_path / "compiled" / "products.py"
    source.write_text("a = 1")
    monkeypatch.setattr(native, "__file__", str(tmp_path / "native.py"))
    before = native._path(FLOAT32)
    source.write_text("a = 2")
    assert native._path(FLOAT32) != before
