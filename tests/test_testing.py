"""The checker accepts right ops and rejects every kind of wrong one, naming the rule."""

import numpy as np
import pytest

import dagnet as dn
from dagnet.errors import ArgumentError, ArgumentTypeError, OpContractError, ShapeError
from dagnet.ops.base import Example, Op, Unary
from dagnet.ops.frame import Frame, Parameter, State, Work
from dagnet.testing import check_op

SHAPES = [(5, 3)]


class Square(Unary):
    """A right op: a = z², which the wrong ones below are made of."""

    reads = frozenset({"inputs"})
    in_place = False

    def forward(self, f):
        np.multiply(f.inputs[0], f.inputs[0], out=f.output)

    def backward(self, f):
        if f.grad_inputs[0] is not None:
            np.multiply(f.inputs[0], f.grad_output, out=f.grad_inputs[0])
            np.multiply(f.grad_inputs[0], 2.0, out=f.grad_inputs[0])


class Affine(Op):
    """A right op with parameters: Z = W A."""

    kind = "linear"
    reads = frozenset({"inputs", "params"})

    def output_shape(self, *inputs):
        return (7, inputs[0][1])

    def parameters(self, *inputs):
        return {"W": Parameter((7, inputs[0][0]))}

    def forward(self, f):
        np.dot(f.params["W"], f.inputs[0], out=f.output)

    def backward(self, f):
        if "W" in f.grad_params:
            np.dot(f.grad_output, f.inputs[0].T, out=f.grad_params["W"])
        if f.grad_inputs[0] is not None:
            np.dot(f.params["W"].T, f.grad_output, out=f.grad_inputs[0])


