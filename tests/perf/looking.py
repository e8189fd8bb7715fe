"""What looking inside costs: training steps with everything kept, watched, recorded, debugged.

``python tests/perf/looking.py`` times one training step (forward, backward, update) in several
ways that take turns, so that a machine whose speed drifts treats all alike, and prints each as a
ratio to plain training. Quote the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import dagnet as dn


class Workload(NamedTuple):
    """A network, examples per step, and how it is trained."""

    sizes: list[int]
    m: int
    output: str
    dtype: str
    optimizer: Callable[[], dn.Optimizer]


WORKLOADS = {
    "cat-f64": Workload([12288, 20, 7, 5, 1], 209, "sigmoid", "float64", lambda: dn.SGD(0.0075)),
    "cat-f32": Workload([12288, 20, 7, 5, 1], 209, "sigmoid", "float32", lambda: dn.SGD(0.0075)),
    "planar": Workload([2, 4, 1], 400, "sigmoid", "float64", lambda: dn.SGD(1.2)),
    "mnist": Workload([784, 512, 256, 10], 128, "softmax", "float32", lambda: dn.SGD(0.05)),
    "mnist-adam": Workload([784, 512, 256, 10], 128, "softmax", "float32", lambda: dn.Adam(0.001)),
}


def data(work: Workload) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((work.sizes[0], work.m)).astype(work.dtype)
    if work.output == "sigmoid":
        return X, (rng.random((1, work.m)) < 0.35).astype(work.dtype)
    classes = rng.integers(0, work.sizes[-1], work.m)
    return X, np.eye(work.sizes[-1], dtype=work.dtype)[:, classes]


#: For each way of looking, the options of `fit` that it needs, made for a model.
WAYS: dict[str, Callable[[dn.Model], dict]] = {
    "plain": lambda model: {},
    "keep='all'": lambda model: {"keep": "all"},
    "recorder every=10": lambda model: {"callbacks": [dn.Recorder(every=10)]},
    "debugger attached": lambda model: {"debugger": dn.Debugger(model)},
    "all watches": lambda model: {"debugger": watched(model)},
}


def watched(model: dn.Model) -> dn.Debugger:
    debugger = dn.Debugger(model)
    for watch in dn.watches.CATALOGUE:
        debugger.watch(watch(), stop=False)
    return debugger


def measure(work: Workload, ways: list[str], rounds: int, budget: float) -> dict[str, float]:
    """Return the median seconds per step of each way; every round trains each way a little."""
    X, Y = data(work)
    trained = {}
    for way in ways:
        model = dn.mlp(work.sizes, output=work.output, dtype=work.dtype, seed=1)
        trained[way] = (model, work.optimizer(), WAYS[way](model))

    def train(way: str, steps: int) -> float:
        model, optimizer, options = trained[way]
        start = time.perf_counter()
        model.fit(
            X, Y, epochs=steps, optimizer=optimizer, progress=False, log_every=10**9, **options
        )
        return (time.perf_counter() - start) / steps

    for way in ways:
        train(way, 3)
    steps = max(20, int(budget / train("plain", 20)))
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            times[way].append(train(way, steps))
    return {way: statistics.median(values) for way, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; default all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--budget", type=float, default=0.3, help="seconds of one turn")
    parser.add_argument("--ways", help="names separated by commas; default all")
    arguments = parser.parse_args()
    ways = arguments.ways.split(",") if arguments.ways else list(WAYS)
    for name in arguments.workloads or WORKLOADS:
        medians = measure(WORKLOADS[name], ways, arguments.rounds, arguments.budget)
        for way, seconds in medians.items():
            ratio = seconds / medians["plain"]
            print(f"{name:11} {way:22} {seconds * 1e6:9.1f} us/step  {ratio:5.2f} x plain")


if __name__ == "__main__":
    main()
