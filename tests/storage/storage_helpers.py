"""A model with everything, and files made without dagnet's help."""

import hashlib
import json

import numpy as np
from safetensors.numpy import load_file, safe_open, save

import dagnet as dn
from dagnet.data import Standardize

KIND = "model/1"
BLANK = "0" * 64


def feeds(m=3, dtype="float64"):
    rng = np.random.default_rng(7)
    return {
        "X": rng.standard_normal((5, m)).astype(dtype),
        "Y": (rng.random((1, m)) > 0.5).astype(dtype),
        "y.2": rng.standard_normal((7, m)).astype(dtype),
    }


def build(seed=1, dtype="float64"):
    """Return a model with everything: branches, two losses, L2, a shared op, states, scaling."""
    X, Y, Y2 = dn.Input(5, name="X"), dn.Input(1, name="Y"), dn.Input(7, name="y.2")
    shared = dn.Linear(5, name="enc")
    H = dn.BatchNorm(momentum=0.3, name="bn")(dn.Tanh()(shared(X)))
    H = dn.Add(name="skip")(H, shared(H))
    H = dn.Concat(name="both")(H, dn.LeakyReLU(0.2)(X))
    A = dn.Sigmoid(name="out")(dn.Linear(1, name="head.a", init="xavier")(H))
    B = dn.Linear(7, bias=False, name="head.b")(H)
    costs = [
        dn.BinaryCrossEntropy(name="bce")(A, Y),
        dn.Huber(delta=0.5, weight=0.25, name="huber")(B, Y2),
    ]
    model = dn.Model(costs, seed=seed, dtype=dtype, l2=0.01)
    data = feeds(11, dtype)
    model.scaling["X"] = Standardize().fit(data["X"] * 3 + 2)
    for _ in range(3):
        model.train_step(data, dn.SGD(0.1))
    return model


def content_of(path):
    """Return the document's content with nothing but safetensors' own reader."""
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["dagnet"])["content"]


def forge(path, content, arrays, kind=KIND):
    """Write what somebody could who knows the format: a file whose checksum is right.

    `content` is JSON text, which need not be valid.
    """
    document = f'{{"sha256":"{BLANK}","kind":{json.dumps(kind)},"content":{content}}}'
    data = save(arrays, {"dagnet": document})
    digest = hashlib.sha256(data).hexdigest()
    path.write_bytes(data.replace(BLANK.encode(), digest.encode(), 1))
    return path


def tamper(path, change):
    """Let `change(content, arrays)` work on a saved file, and give it its right checksum."""
    content, arrays = content_of(path), load_file(path)
    changed = change(content, arrays)
    text = changed if isinstance(changed, str) else json.dumps(content)
    return forge(path, text, arrays)


def message(error_info):
    """Return the text of an error, having checked that it is one printable line."""
    text = str(error_info.value)
    assert text.isprintable(), text
    assert len(text) < 700, text
    return text
