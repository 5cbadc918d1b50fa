"""Scores as data: of a slice, of a subject, and the statistics of either."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from mrirecon.evaluation.methods import MethodName, order_methods
from mrirecon.metrics import ALL_METRICS, MetricName, Protocol, pool

METRICS: tuple[MetricName, ...] = ("ssim", "psnr", "nmse")
"""What every evaluation has, whatever else its protocol asks for."""
IMAGE = "image"
"""Name of the region that is the whole image."""


@dataclass(frozen=True)
class SliceScore:
    """One method's result on one slice, or on a region of it.

    Attributes:
        subject: name of the subject in the store.
        slice: number of the slice within its source.
        method: what made the image.
        ssim: SSIM by the protocol's window.
        squared_error: sum of squared differences from the target.
        target_energy: sum of squares of the target.
        n_pixels: that these sums are over.
        region: whose pixels count; `IMAGE` for all.
        data_range: of the protocol.
        difference: sum of the differences from the target.
        uqi: universal image quality index; None where it was not asked for, as of regions.
        ms_ssim: multi-scale SSIM, the same.
        acceleration: of k-space, measured from the slice's mask.
        scan_time: of the sampling [s]; None where it is not defined.
        residual: how far the image is from what was measured, see `checks`.
        invented: share of the image's energy that nothing measured, see `checks`.
        change: how far the image is from the network's input, see `checks`.
        alignment: how the target is to be moved to be closest to the image, see `checks`.
    """

    subject: str
    slice: int
    method: MethodName
    ssim: float
    squared_error: float
    target_energy: float
    n_pixels: int
    region: str = IMAGE
    data_range: float = 1.0
    difference: float | None = None
    uqi: float | None = None
    ms_ssim: float | None = None
    acceleration: float | None = None
    scan_time: float | None = None
    residual: float | None = None
    invented: float | None = None
    change: float | None = None
    alignment: str | None = None

    @property
    def psnr(self) -> float:
        """Of these pixels alone, [dB]; infinite where the images are equal."""
        peak = self.data_range**2 * self.n_pixels
        return 10 * math.log10(peak / self.squared_error) if self.squared_error else math.inf

    @property
    def nmse(self) -> float:
        """Of these pixels alone; NaN where the target is blank."""
        return self.squared_error / self.target_energy if self.target_energy else math.nan

    @property
    def nrmse(self) -> float:
        """The square root of `nmse`."""
        return math.sqrt(self.nmse)

    @property
    def difference_std(self) -> float | None:
        """Standard deviation of the difference, in units of the data range."""
        if self.difference is None:
            return None
        mean = self.difference / self.n_pixels
        variance = self.squared_error / self.n_pixels - mean**2
        return math.sqrt(max(variance, 0.0)) / self.data_range


@dataclass(frozen=True)
class SubjectScore:
    """One method's result on one subject, pooled or averaged as the protocol says.

    Attributes:
        subject: name of the subject in the store.
        method: what made the images.
        n_slices: how many slices were scored.
        ssim: mean over the slices, as `uqi` and `ms_ssim`.
        psnr: over the volume, or the mean over the slices, [dB].
        nmse: over the volume, or the mean over the slices, as `nrmse` and `difference_std`.
        region: whose pixels count.
    """

    subject: str
    method: MethodName
    n_slices: int
    ssim: float
    psnr: float
    nmse: float
    nrmse: float
    uqi: float | None = None
    difference_std: float | None = None
    ms_ssim: float | None = None
    region: str = IMAGE


@dataclass(frozen=True)
class Statistics:
    """Mean, median, sample standard deviation (n - 1; NaN for n = 1) and count n."""

    mean: float
    median: float
    std: float
    n: int


def score_subjects(scores: Sequence[SliceScore], protocol: Protocol) -> list[SubjectScore]:
    """Score each subject from its slices, in the order in which subjects first appear.

    Args:
        scores: of any subjects and methods, made under `protocol`.
        protocol: pools PSNR and NMSE over the volume, or averages the slices' values.

    Returns:
        One score for each subject, method and region.
    """
    groups: dict[tuple[str, MethodName, str], list[SliceScore]] = {}
    for score in scores:
        groups.setdefault((score.subject, score.method, score.region), []).append(score)
    return [_score_subject(group, protocol) for group in groups.values()]


def unit_scores(
    scores: Sequence[SliceScore], protocol: Protocol
) -> Sequence[SliceScore] | Sequence[SubjectScore]:
    """Give the scores that the protocol's statistics count: of slices, or of subjects."""
    return scores if protocol.errors_over == "slice" else score_subjects(scores, protocol)


def aggregate(
    scores: Sequence[SliceScore] | Sequence[SubjectScore], region: str = IMAGE
) -> dict[MethodName, dict[MetricName, Statistics]]:
    """Summarise scores by method and metric.

    Args:
        scores: `unit_scores` of one test set, for what its protocol calls its statistics.
        region: whose scores to take.

    Returns:
        Statistics under the names of the method and of the metric; methods in their fixed order,
        those without a score left out, as metrics that were not asked for.
    """
    inside = [score for score in scores if score.region == region]
    summary: dict[MethodName, dict[MetricName, Statistics]] = {}
    for method in order_methods(score.method for score in inside):
        own = [score for score in inside if score.method == method]
        columns = {metric: metric_values(own, metric) for metric in ALL_METRICS}
        summary[method] = {
            metric: summarise(values) for metric, values in columns.items() if values
        }
    return summary


def metric_values(scores: Sequence[SliceScore | SubjectScore], metric: MetricName) -> list[float]:
    """Give one metric of scores; empty where it was not asked for."""
    values = [getattr(score, metric) for score in scores]
    return [] if None in values else values


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
    first = group[0]
    columns = {metric: metric_values(group, metric) for metric in ALL_METRICS}
    means = {metric: fmean(values) for metric, values in columns.items() if values}
    if protocol.errors_over == "volume":
        means |= _pool_errors(group)
    return SubjectScore(first.subject, first.method, len(group), **means, region=first.region)


def _pool_errors(group: Sequence[SliceScore]) -> dict[MetricName, float]:
    """Score the errors of all slices as those of one volume."""
    n_pixels = sum(score.n_pixels for score in group)
    errors = [score.squared_error for score in group]
    _, psnr, nmse = pool(
        [score.ssim for score in group],
        errors,
        [score.target_energy for score in group],
        n_pixels=n_pixels,
        data_range=group[0].data_range,
    )
    pooled: dict[MetricName, float] = {"psnr": psnr, "nmse": nmse, "nrmse": math.sqrt(nmse)}
    differences = [score.difference for score in group if score.difference is not None]
    if len(differences) == len(group):
        variance = math.fsum(errors) / n_pixels - (math.fsum(differences) / n_pixels) ** 2
        pooled["difference_std"] = math.sqrt(max(variance, 0.0)) / group[0].data_range
    return pooled
