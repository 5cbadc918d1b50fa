"""Say what came out, in words made from the numbers: how much was gained, and where it failed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Literal

from mrirecon.evaluation import (
    Comparison,
    Evaluation,
    FaultKind,
    MethodName,
    MetricName,
    SubjectScore,
    find_faults,
)
from mrirecon.report.tables import METRIC_LABELS, format_number, image_subjects, signed

HEADLINE_METRICS: tuple[MetricName, ...] = ("ssim", "psnr")
_MOST_NAMED = 2
_FAULT_LABELS: dict[FaultKind, str] = {
    "moved": "Moved",
    "unchanged": "Unchanged",
    "inconsistent": "Inconsistent",
}
"""Of the checks; losses and simulation are told for all test sets together."""
FEW_SUBJECTS = 6
"""Below it no signed-rank test of two-sided p < 0.05 exists: 2 / 2^5 = 0.0625."""


@dataclass(frozen=True)
class Outcome:
    """One test set under one sampling: its scores, and the result against each other method."""

    where: str
    evaluation: Evaluation
    comparisons: Mapping[MetricName, Sequence[Comparison]]

    @property
    def result(self) -> MethodName:
        """The method that is judged: the last."""
        return self.evaluation.methods[-1]

    @cached_property
    def subjects(self) -> Sequence[SubjectScore]:
        """Scores of the subjects, whatever the protocol counts."""
        return image_subjects(self.evaluation)

    def mean(self, method: MethodName, metric: MetricName) -> float:
        """Average a metric over the subjects."""
        return fmean(getattr(s, metric) for s in self.subjects if s.method == method)

    def rivals_that_win(self) -> list[MethodName]:
        """Methods that the result loses to by SSIM or by PSNR, subject by subject."""
        lost = {
            found.other
            for metric in HEADLINE_METRICS
            for found in self.comparisons.get(metric, ())
            if found.is_worse
        }
        return [method for method in self.evaluation.methods if method in lost]

    @property
    def is_ahead(self) -> bool:
        """Whether it is better than every other method on most subjects, by SSIM and by PSNR."""
        found = [c for metric in HEADLINE_METRICS for c in self.comparisons.get(metric, ())]
        return bool(found) and all(c.n_better > c.n_worse for c in found)


@dataclass(frozen=True)
class Finding:
    """One thing to know before any table: what kind it is, two words of it, and all of it."""

    kind: Literal["good", "bad", "info"]
    label: str
    text: str


@dataclass(frozen=True)
class Tile:
    """A number to see first, and what it is."""

    number: str
    label: str
    detail: str


def headline(outcome: Outcome) -> str:
    """Say in one sentence what the result gained over the first method, and how sure that is."""
    first, result = outcome.evaluation.methods[0], outcome.result
    metric = HEADLINE_METRICS[0]
    means = [format_number(outcome.mean(m, metric), 3) for m in (result, first)]
    against = "images" if first == "zero-filled" else "alone"
    text = (
        f"On {outcome.where}, {result} has a mean SSIM of {means[0]} where {first} {against} "
        f"{'have' if against == 'images' else 'has'} {means[1]}"
    )
    found = _against_first(outcome, metric)
    if found is None:
        return f"{text}."
    gained = signed(found.difference, 3)
    rival = _best_rival(outcome, metric)
    psnr = _against_first(outcome, "psnr")
    decibels = "" if psnr is None else f" and {signed(psnr.difference, 2)} dB"
    return f"{text}: {gained}{decibels}, {_certainty(found)}.{rival}"


def _best_rival(outcome: Outcome, metric: MetricName) -> str:
    """Name the other method of the highest mean, where it is higher than the result's."""
    means = {method: outcome.mean(method, metric) for method in outcome.evaluation.methods}
    best = max(means, key=means.__getitem__)
    if means[best] <= means[outcome.result]:
        return ""
    return f" But {best} has {format_number(means[best], 3)}."


