"""All benchmarks, one table: ``python tests/perf/table.py``.

Takes some minutes, and a machine that does nothing else: it says how busy it was at the start.
``--only`` makes some lines only, ``--peers`` compares with some peers only. ``--tiny`` runs
everything on tiny sizes, to see that it runs.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import agreement
import chain
import predicting
import products
import starting
import steps
import streaming
from peers import PEERS
from rows import TINY, Effort, Row, machine, table

Benchmark = Callable[[Effort], Iterator[Row]]


def benchmarks(peers: list[str]) -> dict[str, Benchmark]:
    return {
        "steps": partial(steps.rows, peers=peers),
        "products": products.rows,
        "starting": partial(starting.rows, peers=peers),
        "chain": chain.rows,
        "predicting": predicting.rows,
        "streaming": streaming.rows,
        "agreement": agreement.rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ", ".join(benchmarks([]))
    parser.add_argument("--only", help=f"names separated by commas, of {names}")
    parser.add_argument("--peers", default=",".join(PEERS), help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=Effort().rounds)
    parser.add_argument("--budget", type=float, default=Effort().budget, help="seconds of a turn")
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    effort = TINY if arguments.tiny else Effort(arguments.rounds, arguments.budget)
    chosen = benchmarks(arguments.peers.split(","))
    print(machine(), flush=True)
    rows: list[Row] = []
    for name in arguments.only.split(",") if arguments.only else chosen:
        rows += chosen[name](effort)
    # The rows of a line stand together.
    order = list(dict.fromkeys(row.line for row in rows))
    print(f"\n{table(sorted(rows, key=lambda row: order.index(row.line)))}")


if __name__ == "__main__":
    main()
