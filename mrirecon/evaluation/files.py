"""Write evaluations as CSV tables and as a JSON summary, whole or not at all."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from mrirecon.evaluation.columns import CELL_COLUMNS, cell_of, cell_values, write_csv
from mrirecon.evaluation.honesty import find_faults, summarise_checks
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import (
    SliceScore,
    SubjectScore,
    aggregate,
    score_subjects,
    unit_scores,
)
from mrirecon.files import atomic_path
from mrirecon.metrics import ALL_METRICS, Protocol

SCORE_COLUMNS = ("ssim", "psnr_db", "nmse", "nrmse", "uqi", "difference_std", "ms_ssim")
_POOLED = ("psnr", "nmse", "nrmse", "difference_std")
_SUM_COLUMNS = ("n_pixels", "data_range", "squared_error", "target_energy", "difference")
_CHECK_COLUMNS = ("residual", "invented", "change", "alignment")
SLICE_COLUMNS = (
    *CELL_COLUMNS,
    "acceleration",
    "scan_time_s",
    "subject",
    "slice",
    "region",
    "run",
    "method",
    *SCORE_COLUMNS,
    *_SUM_COLUMNS,
    *_CHECK_COLUMNS,
)
SUBJECT_COLUMNS = (
    *CELL_COLUMNS,
    "acceleration",
    "scan_time_s",
    "subject",
    "n_slices",
    "region",
    "run",
    "method",
    *SCORE_COLUMNS,
)
TIMING_COLUMNS = (
    "test_set",
    "cell",
    "run",
    "methods",
    "n_slices",
    "seconds",
    "images_per_second",
    "peak_memory_mib",
    "device",
    "threads",
)


def write_scores_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write one row for each slice, method and region, numbers in full precision.

    A protocol that pools errors over the volume defines none of a slice: their cells stay empty,
    so that no number stands under a protocol that did not make it. The sums beside them give the
    volume's.

    Args:
        evaluations: of any test sets and cells.
        path: the CSV file to write; columns as in `SLICE_COLUMNS`.
    """
    rows: list[Sequence[object]] = []
    for evaluation in evaluations:
        cell = cell_values(evaluation)
        is_own = evaluation.protocol.errors_over == "slice"
        for score in evaluation.scores:
            rows.append(
                (
                    *cell,
                    cell_of(score.acceleration),
                    cell_of(score.scan_time),
                    score.subject,
                    score.slice,
                    score.region,
                    evaluation.runs.get(score.method, ""),
                    score.method,
                    *_score_values(score, evaluation.protocol, has_errors=is_own),
                    *(cell_of(getattr(score, name)) for name in _SUM_COLUMNS),
                    *(cell_of(getattr(score, name)) for name in _CHECK_COLUMNS),
                )
            )
    write_csv(path, SLICE_COLUMNS, rows)


def write_subjects_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write one row for each subject, method and region, numbers in full precision.

    Args:
        evaluations: of any test sets and cells.
        path: the CSV file to write; columns as in `SUBJECT_COLUMNS`.
    """
    rows: list[Sequence[object]] = []
    for evaluation in evaluations:
        cell = cell_values(evaluation)
        slices: dict[str, list[SliceScore]] = {}
        for score in evaluation.scores:
            slices.setdefault(score.subject, []).append(score)
        for subject in score_subjects(evaluation.scores, evaluation.protocol):
            own = slices[subject.subject]
            rows.append(
                (
                    *cell,
                    fmean(score.acceleration or math.nan for score in own),
                    cell_of(own[0].scan_time),
                    subject.subject,
                    subject.n_slices,
                    subject.region,
                    evaluation.runs.get(subject.method, ""),
                    subject.method,
                    *_score_values(subject, evaluation.protocol, has_errors=True),
                )
            )
    write_csv(path, SUBJECT_COLUMNS, rows)


def write_timing_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write what each source of images took, apart from the scores, which a rerun repeats.

    Args:
        evaluations: of any test sets and cells.
        path: the CSV file to write; columns as in `TIMING_COLUMNS`, methods that were made
            together joined by " | ".
    """
    rows = [
        (
            evaluation.name,
            evaluation.cell.title,
            evaluation.runs.get(methods[0], ""),
            " | ".join(methods),
            used.n_slices,
            round(used.seconds, 6),
            round(used.images_per_second, 3),
            round(used.peak_memory / 2**20, 1),
            used.device,
            used.n_threads,
        )
        for evaluation in evaluations
        for methods, used in evaluation.throughput.items()
    ]
    write_csv(path, TIMING_COLUMNS, rows)


def write_summary_json(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write each test set's statistics with the protocol, sampling and seed that made them.

    Args:
        evaluations: of any test sets.
        path: the JSON file to write; numbers that are not finite become null.
    """
    content = {"test_sets": [summarise_evaluation(evaluation) for evaluation in evaluations]}
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def summarise_evaluation(evaluation: Evaluation) -> dict[str, object]:
    """Describe one evaluation in JSON's types: what was scored, how, and the statistics."""
    units = unit_scores(evaluation.scores, evaluation.protocol)
    statistics = {
        method: {
            metric: {key: _finite_or_none(value) for key, value in asdict(numbers).items()}
            for metric, numbers in by_metric.items()
        }
        for method, by_metric in aggregate(units).items()
    }
    return {
        "name": evaluation.name,
        "cell": evaluation.cell.title,
        "runs": dict(evaluation.runs),
        "description": evaluation.description,
        "protocol": asdict(evaluation.protocol),
        "sampling": asdict(evaluation.sampling),
        "seed": evaluation.seed,
        "simulated": evaluation.is_simulated,
        "simulation": asdict(evaluation.simulation),
        "classical": {name: asdict(method) for name, method in evaluation.classical.items()},
        "n_blank": evaluation.n_blank,
        "statistics": statistics,
        "checks": {method: asdict(found) for method, found in summarise_checks(evaluation).items()},
        "warnings": [asdict(fault) for fault in find_faults(evaluation)],
    }


def _score_values(
    score: SliceScore | SubjectScore, protocol: Protocol, *, has_errors: bool
) -> list[object]:
    """Give a score's metrics in the order of `SCORE_COLUMNS`, "" for what it does not have."""
    values: list[object] = []
    for metric in ALL_METRICS:
        has_it = metric in protocol.metrics and (has_errors or metric not in _POOLED)
        values.append(cell_of(getattr(score, metric)) if has_it else "")
    return values


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
