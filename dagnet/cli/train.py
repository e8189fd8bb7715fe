"""``dagnet train``: a network trained on data and saved."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from click.core import ParameterSource

from dagnet import data
from dagnet.cli.data import class_shares, load_test, split_names
from dagnet.cli.fitting import LINES, run_training
from dagnet.cli.networks import mlp_for, parse_sizes
from dagnet.cli.optimizers import make_optimizer, optimizer_options
from dagnet.cli.options import (
    SOURCES,
    classes_option,
    complete_source,
    data_option,
    hidden_option,
    name_option,
    path_option,
    several,
    target_option,
)
from dagnet.cli.output import OutputDirectory
from dagnet.cli.summary import summarize
from dagnet.cli.user_file import model_from_file
from dagnet.errors import UnknownNameError
from dagnet.model import Model
from dagnet.settings import DTYPES, EXECUTORS

if TYPE_CHECKING:
    from dagnet.debug.debugger import Debugger

SCALINGS = ("auto", "none", *data.SCALERS)

_COUNT = click.IntRange(min=1)


def _watch_names() -> list[str]:
    from dagnet.debug.watches import CATALOGUE  # here, because most trainings need none

    return ["all", *(watch.name for watch in CATALOGUE)]


_data_options = several(
    data_option,
    click.option(
        "--test",
        metavar="SOURCE",
        shell_complete=complete_source,
        help="Held-out data, measured along the way.",
    ),
    click.option(
        "--holdout",
        metavar="SHARE",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        help="Hold out this share of --data instead.",
    ),
    target_option,
    classes_option,
    click.option(
        "--targets",
        type=click.Choice(["auto", "classes", "numbers"]),
        default="auto",
        show_default=True,
        help="What the targets of a file are, where they could be both.",
    ),
    name_option(
        "--scaling",
        names=lambda: SCALINGS,
        default="auto",
        show_default=True,
        help="What is done to the features",
    ),
)

_network_options = several(
    click.option("--layers", metavar="N,N,...", help="Units of every layer after the input."),
    path_option("--model", "model_file", metavar="FILE.py", help="Train what this file defines."),
    hidden_option,
    click.option(
        "--init",
        metavar="NAME|NUMBER",
        default="lecun",
        show_default=True,
        help="lecun, he, xavier, zeros, or a standard deviation.",
    ),
    click.option(
        "--l2",
        metavar="STRENGTH",
        type=float,
        default=0.0,
        help="L2 regularization of the weights.",
    ),
    name_option(
        "--dtype",
        names=lambda: DTYPES,
        default="float64",
        show_default=True,
        help="Of all numbers",
    ),
    name_option(
        "--executor",
        names=lambda: EXECUTORS,
        default="compiled",
        show_default=True,
        help="How it runs (fused is the fastest, and needs the extra jit)",
    ),
    click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(0, 2**32 - 1),
        default=1,
        show_default=True,
        help="Of weights, of --holdout, and of the order of batches.",
    ),
)

_training_options = several(
    click.option(
        "--epochs",
        metavar="N",
        type=_COUNT,
        default=100,
        show_default=True,
        help="Passes over the data.",
    ),
    click.option("--batch", metavar="N", type=_COUNT, help="Examples per update; default all."),
    optimizer_options,
    click.option(
        "--log-every",
        metavar="EPOCHS",
        type=_COUNT,
        help=f"How often numbers are logged; default {LINES} times.",
    ),
    click.option("--no-progress", is_flag=True, help="Lines instead of a bar."),
    name_option(
        "--watch",
        names=_watch_names,
        multiple=True,
        help="Look for this along the way, and tell at the end; may be given several times",
    ),
    click.option(
        "--debug", is_flag=True, help="Open the debugger's prompt where --watch sees something."
    ),
)

_output_options = several(
    path_option(
        "--out",
        metavar="DIR",
        help="Where to write, created if it is not there; without it, nothing is kept.",
    ),
    click.option(
        "--checkpoint-every",
        metavar="EPOCHS",
        type=_COUNT,
        help="Also write the state of training into DIR, this often.",
    ),
    click.option("--resume", is_flag=True, help="Go on from the checkpoint in DIR."),
)


@click.command(epilog=SOURCES)
@_data_options
@_network_options
@_training_options
@_output_options
def train(**given: Any) -> None:
    """Train a network on data.

    The network is that of --layers, whose input fits the data: --layers 20,7,5,1. If the first
    number is the input's size, it stands for the input: 12288,20,7,5,1 is the same for pictures of
    64x64x3. The last layer is a sigmoid of size 1 for two classes, a softmax with a unit for each
    of several classes, and linear for numbers.

    Or it is what FILE.py defines: `cost`, the node of a loss, or `model`, a finished dn.Model.
    The file is run, as by python, so train only files you trust.

    --out DIR gets model.safetensors, net.svg, history.csv, train.log, and checkpoint.safetensors,
    from which --resume goes on. Ctrl-C ends training early and writes them, too.
    """
    job = _Job(**given)
    job.check()
    job.run()


@dataclass(frozen=True)
class _Job:
    """What was asked for, by the names of the options."""

    source: str
    test: str | None
    holdout: float | None
    target: str | None
    classes: str | None
    targets: str
    scaling: str
    layers: str | None
    model_file: Path | None
    hidden: str
    init: str
    l2: float
    dtype: str
    executor: str
    seed: int
    epochs: int
    batch: int | None
    lr: float | None
    optimizer: str
    log_every: int | None
    no_progress: bool
    watch: tuple[str, ...]
    debug: bool
    out: Path | None
    checkpoint_every: int | None
    resume: bool

    def check(self) -> None:
        """Raise for options that do not go together."""
        if (self.layers is None) == (self.model_file is None):
            raise click.UsageError("give one network: --layers or --model")
        if self.test is not None and self.holdout is not None:
            raise click.UsageError("--test and --holdout exclude each other")
        if self.out is None and (self.resume or self.checkpoint_every):
            raise click.UsageError("--resume and --checkpoint-every need --out")
        if self.debug and not self.watch:
            raise click.UsageError("--debug needs --watch, which says where to stop")
        if self.scaling not in SCALINGS:
            raise UnknownNameError.of("scaling", self.scaling, SCALINGS)

    def run(self) -> None:
        """Do it, what fails quickly first."""
        optimizer = make_optimizer(self.optimizer, self.lr)
        sizes = None if self.layers is None else parse_sizes(self.layers)
        out = None if self.out is None else OutputDirectory(self.out, self.resume)
        train_set, test_set = self._data()
        model = self._model(sizes, train_set)
        click.echo(f"{train_set.name}: {len(train_set)} examples, {summarize(model)}")
        for name, share in class_shares(train_set).items():
            if not share:
                click.echo(f"{train_set.name} has no example of class {name!r}", err=True)
        run_training(
            model,
            train_set,
            test_set,
            optimizer,
            self.epochs,
            self._scaling(train_set),
            out,
            batch_size=self.batch,
            log_every=self.log_every,
            checkpoint_every=self.checkpoint_every,
            progress=not self.no_progress,
            debugger=_watching(model, self.watch, stop=self.debug),
        )

    def _data(self) -> tuple[data.Dataset, data.Dataset | None]:
        train_set = data.load(
            self.source,
            target=self.target,
            classes=split_names(self.classes),
            regression={"auto": None, "classes": False, "numbers": True}[self.targets],
        )
        if self.holdout is not None:
            return train_set.split(self.holdout, self.seed)
        if self.test is None:
            return train_set, None
        return train_set, load_test(self.test, self.source, train_set, self.target)

    def _model(self, sizes: list[int] | None, train_set: data.Dataset) -> Model:
        options = {
            "init": _init(self.init),
            "l2": self.l2,
            "dtype": self.dtype,
            "executor": self.executor,
            "seed": np.random.RandomState(self.seed),  # the lesson's stream: --seed 1 is its run
        }
        if self.model_file is None:
            return mlp_for(sizes or [], train_set, self.hidden, **options)
        context = click.get_current_context()
        given = [
            name
            for name in ("init", "l2", "dtype", "executor")
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        ]
        return model_from_file(self.model_file, options, given)

    def _scaling(self, train_set: data.Dataset) -> data.Scaler | None:
        if self.scaling == "none":
            return None
        if self.scaling == "auto":
            return data.default_scaling(train_set)
        return data.scaler(self.scaling)


def _watching(model: Model, names: tuple[str, ...], stop: bool) -> "Debugger | None":
    """Return a debugger that notes what the watches of these names see; None without any.

    If it is to stop there, its commands are read from the keyboard.
    """
    if not names:
        return None
    from dagnet.debug.debugger import Debugger  # here, because most trainings need none

    debugger = Debugger(model)
    for name in _watch_names()[1:] if "all" in names else names:
        debugger.watch(name, stop=stop)
    return debugger


def _init(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
