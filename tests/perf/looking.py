"""What looking inside costs: training steps with everything kept, watched, recorded, debugged.

``python tests/perf/looking.py`` times one training step (forward, backward, update) in several
ways that take turns, so that a machine whose speed drifts treats all alike, and prints each as a
ratio to plain training. Quote the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from workloads import WORKLOADS, Workload

import dagnet as dn

NETWORKS = ("cat-f64", "cat-f32", "planar", "digits", "digits-adam")

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
    X, Y = work.data()
    trained = {}
    for way in ways:
        model = dn.mlp(list(work.sizes), output=work.output, dtype=work.dtype, seed=1)
        optimizer = dn.Adam(work.rate) if work.optimizer == "adam" else dn.SGD(work.rate)
        trained[way] = (model, optimizer, WAYS[way](model))

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
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(NETWORKS)}; default all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--budget", type=float, default=0.3, help="seconds of one turn")
    parser.add_argument("--ways", help="names separated by commas; default all")
    arguments = parser.parse_args()
    ways = arguments.ways.split(",") if arguments.ways else list(WAYS)
    for name in arguments.workloads or NETWORKS:
        medians = measure(WORKLOADS[name], ways, arguments.rounds, arguments.budget)
        for way, seconds in medians.items():
            ratio = seconds / medians["plain"]
            print(f"{name:11} {way:22} {seconds * 1e6:9.1f} us/step  {ratio:5.2f} x plain")


if __name__ == "__main__":
    main()
