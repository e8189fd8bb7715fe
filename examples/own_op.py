"""An op of one's own: one class with its mathematics, checked, used, saved and loaded.

Swish is ``a = z σ(beta z)``, from Ramachandran, Zoph, Le, *Searching for activation functions*
(2017). Here beta is trained.

Run it:  python examples/own_op.py
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

import dagnet as dn
from dagnet.testing import check_op


class Swish(dn.Op):
    """``a = z s`` with ``s = σ(beta z)``; one beta per unit.

    ``da/dz = s + beta a (1 - s)`` and ``da/dbeta = z a (1 - s)``.
    """

    start: float = 1.0  # a hyperparameter is a field; it is saved with the model

    kind: ClassVar[str] = "activation"
    symbol: ClassVar[str] = "swish"
    equation: ClassVar[str] = "A = Z σ(beta Z)"
    # What backward reads besides grad_output and saved work. All else may be gone by then.
    reads: ClassVar[frozenset[str]] = frozenset({"inputs", "output", "params"})

    def output_shape(self, *inputs):
        return inputs[0]

    def parameters(self, *inputs):
        return {"beta": dn.Parameter((inputs[0][0], 1), fill=self.start)}

    def workspace(self, *inputs):
        return {
            "s": dn.Work(inputs[0], "saved"),  # from forward to backward
            "slope": dn.Work(inputs[0], "backward"),
        }

    def forward(self, f: dn.Frame) -> None:
        s = f.work["s"]
        np.multiply(f.inputs[0], -f.params["beta"], out=s)
        np.exp(s, out=s)
        np.add(s, 1.0, out=s)
        np.reciprocal(s, out=s)
        np.multiply(f.inputs[0], s, out=f.output)

    def backward(self, f: dn.Frame) -> None:
        s, slope = f.work["s"], f.work["slope"]
        if "beta" in f.grad_params:  # what is not there was not asked for
            np.subtract(1.0, s, out=slope)
            np.multiply(slope, f.output, out=slope)
            np.multiply(slope, f.inputs[0], out=slope)
            np.multiply(slope, f.grad_output, out=slope)
            np.add.reduce(slope, axis=1, keepdims=True, out=f.grad_params["beta"])
        if f.grad_inputs[0] is not None:
            np.subtract(1.0, s, out=slope)
            np.multiply(slope, f.output, out=slope)
            np.multiply(slope, f.params["beta"], out=slope)
            np.add(slope, s, out=slope)
            np.multiply(slope, f.grad_output, out=f.grad_inputs[0])

    @classmethod
    def examples(cls) -> Iterable[dn.Example]:
        """Return what `check_op` tries it on: 5 units and 3 examples, and other settings."""
        return (dn.Example(cls(), ((5, 3),)), dn.Example(cls(start=0.5), ((2, 7),)))


def build():
    x, y = dn.Input(2, name="x"), dn.Input(1, name="y")
    hidden = Swish(name="swish")(dn.Linear(8, name="hidden")(x))
    guess = dn.Sigmoid(name="guess")(dn.Linear(1, name="last")(hidden))
    return dn.Model(dn.BinaryCrossEntropy(name="cost")(guess, y), seed=1)


def main():
    report = check_op(Swish)  # every rule of the contract, the gradients among them
    print(f"checked {report.op} on {report.runs} sets of arguments")
    print(f"gradient error: input {report.input_error:.0e}, beta {report.param_error:.0e}")

    data = dn.data.moons(m=300, noise=0.15)
    model = build()
    model.fit(data.X, data.Y, epochs=300, optimizer=dn.Adam(0.05), progress=False)
    print(f"accuracy {model.evaluate(data.X, data.Y)['accuracy']:.3f}")
    print("beta:", model.params["swish"]["beta"][:, 0].round(2))

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "moons.safetensors"
        model.save(path)
        # A file holds no code: whoever loads it brings the class.
        again = dn.load(path, ops=[Swish])
        same = np.array_equal(model.predict(data.X), again.predict(data.X))
        print("same answers after loading:", same)
        try:
            dn.load(path)
        except dn.DagnetError as error:
            print("without the class:", error)


if __name__ == "__main__":
    main()
