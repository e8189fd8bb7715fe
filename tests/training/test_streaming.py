"""Training on a file larger than memory: it stays in the file."""

import subprocess
import sys
from zipfile import ZipFile

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import FileFormatError

#: Bytes that the process may take while it trains, and how many times more are in the file.
LIMIT, TIMES = 2**24, 4

FEATURES = 64

TRAIN = """
import resource, sys
import numpy as np
import dagnet as dn

def taken():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmData")) * 1024

arrays = dn.data.mapped(sys.argv[1])
limit = int(sys.argv[2])
assert arrays["X"].nbytes == {times} * limit
model = dn.mlp([{features}, 8, 1], seed=1)
warm = {{"X": np.zeros(({features}, 256)), "Y": np.zeros((1, 256))}}
model.forward(warm, keep="needed")  # numpy and BLAS make their buffers
model.backward()
resource.setrlimit(resource.RLIMIT_DATA, (taken() + limit,) * 2)
try:
    np.array(arrays["X"])
except MemoryError:
    print("too large to read")
history = model.fit(
    arrays["X"], arrays["Y"], epochs=1, batch_size=256, optimizer=dn.SGD(0.01), metrics=[],
    progress=False,
)
print(len(history), history['cost'][-1])
"""


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    m = TIMES * LIMIT // (8 * FEATURES)
    X = np.random.default_rng(0).standard_normal((FEATURES, m))
    path = tmp_path_factory.mktemp("large") / "large.npz"
    np.savez(path, X=X, Y=(X[:1] > 0).astype(float))
    return path


def test_a_file_four_times_the_memory_allowed(large_file):
    code = TRAIN.format(times=TIMES, features=FEATURES)
    done = subprocess.run(
        [sys.executable, "-c", code, str(large_file), str(LIMIT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "too large to read"
    with np.load(large_file) as arrays:
        model = dn.mlp([FEATURES, 8, 1], seed=1)
        history = model.fit(
            arrays["X"], arrays["Y"], epochs=1, batch_size=256, optimizer=dn.SGD(0.01),
            metrics=[], progress=False,
        )  # fmt: skip
    assert second == f"1 {history['cost'][-1]}"


def test_the_arrays_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.npz"
    rng = np.random.default_rng(1)
    arrays = {
        "C": rng.standard_normal((3, 5, 7)),
        "F": np.asfortranarray(rng.standard_normal((3, 5)).astype("float32")),
        "bytes": rng.integers(0, 255, 7).astype("uint8"),
        "empty": np.empty((0, 3)),
    }
    np.savez(path, **arrays)
    found = dn.data.mapped(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert isinstance(found["C"], np.memmap)
    assert not found["C"].flags.writeable
    assert found["F"].flags.f_contiguous


def test_what_cannot_be_mapped_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X=np.ones(3))
    with pytest.raises(FileFormatError, match="X is compressed"):
        dn.data.mapped(path)
    np.savez(path, X=np.array([{}], object))
    with pytest.raises(FileFormatError, match="X holds Python objects"):
        dn.data.mapped(path)
    with ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"no array")
    with pytest.raises(FileFormatError):
        dn.data.mapped(path)
    path.write_bytes(b"no zip file")
    with pytest.raises(FileFormatError):
        dn.data.mapped(path)
