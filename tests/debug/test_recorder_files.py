"""A recording in a directory can be read by anyone, also while training still runs."""

import json
import subprocess
import sys

import numpy as np
import pytest
from recorder_helpers import X, Y, adam, arrays_of, build, rows_of, state_of, straight, train
from safetensors.numpy import load_file

import dagnet as dn
from dagnet.errors import (
    DagnetError,
    FileAccessError,
    FileFormatError,
    MissingFileError,
    RecordingError,
)
from dagnet.statistics import statistics

SELECT = {"relu1": "output", "linear2": ["grad_params"]}


@pytest.fixture(scope="module")
def truth():
    return straight()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "run"
    recorder = dn.Recorder(every=10, select=SELECT, path=path)
    model, history = train(recorder)
    return path, recorder, model, history


def test_training_is_the_same_with_files(written, truth):
    assert written[2].store.data.tobytes() == truth[1].store.data.tobytes()
    assert rows_of(written[3]) == rows_of(truth[2])


def test_what_stands_in_the_directory_any_reader_can_read(written, truth):
    path = written[0]
    index = json.loads((path / "recording.json").read_text())
    assert index["steps"] == [1, 11, 21, 31]
    assert (index["last"], index["every"], index["epochs"]) == (36, 10, 9)
    assert sorted(p.name for p in path.iterdir()) == [
        "recording.json",
        *(f"step-{step:010d}.safetensors" for step in index["steps"]),
    ]
    arrays = load_file(path / "step-0000000021.safetensors")
    at = written[1].at(21)
    output = at["relu1"].output
    assert arrays["value.0"].tobytes() == output.tobytes()
    of = statistics(output)
    assert arrays["statistics.0"][:4].tolist() == [of.mean, of.std, of.min, of.max]
    assert arrays["params"].size == written[2].store.data.size


def test_without_data_there_is_what_was_written(written):
    path, recorder, *_ = written
    opened = dn.Recorder.open(path)
    assert (opened.first, opened.last, opened.steps) == (1, 36, [1, 11, 21, 31])
    for node, value, stat in [
        ("relu1", "output", "zeros"),
        ("linear2", "grad_params.W", "norm"),
        ("linear1", "params.b", "mean"),
    ]:
        mine, theirs = (r.series(node, value, stat) for r in (opened, recorder))
        assert mine.steps.tolist() == theirs.steps.tolist()
        assert mine.values.tolist() == theirs.values.tolist()
    assert opened.params(21)["norm1"]["gamma"].tobytes() == (
        recorder.at(21)["norm1"].params["gamma"].tobytes()
    )
    for ask in (
        lambda: opened.at(21),
        lambda: opened.series("linear1", "output"),
        lambda: opened.rewind(20),
        lambda: opened.branch(20),
    ):
        with pytest.raises(RecordingError, match=r"takes the training data.* 1, 11, 21, 31"):
            ask()


def test_with_data_every_step_is_made_again(written, truth):
    model = build(seed=99)
    opened = dn.Recorder.open(written[0], model, X, Y)
    before = model.store.data.tobytes()
    for step in (1, 11, 17, 36):
        assert arrays_of(opened.at(step)) == truth[0].caches[step]
    assert model.store.data.tobytes() == before
    rewound = opened.rewind(17)
    assert state_of(model, rewound.optimizer) == truth[0].after[17]
    assert rows_of(rewound.run()) == rows_of(truth[2])
    assert state_of(model, rewound.optimizer) == truth[0].after[36]
    branch = opened.branch(14, lambda copy: copy.set_params({"linear2": {"b": [[1.0]]}}))
    assert branch.at(15)["linear2"].params["b"] == 1.0


def test_every_record_is_a_checkpoint(written, truth):
    model, optimizer = build(), adam()
    _, history = train(
        None, model=model, optimizer=optimizer, resume=written[0] / "step-0000000021.safetensors"
    )
    assert state_of(model, optimizer) == truth[0].after[36]
    assert rows_of(history) == rows_of(truth[2])


def test_what_callbacks_made_of_the_optimizer_is_in_the_index(tmp_path):
    class Halve(dn.Callback):
        def on_batch(self, run):
            if run.step % 3 == 0:
                run.optimizer.learning_rate /= 2

    recorder = dn.Recorder(every=20, path=tmp_path)
    train(recorder, Halve(), optimizer=dn.Adam(0.2))
    opened = dn.Recorder.open(tmp_path, build(), X, Y)
    assert arrays_of(opened.at(35)) == arrays_of(recorder.at(35))


