"""From nothing to the first step: ``python tests/perf/starting.py``.

Processes are started in turn, and the least time of each kind counts. A first step is done when
its result is there; it is counted from the start of the process, the interpreter included.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator

from peers import OURS, PEERS
from peers.running import PeerError, Running, environment, problem_of
from rows import TINY, Effort, Row, table
from workloads import WORKLOADS

IMPORT = """
from time import perf_counter
start = perf_counter()
import {}
print(perf_counter() - start)
"""


def import_seconds(packages: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT.format(packages)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def first_steps(peers: Iterable[str], rounds: int) -> dict[str, float | str]:
    """Return when each peer had made its first step of a small network, or why it did not."""
    work = WORKLOADS["planar"]
    found: dict[str, float | str] = {
        name: float("inf") if PEERS[name].installed else "not installed" for name in peers
    }
    with problem_of(work) as problem:
        for _ in range(rounds):
            for name, best in found.items():
                if isinstance(best, str):
                    continue
                try:
                    process = Running(name, work, problem)
                except PeerError as error:
                    found[name] = str(error)
                else:
                    found[name] = min(best, process.first)
                    process.close()
    return found


def rows(effort: Effort, peers: Iterable[str] = tuple(PEERS)) -> Iterator[Row]:
    kinds = ("numpy, networkx", "dagnet")
    turns = [[import_seconds(kind) for kind in kinds] for _ in range(effort.rounds)]
    base, ours = map(min, zip(*turns, strict=True))
    yield Row(
        "import",
        "import dagnet / import numpy, networkx",
        "≤ 1",
        f"{ours / base:.2f} ({ours:.3f} s, {base:.3f} s)",
    )
    for name, found in first_steps(peers, min(effort.rounds, 5)).items():
        yield Row(
            "first step",
            f"planar, {name}: from the start of the process",
            "< 0.5 s" if name in OURS else "",
            found if isinstance(found, str) else f"{found:.2f} s",
        )


def main() -> None:
    print(table(rows(TINY if "--tiny" in sys.argv else Effort())))


if __name__ == "__main__":
    main()
