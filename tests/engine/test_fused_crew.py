"""Threads that share a program: whoever comes, or does not, the results are the same."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dagnet as dn
from dagnet.fused import crew
from dagnet.ops import workers

NETWORK = """
import numpy as np
import dagnet as dn

def gradient(seed=0):
    model = dn.mlp([300, 200, 3], seed=1, executor="fused")
    rng = np.random.default_rng(seed)
    feeds = {"X": rng.standard_normal((300, 100)), "Y": np.ones((3, 100))}
    for _ in range(20):
        model.forward(feeds)
        model.backward()
    return model.store.grad
"""


def gradient(seed=0):
    names = {}
    exec(NETWORK, names)
    return names["gradient"](seed)


def test_the_network_is_large_enough_to_be_shared():
    model = dn.mlp([300, 200, 3], seed=1, executor="fused")
    binding = model.runner().begin({"X": np.ones((300, 100)), "Y": np.ones((3, 100))})
    (call,) = binding.training_calls
    assert call.__name__ == "together"


def test_one_processor_computes_the_same_bits_alone(monkeypatch):
    want = gradient()
    monkeypatch.setattr(workers, "processors", lambda: 1)
    monkeypatch.setattr(crew, "team", crew.Crew())
    np.testing.assert_array_equal(gradient(), want)
    assert crew.team.helpers == []


@pytest.mark.parametrize("count", [2, 4])
def test_any_number_of_helpers_computes_the_same_bits(monkeypatch, count):
    want = gradient()
    monkeypatch.setattr(workers, "processors", lambda: count)
    monkeypatch.setattr(crew, "team", crew.Crew())
    np.testing.assert_array_equal(gradient(), want)
    assert len(crew.team.helpers) == count - 1
    crew.team.stop()
    assert not any(helper.thread.is_alive() for helper in crew.team.helpers)


def test_threads_may_run_programs_at_the_same_time():
    seeds = range(4)
    want = [gradient(seed) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(want, pool.map(gradient, seeds), strict=True):
            np.testing.assert_array_equal(other, one)


def run(code):
    return subprocess.run(
        [sys.executable, "-c", NETWORK + code], capture_output=True, text=True, check=True
    ).stdout


def test_a_process_ends_while_helpers_are_awake():
    assert run("print(gradient().sum() != 0)") == "True\n"


def test_a_process_ends_while_daemon_threads_run_programs():
    code = (
        "from threading import Semaphore, Thread\n"
        "begun = Semaphore(0)\n"
        "def train():\n"
        "    gradient()\n"
        "    begun.release()\n"
        "    while True: gradient()\n"
        "for _ in range(6): Thread(target=train, daemon=True).start()\n"
        "for _ in range(6): begun.acquire()\n"
        "print('ends')"
    )
    assert run(code) == "ends\n"


def test_a_forked_child_has_helpers_of_its_own():
    code = (
        "import os, warnings; warnings.simplefilter('ignore')\n"
        "want = gradient()\n"
        "child = os.fork()\n"
        "same = bool((gradient() == want).all())\n"
        "if child == 0: os._exit(0 if same else 1)\n"
        "print(same, os.waitpid(child, 0)[1])"
    )
    assert run(code) == "True 0\n"
