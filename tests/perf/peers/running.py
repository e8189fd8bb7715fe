"""Starting the processes of peers, and asking them in turn."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from workloads import Workload

import dagnet
from peers import PEERS, Problem

BENCHMARKS = Path(__file__).parents[1]

#: Seconds before a turn: the threads of BLAS keep a processor busy for some time after a product.
PAUSE = 0.1


@dataclass
class Found:
    """What was measured of one peer.

    Attributes
    ----------
    seconds : float
        Of one step: the least of all turns.
    first : float
        From the start of the process until its first step was done.
    peak : int
        Bytes of memory of the process at most, until its third step was done.
    error : float
        Of the weights after three steps against those of the first peer: the largest difference
        in an array, relative to its largest value; the worst of all arrays.
    """

    seconds: float
    first: float
    peak: int
    error: float


class PeerError(Exception):
    """A peer cannot do a workload; says why in a few words."""


def environment() -> dict[str, str]:
    """Return that of this process, where other processes find the same dagnet."""
    paths = [str(Path(dagnet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


class Running:
    """The process of a peer that has made its first step."""

    def __init__(self, name: str, work: Workload, problem: Problem):
        started = time.monotonic()
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                *[sys.executable, "-m", "peers.worker", name],
                *[json.dumps(asdict(work)), str(problem.directory)],
            ],
            cwd=BENCHMARKS,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.first = self._answer() - started

    def ask(self, task: str, *arguments: object) -> Any:
        print(json.dumps([task, *arguments]), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self.close()
        raise PeerError(self._last_words)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait()
        self._errors.seek(0)
        self._last_words = (self._errors.read().strip().splitlines() or ["died silently"])[-1]
        self._errors.close()


@contextmanager
def problem_of(work: Workload) -> Iterator[Problem]:
    with tempfile.TemporaryDirectory() as directory:
        yield Problem.of(work, Path(directory))


def compare(
    work: Workload, names: Iterable[str], rounds: int, budget: float
) -> dict[str, Found | str]:
    """Time the peers in turn; who cannot run has a text that says why.

    Parameters
    ----------
    work : Workload
    names : iterable of str
        Of `PEERS`. The first one's weights are those to compare with.
    rounds : int
        Turns of each.
    budget : float
        Seconds of a turn.
    """
    found: dict[str, Found | str] = {}
    running: dict[str, Running] = {}
    with problem_of(work) as problem, ExitStack() as stack:
        for name in names:
            if not PEERS[name].installed:
                found[name] = "not installed"
                continue
            try:
                running[name] = Running(name, work, problem)
            except PeerError as error:
                found[name] = str(error)
            else:
                stack.callback(running[name].close)
        peaks = {name: process.ask("peak") for name, process in running.items()}
        errors = _errors(running, problem, work)
        turns: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(rounds):
            for name, process in running.items():
                time.sleep(min(PAUSE, budget))
                turns[name].append(process.ask("turn", budget))
        for name, process in running.items():
            found[name] = Found(min(turns[name]), process.first, peaks[name], errors[name])
    return {name: found[name] for name in names}


def _errors(running: dict[str, Running], problem: Problem, work: Workload) -> dict[str, float]:
    # A bias before a normalisation changes nothing: what it becomes is rounding.
    idle = {2 * number + 1 for number in range(len(work.normalized))}
    errors, reference = {}, None
    for name, process in running.items():
        path = problem.directory / "layers.npz"
        process.ask("save", str(path))
        with np.load(path) as file:
            arrays = [file[key] for i, key in enumerate(file.files) if i not in idle]
        reference = reference or arrays
        errors[name] = max(
            float(np.abs(a - b).max() / max(np.abs(b).max(), np.finfo(b.dtype).tiny))
            for a, b in zip(arrays, reference, strict=True)
        )
    return errors
