"""dagnet gradcheck: the table of the library, and an exit code that tells right from wrong."""

import pytest

import dagnet as dn
from dagnet.debug.gradcheck import gradcheck
from dagnet.storage import load


def test_it_prints_what_the_library_finds(run, digits_model):
    model = load(digits_model[1])
    digits = dn.data.digits()
    feeds = model.prepare({"X": digits.X[:, :5], "Y": digits.Y[:5]})
    check = gradcheck(model, feeds)
    result = run("gradcheck", digits_model[1], "--data", "digits", "--examples", 5)
    assert result.stdout == f"{check}\n"
    default = run("gradcheck", digits_model[1], "--data", "digits").stdout
    by_number = run("gradcheck", digits_model[1], "--data", "digits", "--examples", 32).stdout
    assert default == by_number != result.stdout


WRONG = """
class Bent(dn.Tanh):
    def backward(self, f):
        super().backward(f)
        if f.grad_inputs[0] is not None:
            f.grad_inputs[0][0] *= 1.0001

"""


@pytest.fixture
def wrong_file(network_file):
    text = network_file.read_text()
    text = text.replace("X, Y = ", WRONG + "X, Y = ").replace("dn.Tanh(name=", "Bent(name=")
    network_file.write_text(text)
    return network_file


def test_a_network_that_is_wrong(run, wrong_file):
    command = ["gradcheck", wrong_file, "--data", "moons:m=30"]
    result = run(*command, code=1)
    made = 1 + next(
        i for i, line in enumerate(wrong_file.read_text().splitlines()) if "Bent(name=" in line
    )
    noted = [line for line in result.stdout.splitlines() if line.startswith("wrong: ")]
    assert len(noted) == 2
    assert noted[1].startswith("wrong: the whole model grad_params ")
    assert noted[0].startswith(f"wrong: h (net.py:{made}) Bent grad_inputs.0 [0, ")
    assert result.stderr == ""
    run(*command, "--tolerance", 1e-3)


def test_a_network_file_that_is_right(run, network_file):
    command = ["gradcheck", network_file, "--data", "moons:m=30"]
    result = run(*command)
    assert "wrong" not in result.stdout
    assert run(*command).stdout == result.stdout  # a cost gets the same parameters each time


def test_it_refuses_with_an_exit_code_that_is_no_answer(run, digits_model):
    costless = run("gradcheck", _without_cost(digits_model[1]), "--data", "digits", code=2)
    assert "has no cost" in costless.stderr
    unknown = run("gradcheck", digits_model[1], "--data", "digit", code=2)
    assert "no data set named 'digit'" in unknown.stderr
    on_digits = ["gradcheck", digits_model[1], "--data", "digits"]
    assert "--examples" in run(*on_digits, "--examples", 0, code=2).stderr
    assert "--tolerance" in run(*on_digits, "--tolerance", 0, code=2).stderr


def _without_cost(path):
    model = dn.Model(outputs=dn.Linear(3)(dn.Input(64, name="X")), seed=1)
    model.save(path.with_name("costless.safetensors"))
    return path.with_name("costless.safetensors")
