"""Training: one visible step, and a loop around it that logs, saves and resumes."""

from mrirecon.training.checkpoint import (
    best_checkpoint,
    last_checkpoint,
    load_checkpoint,
    load_generator,
    save_checkpoint,
)
from mrirecon.training.config import Precision, TrainingConfig
from mrirecon.training.divergence import DivergedError
from mrirecon.training.load import CheckpointChoice, choose_checkpoint, load, start_from
from mrirecon.training.log import read_records
from mrirecon.training.loop import CHECKPOINTS
from mrirecon.training.memory import find_batch_size
from mrirecon.training.precision import network_dtype
from mrirecon.training.ranks import Ranks, alone, joined_ranks
from mrirecon.training.state import TrainingState, make_state
from mrirecon.training.step import training_step
from mrirecon.training.stopping import TrainingStopped
from mrirecon.training.trainer import train

__all__ = [
    "CHECKPOINTS",
    "CheckpointChoice",
    "DivergedError",
    "Precision",
    "Ranks",
    "TrainingConfig",
    "TrainingState",
    "TrainingStopped",
    "alone",
    "best_checkpoint",
    "choose_checkpoint",
    "find_batch_size",
    "joined_ranks",
    "last_checkpoint",
    "load",
    "load_checkpoint",
    "load_generator",
    "make_state",
    "network_dtype",
    "read_records",
    "save_checkpoint",
    "start_from",
    "train",
    "training_step",
]
