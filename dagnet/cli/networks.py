"""The networks that commands work on: from a saved model, a Python file, or a list of sizes."""

from pathlib import Path
from typing import Any

from dagnet.cli.user_file import model_from_file
from dagnet.data import Dataset
from dagnet.errors import ArgumentError, FileFormatError
from dagnet.model import Model
from dagnet.networks import mlp

#: No layer of `--layers` is larger: more would not fit into any memory.
MOST_UNITS = 10**8


def open_model(path: Path) -> Model:
    """Return the model of a .safetensors file, or of a Python file, which is run.

    A file that defines a cost only gets the parameters of one seed, so that a command prints the
    same each time.
    """
    if path.suffix == ".py":
        return model_from_file(path, {"seed": 0})
    if path.exists() and path.suffix != ".safetensors":
        raise FileFormatError(f"{path}: a model is a .safetensors file, or a .py file to run")
    from dagnet.storage import load

    return load(path)


def parse_sizes(text: str) -> list[int]:
    """Return the sizes of layers.

    >>> parse_sizes("20, 7,5,1")
    [20, 7, 5, 1]
    """
    try:
        sizes = [int(size) for size in text.split(",")]
    except ValueError:
        raise ArgumentError(f"layers are sizes such as 20,7,5,1, got {text!r}") from None
    for size in sizes:
        if not 1 <= size <= MOST_UNITS:
            raise ArgumentError(f"a layer has 1 to {MOST_UNITS:,} units, got {size} in {text!r}")
    return sizes


def mlp_for(sizes: list[int], dataset: Dataset, hidden: str, **options: Any) -> Model:
    """Return a network of these sizes for a data set, whose targets decide how it ends.

    Parameters
    ----------
    sizes : list of int
        With or without the input's size, which comes from the data.
    dataset : Dataset
    hidden : str
        Activation of the hidden layers.
    **options
        Passed on to `Model`.

    Examples
    --------
    >>> from dagnet import data
    >>> list(mlp_for([8, 10], data.digits(), "tanh").graph)
    ['X', 'Y', 'linear1', 'tanh1', 'linear2', 'softmax2', 'cost']
    """
    features = dataset.X.size // len(dataset)
    layers = sizes if sizes[0] == features and len(sizes) > 1 else [features, *sizes]
    output, needed, why = _ending(dataset)
    if layers[-1] != needed:
        raise ArgumentError(f"the last layer must have size {needed}, {why}; got {layers[-1]}")
    return mlp(layers, hidden=hidden, output=output, **options)


def _ending(dataset: Dataset) -> tuple[str, int, str]:
    """Return the activation and size of the last layer, and the reason."""
    if dataset.task == "binary":
        return "sigmoid", 1, f"for {dataset.name} has targets of 0 and 1"
    if dataset.task == "multiclass":
        count = len(dataset.classes or ())
        return "softmax", count, f"for {dataset.name} has {count} classes"
    count = dataset.Y.shape[0]
    return "identity", count, f"for {dataset.name} has {count} numbers per example to predict"
