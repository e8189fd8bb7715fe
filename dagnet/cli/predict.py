"""``dagnet predict``: a model's predictions as CSV."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import click
import numpy as np

from dagnet.cli.data import examples_for, gives_logits, predicts_classes
from dagnet.cli.networks import open_model
from dagnet.cli.options import SOURCES, on_data, path_option
from dagnet.cli.output import standard_output
from dagnet.errors import ArgumentError
from dagnet.files import atomic_write, check_writable


@click.command(epilog=SOURCES)
@on_data
@path_option("-o", "--output", help="The .csv file to write; standard output if not given.")
def predict(
    model_path: Path,
    source: str,
    target: str | None,
    classes: str | None,
    output: Path | None,
) -> None:
    """Write what MODEL predicts for every example of data, as CSV.

    A row has the predicted class, by its name where the data has names, and the probability p of
    each class (of the second one, if there are two), or the logit z where the network ends in one;
    or the predicted numbers.

    Of a .csv file, the columns that MODEL was trained on are read by their names, in any order;
    there need be no targets, and other columns do not matter.

    MODEL is a .safetensors file, or a .py file, which is run.
    """
    if output is not None:
        check_writable(output)
    model = open_model(model_path)
    X, names = examples_for(model, source, target, classes)
    outputs = model.predict(X)
    if isinstance(outputs, dict):
        raise ArgumentError(f"the model has several outputs: {', '.join(outputs)}")
    values = outputs.reshape(-1, outputs.shape[-1])
    if predicts_classes(model):
        table = _class_rows(values, names, of_logits=gives_logits(model))
    else:
        table = _number_rows(values)
    if output is None:
        _write(standard_output(), table)
    else:
        with atomic_write(output, "w") as file:
            _write(file, table)


def _class_rows(
    values: np.ndarray, names: Sequence[str] | None, of_logits: bool
) -> Iterator[list[Any]]:
    """Yield a header, and the class and the probabilities (or logits) of every example."""
    letter, even = ("z", 0.0) if of_logits else ("p", 0.5)
    yes_or_no = len(values) == 1
    count = 2 if yes_or_no else len(values)
    known = names if names and len(names) == count else tuple(map(str, range(count)))
    shown = known[1:] if yes_or_no else known
    yield ["class", *(f"{letter}({name})" for name in shown)]
    chosen = (values[0] > even).astype(int) if yes_or_no else values.argmax(axis=0)
    for code, column in zip(chosen.tolist(), values.T.tolist(), strict=True):
        yield [known[code], *column]


def _number_rows(values: np.ndarray) -> Iterator[list[Any]]:
    """Yield a header, and the numbers of every example."""
    count = len(values)
    yield ["prediction"] if count == 1 else [f"prediction{i}" for i in range(1, count + 1)]
    yield from values.T.tolist()


def _write(file: TextIO, rows: Iterator[list[Any]]) -> None:
    csv.writer(file, lineterminator="\n").writerows(rows)
