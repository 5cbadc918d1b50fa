"""Warnings that a reader of a table must see: moved, unchanged, inconsistent or losing results."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from mrirecon.evaluation.checks import AS_IT_IS
from mrirecon.evaluation.comparisons import compare_evaluation, results_of
from mrirecon.evaluation.methods import (
    CLASSICAL_METHODS,
    METHODS,
    OFF_GRID_METHODS,
    MethodName,
    base_method,
)
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import IMAGE, SliceScore
from mrirecon.metrics import MetricName

FaultKind = Literal["simulated", "moved", "unchanged", "inconsistent", "loses"]
UNCHANGED_BELOW = 1e-3
"""Relative change of its input below which a network has done nothing that can be seen."""
INCONSISTENT_ABOVE = 0.1
"""Share of the measured signal that a result with data consistency may contradict, or twice what
`data consistency alone` does: off the grid few steps of conjugate gradients leave a part, and on it
magnitudes, which are not negative, do."""
_CONSISTENT: MethodName = "data consistency alone"
_INPUTS: tuple[MethodName, ...] = (METHODS[0], OFF_GRID_METHODS[0])
_ASKED: tuple[MetricName, ...] = ("ssim", "psnr")


@dataclass(frozen=True)
class Fault:
    """One warning.

    Attributes:
        kind: for a program that looks for it.
        method: whom it concerns; "" for the whole evaluation.
        text: for a reader, with its numbers.
    """

    kind: FaultKind
    method: MethodName
    text: str


@dataclass(frozen=True)
class CheckSummary:
    """The checks of one method: means over slices, and how many slices fit which move."""

    residual: float | None
    invented: float | None
    change: float | None
    alignments: dict[str, int]


def summarise_checks(evaluation: Evaluation) -> dict[MethodName, CheckSummary]:
    """Average what was checked on every slice, by method."""
    whole = [score for score in evaluation.scores if score.region == IMAGE]
    found = {}
    for method in evaluation.methods:
        own = [score for score in whole if score.method == method]
        found[method] = CheckSummary(
            _mean(own, "residual"),
            _mean(own, "invented"),
            _mean(own, "change"),
            dict(Counter(s.alignment for s in own if s.alignment is not None).most_common()),
        )
    return found


def find_faults(evaluation: Evaluation) -> list[Fault]:
    """List all that a reader must know before believing the scores, the gravest first."""
    faults = []
    found = summarise_checks(evaluation)
    alone = found[_CONSISTENT].residual if _CONSISTENT in found else None
    allowed = max(INCONSISTENT_ABOVE, 2 * (alone or 0))
    for method, checks in found.items():
        faults += _check_method(method, checks, allowed)
    for result in results_of(evaluation):
        faults += _find_losses(evaluation, result)
    if evaluation.is_simulated:
        text = f"{evaluation.kspace_statement} Scores on measured k-space will be lower."
        faults.append(Fault("simulated", "", text))
    return faults


def _check_method(method: MethodName, checks: CheckSummary, allowed: float) -> list[Fault]:
    faults = []
    n = sum(checks.alignments.values())
    closest = max(checks.alignments, key=lambda name: checks.alignments[name], default=AS_IT_IS)
    if closest != AS_IT_IS:
        count = checks.alignments[closest]
        text = f"{method}: {count} of {n} slices are closest to a target that is {closest}"
        faults.append(Fault("moved", method, text))
    if _is_network(method) and checks.change is not None and checks.change < UNCHANGED_BELOW:
        text = f"{method}: the network returns its input, changed by {checks.change:.1e} of it"
        faults.append(Fault("unchanged", method, text))
    promises = base_method(method).endswith("data consistency")
    if promises and checks.residual is not None and checks.residual > allowed:
        text = f"{method}: contradicts {checks.residual:.0%} of what was measured"
        faults.append(Fault("inconsistent", method, text))
    return faults


def _find_losses(evaluation: Evaluation, result: MethodName) -> list[Fault]:
    """Name the input and the classical methods that a result loses to, with the numbers."""
    rivals = (*_INPUTS, _CONSISTENT, *CLASSICAL_METHODS.values())
    faults = []
    compared = compare_evaluation(evaluation, method=result)
    for metric in _ASKED:
        for found in compared.get(metric, []):
            if result != found.other and found.other in rivals and found.is_worse:
                what = f"its own input, {found.other}" if found.other in _INPUTS else found.other
                text = (
                    f"{result}: loses to {what} by {metric.upper()}, on {found.n_worse} of "
                    f"{found.n} subjects, mean difference {found.difference:+.3g}"
                )
                faults.append(Fault("loses", result, text))
    return faults


def _is_network(method: MethodName) -> bool:
    return base_method(method) == "network"


def _mean(scores: Sequence[SliceScore], name: str) -> float | None:
    values = [value for score in scores if (value := getattr(score, name)) is not None]
    return fmean(values) if values else None
