"""Training: optimizers, learning-rate schedules, metrics, the history and callbacks."""

from typing import TYPE_CHECKING

from dagnet.late import late
from dagnet.training.optimizer import Optimizer
from dagnet.training.optimizers import SGD, Adam, AdamW, Momentum, RMSProp
from dagnet.training.schedules import Cosine, InverseTime, Schedule, StepDecay

if TYPE_CHECKING:
    from dagnet.training.callbacks import Callback
    from dagnet.training.early_stopping import EarlyStopping
    from dagnet.training.history import History
    from dagnet.training.metrics import (
        accuracy,
        f1,
        get_metric,
        mae,
        metrics_for,
        mse,
        precision,
        r2,
        recall,
    )

#: Names that a training step does not need.
_LATE = {
    "Callback": "dagnet.training.callbacks:Callback",
    "EarlyStopping": "dagnet.training.early_stopping:EarlyStopping",
    "History": "dagnet.training.history:History",
    "accuracy": "dagnet.training.metrics:accuracy",
    "f1": "dagnet.training.metrics:f1",
    "get_metric": "dagnet.training.metrics:get_metric",
    "mae": "dagnet.training.metrics:mae",
    "metrics_for": "dagnet.training.metrics:metrics_for",
    "mse": "dagnet.training.metrics:mse",
    "precision": "dagnet.training.metrics:precision",
    "r2": "dagnet.training.metrics:r2",
    "recall": "dagnet.training.metrics:recall",
}

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Callback",
    "Cosine",
    "EarlyStopping",
    "History",
    "InverseTime",
    "Momentum",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "StepDecay",
    "accuracy",
    "f1",
    "get_metric",
    "mae",
    "metrics_for",
    "mse",
    "precision",
    "r2",
    "recall",
]

__getattr__ = late(__name__, _LATE)
