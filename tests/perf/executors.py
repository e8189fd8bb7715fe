"""One training step with each executor, beside the lesson's own way of computing.

``python tests/perf/executors.py [workload ...]`` times forward + backward + update. The ways take
turns, so that a machine whose speed drifts treats all alike; quote the ratios. With ``--first`` it
starts a process for each executor and says when its first step was done. With ``--predict`` it
times predictions of one example beside the calls of numpy that they make.
"""

import argparse
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
from lesson import as_the_lesson

import dagnet as dn


class Workload(NamedTuple):
    """A network, and how many examples a step sees."""

    sizes: list[int]
    m: int
    dtype: str = "float64"
    rate: float = 0.01


WORKLOADS = {
    "planar": Workload([2, 4, 1], 400),
    "one example": Workload([64, 32, 16, 1], 1),
    "digits": Workload([64, 32, 1], 32, "float32"),
    "deep": Workload([64] * 50 + [1], 32, "float32"),
    "wide": Workload([4096, 4096, 1], 32, "float32"),
}

FIRST = """
import time
start = time.perf_counter()
import numpy as np, dagnet as dn
imported = time.perf_counter()
model = dn.mlp([2, 4, 1], seed=1, executor={executor!r})
model.train_step({{"X": np.ones((2, 400)), "Y": np.ones((1, 400))}}, dn.SGD(0.1))
print(imported - start, time.perf_counter() - start)
"""


def ways(work):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((work.sizes[0], work.m)).astype(work.dtype)
    Y = (rng.random((1, work.m)) < 0.35).astype(work.dtype)
    steps = {}
    for executor in ("compiled", "fused"):
        model = dn.mlp(work.sizes, seed=1, dtype=work.dtype, executor=executor)
        steps.setdefault("lesson", as_the_lesson(model.get_params(), X, Y, work.rate))
        optimizer, feeds = dn.SGD(work.rate), {"X": X, "Y": Y}
        steps[executor] = lambda m=model, o=optimizer, f=feeds: m.train_step(f, o)
    return steps


def measure(steps, rounds, budget):
    """Return each way's median seconds, and how often it runs in a turn."""
    np.seterr(all="ignore")
    times = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(5):
            step()
    start = time.perf_counter()
    steps["lesson"]()
    repeats = max(1, int(budget / (time.perf_counter() - start)))
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(values) for name, values in times.items()}


def first_steps(rounds):
    for executor in ("compiled", "fused"):
        code = FIRST.format(executor=executor)
        found = []
        for _ in range(rounds):
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            )
            found.append([float(seconds) for seconds in done.stdout.split()])
        imported, stepped = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{executor:9} import {imported:6.2f} s   first step done {stepped:6.2f} s")


def predictions(rounds):
    x = np.ones((2, 1))
    for executor in ("compiled", "fused"):
        model = dn.mlp([2, 4, 1], seed=1, executor=executor)
        binding = model._runners.predicting.begin({"X": x})
        calls = list(binding.forward_calls)
        bare = []
        whole = []
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in range(1000):
                for call in calls:
                    call()
            bare.append((time.perf_counter() - start) / 1000)
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in range(1000):
                model.predict(x)
            whole.append((time.perf_counter() - start) / 1000)
        a, b = min(whole) * 1e6, min(bare) * 1e6
        print(f"{executor:9} predict {a:6.1f} us   its calls {b:6.1f} us   besides {a - b:5.1f} us")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; default all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--budget", type=float, default=0.2, help="seconds of one turn")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--predict", action="store_true")
    arguments = parser.parse_args()
    if arguments.first:
        first_steps(arguments.rounds)
    if arguments.predict:
        predictions(arguments.rounds)
    if arguments.first or arguments.predict:
        return
    for name in arguments.workloads or WORKLOADS:
        medians = measure(ways(WORKLOADS[name]), arguments.rounds, arguments.budget)
        for way, seconds in medians.items():
            ratio = medians["lesson"] / seconds
            print(f"{name:12} {way:9} {seconds * 1e6:9.1f} us/step  {ratio:5.2f} x the lesson")


if __name__ == "__main__":
    main()
