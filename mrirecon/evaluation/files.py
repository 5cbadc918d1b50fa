"""Write evaluations as CSV tables and as a JSON summary, whole or not at all."""

import csv
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from mrirecon.evaluation.comparisons import compare_evaluation
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import aggregate, score_subjects, unit_scores
from mrirecon.files import atomic_path

SLICE_COLUMNS = ("test_set", "protocol", "subject", "slice", "method", "ssim", "psnr_db", "nmse")
SUBJECT_COLUMNS = (
    "test_set",
    "protocol",
    "subject",
    "n_slices",
    "method",
    "ssim",
    "psnr_db",
    "nmse",
)
COMPARISON_COLUMNS = (
    "test_set",
    "protocol",
    "metric",
    "method",
    "other",
    "n_subjects",
    "n_better",
    "n_worse",
    "difference",
    "low",
    "high",
    "p_value",
    "p_adjusted",
    "effect",
)


def write_scores_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write one row for each slice and method, numbers in full precision.

    A protocol that pools PSNR and NMSE over the volume defines none of a slice: their cells stay
    empty, so that no number stands under a protocol that did not make it.

    Args:
        evaluations: of any test sets.
        path: the CSV file to write; columns as in `SLICE_COLUMNS`.
    """
    rows: list[Sequence[object]] = []
    for evaluation in evaluations:
        for score in evaluation.scores:
            is_own = evaluation.protocol.errors_over == "slice"
            errors = (score.psnr, score.nmse) if is_own else ("", "")
            rows.append(
                (
                    evaluation.name,
                    evaluation.protocol.name,
                    score.subject,
                    score.slice,
                    score.method,
                    score.ssim,
                    *errors,
                )
            )
    _write_csv(path, SLICE_COLUMNS, rows)


def write_subjects_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write one row for each subject and method, numbers in full precision.

    Args:
        evaluations: of any test sets.
        path: the CSV file to write; columns as in `SUBJECT_COLUMNS`.
    """
    rows = [
        (
            evaluation.name,
            evaluation.protocol.name,
            score.subject,
            score.n_slices,
            score.method,
            score.ssim,
            score.psnr,
            score.nmse,
        )
        for evaluation in evaluations
        for score in score_subjects(evaluation.scores, evaluation.protocol)
    ]
    _write_csv(path, SUBJECT_COLUMNS, rows)


def write_comparisons_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write the last method's comparison with each other one, by metric, in full precision.

    Args:
        evaluations: of any test sets.
        path: the CSV file to write; columns as in `COMPARISON_COLUMNS`, `difference` with the
            ends of its 95 % interval in the metric's unit.
    """
    rows = [
        (
            evaluation.name,
            evaluation.protocol.name,
            metric,
            found.method,
            found.other,
            found.n,
            found.n_better,
            found.n_worse,
            found.difference,
            found.interval.low,
            found.interval.high,
            found.p_value,
            found.p_adjusted,
            found.effect,
        )
        for evaluation in evaluations
        for metric, comparisons in compare_evaluation(evaluation).items()
        for found in comparisons
    ]
    _write_csv(path, COMPARISON_COLUMNS, rows)


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
        "description": evaluation.description,
        "protocol": asdict(evaluation.protocol),
        "sampling": asdict(evaluation.sampling),
        "seed": evaluation.seed,
        "simulated": evaluation.is_simulated,
        "simulation": asdict(evaluation.simulation),
        "classical": {name: asdict(method) for name, method in evaluation.classical.items()},
        "n_blank": evaluation.n_blank,
        "seconds": round(evaluation.seconds, 3),
        "statistics": statistics,
    }


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as opened,
    ):
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
