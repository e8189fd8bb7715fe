"""The process of one peer: makes three steps, then does what it is told, a line at a time.

``python -m peers.worker PEER WORKLOAD DIRECTORY``, in the directory of the benchmarks. Questions
and answers are JSON.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from workloads import Workload

from peers import PEERS, Problem


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    name, work, directory = sys.argv[1:]

    def answer(found: object) -> None:
        print(json.dumps(found), file=answers, flush=True)

    step, layers = PEERS[name].build(Workload(**json.loads(work)), Problem(Path(directory)))
    step()
    answer(time.monotonic())
    for _ in range(2):
        step()
    tasks = {
        "turn": lambda budget: turn(step, budget),
        "peak": peak,
        "save": lambda path: save(layers(), path),
    }
    for line in sys.stdin:
        task, *arguments = json.loads(line)
        answer(tasks[task](*arguments))


def turn(step, budget: float) -> float:
    """Return the seconds of a step, the mean of as many as take so many seconds."""
    start = time.perf_counter()
    step()
    repeats = max(1, round(budget / (time.perf_counter() - start)))
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def peak() -> int:
    """Return the most bytes of memory that this process has had so far."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def save(layers, path: str) -> None:
    arrays = [array for layer in layers for array in layer]
    np.savez(path, **{str(number): array for number, array in enumerate(arrays)})


if __name__ == "__main__":
    main()
