"""A run's log for TensorBoard, written beside metrics.jsonl from the same records."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

FOLDER = "tensorboard"

_AXES = frozenset({"step", "epoch"})
_VALIDATION = "validation."


class Board:
    """Write scalars and pictures where TensorBoard looks for them.

    Args:
        run: the run folder; events go to its folder `tensorboard`.
        step: steps done; TensorBoard forgets what it was told of later ones, since that will be
            written again.

    Raises:
        ImportError: the package tensorboard is missing; says how to get it.
        OSError: the folder cannot be written to.
    """

    def __init__(self, run: Path, step: int) -> None:
        try:
            module = import_module("torch.utils.tensorboard")
        except ImportError as error:
            raise ImportError(
                "training.tensorboard: expected the package tensorboard, got none; "
                'pip install "mrirecon-torch[tensorboard]"'
            ) from error
        self._writer = module.SummaryWriter(str(run / FOLDER), purge_step=step + 1)

    def scalars(self, kind: str, record: Mapping[str, Any]) -> None:
        """Write each number of a record as `kind`/name, a validation's as validation/name."""
        for name, value in record.items():
            if name in _AXES or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            tag = name.replace(".", "/", 1) if name.startswith(_VALIDATION) else f"{kind}/{name}"
            self._writer.add_scalar(tag, value, record["step"])

    def images(self, step: int, images: Mapping[str, Tensor]) -> None:
        """Write grey images (rows, cols) in [0, 1], by name."""
        for name, image in images.items():
            self._writer.add_image(name, image, step, dataformats="HW")

    def sync(self) -> None:
        """Put what was written on the disk."""
        self._writer.flush()

    def close(self) -> None:
        """Close the file of events."""
        self._writer.close()
