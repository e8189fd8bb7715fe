"""Sum, product, concatenation, flatten: values, repeated inputs, refused shapes."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import GraphError, ShapeError


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    return [rng.normal(size=(5, 2, 3)) for _ in range(4)]


def test_sum_and_product_agree_with_numpy(run, arrays):
    np.testing.assert_allclose(run(dn.Add(), *arrays).output, np.sum(arrays, axis=0), rtol=1e-15)
    np.testing.assert_allclose(
        run(dn.Multiply(), *arrays).output, np.prod(arrays, axis=0), rtol=1e-15
    )


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_same_array_several_times(run, arrays, n):
    x = arrays[0]
    total, power = run(dn.Add(), *[x] * n), run(dn.Multiply(), *[x] * n)
    np.testing.assert_allclose(total.output, n * x, rtol=1e-15)
    np.testing.assert_allclose(power.output, x**n, rtol=1e-14)
    np.testing.assert_allclose(sum(power.grad_inputs), n * x ** (n - 1), rtol=1e-14)
    np.testing.assert_allclose(sum(total.grad_inputs), n, rtol=0)


def test_product_slopes_where_inputs_are_zero(run):
    x = np.array([[0.0, 0.0, 2.0]])
    y = np.array([[0.0, 3.0, 0.0]])
    z = np.array([[5.0, 7.0, 11.0]])
    dx, dy, dz = run(dn.Multiply(), x, y, z).grad_inputs
    np.testing.assert_array_equal(dx, [[0, 21, 0]])
    np.testing.assert_array_equal(dy, [[0, 0, 22]])
    np.testing.assert_array_equal(dz, [[0, 0, 0]])


@pytest.mark.parametrize("axis", [0, 1, -2, -3])
def test_concat_agrees_with_numpy_and_splits_back(run, axis):
    shapes = [(2, 3, 7), (2, 3, 7), (2, 3, 7)]
    sizes = [1, 5, 2]
    parts = []
    for shape, size in zip(shapes, sizes, strict=True):
        shape = list(shape)
        shape[axis] = size
        parts.append(np.random.default_rng(size).normal(size=shape))
    expected = np.concatenate(parts, axis=axis)
    f = run(dn.Concat(axis), *parts, grad=expected)
    np.testing.assert_array_equal(f.output, expected)
    for part, grad in zip(parts, f.grad_inputs, strict=True):
        np.testing.assert_array_equal(grad, part)


def test_concat_refuses_other_axes_that_differ():
    with pytest.raises(
        ShapeError, match=r"along axis 0 .* axis 1 is 2 in input 0 \(3, 2, m\) and 4 "
    ):
        dn.Concat()(dn.Input(3, 2), dn.Input(3, 4))


def test_concat_refuses_another_number_of_axes():
    with pytest.raises(ShapeError, match=r"input 0 is \(3, 2, m\), input 1 is \(3, m\)"):
        dn.Concat()(dn.Input(3, 2), dn.Input(3))


@pytest.mark.parametrize("axis", [-1, 1])
def test_concat_refuses_the_examples_axis(axis):
    with pytest.raises(ShapeError, match=rf"Concat: axis {axis} of \(3, m\) holds the examples"):
        dn.Concat(axis)(dn.Input(3), dn.Input(3))


@pytest.mark.parametrize("op", [dn.Add(), dn.Multiply()])
def test_other_shapes_are_refused_with_both_axes(op):
    with pytest.raises(ShapeError, match=r"input 1 is \(5, m\) \(axis 0: 3 against 5\)"):
        op(dn.Input(3), dn.Input(5))


@pytest.mark.parametrize("op", [dn.Add(), dn.Multiply(), dn.Concat()])
def test_no_input_is_refused(op):
    with pytest.raises(GraphError, match="one input or more"):
        op()


def test_flatten_is_c_order(run):
    x = np.arange(2 * 3 * 5 * 7, dtype=float).reshape(2, 3, 5, 7)
    for order in "CF":
        f = run(dn.Flatten(), np.array(x, order=order), grad=x.reshape(30, 7) * 2)
        np.testing.assert_array_equal(f.output, x.reshape(30, 7))
        np.testing.assert_array_equal(f.grad_inputs[0], x * 2)


def test_flatten_needs_the_examples_axis():
    with pytest.raises(ShapeError, match="Flatten needs at least one axis"):
        dn.Flatten().output_shape(())
