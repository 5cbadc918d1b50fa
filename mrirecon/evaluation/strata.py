"""Statistics over subjects: of all slices, and of those with and without a lesion."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mrirecon.evaluation.methods import MethodName, order_methods
from mrirecon.evaluation.regions import COMPUTED
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import (
    IMAGE,
    SliceScore,
    Statistics,
    metric_values,
    score_subjects,
    summarise,
)
from mrirecon.evaluation.statistics import Interval, bootstrap_interval
from mrirecon.metrics import MetricName

ALL_SLICES = "all"


@dataclass(frozen=True)
class Summary:
    """One metric of one method over the subjects of a stratum.

    Attributes:
        region: whose pixels count.
        stratum: which slices count: `ALL_SLICES`, "with REGION" or "without REGION".
        method: what made the images.
        metric: what was scored.
        statistics: over subjects.
        mean_interval: 95 %, BCa bootstrap over subjects.
        median_interval: 95 %, percentile bootstrap over subjects.
    """

    region: str
    stratum: str
    method: MethodName
    metric: MetricName
    statistics: Statistics
    mean_interval: Interval
    median_interval: Interval


def summarise_strata(evaluation: Evaluation) -> Iterator[Summary]:
    """Summarise every region, stratum, method and metric of the protocol, subject by subject."""
    for stratum, scores in split_by_lesion(evaluation.scores).items():
        subjects = score_subjects(scores, evaluation.protocol)
        for region in dict.fromkeys(score.region for score in subjects):
            inside = [score for score in subjects if score.region == region]
            for method in order_methods(score.method for score in inside):
                own = [score for score in inside if score.method == method]
                for metric in evaluation.protocol.metrics:
                    values = [v for v in metric_values(own, metric) if not math.isnan(v)]
                    if values:
                        yield Summary(
                            region,
                            stratum,
                            method,
                            metric,
                            summarise(values),
                            bootstrap_interval(values),
                            bootstrap_interval(values, of="median"),
                        )


def split_by_lesion(scores: Sequence[SliceScore]) -> dict[str, list[SliceScore]]:
    """Sort slices by whether they show each region that comes from masks.

    Returns:
        `ALL_SLICES` with all scores; "with NAME" and "without NAME" with those of the slices that
        have pixels in the region and of those that have none, where there are both.
    """
    strata = {ALL_SLICES: list(scores)}
    for region in dict.fromkeys(score.region for score in scores):
        if region in (IMAGE, *COMPUTED):
            continue
        shown = {(s.subject, s.slice) for s in scores if s.region == region}
        inside = [s for s in scores if (s.subject, s.slice) in shown]
        outside = [s for s in scores if (s.subject, s.slice) not in shown]
        if outside:
            strata[f"with {region}"], strata[f"without {region}"] = inside, outside
    return strata
