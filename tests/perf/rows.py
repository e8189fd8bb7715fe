"""What benchmarks report: rows of one table, and the machine that they are of."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("numpy", "numba", "torch", "jax", "pytensor", "scikit-learn", "tinygrad")


class Row(NamedTuple):
    """A line of what must be reached.

    Attributes
    ----------
    line : str
        What it is about.
    measured : str
        What was measured, in a few words.
    target : str
    found : str
    """

    line: str
    measured: str
    target: str
    found: str


class Effort(NamedTuple):
    """How much is measured.

    Attributes
    ----------
    rounds : int
        Turns of everything that takes turns.
    budget : float
        Seconds of a turn, about.
    tiny : bool
        Whether sizes are tiny: to see that a benchmark runs, not to measure.
    """

    rounds: int = 9
    budget: float = 0.2
    tiny: bool = False


TINY = Effort(rounds=1, budget=0.0, tiny=True)


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a table of Markdown, which is readable as it is."""
    cells = [Row("line", "measured", "target", "found"), *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def machine() -> str:
    """Say what runs here: processor, versions, and how busy the machine is with other things."""
    try:
        cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in cpus if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"no {package}")
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())
    return (
        f"{os.cpu_count()} processors: {name}\n{', '.join(versions)}\n"
        f"load average at the start, of 1, 5 and 15 minutes: {load}"
    )