def rejects(op, rule, *words, shapes=SHAPES, **options):
    with pytest.raises(OpContractError) as caught:
        check_op(op, shapes=shapes, **options)
    assert caught.value.rule == rule, str(caught.value)
    for word in (type(op if isinstance(op, Op) else op()).__name__, *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("op", [Square, Square(), Affine, Affine()])
def test_accepts_right_ops(op):
    report = check_op(op, shapes=SHAPES)
    assert report.runs == 1
    assert 0 < report.input_error < 1e-7


def test_reports_what_it_measured():
    report = check_op(Affine, shapes=SHAPES)
    assert report.op == "Affine"
    assert 0 < report.param_error < 1e-7
    assert check_op(Square, shapes=SHAPES).param_error == 0


# gradient


def test_factor_two_in_one_element():
    class Wrong(Square):
        def backward(self, f):
            super().backward(f)
            if f.grad_inputs[0] is not None:
                f.grad_inputs[0][3, 1] *= 2

    rejects(Wrong, "gradient", "grad_inputs[0][3, 1] is", "central differences")


def test_relative_error_of_a_millionth_against_the_tolerance():
    class Slightly(Square):
        def backward(self, f):
            super().backward(f)
            if f.grad_inputs[0] is not None:
                np.multiply(f.grad_inputs[0], 1 + 5e-6, out=f.grad_inputs[0])

    rejects(Slightly, "gradient")
    assert check_op(Slightly, shapes=SHAPES, tolerance=1e-5).input_error == pytest.approx(
        5e-6, rel=0.1
    )


def test_one_wrong_element_of_a_large_array():
    class Wrong(Affine):
        def backward(self, f):
            super().backward(f)
            if "W" in f.grad_params:
                f.grad_params["W"][4, 123] += 1

    rejects(Wrong, "gradient", "grad_params['W'][4, 123] is", shapes=[(300, 3)])
    assert 0 < check_op(Affine, shapes=[(300, 3)]).param_error < 1e-7


def test_errors_of_a_large_array_that_cancel_each_other():
    class Wrong(Square):
        def backward(self, f):
            super().backward(f)
            if f.grad_inputs[0] is not None:
                f.grad_inputs[0][4, 5] += 1
                f.grad_inputs[0][21, 7] -= 1

    rejects(Wrong, "gradient", "grad_inputs[0][", shapes=[(30, 50)])


def test_a_gradient_that_is_not_finite():
    class Wrong(Square):
        def backward(self, f):
            super().backward(f)
            if f.grad_inputs[0] is not None:
                f.grad_inputs[0][4, 2] = np.inf

    rejects(Wrong, "gradient", "grad_inputs[0][4, 2] is inf, expected ")


def test_a_function_as_steep_as_a_logarithm_near_zero():
    class Log(Unary):
        reads = frozenset({"inputs"})
        in_place = False
        factor = 1.0

        def forward(self, f):
            np.log(f.inputs[0], out=f.output)

        def backward(self, f):
            if f.grad_inputs[0] is not None:
                np.divide(f.grad_output, f.inputs[0], out=f.grad_inputs[0])
                f.grad_inputs[0][2, 1] *= self.factor

    class Wrong(Log):
        factor = 1.01

    def draw(rng):
        return (10 ** -rng.uniform(0, 6, (3, 5)),)

    assert check_op(Log, draw=draw).input_error < 1e-6
    with pytest.raises(OpContractError, match=r"grad_inputs\[0\]\[2, 1\] is"):
        check_op(Wrong, draw=draw)


def test_transposed_weight_gradient():
    class Wrong(Affine):
        def output_shape(self, *inputs):
            return inputs[0]

        def parameters(self, *inputs):
            return {"W": Parameter((5, 5))}

        def backward(self, f):
            if "W" in f.grad_params:
                np.dot(f.inputs[0], f.grad_output.T, out=f.grad_params["W"])
            if f.grad_inputs[0] is not None:
                np.dot(f.params["W"].T, f.grad_output, out=f.grad_inputs[0])

    rejects(Wrong, "gradient", "grad_params['W'][")


def test_transposed_weight_gradient_of_distinct_sizes():
    class Wrong(Affine):
        def backward(self, f):
            np.dot(f.inputs[0], f.grad_output.T, out=f.grad_params["W"])

    rejects(Wrong, "runs", "ValueError")


def test_forgotten_term_of_an_input_used_twice():
    class Wrong(Square):
        def backward(self, f):
            if f.grad_inputs[0] is not None:
                np.multiply(f.inputs[0], f.grad_output, out=f.grad_inputs[0])

    rejects(Wrong, "gradient")


def test_fresh_mask_in_backward():
    class Wrong(dn.Dropout):
        def backward(self, f):
            np.greater_equal(f.rng.random(f.output.shape), self.rate, out=f.work["mask"])
            super().backward(f)

    rejects(Wrong(0.5), "repeat", "grad_inputs[0]")


def test_a_kink_is_kept_away_from():
    class Step(dn.ReLU):
        def kinks(self, *inputs):
            return np.full(inputs[0].shape, 0.0)

    with pytest.raises(ArgumentError, match="100 draws"):
        check_op(Step, shapes=SHAPES)
    assert check_op(dn.ReLU, shapes=[(30, 50)]).input_error < 1e-7


# overwrite


def test_forgotten_element_of_the_output():
    class Wrong(Square):
        def forward(self, f):
            np.multiply(f.inputs[0][:-1], f.inputs[0][:-1], out=f.output[:-1])

    rejects(Wrong, "overwrite", "output[4, 0]")


def test_forgotten_element_of_a_gradient():
    class Wrong(Square):
        def backward(self, f):
            if f.grad_inputs[0] is not None:
                f.grad_inputs[0][:, 1:] = 2 * f.inputs[0][:, 1:] * f.grad_output[:, 1:]

    rejects(Wrong, "overwrite", "grad_inputs[0][0, 0]")


def test_gradient_added_instead_of_written():
    class Wrong(Affine):
        def backward(self, f):
            if "W" in f.grad_params:
                f.grad_params["W"] += f.grad_output @ f.inputs[0].T
            if f.grad_inputs[0] is not None:
                np.dot(f.params["W"].T, f.grad_output, out=f.grad_inputs[0])

    rejects(Wrong, "overwrite", "grad_params['W']")


def test_scratch_read_before_it_is_written():
    class Wrong(Square):
        def workspace(self, *inputs):
            return {"w": Work(inputs[0], "forward", "bool")}

        def forward(self, f):
            np.multiply(f.inputs[0], f.work["w"], out=f.output)

    rejects(Wrong, "overwrite")


# shape


def test_wrong_size_in_the_shape_rule():
    class Wrong(Affine):
        def output_shape(self, *inputs):
            return (6, inputs[0][1])

    rejects(Wrong, "runs", "ValueError")


def test_shape_rule_for_numbers_only():
    class Wrong(Square):
        def output_shape(self, *inputs):
            return tuple(int(size) for size in inputs[0])

    rejects(Wrong, "shape", "'m'")


def test_shape_rule_that_fixes_the_number_of_examples():
    class Wrong(Square):
        def output_shape(self, *inputs):
            return (5, 3)

        def workspace(self, *inputs):
            return {"w": Work((5, inputs[0][1] if inputs[0][1] != "m" else 4), "forward")}

    rejects(Wrong, "shape", "work 'w' is (5, 4)")


# read only, buffers


def test_modified_input():
    class Wrong(Square):
        def forward(self, f):
            super().forward(f)
            f.inputs[0][2, 2] += 1

    rejects(Wrong, "read only", "inputs[0][2, 2]", "forward changed it")


@pytest.mark.parametrize("what", ["params", "grad_output", "output", "state"])
def test_modified_by_backward(what):
    class Wrong(Affine):
        def states(self, *inputs):
            return {"count": State((1,))}

        def backward(self, f):
            super().backward(f)
            array = getattr(f, what)
            for value in array.values() if isinstance(array, dict) else [array]:
                value[0] = 9

    rejects(Wrong, "read only", what, "backward changed it")


@pytest.mark.parametrize("what", ["output", "grad_output"])
def test_replaced_array(what):
    class Wrong(Square):
        def backward(self, f):
            super().backward(f)
            setattr(f, what, getattr(f, what) * 2)

    rejects(Wrong, "buffers", what)


def test_replaced_gradient_and_parameter_gradient():
    class Inputs(Square):
        def backward(self, f):
            f.grad_inputs = (2 * f.inputs[0] * f.grad_output,)

    class Params(Affine):
        def backward(self, f):
            super().backward(f)
            f.grad_params["W"] = f.grad_params["W"] * 1

    rejects(Inputs, "buffers", "grad_inputs[0]")
    rejects(Params, "buffers", "grad_params")


def test_saved_work_used_up_by_the_first_backward():
    class Wrong(Square):
        reads = frozenset()

        def workspace(self, *inputs):
            return {"twice": Work(inputs[0], "saved")}

        def forward(self, f):
            super().forward(f)
            np.multiply(f.inputs[0], 2.0, out=f.work["twice"])

        def backward(self, f):
            f.work["twice"] *= f.grad_output
            if f.grad_inputs[0] is not None:
                np.copyto(f.grad_inputs[0], f.work["twice"])

    rejects(Wrong, "repeat", "grad_inputs[0]")


# reads


def test_undeclared_read_of_an_input():
    class Wrong(Square):
        reads = frozenset()

    rejects(Wrong, "reads", "inputs, not in reads")


def test_undeclared_read_of_the_output():
    class Wrong(dn.Tanh):
        reads = frozenset()

    rejects(Wrong, "reads", "output, not in reads")


def test_undeclared_read_of_parameters():
    class Wrong(Affine):
        reads = frozenset({"inputs"})

    rejects(Wrong, "reads", "params, not in reads")


def test_undeclared_read_that_only_compares():
    class Wrong(dn.ReLU):
        reads = frozenset()

    rejects(Wrong, "reads", "output, not in reads")


@pytest.mark.parametrize("life", ["forward", "backward"])
def test_scratch_carried_from_forward_to_backward(life):
    class Wrong(dn.Dropout):
        def workspace(self, *inputs):
            return super().workspace(*inputs) | {"mask": Work(inputs[0], life, "bool")}

    rejects(Wrong(0.5), "reads", "work['mask']")


# skip


def test_ignored_none():
    class Wrong(Square):
        def backward(self, f):
            np.multiply(f.inputs[0], f.grad_output, out=f.grad_inputs[0])
            f.grad_inputs[0][...] *= 2

    rejects(Wrong, "runs", "NoneType")


def test_ignored_missing_parameter():
    class Wrong(Affine):
        def backward(self, f):
            np.dot(f.grad_output, f.inputs[0].T, out=f.grad_params["W"])
            if f.grad_inputs[0] is not None:
                np.dot(f.params["W"].T, f.grad_output, out=f.grad_inputs[0])

    rejects(Wrong, "runs", "KeyError: 'W'")


def test_gradient_put_where_none_was_asked():
    class Wrong(Affine):
        def backward(self, f):
            f.grad_params.setdefault("W", np.empty((7, 5)))
            super().backward(f)

    rejects(Wrong, "skip", "grad_params got {'W'}")


def test_one_gradient_that_leans_on_another():
    class Wrong(Op):
        kind, arity, reads = "join", 2, frozenset()

        def output_shape(self, *inputs):
            return inputs[0]

        def forward(self, f):
            np.add(*f.inputs, out=f.output)

        def backward(self, f):
            first, second = f.grad_inputs
            if first is not None:
                np.copyto(first, f.grad_output)
            if second is not None:
                np.multiply(f.grad_output, first is not None, out=second)

    rejects(Wrong, "skip", "grad_inputs[1]", shapes=[(5, 3), (5, 3)])


# in place


def test_in_place_lie_in_forward():
    class Wrong(Unary):
        """a = z + sum over units of z, written before it is summed."""

        def forward(self, f):
            np.multiply(f.inputs[0], 2.0, out=f.output)
            f.output += f.inputs[0].sum(axis=0)

        def backward(self, f):
            if f.grad_inputs[0] is not None:
                total = f.grad_output.sum(axis=0)
                np.multiply(f.grad_output, 2.0, out=f.grad_inputs[0])
                f.grad_inputs[0][...] += total

    rejects(Wrong, "in place", "output[")


def test_in_place_lie_in_backward():
    class Wrong(dn.Softmax):
        def backward(self, f):
            grad = f.grad_inputs[0]
            if grad is not None:
                np.multiply(f.grad_output, f.output, out=grad)
                total = grad.sum(axis=0)
                np.subtract(f.grad_output, total, out=grad)
                np.multiply(grad, f.output, out=grad)

    rejects(Wrong, "in place", "grad_inputs[0]")


def test_in_place_contradicts_reading_the_inputs():
    class Wrong(Square):
        in_place = True

    rejects(Wrong, "declaration", "in_place")


def test_in_place_needs_an_output_of_the_first_inputs_shape():
    class Wrong(dn.Flatten):
        in_place = True

    rejects(Wrong, "in place", "another shape", shapes=[(2, 3, 5)])


# memory order, float32, allocation


def test_element_order_taken_from_memory():
    class Wrong(Square):
        def forward(self, f):
            np.multiply(f.inputs[0], f.inputs[0], out=f.output)
            f.output[...] = f.output + f.inputs[0].ravel(order="K").reshape(f.output.shape)

        def backward(self, f):
            super().backward(f)
            if f.grad_inputs[0] is not None:
                f.grad_inputs[0][...] += f.grad_output

    rejects(Wrong, "memory order", "Fortran")


def test_only_for_float64():
    class Wrong(Square):
        def forward(self, f):
            np.copyto(f.output.view(np.int64), f.inputs[0].view(np.int64))
            np.multiply(f.output, f.output, out=f.output)

    class Bits(Square):
        def forward(self, f):
            size = 1 if f.output.itemsize == 8 else 2
            np.multiply(f.inputs[0], f.inputs[0] * size, out=f.output)

    rejects(Bits, "float32", "output[")
    rejects(Wrong, "runs", shapes=SHAPES)


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_large_temporary(where):
    class Wrong(Square):
        def forward(self, f):
            if where == "forward":
                f.output[...] = f.inputs[0] * f.inputs[0]
            else:
                super().forward(f)

        def backward(self, f):
            if where == "forward":
                super().backward(f)
            elif f.grad_inputs[0] is not None:
                f.grad_inputs[0][...] = 2 * f.inputs[0] * f.grad_output

    rejects(Wrong, "allocation", where, "bytes")


def test_an_op_of_one_fixed_size_is_right_too():
    class Three(Square):
        def output_shape(self, *inputs):
            if inputs[0][-1] not in (3, "m"):
                raise ShapeError("three examples only")
            return inputs[0]

    assert check_op(Three, shapes=SHAPES).runs == 1


# declaration, config


def test_unknown_kind_and_read():
    class Kind(Square):
        kind = "magic"

    class Reads(Square):
        reads = frozenset({"inputs", "weights"})

    class Life(Square):
        def workspace(self, *inputs):
            return {"w": Work(inputs[0], "always")}

    class Flops(Square):
        def flops(self, *inputs):
            return 0.5

    rejects(Kind, "declaration", "'magic'")
    rejects(Reads, "declaration", "weights")
    rejects(Life, "declaration", "'always'")
    rejects(Flops, "declaration", "0.5")


def test_config_that_is_no_json():
    class Wrong(Square):
        table: object = np.float32

    rejects(Wrong, "config", "TypeError")


def test_config_that_rebuilds_another_op():
    class Wrong(Square):
        power: int = 2

        def __post_init__(self):
            object.__setattr__(self, "power", self.power + 1)

    rejects(Wrong, "config", "'power': 4")


def test_exception_in_a_method():
    class Wrong(Square):
        def forward(self, f):
            raise RuntimeError("out of order")

    rejects(Wrong, "runs", "RuntimeError: out of order")


# what it is given


def test_examples_of_the_class_are_taken():
    class Mine(Square):
        @classmethod
        def examples(cls):
            return (Example(cls(), ((5, 3),)), Example(cls(), ((2, 3, 5),)))

    assert check_op(Mine).runs == 2
    assert check_op(Mine()).runs == 2


def test_an_op_is_checked_on_those_examples_of_its_class_that_fit_it():
    assert check_op(dn.Softmax(axis=2)).runs == 1
    with pytest.raises(ArgumentError, match="no fitting examples"):
        check_op(dn.Softmax(axis=9))


def test_draw_gives_the_inputs():
    def draw(rng):
        return rng.uniform(0.1, 0.9, (5, 3)), rng.uniform(0, 1, (5, 3))

    assert check_op(dn.BinaryCrossEntropy(weight=2.0), draw=draw).runs == 1


def test_borrowed_parameters():
    assert check_op(dn.L2(0.3), params={"W": (5, 3)}).param_error < 1e-7


def test_nothing_to_run_on():
    with pytest.raises(ArgumentError, match="Square gives no fitting examples"):
        check_op(Square)
    with pytest.raises(ArgumentTypeError, match="not int"):
        check_op(3)


def test_shapes_that_do_not_fit_are_the_ops_own_error():
    with pytest.raises(OpContractError, match="ShapeError"):
        check_op(dn.Linear(3), shapes=[(2, 3, 5)])


def test_the_error_is_an_assertion_and_reads_well():
    error = OpContractError("reads", "Square() on (5, 3): too much")
    assert isinstance(error, AssertionError)
    assert str(error) == "rule 'reads': Square() on (5, 3): too much"


def test_same_seed_same_report_and_numpys_state_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert check_op(dn.Tanh, seed=4) == check_op(dn.Tanh, seed=4)
    assert check_op(dn.Tanh, seed=4) != check_op(dn.Tanh, seed=5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_frame_without_a_graph():
    f = Frame.allocate(dn.Linear(7), np.ones((5, 3)))
    assert f.output.shape == (7, 3)
    assert f.m == 3
    assert Frame.allocate(dn.L2(1.0), params={"W": np.ones((2, 3))}, m=9).m == 9
    with pytest.raises(ShapeError):
        Frame.allocate(dn.Linear(7), np.ones((5, 3, 2)))
