"""Score images against fully sampled ones, by named protocols.

The same two images score SSIM 0.36 or 1.00 by the choice of window and data range alone, so a
number here always belongs to a `Protocol`, and the data range is never guessed.

Sources: Wang et al. 2004 (SSIM, 10.1109/TIP.2003.819861); Zbontar et al. 2018 (fastMRI,
arXiv 1811.08839).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from mrirecon.ops import ssim

ProtocolName = Literal["fastmri", "per_slice", "gaussian"]


@dataclass(frozen=True)
class Protocol:
    """Everything that must be equal before two scores may be compared.

    All protocols share SSIM's constants K1 = 0.01 and K2 = 0.03 and its mean over the window's
    valid positions, and take as data range the maximum of the fully sampled volume.

    Attributes:
        name: what tables and files call it.
        window: SSIM window: "uniform" is 7 x 7 with the sample covariance (49/48), "gaussian"
            is 11 x 11 with sigma 1.5 pixels and the biased covariance.
        errors_over: what PSNR and NMSE pool their squared errors over, and the unit that
            statistics count: one slice, or one subject's volume.
        statement: one sentence for a reader of a table.
    """

    name: ProtocolName
    window: Literal["uniform", "gaussian"]
    errors_over: Literal["slice", "volume"]
    statement: str


PROTOCOLS: tuple[Protocol, ...] = (
    Protocol(
        name="fastmri",
        window="uniform",
        errors_over="volume",
        statement="SSIM with a 7 x 7 uniform window, mean over the slices of a subject; PSNR and "
        "NMSE over the subject's volume; data range: the volume's maximum; statistics over "
        "subjects.",
    ),
    Protocol(
        name="per_slice",
        window="uniform",
        errors_over="slice",
        statement="SSIM with a 7 x 7 uniform window, PSNR and NMSE of each slice; data range: the "
        "volume's maximum; statistics over slices.",
    ),
    Protocol(
        name="gaussian",
        window="gaussian",
        errors_over="slice",
        statement="SSIM with an 11 x 11 Gaussian window (sigma 1.5 pixels), PSNR and NMSE of each "
        "slice; data range: the volume's maximum; statistics over slices.",
    ),
)


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


def get_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        ValueError: there is no protocol of this name; the message lists those there are.
    """
    for protocol in PROTOCOLS:
        if protocol.name == name:
            return protocol
    names = ", ".join(protocol.name for protocol in PROTOCOLS)
    raise ValueError(f"protocol: expected one of {names}, got {name!r}")


def psnr(
    prediction: Tensor,
    target: Tensor,
    *,
    data_range: float | Tensor,
    dims: tuple[int, ...] = (-2, -1),
) -> Tensor:
    """Compute the peak signal-to-noise ratio, 10 log10(data_range^2 / mean squared error).

    Args:
        prediction: real, (..., rows, cols).
        target: fully sampled image, same shape and units.
        data_range: positive, in the images' units; a number, or a tensor that broadcasts to the
            shape left after `dims` are reduced.
        dims: axes pooled; (-2, -1) gives one value a slice, (-3, -2, -1) one a volume.

    Returns:
        float64, shape without `dims`, [dB]; infinite where the images are equal. NaN propagates.

    Raises:
        ValueError: shapes differ.
    """
    _check_shapes(prediction, target)
    error = (prediction - target).square().mean(dims, dtype=torch.float64)
    peak = torch.as_tensor(data_range, dtype=torch.float64, device=error.device)
    return 10 * (peak.square() / error).log10()


def nmse(prediction: Tensor, target: Tensor, *, dims: tuple[int, ...] = (-2, -1)) -> Tensor:
    """Compute the normalised mean squared error, |prediction - target|^2 / |target|^2.

    Args:
        prediction: real, (..., rows, cols).
        target: fully sampled image, same shape and units.
        dims: axes pooled; (-2, -1) gives one value a slice, (-3, -2, -1) one a volume.

    Returns:
        float64, shape without `dims`; infinite or NaN where the target is zero everywhere.

    Raises:
        ValueError: shapes differ.
    """
    _check_shapes(prediction, target)
    error = (prediction - target).square().sum(dims, dtype=torch.float64)
    return error / target.square().sum(dims, dtype=torch.float64)


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
    _check_shapes(prediction, target)
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


def _check_shapes(prediction: Tensor, target: Tensor) -> None:
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction: expected the target's shape {tuple(target.shape)}, "
            f"got {tuple(prediction.shape)}"
        )
