"""One training step of the lesson's cat network, beside the lesson's own way of computing.

``python tests/perf/step.py`` times forward + backward + update of 12288-20-7-5-1 on 209 examples:
as the lesson does it (fresh numpy arrays in every step, the gradient of the input included), and
with `Model.train_step`, keeping what is needed or everything. The ways take turns, so that a
machine whose speed drifts treats all alike; quote the ratios. Before each turn is a pause: the
threads of BLAS keep a processor busy for some time after a large product.
"""

import argparse
import statistics
import time

import numpy as np
from lesson import as_the_lesson

import dagnet as dn

SIZES, EXAMPLES, RATE = [12288, 20, 7, 5, 1], 209, 0.0075
PAUSE = 0.1


def data(dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((SIZES[0], EXAMPLES)).astype(dtype)
    Y = (rng.random((1, EXAMPLES)) < 0.35).astype(dtype)
    return X, Y


def measure(steps, rounds):
    times = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(5):
            step()
    for _ in range(rounds):
        for name, step in steps.items():
            time.sleep(PAUSE)
            step()
            start = time.perf_counter()
            for _ in range(20):
                step()
            times[name].append((time.perf_counter() - start) / 20)
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for dtype in ("float64", "float32"):
        X, Y = data(dtype)
        steps = {}
        for keep in ("needed", "all"):
            model, optimizer = dn.mlp(SIZES, seed=1, dtype=dtype), dn.SGD(RATE)
            steps.setdefault("lesson", as_the_lesson(model.get_params(), X, Y, RATE))
            feeds = {"X": X, "Y": Y}
            steps[f"dagnet, keep={keep}"] = lambda m=model, o=optimizer, f=feeds, k=keep: (
                m.train_step(f, o, keep=k)
            )
        medians = measure(steps, rounds)
        for name, seconds in medians.items():
            ratio = medians["lesson"] / seconds
            print(f"{dtype}  {name:20} {seconds * 1e6:8.0f} us/step  {ratio:5.2f} x the lesson")


if __name__ == "__main__":
    main()
