"""The same training step by other means, each in a process of its own.

Every module here makes one kind of step: `build` returns a function that makes a whole step, and
one that returns the layers as they are then, as arrays of numpy. Modules import what they need, and
nothing else here does, so that a process holds one library only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from workloads import Workload

Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Problem:
    """What a step works on, in files, so that no process pays memory for making it."""

    directory: Path

    @classmethod
    def of(cls, work: Workload, directory: Path) -> "Problem":
        """Write the examples and the first weights of a workload."""
        for name, array in zip("XY", work.data(), strict=True):
            np.save(directory / f"{name}.npy", array)
        for number, layer in enumerate(work.layers()):
            for name, array in zip("Wb", layer, strict=True):
                np.save(directory / f"{name}{number}.npy", array)
        return cls(directory)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        return self._load("X"), self._load("Y")

    def layers(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Load one layer after the other, so that who copies them holds one of them twice."""
        for number in range(len(list(self.directory.glob("W*.npy")))):
            yield self._load(f"W{number}"), self._load(f"b{number}")

    def _load(self, name: str) -> np.ndarray:
        return np.load(self.directory / f"{name}.npy")


@dataclass(frozen=True)
class Peer:
    """A way to make a training step.

    Attributes
    ----------
    module : str
        Of this package.
    needs : tuple of str
        Packages without which it cannot run.
    options : dict
        For the module's `build`.
    """

    module: str
    needs: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        return all(find_spec(package) is not None for package in self.needs)

    def build(self, work: Workload, problem: Problem) -> tuple[Callable[[], Any], Callable]:
        return import_module(f"peers.{self.module}").build(work, problem, **self.options)


OURS = {
    "compiled": Peer("dagnet", (), {"executor": "compiled"}),
    "fused": Peer("dagnet", ("numba",), {"executor": "fused"}),
}

THEIRS = {
    "lesson": Peer("lesson"),
    "torch": Peer("torch", ("torch",)),
    "torch.compile": Peer("torch", ("torch",), {"compiled": True}),
    "jax": Peer("jax", ("jax",)),
    "pytensor": Peer("pytensor", ("pytensor",)),
    "scikit-learn": Peer("sklearn", ("sklearn",)),
    "tinygrad": Peer("tinygrad", ("tinygrad",)),
}

PEERS = OURS | THEIRS
