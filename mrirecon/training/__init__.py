"""Training: one visible step, and a loop around it that logs, saves and resumes."""

from mrirecon.training.checkpoint import (
    last_checkpoint,
    load_checkpoint,
    load_generator,
    save_checkpoint,
)
from mrirecon.training.config import TrainingConfig
from mrirecon.training.log import read_records
from mrirecon.training.step import TrainingState, make_state, training_step
from mrirecon.training.trainer import CHECKPOINTS, train

__all__ = [
    "CHECKPOINTS",
    "TrainingConfig",
    "TrainingState",
    "last_checkpoint",
    "load_checkpoint",
    "load_generator",
    "make_state",
    "read_records",
    "save_checkpoint",
    "train",
    "training_step",
]
