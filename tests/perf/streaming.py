"""Training on a file, beside reading it and beside computing from memory.

``python tests/perf/streaming.py`` writes a file of about 1 GB (``--size``) into a temporary
directory, and times, in turns: reading it from its beginning to its end, an epoch on the same
number of examples from memory, and an epoch that streams from the file. Before each turn the file
is dropped from the page cache (*cold*), or read once (*warm*). Streaming can be no faster than the
slower of reading and computing: its ratio to that is what counts. ``--limit`` trains in a process
whose `RLIMIT_DATA` leaves it a quarter of the file; that limits what a process allocates, as
arrays, not the pages of a mapped file, which the system takes back whenever it needs them.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rows import Row

import dagnet as dn

BATCH = 256
IN_MEMORY = 2**26  # bytes of examples that are computed on again and again


class Network(NamedTuple):
    """A network, and how the examples lie in the file."""

    sizes: list[int]
    kind: str = ".npz"
    first: bool = True  # examples on the first axis of the file
    shuffle: bool | str = "blocks"


NETWORKS = {
    "narrow, as stored": Network([64, 8, 1], shuffle=False),
    "narrow, blocks": Network([64, 8, 1]),
    "narrow, examples last, blocks": Network([64, 8, 1], first=False),
    "narrow .h5 chunks, blocks": Network([64, 8, 1], ".h5"),
    "middle, blocks": Network([512, 64, 1]),
    "middle, all shuffled": Network([512, 64, 1], shuffle=True),
    "wide, blocks": Network([4096, 256, 1]),
}


def write(path, network, size):
    """Write examples in float32 piece by piece, and return how many there are."""
    n = network.sizes[0]
    m = size // (4 * n)
    rng = np.random.default_rng(0)
    part = rng.standard_normal((min(m, max(1, 2**24 // n)), n), np.float32)
    if network.kind == ".h5":
        import h5py

        with h5py.File(path, "w") as file:
            data = file.create_dataset("X", (m, n), "f4", chunks=(min(m, 256), n))
            for start in range(0, m, len(part)):
                data[start : start + len(part)] = part[: m - start]
            file["Y"] = np.zeros((m, 1), np.float32)
        return m
    whole = np.lib.format.open_memmap(
        path.with_suffix(".npy"), "w+", "f4", (m, n) if network.first else (n, m)
    )
    for start in range(0, m, len(part)):
        rows = part[: m - start]
        if network.first:
            whole[start : start + len(rows)] = rows
        else:
            whole[:, start : start + len(rows)] = rows.T
    whole.flush()
    Y = np.zeros((m, 1) if network.first else (1, m), np.float32)
    np.savez(path, X=whole, Y=Y)
    path.with_suffix(".npy").unlink()
    return m


def arrays_of(path, network):
    arrays = dn.data.mapped(path)
    turned = network.first
    return tuple(arrays[name].T if turned else arrays[name] for name in "XY")


def forget(path):
    """Drop a file from the page cache, which keeps what anybody has mapped; check that it is."""
    gc.collect()
    with path.open("rb") as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    command = ["fincore", "--bytes", "--noheadings", "--output", "RES", str(path)]
    left = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout or 0)
    if left > path.stat().st_size / 100:
        raise RuntimeError(f"{left} bytes of {path} are still in the page cache")


def read(path):
    buffer = bytearray(2**20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def epoch(network, X, Y, epochs=1):
    model = dn.mlp(network.sizes, seed=1, dtype="float32")
    model.fit(
        X, Y, epochs=epochs, batch_size=BATCH, optimizer=dn.SGD(0.01), metrics=[], progress=False,
        shuffle=network.shuffle, log_every=epochs,
    )  # fmt: skip


def seconds(work, *arguments):
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def measure(network, folder, size, rounds):
    """Return the least seconds of reading, computing and streaming, cold and warm."""
    path = Path(folder) / f"examples{network.kind}"
    m = write(path, network, size)
    X, Y = arrays_of(path, network)
    k = min(m, max(BATCH, IN_MEMORY // (4 * network.sizes[0]) // BATCH * BATCH))
    held = np.asarray(X[:, :k]), np.asarray(Y[:, :k])
    held = tuple(a.copy(order="K") for a in held)
    del X, Y
    repeats = max(1, m // k)
    times = {name: [] for name in ("compute", "read", "stream", "read warm", "stream warm")}
    epoch(network, *held)
    for _ in range(rounds):
        times["compute"].append(seconds(epoch, network, *held, repeats) * m / (k * repeats))
        forget(path)
        times["read"].append(seconds(read, path))
        times["read warm"].append(seconds(read, path))
        X, Y = arrays_of(path, network)
        times["stream warm"].append(seconds(epoch, network, X, Y))
        del X, Y
        forget(path)
        X, Y = arrays_of(path, network)
        times["stream"].append(seconds(epoch, network, X, Y))
        del X, Y
    path.unlink()
    return {name: min(found) for name, found in times.items()}


LIMITED = """
import resource, sys
import numpy as np
import dagnet as dn

