"""How compiling and running grow with the length of a chain: ``python tests/perf/chain.py``.

Every line is one chain ``Linear -> ReLU -> ... -> ReLU -> MeanSquaredError`` of that many ReLUs on
3 x 7 values. Times are of the processor, the best of three; the last column must stay about the
same from line to line if the time is linear in the length.
"""

import argparse
import time

import numpy as np

import dagnet as dn


class NoUpdate:
    """Stands in for an optimizer, so that forward and backward alone are timed."""

    def step(self, store):
        pass


def chain(length):
    x, y = dn.Input(3, name="x"), dn.Input(3, name="y")
    a = dn.Linear(3)(x)
    for _ in range(length):
        a = dn.ReLU()(a)
    return dn.MeanSquaredError()(a, y)


def measure(length):
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((3, 7)), "y": rng.standard_normal((3, 7))}
    start = time.process_time()
    cost = chain(length)
    defined = time.process_time()
    model = dn.Model(cost, seed=0)
    model.train_step(feeds, NoUpdate())
    compiled = time.process_time()
    model.train_step(feeds, NoUpdate())
    ran = time.process_time()
    return defined - start, compiled - defined, ran - compiled


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lengths", nargs="*", type=int, default=[5_000, 50_000])
    lengths = parser.parse_args().lengths
    print("   nodes  define s  compile s    run s    nodes/s  us/node")
    for length in lengths:
        define, compile_, run = (
            min(t) for t in zip(*(measure(length) for _ in range(3)), strict=True)
        )
        total = define + compile_ + run
        print(
            f"{length:8d} {define:9.3f} {compile_:10.3f} {run:8.4f} "
            f"{length / total:10.0f} {total / length * 1e6:8.2f}"
        )


if __name__ == "__main__":
    main()
