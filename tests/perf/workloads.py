"""The networks that are timed, and what each of them is fed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A network, how many examples a step sees, and how it is trained.

    Attributes
    ----------
    sizes : tuple of int
        Units of all layers, the input's first. If `joined`, there are four: of the input, of a
        layer that only one branch has, of the layers where both branches end and are added, and
        of the output.
    m : int
        Examples of a step.
    output : {"sigmoid", "softmax"}
        Each with its cross-entropy.
    hidden : {"relu", "gelu", "batchnorm"}
        What follows the hidden layers; "batchnorm" with a trained scale and shift, then a relu.
    optimizer : {"sgd", "adam"}
    """

    sizes: tuple[int, ...]
    m: int
    dtype: str = "float32"
    output: str = "sigmoid"
    hidden: str = "relu"
    optimizer: str = "sgd"
    rate: float = 0.01
    joined: bool = False

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Shapes of the weights, in the order of definition."""
        if self.joined:
            n_x, left, both, n_y = self.sizes
            return [(left, n_x), (both, left), (both, n_x), (n_y, both)]
        return list(zip(self.sizes[1:], self.sizes[:-1], strict=True))

    @property
    def normalized(self) -> list[int]:
        """Units of the layers that are normalised."""
        return list(self.sizes[1:-1]) if self.hidden == "batchnorm" else []

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return random examples and targets, one-hot for a softmax."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.sizes[0], self.m)).astype(self.dtype)
        if self.output == "sigmoid":
            return X, (rng.random((1, self.m)) < 0.35).astype(self.dtype)
        return X, np.eye(self.sizes[-1], dtype=self.dtype)[:, np.arange(self.m) % self.sizes[-1]]

    def layers(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Draw the weights and biases to begin with."""
        rng = np.random.default_rng(1)
        for n_out, n_in in self.shapes:
            W = rng.standard_normal((n_out, n_in), self.dtype) * np.sqrt(2 / n_in)
            yield W.astype(self.dtype, copy=False), np.zeros((n_out, 1), self.dtype)

    def shrunk(self) -> "Workload":
        """Return a tiny network like it, to see that a benchmark runs."""
        return replace(self, sizes=tuple(min(n, 5) for n in self.sizes[-4:]), m=min(self.m, 7))


CAT = (12288, 20, 7, 5, 1)
DIGITS = (784, 512, 256, 10)

WORKLOADS = {
    "cat-f64": Workload(CAT, 209, "float64", rate=0.0075),
    "cat-f32": Workload(CAT, 209, rate=0.0075),
    "planar": Workload((2, 4, 1), 400, "float64", rate=1.2),
    "digits": Workload(DIGITS, 128, output="softmax", rate=0.05),
    "digits-adam": Workload(DIGITS, 128, output="softmax", optimizer="adam", rate=0.001),
    "deep": Workload((*[64] * 51, 1), 32),
    "wide": Workload((4096, 4096, 1), 32),
    "two-layers": Workload((64, 32, 1), 32),
    "one-example": Workload((64, 32, 16, 1), 1),
    "branches": Workload((64, 48, 32, 1), 32, joined=True),
    "gelu": Workload(DIGITS, 128, output="softmax", hidden="gelu", rate=0.05),
    "batchnorm": Workload((64, 64, 64, 10), 64, output="softmax", hidden="batchnorm"),
}
