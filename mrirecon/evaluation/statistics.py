"""Say how sure a difference between methods is, with the subject as the unit that is counted.

Slices of one subject resemble each other, so counting them makes every difference significant;
values here belong to one subject each.

Sources: Efron 1987 (BCa bootstrap, 10.1080/01621459.1987.10478410); Wilcoxon 1945 (signed ranks,
10.2307/3001968); Mann and Whitney 1947 (10.1214/aoms/1177730491); Holm 1979 (10.2307/4615733);
Kerby 2014 (rank-biserial correlation, 10.2466/11.IT.3.1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
_N_RESAMPLES = 9999  # the interval's ends then move by about 1 % of its width with the seed
_SEED = 0  # equal scores give equal tables


@dataclass(frozen=True)
class Interval:
    """Both ends of a confidence interval; NaN where the values are too few to tell."""

    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """One method against another on the same subjects, by one metric.

    Attributes:
        method: the one asked about.
        other: the one it is held against.
        n: subjects that both were scored on.
        n_better: subjects on which `method` is the better one; equal ones count for neither.
        n_worse: subjects on which it is the worse one.
        difference: mean over subjects of the value of `method` minus that of `other`.
        interval: of that mean, BCa bootstrap over subjects, 95 %.
        p_value: Wilcoxon's signed-rank test, two-sided; 1 where all values are equal.
        p_adjusted: the same after Holm's correction for all comparisons made together.
        p_mann_whitney: Mann and Whitney's test, two-sided, as if subjects were not paired; what
            ReconResNet's paper gives, weaker than `p_value`.
        effect: matched-pairs rank-biserial correlation: 1 where `method` is better on every
            subject, -1 where it is worse on every one, 0 where neither is.
    """

    method: str
    other: str
    n: int
    n_better: int
    n_worse: int
    difference: float
    interval: Interval
    p_value: float
    p_adjusted: float
    p_mann_whitney: float
    effect: float

    @property
    def is_worse(self) -> bool:
        """Whether `method` loses: on most subjects, and by signed rank."""
        return self.n_worse > self.n_better and self.effect < 0


@dataclass(frozen=True)
class RankComparison:
    """Two groups of different subjects, by Mann and Whitney's test.

    Attributes:
        p_value: two-sided.
        effect: rank-biserial correlation, the share of pairs in which the first group's value is
            larger minus the share in which it is smaller.
    """

    p_value: float
    effect: float


def bootstrap_interval(
    values: Sequence[float], *, of: Literal["mean", "median"] = "mean"
) -> Interval:
    """Bracket the mean of the population that the values were drawn from, with 95 % confidence.

    Args:
        values: one for each subject, finite.
        of: what to bracket.

    Returns:
        The BCa bootstrap interval of the mean, or the percentile one of the median, whose
        acceleration the jackknife cannot tell; NaN for fewer than two values.

    Examples:
        >>> from mrirecon.evaluation.statistics import bootstrap_interval
        >>> interval = bootstrap_interval([0.90, 0.92, 0.93, 0.95, 0.91])
        >>> interval.low < 0.922 < interval.high
        True
    """
    if len(values) < 2 or not all(math.isfinite(value) for value in values):
        return Interval(math.nan, math.nan)
    if min(values) == max(values):
        return Interval(values[0], values[0])
    found = stats.bootstrap(
        (np.asarray(values),),
        np.mean if of == "mean" else np.median,
        method="BCa" if of == "mean" else "percentile",
        confidence_level=CONFIDENCE,
        n_resamples=_N_RESAMPLES,
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def compare_methods(
    scores: Mapping[str, Mapping[str, float]], method: str, *, higher_is_better: bool
) -> list[Comparison]:
    """Hold one method against every other one, on the subjects that both were scored on.

    Args:
        scores: value of each subject, under the names of method and subject.
        method: the one asked about; a key of `scores`.
        higher_is_better: as for SSIM and PSNR; not for NMSE.

    Returns:
        One comparison for each other method, in the order of `scores`, p-values corrected for
        their number.

    Raises:
        ValueError: `method` has no scores, shares no subject with another method, or a value that
            is compared is not finite; the message names method and subject.
    """
    if method not in scores:
        raise ValueError(f"method: expected one of {', '.join(scores)}, got {method!r}")
    others = [name for name in scores if name != method]
    found = [_compare(scores, method, other, higher_is_better) for other in others]
    adjusted = adjust_p_values([comparison.p_value for comparison in found])
    return [replace(c, p_adjusted=p) for c, p in zip(found, adjusted, strict=True)]


def compare_groups(values: Sequence[float], others: Sequence[float]) -> RankComparison:
    """Compare two groups of different subjects by rank (Mann and Whitney 1947).

    Args:
        values: one for each subject of the first group, at least one, not NaN.
        others: the same of the second group.

    Raises:
        ValueError: a group is empty or holds a NaN.
    """
    for name, group in (("values", values), ("others", others)):
        if not group or any(math.isnan(value) for value in group):
            raise ValueError(f"{name}: expected one or more numbers without NaN, got {list(group)}")
    found = stats.mannwhitneyu(values, others, alternative="two-sided")
    share = float(found.statistic) / (len(values) * len(others))  # ties count one half
    return RankComparison(p_value=float(found.pvalue), effect=2 * share - 1)


def adjust_p_values(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests made together (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1, never falls below the one before it, and
    never exceeds 1; so the chance of a single false finding among all stays below the level.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def _compare(
    scores: Mapping[str, Mapping[str, float]], method: str, other: str, higher_is_better: bool
) -> Comparison:
    subjects = [subject for subject in scores[method] if subject in scores[other]]
    if not subjects:
        raise ValueError(f"subjects: expected some that {method} and {other} share, got none")
    differences = np.array(
        [_finite(scores, method, s) - _finite(scores, other, s) for s in subjects]
    )
    gains = differences if higher_is_better else -differences
    p_value = _signed_rank_p_value(gains)
    return Comparison(
        method=method,
        other=other,
        n=len(subjects),
        n_better=int((gains > 0).sum()),
        n_worse=int((gains < 0).sum()),
        difference=fmean(differences),
        interval=bootstrap_interval(differences.tolist()),
        p_value=p_value,
        p_adjusted=p_value,
        p_mann_whitney=compare_groups(
            [scores[method][s] for s in subjects], [scores[other][s] for s in subjects]
        ).p_value,
        effect=_signed_rank_effect(gains),
    )


def _finite(scores: Mapping[str, Mapping[str, float]], method: str, subject: str) -> float:
    value = scores[method][subject]
    if not math.isfinite(value):
        raise ValueError(f"{method}: expected a finite score of subject {subject!r}, got {value}")
    return value


def _signed_rank_p_value(gains: NDArray[np.float64]) -> float:
    if not gains.any():
        return 1.0
    return float(stats.wilcoxon(gains, zero_method="wilcox").pvalue)


def _signed_rank_effect(gains: NDArray[np.float64]) -> float:
    """Return (sum of positive ranks - sum of negative ranks) / sum of ranks, zeros left out."""
    moved = gains[gains != 0]
    if not len(moved):
        return 0.0
    ranks = stats.rankdata(np.abs(moved))
    return float((np.sign(moved) * ranks).sum() / ranks.sum())
