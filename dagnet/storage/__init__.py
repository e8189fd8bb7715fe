"""Storage: a model in one safetensors file, the graph as JSON in its metadata, no code."""

from dagnet.storage.archive import Archive, read_archive, write_archive
from dagnet.storage.graph_json import graph_from_json, graph_to_json
from dagnet.storage.model_file import load, save

__all__ = [
    "Archive",
    "graph_from_json",
    "graph_to_json",
    "load",
    "read_archive",
    "save",
    "write_archive",
]