def test_another_process_reads_it_while_training_runs(tmp_path):
    script = (
        "import dagnet as dn\n"
        f"opened = dn.Recorder.open({str(tmp_path)!r})\n"
        "print(opened.last, *opened.steps, *opened.series('linear1', 'params.W').values)"
    )
    printed = []

    class Look(dn.Callback):
        def on_batch(self, run):
            if run.step == 24:
                done = subprocess.run(
                    [sys.executable, "-W", "error", "-c", script],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                printed.append(done.stdout.split())

    recorder = dn.Recorder(every=10, path=tmp_path)
    train(recorder, Look())
    (last, *steps), norms = printed[0][:3], printed[0][3:]
    assert (last, steps) == ("20", ["1", "11"])
    assert list(map(float, norms)) == recorder.series("linear1", "params.W").values[:2].tolist()


def test_thinned_records_leave_the_directory(tmp_path):
    recorder = dn.Recorder(every=1, path=tmp_path, max_bytes=60_000)
    train(recorder)
    names = {p.name for p in tmp_path.glob("step-*")}
    assert names == {f"step-{step:010d}.safetensors" for step in recorder._records}
    assert len(names) < 10


def test_a_new_training_takes_the_place_of_the_old(tmp_path):
    train(dn.Recorder(every=5, path=tmp_path))
    train(dn.Recorder(every=4, path=tmp_path), epochs=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "recording.json",
        "step-0000000001.safetensors",
        "step-0000000005.safetensors",
    ]
    assert dn.Recorder.open(tmp_path).steps == [1]


def test_a_resumed_training_goes_on_in_the_directory(tmp_path, truth):
    class Stop(dn.Callback):
        def on_batch(self, run):
            if run.step == 24:
                raise KeyboardInterrupt

    path = tmp_path / "run"
    train(dn.Recorder(every=10, path=path), Stop(), checkpoint=tmp_path / "c")
    recorder = dn.Recorder(every=10, path=path)
    train(recorder, dn.Callback(), resume=tmp_path / "c")
    assert recorder.steps == [1, 11, 21, 25, 31]
    assert arrays_of(recorder.at(3)) == truth[0].caches[3]
    opened = dn.Recorder.open(path, build(), X, Y)
    assert opened.steps == recorder.steps
    for step in (3, 24, 30):
        assert arrays_of(opened.at(step)) == truth[0].caches[step]


# What is refused.


def test_a_directory_that_cannot_be_written_is_noticed_before_training(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    model, optimizer = build(), adam()
    before = state_of(model, optimizer)
    for path in (file, file / "run"):
        with pytest.raises(FileAccessError, match="cannot write"):
            train(dn.Recorder(path=path), model=model, optimizer=optimizer)
        assert state_of(model, optimizer) == before


@pytest.mark.parametrize(
    ("opening", "message"),
    [
        (lambda p: dn.Recorder.open(p, build(units=6)), r"linear1.*units is 7, the model's 6"),
        (lambda p: dn.Recorder.open(p, dn.mlp([5, 1])), r"is of another network"),
        (lambda p: dn.Recorder.open(p, build(dtype="float32")), "made with dtype 'float64'"),
        (lambda p: dn.Recorder.open(p, build(), X + 1, Y), "is of other training data"),
        (lambda p: dn.Recorder.open(p, build(), X[:, 1:], Y[:, 1:]), "made with examples 23"),
    ],
)
def test_a_recording_of_something_else(opening, message, written):
    with pytest.raises(RecordingError, match=message) as caught:
        opening(written[0])
    assert "\n" not in str(caught.value)


def test_a_directory_without_a_recording(tmp_path):
    with pytest.raises(MissingFileError, match="there is no recording in"):
        dn.Recorder.open(tmp_path)


def damaged(text):
    index = json.loads(text)
    yield "[]"
    yield text[:-9]
    yield json.dumps(index | {"kind": "recording/9"})
    yield json.dumps(index | {"steps": ["1"]})
    yield json.dumps(index | {"steps": []})
    yield json.dumps(index | {"last": None})
    yield json.dumps(index | {"changes": [[1]]})
    yield json.dumps(index | {"marks": [3]})
    yield json.dumps(index | {"select": [3]})
    yield json.dumps({k: v for k, v in index.items() if k != "epochs"})


def test_damage_is_told_in_one_line(written, tmp_path):
    for file in written[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    index = tmp_path / "recording.json"
    text = index.read_text()
    for bad in damaged(text):
        index.write_text(bad)
        with pytest.raises(DagnetError) as caught:
            dn.Recorder.open(tmp_path, build(), X, Y)
        assert isinstance(caught.value, FileFormatError), bad
        assert "\n" not in str(caught.value)
    index.write_text(text)
    opened = dn.Recorder.open(tmp_path, build(), X, Y)
    record = tmp_path / "step-0000000021.safetensors"
    record.write_bytes(record.read_bytes()[:-1] + b"\0")
    with pytest.raises(FileFormatError, match="checksum"):
        opened.at(22)
    record.unlink()
    with pytest.raises(MissingFileError, match="step-0000000021"):
        opened.at(22)
    assert np.isfinite(opened.at(20)["cost"].output)
