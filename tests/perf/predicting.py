"""What `predict` takes above its calls of numpy: ``python tests/perf/predicting.py``.

One example of a small network. The bare calls are those that the default executor makes of numpy,
on arrays of its own; whole predictions and bare calls take turns, and the least time of each
counts.
"""

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from peers import OURS
from rows import TINY, Effort, Row, table

import dagnet as dn

NETWORKS = ([2, 4, 1], [64, 32, 16, 1])
REPEATS = 1000


def seconds(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def measure(sizes: list[int], executor: str, rounds: int, repeats: int) -> tuple[float, float]:
    """Return the seconds of a prediction, and of the calls of numpy alone."""
    model, begun = dn.mlp(sizes, seed=1, executor=executor), dn.mlp(sizes, seed=1)
    x = np.ones((sizes[0], 1))
    # A prediction lets go of what it was fed: the calls belong to one that is never finished.
    calls = list(begun._runners.predicting.begin({"X": x}).forward_calls)

    def bare() -> None:
        for call in calls:
            call()

    ways = (lambda: model.predict(x), bare)
    turns = [[seconds(way, repeats) for way in ways] for _ in range(rounds)]
    whole, alone = map(min, zip(*turns, strict=True))
    return whole, alone


def rows(effort: Effort) -> Iterator[Row]:
    for executor, peer in OURS.items():
        if not peer.installed or (effort.tiny and executor != "compiled"):
            continue
        for sizes in NETWORKS:
            repeats = 1 if effort.tiny else REPEATS
            whole, alone = (s * 1e6 for s in measure(sizes, executor, 2 * effort.rounds, repeats))
            yield Row(
                "predict",
                f"{'-'.join(map(str, sizes))}, {executor}: one example, above its calls of numpy",
                "< 10 us",
                f"{whole - alone:.1f} us ({whole:.1f} us, {alone:.1f} us)",
            )


def main() -> None:
    print(table(rows(TINY if "--tiny" in sys.argv else Effort())))


if __name__ == "__main__":
    main()
