"""One training step with each executor, beside its peers: time, memory, the first step.

``python tests/perf/steps.py [workload ...]`` times forward + backward + update. Every way has a
process of its own, since thread pools fight, and they take turns, so that a machine whose speed
drifts treats all alike; quote the ratios. Peers that are not installed are left out, and said so.
"""

import argparse
from collections.abc import Iterable, Iterator
from math import exp, log

from peers import OURS, PEERS, THEIRS
from peers.running import Found, compare
from rows import Effort, Row, machine
from workloads import WORKLOADS

MIB = 2**20

#: What runs where nothing is measured: one loss and optimizer, the others, and branches.
TINY_ONES = ("planar", "digits-adam", "branches")

Measured = dict[str, Found | str]


def measure(name: str, peers: Iterable[str], effort: Effort) -> Measured:
    work = WORKLOADS[name].shrunk() if effort.tiny else WORKLOADS[name]
    return compare(work, peers, effort.rounds, effort.budget)


def fastest(measured: Measured, names: Iterable[str]) -> tuple[str, Found] | None:
    """Return the one that takes the least time for a step, if any of them ran."""
    ran = {n: f for n in names if isinstance(f := measured.get(n), Found)}
    return min(ran.items(), key=lambda item: item[1].seconds, default=None)


def lines(name: str, measured: Measured) -> Iterator[str]:
    """Write what was measured of all ways, each as a ratio to our best."""
    best = fastest(measured, OURS)
    for peer, found in measured.items():
        if isinstance(found, str):
            yield f"{name:12} {peer:13} {found}"
            continue
        ratio = f"{found.seconds / best[1].seconds:7.2f} x dagnet" if best else ""
        yield (
            f"{name:12} {peer:13} {found.seconds * 1e6:10.1f} us/step {ratio}  "
            f"first step {found.first:6.2f} s  peak {found.peak / MIB:5.0f} MiB  "
            f"weights {found.error:.0e} off"
        )


def rows(effort: Effort, peers: Iterable[str] = tuple(PEERS)) -> Iterator[Row]:
    """Time all workloads; print details on the way."""
    peers = list(peers)
    ratios = []
    for name in TINY_ONES if effort.tiny else WORKLOADS:
        measured = measure(name, peers, effort)
        print(*lines(name, measured), sep="\n", flush=True)
        ours, theirs = fastest(measured, OURS), fastest(measured, THEIRS)
        if ours is None or theirs is None:
            continue
        ratio = theirs[1].seconds / ours[1].seconds
        ratios.append(ratio)
        yield Row(
            "step time",
            f"{name}: fastest peer / best executor",
            "> 1",
            f"{ratio:.2f} ({theirs[0]} {theirs[1].seconds * 1e6:.0f} us, "
            f"{ours[0]} {ours[1].seconds * 1e6:.0f} us)",
        )
        yield from memory(name, measured)
    if ratios:
        mean = exp(sum(map(log, ratios)) / len(ratios))
        yield Row("step time", "geometric mean of these ratios", "≥ 1.5", f"{mean:.2f}")


def memory(name: str, measured: Measured) -> Iterator[Row]:
    """Compare the memory of the processes, of every executor."""
    peaks = {peer: f.peak / MIB for peer, f in measured.items() if isinstance(f, Found)}
    theirs = {peer: peaks[peer] for peer in THEIRS if peer in peaks}
    lesson = theirs.pop("lesson", None)
    found = ", ".join(f"{executor} {peaks[executor]:.0f}" for executor in OURS if executor in peaks)
    if lesson is not None:
        found += f"; lesson {lesson:.0f}"
    if theirs:
        least = min(theirs, key=theirs.__getitem__)
        found += f"; {least} {theirs[least]:.0f}"
    target = "≤ lesson, ≤ half of frameworks"
    yield Row("peak memory", f"{name}: MiB of the process, and least peer", target, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; default all")
    parser.add_argument("--peers", default=",".join(PEERS), help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=Effort().rounds)
    parser.add_argument("--budget", type=float, default=Effort().budget, help="seconds of a turn")
    arguments = parser.parse_args()
    print(machine())
    effort = Effort(arguments.rounds, arguments.budget)
    for name in arguments.workloads or WORKLOADS:
        measured = measure(name, arguments.peers.split(","), effort)
        print(*lines(name, measured), sep="\n", flush=True)


if __name__ == "__main__":
    main()
