"""BlockedLinear: what stands for a Linear with very many inputs when a model runs."""

import numpy as np

from dagnet.node import Shape
from dagnet.ops import blocks
from dagnet.ops.frame import Frame, Work
from dagnet.ops.linear import Linear


class BlockedLinear(Linear):
    """A `Linear` whose products are computed in blocks of the inputs, where that is faster.

    Parameters
    ----------
    units : int
        Number of outputs, n_out.
    bias : bool
        Whether to add b.
    init : str or float, optional
        Initialiser of W for this op, instead of the model's.
    name : str, optional

    Notes
    -----
    ``Z = W A_prev + b`` and the gradients of `Linear`, but for the order in which numbers are
    added. There is no need to write it: a model that runs takes it for a Linear of thousands of
    inputs, if its other layers are small. A run is in blocks or not depending on the shapes, the
    dtype and the order in memory of ``A_prev``. Source: `Linear`; for sums over blocks, Golub and
    Van Loan, *Matrix Computations* (2013), section 1.3.

    Examples
    --------
    >>> import dagnet as dn
    >>> dn.BlockedLinear(20)(dn.Input(12288)).shape
    (20, 'm')
    """

    def workspace(self, *inputs: Shape) -> dict[str, Work]:
        n_in, m = int(inputs[0][0]), inputs[0][1]
        if not blocks.is_wide(self.units, n_in):
            return {}
        return {
            "products": Work(blocks.scratch_shape(n_in), "forward"),
            "grad_products": Work((n_in, self.units), "backward"),
            "grad_turned": Work((self.units, m), "backward"),
        }

    def forward(self, f: Frame) -> None:
        W, X = f.params["W"], f.inputs[0]
        if not blocks.pay(W, X):
            super().forward(f)
            return
        blocks.forward(W, X, f.output, f.work["products"])
        if self.bias:
            np.add(f.output, f.params["b"], out=f.output)

    def backward(self, f: Frame) -> None:
        W, X, grads = f.params["W"], f.inputs[0], f.grad_params
        if not blocks.pay(W, X):
            super().backward(f)
            return
        if "W" in grads:
            work = f.work["grad_products"], f.work["grad_turned"]
            blocks.grad_weights(f.grad_output, X, grads["W"], *work)
        if "b" in grads:
            np.add.reduce(f.grad_output, axis=1, keepdims=True, out=grads["b"])
        if f.grad_inputs[0] is not None:
            blocks.grad_inputs(W, f.grad_output, f.grad_inputs[0])
