"""Crashes: whatever happens while a file is written, the old one or the new one is there, whole."""

import errno
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import FileAccessError
from dagnet.storage import load, save

SAVER = """
import sys, dagnet as dn
from dagnet.storage import save
model = dn.mlp([60, 50, 1], seed=1)
for value in range(1, 10**9):
    model.store.data[...] = value
    save(model, sys.argv[1])
    print(value, flush=True)
"""


@contextmanager
def saving_over_and_over(path):
    """Run a process that saves models full of 1, 2, 3 and so on, and says when one is saved."""
    command = [sys.executable, "-c", SAVER, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def values(path):
    """Return the values that occur in a saved model: of a whole file, one."""
    return set(np.unique(load(path).store.data))


def filled(value):
    model = dn.mlp([5, 3, 1], seed=1)
    model.store.data[...] = value
    return model


def test_killed_while_saving_over_an_existing_file(tmp_path):
    path = tmp_path / "net"
    for trial in range(12):
        with saving_over_and_over(path) as child:
            for _ in range(trial + 1):
                told = int(child.stdout.readline())
            time.sleep(0.0003 * trial)
        found = values(path)
        assert len(found) == 1
        assert min(found) >= told  # what was saved is not lost


def test_readers_never_see_half_a_file(tmp_path):
    path = tmp_path / "net"
    with saving_over_and_over(path) as child:
        child.stdout.readline()
        seen = set()
        while len(seen) < 20:
            found = values(path)
            assert len(found) == 1
            assert min(found) >= max(seen, default=1)
            seen |= found
            child.stdout.readline()


class Crash(BaseException):
    """Not an error that anybody handles."""


class FailingFile:
    """A file whose n-th write writes half of what it should and fails."""

    def __init__(self, file, fail_at, error):
        self.file, self.left, self.error = file, fail_at, error

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.left -= 1
        if self.left < 0:
            self.file.write(data[: len(data) // 2])
            raise self.error
        return self.file.write(data)


@pytest.mark.parametrize("stage", ["write 0", "write 1", "write 2", "fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [Crash(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_failure_at_every_stage(tmp_path, monkeypatch, stage, error):
    path = tmp_path / "net"
    save(filled(1), path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise error

    with monkeypatch.context() as patch:
        if stage.startswith("write"):
            real, n = open, int(stage[-1])
            patch.setattr(
                "dagnet.files.open",
                lambda *a, **k: FailingFile(real(*a, **k), n, error),
                raising=False,
            )
        elif stage == "chmod":
            patch.setattr("pathlib.Path.chmod", fail)
        else:
            patch.setattr(os, stage, fail)
        with pytest.raises(FileAccessError if isinstance(error, OSError) else Crash) as info:
            save(filled(2), path)
    if isinstance(error, OSError):
        assert f"cannot write {path}" in str(info.value)
    assert path.read_bytes() == before
    assert values(path) == {1}
    assert [p.name for p in tmp_path.iterdir()] == ["net"]
    save(filled(2), path)
    assert values(path) == {2}


def test_nothing_is_written_before_everything_is_known(tmp_path):
    """A model that cannot be saved does not touch the file that is there."""
    path = tmp_path / "net"
    save(filled(1), path)
    model = filled(2)
    model.scaling["X"] = dn.data.Standardize()
    with pytest.raises(dn.DagnetError):
        save(model, path)
    assert values(path) == {1}
    assert len(list(tmp_path.iterdir())) == 1
