"""Write what follows from the scores: statistics, comparisons, worst cases; each a CSV table."""

from collections.abc import Sequence
from pathlib import Path

from mrirecon.evaluation.columns import CELL_COLUMNS, cell_of, cell_values, write_csv
from mrirecon.evaluation.comparisons import compare_evaluation, results_of
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import IMAGE
from mrirecon.evaluation.statistics import Comparison, adjust_p_values
from mrirecon.evaluation.strata import summarise_strata
from mrirecon.metrics import MetricName

COMPARISON_COLUMNS = (
    *CELL_COLUMNS,
    "region",
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
    "p_adjusted_table",
    "p_mann_whitney",
    "effect",
    "loses",
)
STATISTICS_COLUMNS = (
    *CELL_COLUMNS,
    "region",
    "stratum",
    "run",
    "method",
    "metric",
    "n_subjects",
    "mean",
    "mean_low",
    "mean_high",
    "median",
    "median_low",
    "median_high",
    "sd",
)
WORST_COLUMNS = (*CELL_COLUMNS, "method", "rank", "subject", "slice", "ssim", "psnr_db")


_Row = tuple[Evaluation, str, MetricName, Comparison]


def write_comparisons_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write each result's comparison with each other method, by metric and region.

    Args:
        evaluations: of any test sets and cells.
        path: the CSV file to write; columns as in `COMPARISON_COLUMNS`, `difference` with the
            ends of its 95 % interval in the metric's unit; `p_adjusted` for the comparisons of a
            result, metric and region in one cell, `p_adjusted_table` for all of a metric and
            region in the file.
    """
    rows = _compare_all(evaluations)
    adjusted = _adjust_over_table(rows)
    write_csv(
        path,
        COMPARISON_COLUMNS,
        [
            (
                *cell_values(evaluation),
                region,
                metric,
                found.method,
                found.other,
                found.n,
                found.n_better,
                found.n_worse,
                found.difference,
                cell_of(found.interval.low),
                cell_of(found.interval.high),
                found.p_value,
                found.p_adjusted,
                value,
                found.p_mann_whitney,
                found.effect,
                found.is_worse,
            )
            for (evaluation, region, metric, found), value in zip(rows, adjusted, strict=True)
        ],
    )


def _compare_all(evaluations: Sequence[Evaluation]) -> list[_Row]:
    rows: list[_Row] = []
    for evaluation in evaluations:
        for region in dict.fromkeys(score.region for score in evaluation.scores):
            for result in results_of(evaluation):
                compared = compare_evaluation(
                    evaluation, method=result, region=region, metrics=evaluation.protocol.metrics
                )
                for metric, comparisons in compared.items():
                    rows += [(evaluation, region, metric, found) for found in comparisons]
    return rows


def _adjust_over_table(rows: Sequence[_Row]) -> list[float]:
    """Correct the p-values of each metric and region for all of the table's tests (Holm)."""
    families: dict[tuple[str, str], list[int]] = {}
    for place, (_, region, metric, _) in enumerate(rows):
        families.setdefault((region, metric), []).append(place)
    adjusted = [0.0] * len(rows)
    for places in families.values():
        values = adjust_p_values([rows[place][3].p_value for place in places])
        for place, value in zip(places, values, strict=True):
            adjusted[place] = value
    return adjusted


def write_statistics_csv(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write the statistics over subjects of each region, stratum, method and metric.

    Args:
        evaluations: of any test sets and cells.
        path: the CSV file to write; columns as in `STATISTICS_COLUMNS`.
    """
    rows = [
        (
            *cell_values(evaluation),
            found.region,
            found.stratum,
            evaluation.runs.get(found.method, ""),
            found.method,
            found.metric,
            found.statistics.n,
            found.statistics.mean,
            cell_of(found.mean_interval.low),
            cell_of(found.mean_interval.high),
            found.statistics.median,
            cell_of(found.median_interval.low),
            cell_of(found.median_interval.high),
            cell_of(found.statistics.std),
        )
        for evaluation in evaluations
        for found in summarise_strata(evaluation)
    ]
    write_csv(path, STATISTICS_COLUMNS, rows)


def write_worst_csv(evaluations: Sequence[Evaluation], path: Path, *, n_worst: int = 5) -> None:
    """Write the slices of each result with the lowest SSIM, the lowest first.

    Args:
        evaluations: of any test sets and cells.
        path: the CSV file to write; columns as in `WORST_COLUMNS`.
        n_worst: of each result in each cell.
    """
    rows: list[Sequence[object]] = []
    for evaluation in evaluations:
        for result in results_of(evaluation):
            own = [s for s in evaluation.scores if (s.method, s.region) == (result, IMAGE)]
            for rank, score in enumerate(sorted(own, key=lambda s: s.ssim)[:n_worst], start=1):
                cell = cell_values(evaluation)
                psnr = cell_of(score.psnr)
                rows.append((*cell, result, rank, score.subject, score.slice, score.ssim, psnr))
    write_csv(path, WORST_COLUMNS, rows)
