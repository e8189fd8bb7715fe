"""What the tests of the inspector share: pages to look at, and a reader of what is in them."""

import json
import re
from base64 import b64decode

import numpy as np

import dagnet as dn

FORMATS = {"f8": "<f8", "f4": "<f4", "u1": "u1"}


class Steps:
    """A recording of a training, as short as can be: a copy of every step's cache."""

    def __init__(self, model, caches, marks=None):
        self.model = model
        self.caches = caches
        self.marks = marks or {}

    @property
    def steps(self):
        return list(self.caches)

    @property
    def last(self):
        return max(self.caches)

    def at(self, step):
        return self.caches[step]


def train(model, feeds, last, every, optimizer=None):
    """Train and return the recording."""
    optimizer = optimizer or dn.Adam(0.02)
    caches = {}
    for step in range(1, last + 1):
        model.train_step(feeds, optimizer, keep="all")
        if step % every == 1 or step == last:
            caches[step] = model.cache.copy()
    return Steps(model, caches)


def moons(m=30):
    data = dn.data.moons(m=m)
    return {"X": data.X, "Y": data.Y}


class Page:
    """What is in a page."""

    def __init__(self, written):
        self.text = written.path.read_text(encoding="utf-8")
        (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', self.text)
        self.document = json.loads(data)
        found = re.findall(r'<script type="text/plain" id="blob-(\d+)">(.*?)</script>', self.text)
        self.blobs = {int(number): text for number, text in found}

    def entry(self, node, value, step):
        return self.document["values"][node][value][self.document["steps"].index(step)]

    def sample(self, node, value, step):
        """Return the array that the page holds, in its own shape."""
        entry = self.entry(node, value, step)
        content = np.frombuffer(b64decode(self.blobs[entry["blob"]]), FORMATS[entry["format"]])
        lengths = zip(entry["shape"], entry["strides"], strict=True)
        return content.reshape([-(-length // stride) for length, stride in lengths])

    def whole(self, node, value, step):
        assert set(self.entry(node, value, step)["strides"]) <= {1}
        return self.sample(node, value, step)
