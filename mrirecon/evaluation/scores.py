"""Scores as data: of a slice, of a subject, and the statistics of either."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Literal, get_args

from mrirecon.metrics import Protocol, pool

MethodName = Literal[
    "zero-filled",
    "gridding",
    "data consistency alone",
    "SENSE",
    "total variation",
    "l1-wavelet",
    "network",
    "network + data consistency",
]
MetricName = Literal["ssim", "psnr", "nmse"]
ALL_METHODS: tuple[MethodName, ...] = get_args(MethodName)
CLASSICAL_METHODS: dict[str, MethodName] = {
    "sense": "SENSE",
    "tv": "total variation",
    "wavelet": "l1-wavelet",
}
"""By their names in `mrirecon.classical`. Scored where asked for, with the known (zero) phase of
simulated images, which `data consistency alone` and the network's consistency are told too."""
METHODS: tuple[MethodName, ...] = tuple(
    name for name in ALL_METHODS if name not in ("gridding", *CLASSICAL_METHODS.values())
)
"""On the grid. `data consistency alone` is the zero-filled magnitude with the measured k-space put
back: what the known phase of simulated images is worth without any network, so that a reader can
tell it from what was learnt."""
OFF_GRID_METHODS: tuple[MethodName, ...] = ("gridding", *METHODS[1:])
"""Along a trajectory. `data consistency alone` is what conjugate gradients make of the measurement
from an image of zeros, by the steps that also follow the network, and along the known phase."""
METRICS: tuple[MetricName, ...] = ("ssim", "psnr", "nmse")
DATA_RANGE = 1.0  # simulated targets are divided by their volume's maximum


@dataclass(frozen=True)
class SliceScore:
    """One method's result on one slice.

    Attributes:
        subject: name of the subject in the store.
        slice: number of the slice within its source.
        method: what made the image.
        ssim: SSIM by the protocol's window.
        psnr: of this slice alone, [dB]; infinite where the images are equal.
        nmse: of this slice alone; NaN where the target is blank.
        squared_error: sum of squared differences from the target.
        target_energy: sum of squares of the target.
        n_pixels: pixels of the slice.
    """

    subject: str
    slice: int
    method: MethodName
    ssim: float
    psnr: float
    nmse: float
    squared_error: float
    target_energy: float
    n_pixels: int


@dataclass(frozen=True)
class SubjectScore:
    """One method's result on one subject, pooled or averaged as the protocol says.

    Attributes:
        subject: name of the subject in the store.
        method: what made the images.
        n_slices: how many slices were scored.
        ssim: mean over the slices.
        psnr: over the volume, or the mean over the slices, [dB].
        nmse: over the volume, or the mean over the slices.
    """

    subject: str
    method: MethodName
    n_slices: int
    ssim: float
    psnr: float
    nmse: float


@dataclass(frozen=True)
class Statistics:
    """Mean, median, sample standard deviation (n - 1; NaN for n = 1) and count n."""

    mean: float
    median: float
    std: float
    n: int


def score_slice(
    subject: str,
    slice_index: int,
    method: MethodName,
    *,
    ssim: float,
    squared_error: float,
    target_energy: float,
    n_pixels: int,
) -> SliceScore:
    """Turn what was measured on a slice into its score; NMSE of a blank slice is NaN."""
    alone = pool(
        [ssim],
        [squared_error],
        [target_energy or math.nan],
        n_pixels=n_pixels,
        data_range=DATA_RANGE,
    )
    return SliceScore(
        subject=subject,
        slice=slice_index,
        method=method,
        ssim=ssim,
        psnr=alone.psnr,
        nmse=alone.nmse,
        squared_error=squared_error,
        target_energy=target_energy,
        n_pixels=n_pixels,
    )


def score_subjects(scores: Sequence[SliceScore], protocol: Protocol) -> list[SubjectScore]:
    """Score each subject from its slices, in the order in which subjects first appear.

    Args:
        scores: of any subjects and methods, made under `protocol`.
        protocol: pools PSNR and NMSE over the volume, or averages the slices' values.

    Returns:
        One score for each subject and method.
    """
    groups: dict[tuple[str, MethodName], list[SliceScore]] = {}
    for score in scores:
        groups.setdefault((score.subject, score.method), []).append(score)
    return [_score_subject(group, protocol) for group in groups.values()]


def unit_scores(
    scores: Sequence[SliceScore], protocol: Protocol
) -> Sequence[SliceScore] | Sequence[SubjectScore]:
    """Give the scores that the protocol's statistics count: of slices, or of subjects."""
    return scores if protocol.errors_over == "slice" else score_subjects(scores, protocol)


def aggregate(
    scores: Sequence[SliceScore] | Sequence[SubjectScore],
) -> dict[MethodName, dict[MetricName, Statistics]]:
    """Summarise scores by method and metric.

    Args:
        scores: `unit_scores` of one test set, for what its protocol calls its statistics.

    Returns:
        Statistics under the names of the method and of the metric; methods as in
        `ALL_METHODS`, those without a score left out.
    """
    summary: dict[MethodName, dict[MetricName, Statistics]] = {}
    for method in ALL_METHODS:
        chosen = [score for score in scores if score.method == method]
        if chosen:
            summary[method] = {
                metric: summarise([getattr(score, metric) for score in chosen])
                for metric in METRICS
            }
    return summary


def summarise(values: Sequence[float]) -> Statistics:
    """Compute the statistics of at least one value; an infinite one leaves no deviation (NaN)."""
    has_spread = len(values) > 1 and all(math.isfinite(value) for value in values)
    return Statistics(
        mean=fmean(values),
        median=median(values),
        std=stdev(values) if has_spread else math.nan,
        n=len(values),
    )


def _score_subject(group: Sequence[SliceScore], protocol: Protocol) -> SubjectScore:
    if protocol.errors_over == "volume":
        ssim, psnr, nmse = pool(
            [score.ssim for score in group],
            [score.squared_error for score in group],
            [score.target_energy for score in group],
            n_pixels=group[0].n_pixels,
            data_range=DATA_RANGE,
        )
    else:
        ssim = fmean(score.ssim for score in group)
        psnr = fmean(score.psnr for score in group)
        nmse = fmean(score.nmse for score in group)
    return SubjectScore(group[0].subject, group[0].method, len(group), ssim, psnr, nmse)
