"""The one trainer: phases, EMA, logs, snapshots, exact resume. It never names an architecture."""

from ganlib.training.config import TrainingConfig
from ganlib.training.trainer import Progress, Trainer

__all__ = ["Progress", "Trainer", "TrainingConfig"]
