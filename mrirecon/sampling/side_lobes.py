"""How far a sampling spreads a single point: its point spread function, and the side lobes of it.

Source: Lustig, Donoho and Pauly 2007, DOI 10.1002/mrm.21391, who compare samplings by the
side-lobe-to-peak ratio. Here the main lobe, which only blurs, is no side lobe: with it, the ratio
of any variable density would be that of its blur. Over all pixels but the peak, the root mean
square would tell nothing: by Parseval's theorem it is sqrt((acceleration - 1) / (pixels - 1)) for
every mask.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.fourier import ifft_centred
from mrirecon.sampling.slab_config import SlabConfig
from mrirecon.sampling.trajectory_config import TrajectoryConfig, plan_trajectory


@dataclass(frozen=True)
class SideLobes:
    """Response to a point outside the main lobe, relative to the peak.

    Attributes:
        peak: the largest; 1 is a copy as bright as the anatomy.
        rms: root mean square over all pixels of the image, those of the main lobe counted as 0.
    """

    peak: float
    rms: float


def mask_spread(mask: Tensor) -> NDArray[np.float64]:
    """Compute the magnitude of a mask's point spread function relative to its peak.

    Args:
        mask: bool, (rows, cols).

    Returns:
        float64, (rows, cols), 1 at the centre n // 2.
    """
    return _relative(ifft_centred(mask.to(torch.complex128)))


def trajectory_spread(trajectory: TrajectoryConfig, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Compute the magnitude of a trajectory's point spread function: a point, gridded.

    Returns:
        As `mask_spread`.
    """
    nufft = plan_trajectory(trajectory, shape, torch.device("cpu"))
    assert nufft.density is not None, "plan_trajectory gives one"
    point = nufft.density.to(torch.complex64)[None, None]  # every sample of a point is 1
    return _relative(nufft.adjoint(point)[0, 0])


def slab_spread(slab: SlabConfig, shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Compute it of a trajectory through a slab, in the partition of the point.

    Returns:
        As `mask_spread`, (rows, cols).
    """
    point = slab.density(shape).to(torch.complex64)[None, None]
    return _relative(slab.plan(shape).adjoint(point)[0, 0, shape[0] // 2])


def measure_side_lobes(spread: NDArray[np.float64]) -> SideLobes:
    """Measure what lies outside the main lobe.

    Args:
        spread: (rows, cols), of `mask_spread` or `trajectory_spread`.

    Returns:
        Both measures, 0 for full sampling.

    Examples:
        >>> import torch
        >>> from mrirecon.sampling import mask_spread, measure_side_lobes
        >>> every_other = (torch.arange(64) % 2 == 0).expand(64, 64)
        >>> round(measure_side_lobes(mask_spread(every_other)).peak, 3)  # a full ghost
        1.0
    """
    outside = np.where(main_lobe(spread), 0.0, spread)
    return SideLobes(float(outside.max()), float(np.sqrt(np.mean(outside**2))))


def main_lobe(spread: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the pixels that paths from the peak reach by steps to one of 8 neighbours, all downhill.

    The image's edges are joined, as a point spread function is periodic.

    Args:
        spread: (rows, cols), largest at the centre n // 2.

    Returns:
        bool, (rows, cols), True at the centre.
    """
    lobe = np.zeros(spread.shape, dtype=bool)
    lobe[tuple(n // 2 for n in spread.shape)] = True
    steps = [(row, col) for row in (-1, 0, 1) for col in (-1, 0, 1) if row or col]
    downhill = {step: spread < np.roll(spread, step, axis=(0, 1)) for step in steps}
    size = 0
    while lobe.sum() > size:
        size = int(lobe.sum())
        for step in steps:
            lobe |= np.roll(lobe, step, axis=(0, 1)) & downhill[step]
    return lobe


def _relative(spread: Tensor) -> NDArray[np.float64]:
    magnitude = spread.abs().double()
    return np.asarray((magnitude / magnitude.max()).numpy())
