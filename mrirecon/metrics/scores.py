"""Score images against fully sampled ones as a protocol prescribes."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mrirecon.metrics.errors import check_shapes
from mrirecon.metrics.protocols import Protocol
from mrirecon.ops import ssim


class SliceMeasures(NamedTuple):
    """What each slice contributes to every metric: tensors (...,) on the images' device."""

    ssim: Tensor
    squared_error: Tensor
    target_energy: Tensor


class Score(NamedTuple):
    """SSIM, PSNR [dB] and NMSE of one slice or one volume."""

    ssim: float
    psnr: float
    nmse: float


def measure_slices(
    prediction: Tensor, target: Tensor, *, data_range: float | Tensor, protocol: Protocol
) -> SliceMeasures:
    """Measure each slice of a batch on its device, without waiting for the device.

    Args:
        prediction: real, (..., rows, cols).
        target: fully sampled image, same shape, dtype and units.
        data_range: positive; a number, or a tensor that broadcasts to (...,).
        protocol: chooses the SSIM window.

    Returns:
        SSIM in the images' dtype, the sums of squared error and of squared target in float64,
        each (...,). NaN propagates.

    Raises:
        ValueError: shapes differ, or the image is smaller than the window.
    """
    check_shapes(prediction, target)
    return SliceMeasures(
        ssim=ssim(prediction, target, data_range=data_range, window=protocol.window),
        squared_error=(prediction - target).square().sum((-2, -1), dtype=torch.float64),
        target_energy=target.square().sum((-2, -1), dtype=torch.float64),
    )


def pool(
    ssims: Sequence[float],
    squared_errors: Sequence[float],
    target_energies: Sequence[float],
    *,
    n_pixels: int,
    data_range: float,
) -> Score:
    """Combine measured slices into one score: mean SSIM, PSNR and NMSE of the pooled errors.

    Of one slice it makes the slice's own score; of all slices of a subject the fastMRI score of
    the volume.

    Args:
        ssims: one value a slice.
        squared_errors: one sum a slice.
        target_energies: one sum of squares a slice; not all zero.
        n_pixels: pixels of one slice.
        data_range: positive; the same for all slices.
    """
    error = math.fsum(squared_errors)
    peak = data_range**2 * n_pixels * len(squared_errors)
    return Score(
        ssim=math.fsum(ssims) / len(ssims),
        psnr=10 * math.log10(peak / error) if error > 0 else math.inf,
        nmse=error / math.fsum(target_energies),
    )


def score_volume(
    prediction: Tensor, target: Tensor, *, data_range: float, protocol: Protocol
) -> Score:
    """Score one subject's volume as a protocol prescribes.

    Args:
        prediction: real, (n_slices, rows, cols).
        target: fully sampled volume, same shape, dtype and units.
        data_range: the volume's maximum, as every protocol here takes it.
        protocol: window and pooling.

    Returns:
        The score of the pooled volume or, where the protocol scores slices, the mean of theirs.

    Raises:
        ValueError: shapes differ, a NaN or Inf in either volume (named), or a target that is
            zero everywhere in what is pooled.
    """
    for name, volume in (("prediction", prediction), ("target", target)):
        if not bool(volume.isfinite().all()):
            n_bad = int((~volume.isfinite()).sum())
            raise ValueError(f"{name}: expected finite values, got NaN or Inf in {n_bad} pixels")
    measures = measure_slices(prediction, target, data_range=data_range, protocol=protocol)
    columns = [values.tolist() for values in measures]
    slices = list(zip(*columns, strict=True))
    groups = [slices] if protocol.errors_over == "volume" else [[one] for one in slices]
    n_pixels = target.shape[-2] * target.shape[-1]
    scores = []
    for index, group in enumerate(groups):
        if not any(target_energy for _, _, target_energy in group):
            what = "volume" if protocol.errors_over == "volume" else f"slice {index}"
            raise ValueError(f"target: expected an image, got zero everywhere in {what}")
        scores.append(pool(*zip(*group, strict=True), n_pixels=n_pixels, data_range=data_range))
    return Score(*(math.fsum(column) / len(scores) for column in zip(*scores, strict=True)))
