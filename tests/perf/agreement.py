"""How far the fused executor is from the default one: ``python tests/perf/agreement.py``.

The parameters after three steps from the same beginning: the largest difference in an array,
relative to its largest value; the worst of all arrays of all workloads of a dtype.
"""

import sys
from collections.abc import Iterator

import numpy as np
from peers import OURS
from peers.dagnet import network
from rows import TINY, Effort, Row, table
from workloads import WORKLOADS, Workload

import dagnet as dn

TARGETS = {"float32": 1e-6, "float64": 1e-12}


def trained(work: Workload, executor: str) -> dn.Model:
    model = network(work, executor)
    rng = np.random.default_rng(1)
    for arrays in model.params.values():
        for array in arrays.values():
            array[...] = rng.standard_normal(array.shape) / np.sqrt(array.shape[1])
    optimizer = dn.Adam(work.rate) if work.optimizer == "adam" else dn.SGD(work.rate)
    feeds = dict(zip("XY", work.data(), strict=True))
    for _ in range(3):
        model.train_step(feeds, optimizer)
    return model


def difference(work: Workload) -> float:
    default, fused = (trained(work, executor).params for executor in ("compiled", "fused"))
    return max(
        float(np.abs(array - fused[name][key]).max() / np.abs(array).max())
        for name, arrays in default.items()
        for key, array in arrays.items()
    )


def rows(effort: Effort) -> Iterator[Row]:
    for dtype, target in TARGETS.items():
        measured = f"fused against default, {dtype}, {{}}"
        if effort.tiny or not OURS["fused"].installed:
            yield Row("agreement", measured.format("-"), f"{target:.0e}", "not measured")
            continue
        found = {n: difference(w) for n, w in WORKLOADS.items() if w.dtype == dtype}
        worst = max(found, key=found.__getitem__)
        yield Row("agreement", measured.format(worst), f"≤ {target:.0e}", f"{found[worst]:.1e}")


def main() -> None:
    print(table(rows(TINY if "--tiny" in sys.argv else Effort())))


if __name__ == "__main__":
    main()
