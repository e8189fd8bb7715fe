"""dagnet profile: a row for each node and phase, of a model file or a network file."""

from dagnet.storage import load


def test_it_shows_every_node_both_ways(run, digits_model):
    result = run("profile", digits_model[1], "--data", "digits", "--steps", 2)
    plan = load(digits_model[1]).runner("needed").scheduler.plan
    rows = [line.split() for line in result.stdout.splitlines()[2:-2]]
    assert [(row[0], row[2]) for row in rows] == [(s.name, s.phase) for s in plan.steps]
    assert result.stdout.splitlines()[-1].endswith("the median of 2")


def test_a_network_file(run, network_file):
    assert "backward" in run("profile", network_file, "--data", "moons:m=30").stdout


def test_it_refuses_no_steps(run, digits_model):
    run("profile", digits_model[1], "--data", "digits", "--steps", 0, code=2)