def taken():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmData")) * 1024

arrays = dn.data.mapped(sys.argv[1])
X, Y = arrays["X"].T, arrays["Y"].T
sizes, limit = [int(n) for n in sys.argv[3].split(",")], int(sys.argv[2])
model = dn.mlp(sizes, seed=1, dtype="float32")
model.fit(np.zeros((sizes[0], 512), "f4"), np.zeros((1, 512), "f4"), batch_size=256, epochs=1)
resource.setrlimit(resource.RLIMIT_DATA, (taken() + limit,) * 2)
try:
    np.array(X)
except MemoryError:
    print("reading it whole: MemoryError")
history = model.fit(X, Y, epochs=1, batch_size=256, shuffle="blocks", scaling="standardize")
print(f"fit, with scaling and metrics: cost {history.last['cost']:.4f}, ", end="")
print(f"{model.predict(X).shape[1]} predictions")
"""


def limited(folder, size):
    for kind in (".npz", ".h5"):
        network = Network([64, 8, 1], kind)
        path = Path(folder) / f"limited{kind}"
        write(path, network, size)
        sizes = ",".join(map(str, network.sizes))
        print(f"{kind} of {size / 2**20:.0f} MB, at most {size / 2**22:.0f} MB of memory for it")
        command = [sys.executable, "-c", LIMITED, str(path), str(size // 4), sizes]
        subprocess.run(command, check=True)
        path.unlink()


def rows(effort):
    """Yield for each network the ratio of streaming to the slower of computing and reading."""
    if effort.tiny:
        yield Row("streaming", "fit from a file / the slower of disk and compute", "1", "not tiny")
        return
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        for name, network in NETWORKS.items():
            t = measure(network, folder, 300 * 2**20, 3)
            cold = t["stream"] / max(t["compute"], t["read"])
            warm = t["stream warm"] / max(t["compute"], t["read warm"])
            found = f"{cold:.2f} cold, {warm:.2f} warm"
            yield Row("streaming", f"{name}: fit / the slower of disk and compute", "1", found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(NETWORKS)}; default all")
    parser.add_argument("--size", type=int, default=1000, help="MB of the file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        if arguments.limit:
            limited(folder, arguments.size * 2**20)
            return
        print(f"{'seconds':30} compute   read stream  ratio | warm: read stream  ratio")
        for name in arguments.networks or NETWORKS:
            t = measure(NETWORKS[name], folder, arguments.size * 2**20, arguments.rounds)
            cold = t["stream"] / max(t["compute"], t["read"])
            warm = t["stream warm"] / max(t["compute"], t["read warm"])
            print(
                f"{name:30} {t['compute']:7.2f} {t['read']:6.2f} {t['stream']:6.2f} {cold:6.2f} |"
                f" {t['read warm']:10.2f} {t['stream warm']:6.2f} {warm:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
