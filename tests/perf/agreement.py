"""How far the fused executor is from the default one: ``python tests/perf/agreement.py``.

The gradients of the first step, and the parameters after three, from the same beginning: the
largest difference in an array, relative to its largest value; the worst of all arrays of all
workloads of a dtype.
"""

import sys
from collections.abc import Iterator, Mapping

import numpy as np
from peers import OURS
from peers.dagnet import network
from rows import TINY, Effort, Row, table
from workloads import WORKLOADS, Workload

import dagnet as dn

TARGETS = {"float32": 1e-6, "float64": 1e-12}


Arrays = Mapping[tuple[str, str], np.ndarray]


def trained(work: Workload, executor: str) -> tuple[Arrays, Arrays]:
    """Return the gradients of the first step, and the parameters after three.

    Without the biases before a normalisation: what they become is rounding.
    """
    model = network(work, executor)
    rng = np.random.default_rng(1)
    for arrays in model.params.values():
        for array in arrays.values():
            array[...] = rng.standard_normal(array.shape) / np.sqrt(array.shape[1])
    optimizer = dn.Adam(work.rate) if work.optimizer == "adam" else dn.SGD(work.rate)
    feeds = dict(zip("XY", work.data(), strict=True))
    model.train_step(feeds, optimizer)
    gradients = {key: array.copy() for key, array in model.store.grads.items()}
    for _ in range(2):
        model.train_step(feeds, optimizer)
    idle = {(f"linear{number}", "b") for number in range(1, len(work.normalized) + 1)}
    both = gradients, model.store.arrays
    return tuple({k: a for k, a in arrays.items() if k not in idle} for arrays in both)


def difference(default: Arrays, fused: Arrays) -> float:
    return max(
        float(np.abs(array - fused[key]).max() / np.abs(array).max())
        for key, array in default.items()
    )


def rows(effort: Effort) -> Iterator[Row]:
    for dtype, target in TARGETS.items():
        if effort.tiny or not OURS["fused"].installed:
            yield Row("agreement", f"fused against default, {dtype}", f"{target:.0e}", "-")
            continue
        both = {
            name: [trained(work, executor) for executor in ("compiled", "fused")]
            for name, work in WORKLOADS.items()
            if work.dtype == dtype
        }
        for place, what in enumerate(("gradients of a step", "parameters after three")):
            found = {
                n: difference(default[place], fused[place]) for n, (default, fused) in both.items()
            }
            worst = max(found, key=found.__getitem__)
            measured = f"fused against default, {dtype}: {what}, {worst}"
            yield Row("agreement", measured, f"≤ {target:.0e}", f"{found[worst]:.1e}")


def main() -> None:
    print(table(rows(TINY if "--tiny" in sys.argv else Effort())))


if __name__ == "__main__":
    main()
