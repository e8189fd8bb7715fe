"""How compiling and running grow with the length of a chain: ``python tests/perf/chain.py``.

Every line is one chain ``Linear -> ReLU -> ... -> ReLU -> MeanSquaredError`` of that many ReLUs on
3 x 7 values. Times are of the processor, the best of three; the last column must stay about the
same from line to line if the time is linear in the length.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
from rows import Effort, Row

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


def overhead(length, rounds):
    """Return the seconds of a node of a chain and of its calls of numpy alone, forward, then those
    backward.

    Both work on the same arrays, in turn; the least times count.
    """
    model = dn.Model(chain(length), seed=0)
    feeds = {"x": np.ones((3, 7)), "y": np.ones((3, 7))}
    frames = model.begin(feeds, model.runner("all")).binding.frames.values()
    relus = [f for f in frames if f.name.startswith("relu")]
    forward = [(f.inputs[0], f.output) for f in relus]
    backward = [
        (f.output, f.work["positive"], f.grad_output, f.work["wide"], f.grad_inputs[0])
        for f in reversed(relus)
    ]

    def forward_alone():
        for x, a in forward:
            np.maximum(x, 0.0, out=a)

    def backward_alone():
        for a, positive, grad, wide, out in backward:
            np.greater(a, 0.0, out=positive)
            mask = wide.view(np.int64)
            mask[...] = positive
            np.multiply(grad.view(np.int64), mask, out=out.view(np.int64))

    ways = lambda: model.forward(feeds), forward_alone, model.backward, backward_alone
    turns = [[timed(way) for way in ways] for _ in range(rounds)]
    return [min(times) / length for times in zip(*turns, strict=True)]


def timed(way):
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def rows(effort: Effort) -> Iterator[Row]:
    short, long = (5, 10) if effort.tiny else (50_000, 100_000)
    half, whole = (
        min(measure(length)[1] for _ in range(min(3, effort.rounds))) for length in (short, long)
    )
    yield Row("compiling", f"{long:,} nodes, first step included", "< 5 s", f"{whole:.2f} s")
    yield Row("compiling", f"{long:,} nodes / {short:,} nodes", "2", f"{whole / half:.2f}")
    times = [seconds * 1e6 for seconds in overhead(short, effort.rounds)]
    for way, node, alone in (("forward", *times[:2]), ("backward", *times[2:])):
        yield Row(
            "long chain",
            f"{way}, a node of {short:,}, above its calls of numpy",
            "< 2 us",
            f"{node - alone:.2f} us ({node:.2f} us, {alone:.2f} us)",
        )


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
