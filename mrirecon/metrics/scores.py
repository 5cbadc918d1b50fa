"""Score images against fully sampled ones as a protocol prescribes."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mrirecon.metrics.errors import check_region, check_shapes
from mrirecon.metrics.protocols import Protocol
from mrirecon.metrics.structure import ms_ssim, ssim_in_region, uqi
from mrirecon.ops import ssim


class SliceMeasures(NamedTuple):
    """What each slice contributes to every metric: tensors (...,) on the images' device."""

    ssim: Tensor
    squared_error: Tensor
    target_energy: Tensor
    difference: Tensor
    """Sum of prediction - target."""
    n_pixels: Tensor
    uqi: Tensor
    """NaN where the protocol does not ask for it, as MS-SSIM."""
    ms_ssim: Tensor


class Score(NamedTuple):
    """SSIM, PSNR [dB] and NMSE of one slice or one volume."""

    ssim: float
    psnr: float
    nmse: float


def measure_slices(
    prediction: Tensor,
    target: Tensor,
    *,
    data_range: float | Tensor,
    protocol: Protocol,
    region: Tensor | None = None,
) -> SliceMeasures:
    """Measure each slice of a batch on its device, without waiting for the device.

    Args:
        prediction: real, (..., rows, cols).
        target: fully sampled image, same shape, dtype and units.
        data_range: positive; a number, or a tensor that broadcasts to (...,).
        protocol: chooses the SSIM window, and whether UQI and MS-SSIM are computed.
        region: bool, broadcasts to the images' shape; only its pixels, and the SSIM of windows
            centred on them, count. UQI and MS-SSIM are of whole images alone. None for all.

    Returns:
        SSIM and MS-SSIM in the images' dtype, the others in float64, each (...,); rows are summed
        in the images' dtype. NaN propagates; SSIM is NaN where the region is empty.

    Raises:
        ValueError: shapes differ, or the image is smaller than a window.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import get_protocol, measure_slices
        >>> target = torch.ones(3, 16, 16)  # (slices, rows, cols)
        >>> fastmri = get_protocol("fastmri")
        >>> measures = measure_slices(target, target, data_range=1.0, protocol=fastmri)
        >>> measures.ssim
        tensor([1., 1., 1.])
        >>> measures.squared_error
        tensor([0., 0., 0.], dtype=torch.float64)
    """
    check_shapes(prediction, target)
    difference = prediction - target
    inside = None if region is None else check_region(region, target)
    none = difference.new_full(difference.shape[:-2], math.nan, dtype=torch.float64)

    def total(values: Tensor) -> Tensor:
        counted = values if inside is None else values.where(inside, 0)
        return counted.sum(-1).sum(-1, dtype=torch.float64)

    def energy(values: Tensor) -> Tensor:
        """Sum squares by norms of rows, without a tensor of squares."""
        counted = values if inside is None else values.where(inside, 0)
        return torch.linalg.vector_norm(counted, dim=-1).double().square().sum(-1)

    rows, cols = difference.shape[-2:]
    every = none.new_full(none.shape, float(rows * cols))
    scale, window = {"data_range": data_range}, protocol.window
    is_whole, wanted = inside is None, protocol.metrics
    return SliceMeasures(
        ssim=ssim(prediction, target, **scale, window=window)
        if inside is None
        else ssim_in_region(prediction, target, inside, **scale, window=window),
        squared_error=energy(difference),
        target_energy=energy(target),
        difference=total(difference),
        n_pixels=every if inside is None else inside.sum((-2, -1), dtype=torch.float64),
        uqi=uqi(prediction, target) if is_whole and "uqi" in wanted else none,
        ms_ssim=ms_ssim(prediction, target, **scale) if is_whole and "ms_ssim" in wanted else none,
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
        n_pixels: pixels of all slices together.
        data_range: positive; the same for all slices.

    Examples:
        >>> from mrirecon.metrics import pool
        >>> pool([1.0, 0.5], [2.0, 4.0], [100.0, 200.0], n_pixels=600, data_range=1.0)
        Score(ssim=0.75, psnr=20.0, nmse=0.02)
    """
    error = math.fsum(squared_errors)
    peak = data_range**2 * n_pixels
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
        data_range: the volume's maximum; a protocol that takes each slice's own uses that.
        protocol: window and pooling.

    Returns:
        The score of the pooled volume or, where the protocol scores slices, the mean of theirs.

    Raises:
        ValueError: shapes differ, a NaN or Inf in either volume (named), or a target that is
            zero everywhere in what is pooled.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import get_protocol, score_volume
        >>> target = torch.ones(3, 16, 16)
        >>> per_slice = get_protocol("per_slice")
        >>> score = score_volume(target + 0.1, target, data_range=1.0, protocol=per_slice)
        >>> round(score.psnr, 2), round(score.nmse, 3)
        (20.0, 0.01)
    """
    by_slice = protocol.range_of == "slice"
    ranges = slice_ranges(target) if by_slice else target.new_full(target.shape[:1], data_range)
    measures = measure_slices(prediction, target, data_range=ranges, protocol=protocol)
    if not bool((measures.squared_error + measures.target_energy).isfinite().all()):
        _refuse_infinite(prediction, target)
    columns = [values.tolist() for values in (*measures[:3], measures.n_pixels, ranges)]
    slices = list(zip(*columns, strict=True))
    groups = [slices] if protocol.errors_over == "volume" else [[one] for one in slices]
    scores = []
    for index, group in enumerate(groups):
        ssims, errors, energies, counts, peaks = zip(*group, strict=True)
        if not any(energies):
            what = "volume" if protocol.errors_over == "volume" else f"slice {index}"
            raise ValueError(f"target: expected an image, got zero everywhere in {what}")
        n_pixels = round(sum(counts))
        peak = peaks[0] if by_slice else data_range
        scores.append(pool(ssims, errors, energies, n_pixels=n_pixels, data_range=peak))
    return Score(*(math.fsum(column) / len(scores) for column in zip(*scores, strict=True)))


def _refuse_infinite(prediction: Tensor, target: Tensor) -> None:
    """Say which volume has NaN or Inf; neither has where squares of finite values overflow."""
    for name, volume in (("prediction", prediction), ("target", target)):
        n_bad = int((~volume.isfinite()).sum())
        if n_bad:
            raise ValueError(f"{name}: expected finite values, got NaN or Inf in {n_bad} pixels")


def slice_ranges(target: Tensor) -> Tensor:
    """Give each slice's own maximum as its data range, (...,); 1 for a blank slice.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import slice_ranges
        >>> slice_ranges(torch.arange(8.0).reshape(2, 2, 2))
        tensor([3., 7.])
    """
    peaks = target.amax((-2, -1))
    return torch.where(peaks > 0, peaks, 1.0)
