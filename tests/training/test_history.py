"""The history: rows in, columns out, CSV and back, the drawing."""

import math
import struct
import subprocess
import sys

import numpy as np
import pytest

from dagnet.errors import (
    ArgumentTypeError,
    FileAccessError,
    FileFormatError,
    MissingDependencyError,
    UnknownNameError,
)
from dagnet.training import History


@pytest.fixture
def history():
    history = History()
    for epoch in range(1, 4):
        history.append(epoch=epoch, step=7 * epoch, cost=1 / (3 * epoch), accuracy=1 - 0.3 / epoch)
    return history


@pytest.fixture
def plt(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show was called"))
    yield plt
    plt.close("all")


def test_columns(history):
    assert len(history) == 3
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["cost"].dtype == np.float64
    assert history.last == {"epoch": 3, "step": 21, "cost": 1 / 9, "accuracy": 0.9}
    assert "cost" in history
    assert "val_cost" not in history
    assert list(history) == ["epoch", "step", "cost", "accuracy"]


def test_missing_values_are_nan(history):
    history.append(epoch=4, val_cost=0.5)
    assert np.isnan(history["cost"]).tolist() == [False, False, False, True]
    assert np.isnan(history["val_cost"]).tolist() == [True, True, True, False]
    assert len({len(column) for column in history.columns.values()}) == 1


def test_a_bad_value_adds_no_row(history):
    with pytest.raises(ArgumentTypeError, match="History: cost must be a number, got 'low'"):
        history.append(epoch=4, cost="low")
    with pytest.raises(ArgumentTypeError, match="cost"):
        history.append(cost=np.ones(2))
    assert len(history) == 3


def test_values_become_plain_numbers():
    history = History()
    history.append(a=np.float32(0.1), b=np.int64(3), c=np.array(2.5), d=np.True_)
    assert [type(v) for v in history.last.values()] == [float, int, float, int]
    assert history.last["a"] == float(np.float32(0.1))


def test_an_unknown_column_offers_the_nearest(history):
    with pytest.raises(
        UnknownNameError, match="no column named 'acuracy'; did you mean 'accuracy'"
    ):
        history["acuracy"]


def test_an_empty_history(tmp_path):
    history = History()
    assert len(history) == 0
    assert history.last == {}
    assert repr(history) == "<History: 0 rows>"
    history.to_csv(tmp_path / "h.csv")
    assert History.from_csv(tmp_path / "h.csv").columns == {}


def test_csv_gives_back_the_same_bits(tmp_path):
    history = History()
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, math.inf, -math.inf, math.nan]
    values += np.random.default_rng(0).standard_normal(50).tolist()
    for epoch, value in enumerate(values):
        history.append(**{"epoch": epoch, "cost": value, 'odd, "name"\n': np.float32(epoch / 7)})
    history.to_csv(tmp_path / "h.csv")
    again = History.from_csv(tmp_path / "h.csv")
    assert list(again) == list(history)
    for name, column in history.columns.items():
        assert [type(v) for v in again.columns[name]] == [type(v) for v in column]
        assert [struct.pack("d", v) for v in again.columns[name]] == [
            struct.pack("d", v) for v in column
        ]


def test_csv_text(history, tmp_path):
    history.to_csv(tmp_path / "h.csv")
    assert (tmp_path / "h.csv").read_bytes().splitlines()[:2] == [
        b"epoch,step,cost,accuracy",
        b"1,7,0.3333333333333333,0.7",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"epoch,cost\n1\n", "row 2: 1 values for 2 columns"),
        (b"epoch,cost\n1,2\n2,low\n", "row 3, cost: 'low' is not a number"),
        (b"cost,cost\n1,2\n", "stands twice"),
        (b"cost\n\xff\n", "is not a CSV file"),
        (b'cost\n"1\n', "is not a CSV file"),
    ],
)
def test_a_broken_csv_is_refused(text, message, tmp_path):
    path = tmp_path / "h.csv"
    path.write_bytes(text)
    with pytest.raises(FileFormatError, match=message):
        History.from_csv(path)


def test_a_missing_csv(tmp_path, history):
    with pytest.raises(FileAccessError, match=r"cannot read .*none\.csv: No such file"):
        History.from_csv(tmp_path / "none.csv")
    with pytest.raises(FileAccessError, match="cannot write"):
        history.to_csv(tmp_path / "no" / "h.csv")


def test_plot(history, plt):
    history.append(epoch=4, cost=0.05, val_cost=0.2, val_accuracy=0.8, learning_rate=0.01)
    history.append(epoch=5, cost=0.04)
    history.append(epoch=6, cost=0.03, val_cost=0.1, val_accuracy=0.9, learning_rate=0.01)
    ax = history.plot()
    left, right = ax.figure.axes
    assert left is ax
    assert [line.get_label() for line in left.lines] == ["cost", "val_cost"]
    assert [line.get_label() for line in right.lines] == ["accuracy", "val_accuracy"]
    assert ax.get_xlabel() == "epoch"
    assert right.get_ylabel() == "accuracy"
    cost, val_cost = left.lines
    assert cost.get_color() == val_cost.get_color() != right.lines[0].get_color()
    assert (cost.get_linestyle(), val_cost.get_linestyle()) == ("-", "--")
    # What is logged now and then is joined up.
    assert val_cost.get_xdata().tolist() == [4, 6]
    assert val_cost.get_ydata().tolist() == [0.2, 0.1]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "cost",
        "val_cost",
        "accuracy",
        "val_accuracy",
    ]
    ax.figure.canvas.draw()


def test_plot_into_given_axes(history, plt):
    _, axes = plt.subplots(1, 2)
    assert history.plot(axes[1]) is axes[1]
    assert not axes[0].lines


def test_plot_of_costs_only(plt):
    history = History()
    history.append(step=1, cost=0.5)
    ax = history.plot()
    assert len(ax.figure.axes) == 1
    assert ax.get_xlabel() == "step"
    assert ax.lines[0].get_marker() == "o"
    ax.figure.canvas.draw()


def test_plot_of_nothing(plt):
    History().plot().figure.canvas.draw()


def test_plot_without_matplotlib(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dagnet\[plot\]"'):
        history.plot()


def test_importing_training_does_not_load_matplotlib():
    code = (
        "import sys, dagnet.training\n"
        "assert not {'matplotlib', 'sklearn', 'rich', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_html_is_escaped_and_short(history):
    history.append(**{"<b>": 1.0})
    history.stopped = "early stopping: a < b"
    text = history._repr_html_()
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert "a &lt; b" in text
    assert text.count("<tr>") == 5
    for epoch in range(100):
        history.append(epoch=epoch)
    assert history._repr_html_().count("<tr>") == 11
    assert "104 rows, the last 10" in history._repr_html_()


def test_repr(history):
    history.stopped = "finished"
    assert repr(history) == "<History: 3 rows of epoch, step, cost, accuracy; finished>"


def test_a_history_is_not_read_from_a_file_descriptor():
    with pytest.raises(ArgumentTypeError, match="a path must be a string or Path, got 0"):
        History.from_csv(0)
