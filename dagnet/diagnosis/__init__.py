"""The diagnosis of a run: the first value that went bad, where in it, and what made it."""

from dagnet.diagnosis.evidence import Evidence
from dagnet.diagnosis.failure import explain_failure
from dagnet.diagnosis.places import Bad, Places, find_places, not_finite
from dagnet.diagnosis.report import Diagnosis
from dagnet.diagnosis.search import diagnose

__all__ = [
    "Bad",
    "Diagnosis",
    "Evidence",
    "Places",
    "diagnose",
    "explain_failure",
    "find_places",
    "not_finite",
]
