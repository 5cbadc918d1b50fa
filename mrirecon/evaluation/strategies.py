"""Compare sampling strategies at one scan time: what each spreads, costs, and lets be recovered."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.classical import MethodName, noise_amplification, reconstruct, ring_coil_maps
from mrirecon.evaluation.simulated_scan import (
    SimulatedScan,
    Slab,
    draw_phase,
    scaled_image,
    scaled_slab,
)
from mrirecon.metrics import Protocol, Score, score_volume
from mrirecon.nufft import Nufft
from mrirecon.sampling import (
    AcquisitionConfig,
    Feasibility,
    MaskSummary,
    SamplingConfig,
    ScannerProfile,
    SideLobes,
    SlabConfig,
    TrajectoryConfig,
    Undersampling,
    check_feasibility,
    full_mask,
    make_mask,
    mask_spread,
    measure_side_lobes,
    plan_trajectory,
    slab_spread,
    summarise,
    summarise_slab,
    summarise_trajectory,
    trajectory_mask,
    trajectory_spread,
    visited_volume,
)

N_COILS = 8
RECONSTRUCTIONS: dict[str, tuple[str, int]] = {
    "zero-filled": ("zero-filled", 1),
    "total variation": ("tv", 1),
    "SENSE": ("cg-sense", N_COILS),
}
"""What is scored: name -> (method of `mrirecon.classical`, coils of the simulated scan)."""


@dataclass(frozen=True)
class StrategyResult:
    """What is known of one strategy, all measured.

    Attributes:
        name: of the candidate.
        undersampling: its description.
        mask: bool, (rows, cols), measured; off the grid a picture of it, of a slab in the central
            partition.
        summary: what it measures.
        feasibility: whether the scanner can play it, and how long the scan takes.
        spread: float64, (rows, cols), the point spread function relative to its peak.
        side_lobes: of `spread`.
        noise: see `noise_amplification`.
        scores: of each of `RECONSTRUCTIONS`.
        images: float32, (rows, cols), of each of `RECONSTRUCTIONS`, in [0, 1] and a little above.
    """

    name: str
    undersampling: Undersampling | SlabConfig
    mask: Tensor
    summary: MaskSummary
    feasibility: Feasibility
    spread: NDArray[np.float64]
    side_lobes: SideLobes
    noise: float
    scores: dict[str, Score]
    images: dict[str, Tensor]

    @property
    def best_method(self) -> str:
        """The reconstruction of the highest SSIM; zero-filling is none."""
        methods = [method for method in RECONSTRUCTIONS if method != "zero-filled"]
        return max(methods, key=lambda method: self.scores[method].ssim)

    @property
    def best_score(self) -> Score:
        """The score of `best_method`."""
        return self.scores[self.best_method]


def compare_strategies(
    candidates: Mapping[str, Undersampling | SlabConfig],
    image: Tensor,
    *,
    slab: Slab | None = None,
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    protocol: Protocol,
    noise_std: float = 0.0,
    phase: float = 0.0,
    seed: int = 0,
    progress: Callable[[int, str], None] | None = None,
    on_error: Callable[[str, ValueError], None] | None = None,
) -> list[StrategyResult]:
    """Measure every candidate on one image.

    The scan is simulated from the magnitude image with a smooth phase, once with one coil and once
    with a ring of `N_COILS`, with the same noise in every sample. Partial Fourier without a prior
    is homodyne, where others are zero-filled or gridded. Trajectories through a slab are
    simulated and reconstructed in 3-D, and judged by the slice that is the image.

    Args:
        candidates: at least one, by name.
        image: real, (rows, cols), fully sampled, not negative.
        slab: the volume that the image is a slice of, which 3-D trajectories need; None for none.
        acquisition: what the scanner repeats.
        profile: the scanner.
        protocol: of the scores; its data range is the image's maximum.
        noise_std: standard deviation of the real and of the imaginary part of each sample's noise,
            as a part of the image's maximum.
        phase: root mean square of the image's phase about a constant [rad], 0 or more.
        seed: of masks, noise and phase.
        progress: called with the number of finished candidates and the name of the next.
        on_error: called with the name and the error of each candidate that does not fit the image,
            which is then left out; without it the first error is raised.

    Returns:
        The results, in the order of the candidates; `rank_strategies` sorts them.

    Raises:
        ValueError: "candidates: ...", "image: ...", "noise_std: ..." or "phase: ..."; or
            without `on_error` one does not fit the image, and the message names it.
    """
    if not candidates:
        raise ValueError("candidates: expected at least one, got none")
    target = scaled_image(image)
    if not 0 <= noise_std < math.inf:
        raise ValueError(f"noise_std: expected 0 or more, got {noise_std}")
    if not 0 <= phase < math.inf:
        raise ValueError(f"phase: expected 0 or more, got {phase}")
    coil_maps = ring_coil_maps(N_COILS, (target.shape[0], target.shape[1]))
    volume = None if slab is None else scaled_slab(slab, image, acquisition)
    turn = draw_phase(target, phase, seed)
    scan = SimulatedScan(
        target, volume, turn, coil_maps, noise_std, seed, acquisition, profile, protocol
    )
    results = []
    for number, (name, undersampling) in enumerate(candidates.items()):
        if progress is not None:
            progress(number, name)
        try:
            results.append(_measure(name, undersampling, scan))
        except ValueError as error:
            if on_error is None:
                raise ValueError(f"{name}: {error}") from error
            on_error(name, error)
    return results


def _measure(
    name: str, undersampling: Undersampling | SlabConfig, scan: SimulatedScan
) -> StrategyResult:
    sampled: Tensor | Nufft
    if isinstance(undersampling, SlabConfig):
        if scan.slab is None:
            raise ValueError(f"slab: expected a volume for {undersampling.kind}, got one image")
        shape = (len(scan.slab.volume), *scan.shape)
        summary = summarise_slab(undersampling, shape)
        sampled = undersampling.plan(shape)
        mask = visited_volume(undersampling, shape)[shape[0] // 2]
        spread = slab_spread(undersampling, shape)
    elif isinstance(undersampling, TrajectoryConfig):
        summary = summarise_trajectory(undersampling, scan.shape)
        sampled = plan_trajectory(undersampling, scan.shape, scan.target.device)
        mask = trajectory_mask(undersampling, scan.shape)
        spread = trajectory_spread(undersampling, scan.shape)
    else:
        sampled = make_mask(undersampling, scan.shape, seed=scan.seed)
        summary = summarise(undersampling, sampled, scan.shape)
        mask = full_mask(sampled, scan.shape)
        spread = mask_spread(mask)
    is_partial = isinstance(undersampling, SamplingConfig) and undersampling.partial_fourier < 1
    images = _reconstruct_all(sampled, scan, direct="homodyne" if is_partial else "zero-filled")
    return StrategyResult(
        name=name,
        undersampling=undersampling,
        mask=mask,
        summary=summary,
        feasibility=check_feasibility(
            undersampling, scan.shape, scan.acquisition, scan.profile, seed=scan.seed
        ),
        spread=spread,
        side_lobes=measure_side_lobes(spread),
        noise=noise_amplification(
            sampled, scan.maps_for(sampled), scan_time_factor=summary.scan_time_factor
        ),
        scores={
            method: score_volume(
                image[None], scan.target[None], data_range=1.0, protocol=scan.protocol
            )
            for method, image in images.items()
        },
        images=images,
    )


def _reconstruct_all(
    sampled: Tensor | Nufft, scan: SimulatedScan, *, direct: MethodName
) -> dict[str, Tensor]:
    """Reconstruct the magnitude image by each method, `direct` in place of zero-filling."""
    images = {}
    for name, (method, n_coils) in RECONSTRUCTIONS.items():
        kspace = scan.measure(sampled, n_coils)
        chosen = direct if method == "zero-filled" else method
        coil_maps = scan.maps_for(sampled) if n_coils > 1 else None
        image = reconstruct(chosen, kspace, sampled, coil_maps)[0, 0].abs()
        images[name] = image if scan.slab is None or image.ndim == 2 else image[scan.slab.index]
    return images
