"""What kind of processor this is: asked of Linux, and elsewhere of LLVM, which is large to load."""

from collections.abc import Iterator
from functools import cache
from itertools import takewhile

import numpy as np

#: Where Linux tells about each processor, in lines of a name and a value.
_TOLD = "/proc/cpuinfo"

#: The lines that tell a kind from others, and those that list what it can do.
_KIND = {"vendor_id", "cpu family", "model", "model name"}
_KIND |= {"CPU implementer", "CPU architecture", "CPU variant", "CPU part"}
_FEATURES = {"flags", "Features"}


@cache
def processor() -> tuple[str, frozenset[str]]:
    """Return the kind of processor, and what it can do: names such as ``avx2``."""
    lines = dict(_lines())
    features = [lines[name] for name in _FEATURES if name in lines]
    if features:
        kind = [lines[name] for name in sorted(_KIND & lines.keys())]
        return "\n".join([*kind, _seen_by_numpy()]), frozenset(features[0].split())
    import llvmlite.binding as llvm  # here, because it is needed on few systems

    found = llvm.get_host_cpu_features()
    return llvm.get_host_cpu_name(), frozenset(name for name, has in found.items() if has)


def _seen_by_numpy() -> str:
    """Return what numpy found out by asking the processor: less than Linux tells, where a tool such
    as valgrind stands for it."""
    return str(np.show_config(mode="dicts")["SIMD Extensions"])


def _lines() -> Iterator[tuple[str, str]]:
    """Yield what Linux tells about the first processor."""
    try:
        with open(_TOLD) as told:
            for line in takewhile(str.strip, told):
                name, _, value = line.partition(":")
                yield name.strip(), value.strip()
    except OSError:
        return
