"""How near wide layers come to their products alone: ``python tests/perf/products.py``.

Forward and backward of a network of wide layers, without an update, beside nothing but the products
of its layers: `numpy.matmul` into arrays of the same shapes and order in memory. A layer has three,
the first two: nobody asks for the gradient of the input. They take turns; the least times count.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from chain import NoUpdate
from peers import OURS
from peers.running import PAUSE
from rows import TINY, Effort, Row, table

import dagnet as dn


class Wide(NamedTuple):
    """Layers, the input's size first, and how many examples they see."""

    sizes: list[int]
    m: int
    dtype: str = "float32"


NETWORKS = (
    Wide([4096, 4096, 1], 32),
    Wide([4096, 4096, 4096, 1], 32),
    Wide([1024, 1024, 1024, 1], 256),
    Wide([1024, 1024, 1024, 1], 256, "float64"),
    Wide([12288, 20, 1], 209),
    Wide([12288, 20, 1], 209, "float64"),
)


def random(*shape: int, dtype: str) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def products(net: Wide) -> Callable[[], None]:
    """Return a function that makes the products of all layers, forward and backward."""
    calls = []
    for number, (n_in, n_out) in enumerate(zip(net.sizes[:-1], net.sizes[1:], strict=True)):
        W, A = random(n_out, n_in, dtype=net.dtype), random(n_in, net.m, dtype=net.dtype)
        dZ = random(n_out, net.m, dtype=net.dtype)
        calls += [(W, A, np.empty_like(dZ)), (dZ, A.T, np.empty_like(W))]
        if number > 0:
            calls.append((W.T, dZ, np.empty_like(A)))

    def run() -> None:
        for a, b, out in calls:
            np.matmul(a, b, out=out)

    return run


def training(net: Wide, executor: str) -> Callable[[], float]:
    """Return a function that goes forward and backward once."""
    model = dn.mlp(net.sizes, seed=1, dtype=net.dtype, executor=executor)
    feeds = {"X": random(net.sizes[0], net.m, dtype=net.dtype), "Y": np.ones((1, net.m), net.dtype)}
    return lambda: model.train_step(feeds, NoUpdate())


def least(ways: dict[str, Callable[[], object]], effort: Effort) -> dict[str, float]:
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(effort.rounds):
        for name, way in ways.items():
            time.sleep(min(PAUSE, effort.budget))
            way()
            start = time.perf_counter()
            repeats = 0
            while not repeats or time.perf_counter() - start < effort.budget:
                way()
                repeats += 1
            turns[name].append((time.perf_counter() - start) / repeats)
    return {name: min(times) for name, times in turns.items()}


def rows(effort: Effort) -> Iterator[Row]:
    executors = [name for name, peer in OURS.items() if peer.installed]
    if effort.tiny:
        executors = ["compiled"]
    for net in NETWORKS:
        if effort.tiny:
            net = net._replace(sizes=[min(n, 5) for n in net.sizes], m=3)
        ways = {executor: training(net, executor) for executor in executors}
        found = least({"products": products(net)} | ways, effort)
        alone = found.pop("products")
        shares = ", ".join(f"{alone / found[name]:.0%} {name}" for name in executors)
        yield Row(
            "wide layers",
            f"{'-'.join(map(str, net.sizes))}, {net.m}, {net.dtype}: share of matmul alone",
            "≥ 90 %",
            f"{shares} (products {alone * 1e6:.0f} us)",
        )


def main() -> None:
    print(table(rows(TINY if "--tiny" in sys.argv else Effort())))


if __name__ == "__main__":
    main()
