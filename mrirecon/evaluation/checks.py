"""Is an image what it claims to be? Against the measurement, its input, and moved images.

What was not measured lies in the null space of the measurement (Schwab et al. 2019,
DOI 10.1088/1361-6420/aaf14a): whatever an image has there its method has made up, rightly or not.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from mrirecon.classical import Encoding
from mrirecon.data import Measurement
from mrirecon.models import enforce_measurement, measurement_residual

AS_IT_IS = "as it is"
_MOVES = {
    "shifted by a row": lambda x: x.roll(1, -2),
    "shifted by a row upwards": lambda x: x.roll(-1, -2),
    "shifted by a column": lambda x: x.roll(1, -1),
    "shifted by a column to the left": lambda x: x.roll(-1, -1),
    "flipped along rows": lambda x: x.flip(-2),
    "flipped along columns": lambda x: x.flip(-1),
    "turned by 180 degrees": lambda x: x.flip((-2, -1)),
    "transposed": lambda x: x.transpose(-2, -1),
}
"""How the fully sampled image would have to be moved to come closest to an image."""
ALIGNMENTS = (AS_IT_IS, *_MOVES)
_CLEARLY = 0.9  # of the error as it is: images that are equal either way are as they are


class Checks(NamedTuple):
    """What is known of each image of a batch beside its scores: tensors (batch,).

    Attributes:
        residual: |A* (y - A image)| / |A* y|: 0 where the image agrees with all measured samples.
        invented: energy of the image's part in the null space over its whole energy.
        change: |image - input| / |input|, where the input is the zero-filled or gridded magnitude.
        alignment: int64, place in `ALIGNMENTS` of the move of the target that is closest.
    """

    residual: Tensor
    invented: Tensor
    change: Tensor
    alignment: Tensor


def check_images(image: Tensor, target: Tensor, measurement: Measurement) -> Checks:
    """Check the images that one method made of a batch.

    Args:
        image: float32, (batch, rows, cols), 0 or more.
        target: float32, the same shape.
        measurement: what the images were made of.

    Returns:
        The checks, on the images' device.
    """
    encoding = Encoding(measurement.sampled, measurement.coil_maps)
    zero_filled, phase = measurement.zero_filled, measurement.phase
    full = image[:, None].to(zero_filled.dtype)
    full = full if phase is None else full * phase
    # With several coils the maps carry the phase, so that the image itself has none.
    made_up = enforce_measurement(full, torch.zeros_like(zero_filled), encoding)
    given = zero_filled[:, 0].abs().float()
    return Checks(
        residual=measurement_residual(full, zero_filled, encoding),
        invented=_energy(made_up[:, 0]) / _energy(full[:, 0]),
        change=((image - given).flatten(1).norm(dim=1) / given.flatten(1).norm(dim=1)),
        alignment=find_alignment(image, target),
    )


def find_alignment(image: Tensor, target: Tensor) -> Tensor:
    """Find the move of the target that comes closest to an image.

    Args:
        image: float, (batch, rows, cols).
        target: the same shape.

    Returns:
        int64, (batch,): place in `ALIGNMENTS`; a move counts where it leaves clearly less error
        than none.
    """
    errors = [_energy(image - target)]
    for move in _MOVES.values():
        moved = move(target)
        has_error = moved.shape == target.shape
        errors.append(
            _energy(image - moved) if has_error else torch.full_like(errors[0], torch.inf)
        )
    table = torch.stack(errors)
    best = table.argmin(0)
    is_clear = table.gather(0, best[None])[0] < _CLEARLY * table[0]
    return torch.where(is_clear, best, 0)


def _energy(image: Tensor) -> Tensor:
    return image.abs().square().sum((-2, -1), dtype=torch.float64)
