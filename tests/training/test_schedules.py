"""Schedules against numbers worked out by hand."""

import json
from decimal import Decimal

import pytest

from dagnet.errors import ArgumentError, ArgumentTypeError
from dagnet.training import Cosine, InverseTime, Schedule, StepDecay


def test_step_decay():
    schedule = StepDecay(0.8, every=3, factor=0.25)
    assert [schedule.rate(s) for s in (0, 2, 3, 5, 6, 9)] == [0.8, 0.8, 0.2, 0.2, 0.05, 0.0125]


def test_step_decay_of_the_default_factor():
    assert StepDecay(0.5, every=10).rate(25) == pytest.approx(0.005, rel=1e-15)


def test_step_decay_far_out_is_zero_not_an_error():
    assert StepDecay(0.5, every=1).rate(10**9) == 0.0


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, "0.1"), (1, "0.1"), (4, "0.1"), (5, "0.0625"), (9, "0.0625"), (25, "0.025")],
)
def test_inverse_time(step, rate):
    # 0.1 / (1 + 0.6 · 0, 0, 0, 1, 1, 5)
    got = InverseTime(0.1, decay=0.6, every=5).rate(step)
    assert got == pytest.approx(float(Decimal(rate)), rel=1e-15)


def test_inverse_time_of_every_update():
    rates = [InverseTime(1.0, decay=1.0).rate(step) for step in range(4)]
    assert rates == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4], rel=1e-15)
    assert InverseTime(0.3, decay=0.0).rate(1000) == 0.3


def test_cosine():
    # cos(0), cos(60°), cos(90°), cos(120°), cos(180°) = 1, 1/2, 0, -1/2, -1
    schedule = Cosine(0.9, steps=6, final=0.1)
    got = [schedule.rate(step) for step in (0, 2, 3, 4, 6, 7, 1000)]
    assert got == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1, 0.1, 0.1], rel=1e-14)
    assert Cosine(0.9, steps=6).rate(6) == 0.0


@pytest.mark.parametrize(
    "schedule",
    [StepDecay(0.1, 7, factor=0.5), InverseTime(0.1, 0.25, every=3), Cosine(0.1, 30, final=0.01)],
)
def test_config_goes_through_json(schedule):
    again = Schedule.from_config(json.loads(json.dumps(schedule.config)))
    assert type(again) is type(schedule)
    assert [again.rate(s) for s in range(40)] == [schedule.rate(s) for s in range(40)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StepDecay(0.0, 5), "StepDecay: learning_rate must be a positive number, got 0.0"),
        (lambda: StepDecay(0.1, 0), "StepDecay: every must be a positive integer, got 0"),
        (lambda: StepDecay(0.1, 2.0), "StepDecay: every must be a positive integer, got 2.0"),
        (
            lambda: StepDecay(0.1, 5, factor=10),
            "StepDecay: factor must be a positive number, at most 1, got 10",
        ),
        (lambda: StepDecay(0.1, 5, factor=0), "StepDecay: factor must be a positive number"),
        (lambda: InverseTime(0.1, -1), "InverseTime: decay must be a number not below 0, got -1"),
        (lambda: Cosine(0.1, 10, final=0.2), "Cosine: final must be at most learning_rate"),
        (lambda: Cosine(0.1, 10, final=-0.2), "Cosine: final must be a number not below 0"),
    ],
)
def test_bad_hyperparameters(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_a_wrong_type():
    with pytest.raises(ArgumentTypeError, match="Cosine: learning_rate must be a positive number"):
        Cosine("0.1", 10)
