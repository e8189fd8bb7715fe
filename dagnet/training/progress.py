"""The progress bar, and the log file."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagnet.errors import FileAccessError
from dagnet.files import check_writable
from dagnet.training.callbacks import Callback, Run


class ProgressBar(Callback):
    """A bar on the terminal with the cost and the metrics; quiet where there is no terminal.

    Parameters
    ----------
    epochs : int
    console : rich.console.Console, optional
        Where to draw; by default standard error.
    """

    def __init__(self, epochs: int, console: Any = None):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        # On a narrow terminal the numbers take more lines, and everything else stays whole.
        self._progress = Progress(
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            BarColumn(bar_width=16),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
            console=console or Console(stderr=True),
        )
        self._shown = self._progress.console.is_terminal
        self._task = self._progress.add_task("", total=epochs)
        self._latest: dict[str, float] = {}

    def on_start(self, run: Run) -> None:
        if self._shown:
            self._progress.start()

    def on_epoch(self, run: Run) -> None:
        if self._shown:
            # Metrics are not measured in every epoch: the last ones stay.
            self._latest |= run.metrics
            shown = format_metrics(self._latest)
            self._progress.update(self._task, completed=run.epoch, description=shown)

    def on_end(self, run: Run) -> None:
        if self._shown:
            self._progress.stop()

    @contextmanager
    def making_room(self) -> Iterator[None]:
        if not self._progress.live.is_started:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


class LogFile(Callback):
    """Appends a line to a text file for every row of the history, as it is logged.

    Parameters
    ----------
    path : str or PathLike

    Raises
    ------
    FileAccessError
        At once, if the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]):
        check_writable(path)
        self.path = path
        self._step = 0

    def on_start(self, run: Run) -> None:
        self._step = run.step

    def on_epoch(self, run: Run) -> None:
        if run.logged:
            self._row(run)

    def on_end(self, run: Run) -> None:
        # Where training was stopped, the last row may come after the last `on_epoch`.
        if run.step > self._step and run.history.last.get("step") == run.step:
            self._row(run)
        self._write(run.history.stopped or "broken off")

    def _row(self, run: Run) -> None:
        self._step = run.step
        self._write(f"epoch {run.epoch}  {format_metrics(run.metrics)}")

    def _write(self, line: str) -> None:
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise FileAccessError(f"cannot write {self.path}: {error.strerror}") from error


def format_metrics(metrics: Mapping[str, float]) -> str:
    """Return numbers as one line: ``cost 0.0913  accuracy 0.9812``.

    Examples
    --------
    >>> format_metrics({"cost": 0.09125, "accuracy": 1.0})
    'cost 0.09125  accuracy 1.0000'
    """
    return "  ".join(f"{name} {_short(value)}" for name, value in metrics.items())


def _short(value: float) -> str:
    return f"{value:.4f}" if 1.0 <= abs(value) < 1e6 else f"{value:.4g}"
