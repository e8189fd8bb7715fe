"""Models to save."""

import pytest
from storage_helpers import build

import dagnet as dn
from dagnet import storage


@pytest.fixture
def model():
    return build()


@pytest.fixture
def small():
    return dn.mlp([5, 3, 1], seed=1)


@pytest.fixture
def saved(small, tmp_path):
    path = tmp_path / "small.safetensors"
    storage.save(small, path)
    return path
