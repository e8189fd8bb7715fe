"""Data: what comes with dagnet, what it generates, what the user brings, and how it is scaled."""

from dagnet.data.checks import check_finite
from dagnet.data.dataset import Dataset
from dagnet.data.embedded import digits
from dagnet.data.generated import blobs, circles, moons, planar, spirals, xor
from dagnet.data.labels import one_hot
from dagnet.data.loading import SETS, load
from dagnet.data.mapped import mapped
from dagnet.data.scalers import Divide, MinMax, Standardize, default_scaling
from dagnet.data.scaling import SCALERS, Scaler, scaler

__all__ = [
    "SCALERS",
    "SETS",
    "Dataset",
    "Divide",
    "MinMax",
    "Scaler",
    "Standardize",
    "blobs",
    "check_finite",
    "circles",
    "default_scaling",
    "digits",
    "load",
    "mapped",
    "moons",
    "one_hot",
    "planar",
    "scaler",
    "spirals",
    "xor",
]
