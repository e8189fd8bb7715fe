"""Training: optimizers, learning-rate schedules, metrics, the history and callbacks."""

from dagnet.training.callbacks import Callback, EarlyStopping
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
from dagnet.training.optimizer import Optimizer
from dagnet.training.optimizers import SGD, Adam, AdamW, Momentum, RMSProp
from dagnet.training.schedules import Cosine, InverseTime, Schedule, StepDecay

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