def tiles(outcome: Outcome) -> list[Tile]:
    """Give the gains over the first method as numbers to see first."""
    first, result = outcome.evaluation.methods[0], outcome.result
    made = []
    for metric in HEADLINE_METRICS:
        found = _against_first(outcome, metric)
        if found is None:
            continue
        unit = " dB" if metric == "psnr" else ""
        digits = 2 if metric == "psnr" else 3
        values = [format_number(outcome.mean(m, metric), digits) for m in (first, result)]
        low, high = (format_number(end, digits) for end in _ends(found))
        interval = "" if math.isnan(found.interval.low) else f"; 95 %: {low} to {high}"
        made.append(
            Tile(
                number=signed(found.difference, digits) + unit,
                label=f"{METRIC_LABELS[metric].partition(' ')[0]} over {first}",
                detail=f"{values[0]} \N{RIGHTWARDS ARROW} {values[1]}{interval}",
            )
        )
    found = _against_first(outcome, HEADLINE_METRICS[0])
    if found is not None:
        unit = "subject" if found.n == 1 else "subjects"
        made.append(
            Tile(f"{found.n_better} of {found.n}", f"{unit} better than {first}", "by SSIM")
        )
    return made


def find(outcomes: Sequence[Outcome]) -> list[Finding]:
    """List what to know of all test sets: losses first, then what holds the numbers back."""
    found = []
    by_rivals: dict[tuple[MethodName, ...], list[str]] = {}
    for outcome in outcomes:
        by_rivals.setdefault(tuple(outcome.rivals_that_win()), []).append(outcome.where)
    for rivals, places in by_rivals.items():
        if rivals:
            where = _gather(places, len(outcomes))
            found.append(Finding("bad", "Loses", f"to {_enumerate(rivals)} on {where}."))
    found += _faults(outcomes)
    won = [outcome.where for outcome in outcomes if outcome.is_ahead]
    if won:
        text = f"on {_gather(won, len(outcomes))}"
        found.append(
            Finding("good", "Ahead", f"of every other method {text}, by SSIM and by PSNR.")
        )
    found += _limits(outcomes)
    return found


def _faults(outcomes: Sequence[Outcome]) -> list[Finding]:
    """Tell what the honesty checks found: images moved, unchanged, or against what was measured."""
    by_kind: dict[FaultKind, list[str]] = {}
    for outcome in outcomes:
        for fault in find_faults(outcome.evaluation):
            if fault.kind in _FAULT_LABELS:
                by_kind.setdefault(fault.kind, []).append(f"{fault.text} ({outcome.where})")
    found = []
    for kind, texts in by_kind.items():
        more = len(texts) - _MOST_NAMED
        text = "; ".join(texts[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        found.append(Finding("bad", _FAULT_LABELS[kind], f"{text}."))
    return found


def _limits(outcomes: Sequence[Outcome]) -> list[Finding]:
    found = []
    few = {o.where: _n_subjects(o) for o in outcomes if _n_subjects(o) < FEW_SUBJECTS}
    if few:
        counts = sorted(set(few.values()))
        n = " or ".join(map(str, counts)) + (" subject" if counts == [1] else " subjects")
        where = _gather(list(few), len(outcomes))
        cannot = (
            "no interval or test can be given" if counts == [1] else "no test can reach p < 0.05"
        )
        found.append(Finding("info", "Few subjects", f"{n} on {where}: {cannot}."))
    if any(outcome.evaluation.is_simulated for outcome in outcomes):
        found.append(
            Finding(
                "info",
                "Simulated",
                "k-space made from magnitude images is easier than a scanner's: its phase is "
                "known, and nothing moves. These scores do not tell what measured k-space gives.",
            )
        )
    return found


def _against_first(outcome: Outcome, metric: MetricName) -> Comparison | None:
    found = outcome.comparisons.get(metric, ())
    return next((c for c in found if c.other == outcome.evaluation.methods[0]), None)


def _certainty(found: Comparison) -> str:
    if found.n < 2:
        return "from one subject, which gives no interval"
    low, high = (format_number(end, 3) for end in _ends(found))
    p = "p < 0.001" if found.p_adjusted < 0.001 else f"p = {found.p_adjusted:.3f}"
    return f"95\N{NO-BREAK SPACE}% interval of the SSIM {low} to {high}, {found.n} subjects, {p}"


def _ends(found: Comparison) -> tuple[float, float]:
    return found.interval.low, found.interval.high


def _n_subjects(outcome: Outcome) -> int:
    return len({score.subject for score in outcome.subjects})


def _gather(places: Sequence[str], n_all: int) -> str:
    """Name a few places; count many, by what is measured of how many."""
    if len(places) <= _MOST_NAMED:
        return _enumerate(places)
    return f"{len(places)} of {n_all} measurements"


def _enumerate(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
