"""Atomic writing: the old file or the new one, never half of one."""

import errno
import io
import os
import stat

import pytest

from dagnet import files
from dagnet.errors import ArgumentError, ArgumentTypeError, FileAccessError
from dagnet.files import atomic_write, check_writable


def names(directory):
    return sorted(p.name for p in directory.iterdir())


def test_writes_bytes_and_text(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(b"\x00\xff")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"
    with atomic_write(str(tmp_path / "b"), "w") as file:
        file.write("λ\n")
    assert (tmp_path / "b").read_bytes() == b"\xce\xbb\n"
    assert names(tmp_path) == ["a", "b"]


def test_the_old_file_is_there_until_the_end(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with atomic_write(path, "w") as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
        assert len(names(tmp_path)) == 2
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError(errno.EACCES, "x", "y")])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a"
    path.write_text("old")

    def work():
        with atomic_write(path, "w") as file:
            file.write("half")
            raise error

    with pytest.raises(error if isinstance(error, type) else type(error)) as raised:
        work()
    assert not isinstance(raised.value, FileAccessError)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_data_reach_the_disk_before_the_name(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def spy_fsync(descriptor):
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        events.append((kind, os.fstat(descriptor).st_size if kind == "file" else None))
        fsync(descriptor)

    def spy_replace(source, target):
        events.append(("replace", None))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "replace", spy_replace)
    with atomic_write(tmp_path / "a") as file:
        file.write(b"12345")
    assert events == [("file", 5), ("replace", None), ("directory", None)]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_a_file_access_error(tmp_path, monkeypatch, call):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with (
        pytest.raises(FileAccessError, match=r"cannot write .*/a: no space left"),
        atomic_write(path) as file,
    ):
        file.write(b"new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_errors_of_write_itself_are_file_access_errors(tmp_path, monkeypatch):
    class Full(io.FileIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "_open_new", lambda path, mode: Full(path, "x"))
    with (
        pytest.raises(FileAccessError, match="/a: no space left"),
        atomic_write(tmp_path / "a") as file,
    ):
        file.write(b"x")


def test_permissions_follow_the_umask_or_the_old_file(tmp_path):
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "a"):
            pass
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    (tmp_path / "a").chmod(0o600)
    with atomic_write(tmp_path / "a"):
        pass
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with atomic_write(tmp_path / "link", "w") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def impossible(tmp_path):
    (tmp_path / "file").write_text("")
    return {
        "below a file": (tmp_path / "file" / "a", "not a directory"),
        "no directory": (tmp_path / "none" / "a", f"there is no directory {tmp_path / 'none'}"),
        "a directory": (tmp_path, "it is a directory"),
        "a device": ("/dev/null", "it is not a regular file"),
        "in /proc": ("/proc/dagnet-test", "files cannot be made in /proc"),
        "long": (tmp_path / ("x" * 300), "file name too long"),
    }


@pytest.mark.parametrize(
    "case", ["below a file", "no directory", "a directory", "a device", "in /proc", "long"]
)
def test_what_cannot_be_written_is_found_before_the_work(tmp_path, case):
    path, reason = impossible(tmp_path)[case]
    with pytest.raises(FileAccessError, match=f"cannot write {path}: {reason}"):
        check_writable(path)
    with (
        pytest.raises(FileAccessError, match=f"cannot write {path}: {reason}"),
        atomic_write(path),
    ):
        pytest.fail("the work was begun")
    assert names(tmp_path) == ["file"]
    assert os.path.exists("/dev/null")


def test_check_writable_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "a")
    (tmp_path / "b").write_text("old")
    check_writable(tmp_path / "b")
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_text() == "old"


def test_check_writable_makes_directories(tmp_path):
    check_writable(tmp_path / "x" / "y", directory=True)
    check_writable(tmp_path / "x" / "y", directory=True)
    assert (tmp_path / "x" / "y").is_dir()
    assert names(tmp_path / "x" / "y") == []


def test_directories_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError, match=r"cannot write .*/file: it is not a directory"):
        check_writable(tmp_path / "file", directory=True)
    with pytest.raises(FileAccessError, match="not a directory"):
        check_writable(tmp_path / "file" / "below", directory=True)
    with pytest.raises(FileAccessError, match="files cannot be made in /proc"):
        check_writable("/proc/dagnet/runs", directory=True)
    with pytest.raises(FileAccessError, match="files cannot be made in /proc"):
        check_writable("/proc", directory=True)


def test_the_parent_may_be_implicit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_writable("a")
    with atomic_write("a", "w") as file:
        file.write("x")
    assert names(tmp_path) == ["a"]


def test_a_directory_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    def refuse(path, flags):
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(files.os, "open", refuse)
    with atomic_write(tmp_path / "a") as file:
        file.write(b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_bad_arguments(tmp_path):
    with pytest.raises(ArgumentTypeError, match="a path must be a string or Path, got 3"):
        check_writable(3)
    with pytest.raises(ArgumentError, match="null"):
        check_writable("a\0b")
    with pytest.raises(ArgumentError, match="mode must be"):
        atomic_write(tmp_path / "a", "a")
