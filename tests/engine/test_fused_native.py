"""The compiled code on disk: where it is, the compiler is not needed; where it cannot be, it is."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier, BrokenBarrierError

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import FileAccessError
from dagnet.fused import loading, native
from dagnet.fused.compiled import object_code, processor

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
    code, asked = native._read(native._path(FLOAT32, ".o")), []

    def compile_again(dtype):
        asked.append(dtype)
        return code

    monkeypatch.setattr(object_code, "object_code", compile_again)
    return asked


@pytest.fixture
def no_linker(monkeypatch):
    monkeypatch.setattr(loading.shutil, "which", lambda name: None)


def load():
    """Do what a new process does."""
    return native._found.__wrapped__(FLOAT32)


def gradient(function, monkeypatch):
    monkeypatch.setattr("dagnet.fused.program.execute", lambda dtype: function)
    model = dn.mlp([3, 5, 2], seed=1, dtype="float32", executor="fused")
    model.forward({"X": np.ones((3, 7), np.float32), "Y": np.ones((2, 7), np.float32)})
    model.backward()
    return model.store.grad.copy()


def test_a_later_process_loads_the_code_without_the_compiler_and_without_llvm():
    native.execute(FLOAT32)
    library = native._path(FLOAT32, ".so").exists()
    seen = "print('llvmlite.binding' in sys.modules, 'numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", STEP + seen], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{not library} False\n"


def test_code_is_compiled_once_and_then_loaded(compiler, directory, monkeypatch):
    first = load()
    assert compiler == [FLOAT32]
    names = {file.name.partition(".")[0] for file in directory.iterdir()}
    assert len(names) == 1
    assert names.pop().startswith("execute-float32-")
    again = load()
    assert compiler == [FLOAT32]
    assert np.any(gradient(first, monkeypatch))
    np.testing.assert_array_equal(gradient(again, monkeypatch), gradient(first, monkeypatch))


def test_without_a_linker_llvm_loads_the_code(compiler, directory, no_linker, monkeypatch):
    first = load()
    (file,) = directory.iterdir()
    assert file.suffix == ".o"
    again = load()
    assert compiler == [FLOAT32]
    np.testing.assert_array_equal(gradient(again, monkeypatch), gradient(first, monkeypatch))


def test_a_linker_that_comes_later_is_used(compiler, directory, monkeypatch):
    monkeypatch.setattr(native, "linked", lambda code: None)
    load()
    monkeypatch.setattr(native, "linked", lambda code: b"made of it" if code else None)
    load()
    assert compiler == [FLOAT32]
    assert native._read(native._path(FLOAT32, ".so")) == b"made of it"


def test_a_linker_that_fails_is_as_good_as_none(tmp_path, monkeypatch):
    linker = tmp_path / "cc"
    linker.write_text("#!/bin/sh\nexit 1\n")
    linker.chmod(0o755)
    monkeypatch.setattr(loading.sys, "platform", "linux")
    monkeypatch.setattr(loading.shutil, "which", lambda name: str(linker))
    assert loading.linked(b"no object file") is None


def test_a_library_that_the_system_refuses_is_left_alone(compiler, directory, monkeypatch):
    load()
    native._keep(native._path(FLOAT32, ".so"), b"no library")
    again = load()
    assert compiler == [FLOAT32]
    assert np.any(gradient(again, monkeypatch))


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


@pytest.mark.parametrize("damage", [lambda c: c[:1000], lambda c: b"?" + c[1:], lambda c: b""])
def test_damaged_files_are_replaced(compiler, directory, damage):
    load()
    whole = {file: file.read_bytes() for file in directory.iterdir()}
    for file, content in whole.items():
        file.write_bytes(damage(content))
    load()
    assert compiler == [FLOAT32] * 2
    assert {file: file.read_bytes() for file in directory.iterdir()} == whole


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
    def name(dtype=FLOAT32):
        return native._path(dtype, ".o").name

    names = {name(), name(np.dtype(np.float64))}
    kind, features = processor.processor()
    monkeypatch.setattr(native, "processor", lambda: ("another", features))
    names.add(name())
    monkeypatch.setattr(native, "processor", lambda: (kind, features - {min(features)}))
    names.add(name())
    monkeypatch.setattr(native.llvmlite, "__version__", "0.1")
    names.add(name())
    assert len(names) == 5


def test_the_name_follows_every_source(tmp_path, monkeypatch):
    (tmp_path / "compiled").mkdir()
    source = tmp_path / "compiled" / "products.py"
    source.write_text("a = 1")
    monkeypatch.setattr(native, "__file__", str(tmp_path / "native.py"))
    before = native._path(FLOAT32, ".o")
    source.write_text("a = 2")
    assert native._path(FLOAT32, ".o") != before


def told(text, tmp_path, monkeypatch):
    """Return what is known of a processor of which Linux tells so much."""
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    monkeypatch.setattr(processor, "_TOLD", str(file))
    return processor.processor.__wrapped__()


def test_the_processor_is_the_first_that_linux_tells_of(tmp_path, monkeypatch):
    text = (
        "processor\t: 0\nmodel name\t: Fast 3\ncpu MHz\t: {}\nflags\t: fpu avx2\n\nflags\t: fpu\n"
    )
    found = told(text.format(2000), tmp_path, monkeypatch)
    assert found[0].startswith("Fast 3\n")
    assert found[1] == {"fpu", "avx2"}
    assert told(text.format(3000), tmp_path, monkeypatch) == found


def test_a_tool_that_shows_numpy_a_smaller_processor_gets_code_of_its_own(monkeypatch):
    def kind(*found, not_found):
        shown = {"SIMD Extensions": {"found": found, "not found": not_found}}
        monkeypatch.setattr(processor.np, "show_config", lambda mode: shown)
        return processor.processor.__wrapped__()[0]

    assert kind("A", "B", not_found=["C"]) != kind("A", not_found=["B", "C"])


@pytest.mark.parametrize("text", ["", "processor\t: 0\nBogoMIPS\t: 48\n"])
def test_llvm_is_asked_where_linux_tells_no_features(text, tmp_path, monkeypatch):
    kind, features = told(text, tmp_path, monkeypatch)
    assert kind == llvm.get_host_cpu_name()
    assert features == {name for name, has in llvm.get_host_cpu_features().items() if has}


def test_linux_and_llvm_agree_on_the_widest_vectors(monkeypatch):
    _, features = processor.processor()
    monkeypatch.setattr(processor, "_TOLD", "/nowhere")
    _, asked = processor.processor.__wrapped__()
    assert {"avx2", "avx512f"} & features == {"avx2", "avx512f"} & asked
