"""`mrirecon evaluate`: runs, classical methods and a test set in, scores and a report out."""

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mrirecon.cli.info import collect
from mrirecon.cli.regularisation import MethodsOption, TunedOption
from mrirecon.cli.runs import (
    CheckpointOption,
    PatternOption,
    TrainedRun,
    checkpoint_choice,
    choose_device,
    load_run,
)
from mrirecon.cli.scoring import Plan, choose_sources, grid_of_runs, score_cells, show_cells
from mrirecon.cli.terminal import console, say
from mrirecon.config import config_to_yaml
from mrirecon.data import SliceStore
from mrirecon.evaluation import (
    Evaluation,
    TestSet,
    aggregate,
    find_faults,
    parse_regions,
    read_grid,
    unit_scores,
    write_comparisons_csv,
    write_scores_csv,
    write_statistics_csv,
    write_subjects_csv,
    write_summary_json,
    write_timing_csv,
    write_worst_csv,
)
from mrirecon.metrics import ALL_METRICS, PROTOCOLS, get_protocol
from mrirecon.models import describe_kind
from mrirecon.report import (
    ReportContent,
    ReportSection,
    ReportTestSet,
    write_paper_tables,
    write_report,
)
from mrirecon.training.log import METRICS


def evaluate(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN ...", help="Folders of trained runs, any number."),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Store with the test set; the runs' own if not given.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    grid: Annotated[
        Path | None,
        typer.Option(help="YAML file of samplings, accelerations, noise; the runs' own without."),
    ] = None,
    method: MethodsOption = None,
    tuned: TunedOption = None,
    protocol: Annotated[
        str, typer.Option(help=f"{', '.join(p.name for p in PROTOCOLS)}; see docs/evaluation.md.")
    ] = "per_slice",
    metric: Annotated[
        list[str] | None,
        typer.Option(help=f"Beside the protocol's own: {', '.join(ALL_METRICS)}; several times."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Score its pixels too: background, object, or NAME=FOLDER of masks; several times."
        ),
    ] = None,
    slices: Annotated[
        int | None, typer.Option(help="At most, of each volume, at even distances; all without.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for scores and report; of one run RUN/evaluation if not given."),
    ] = None,
    description: Annotated[str, typer.Option(help="What the data are, for the report.")] = "",
    checkpoint: CheckpointOption = "best",
    pattern: PatternOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Score zero-filled (or gridded) images, networks, and networks with data consistency.

    A run of a mixture is scored on each of its patterns, or on --pattern. With --method also
    classical reconstructions: SENSE, total variation, l1-wavelets. With --grid all of them at each
    of the grid's samplings, accelerations and noise levels.

    Writes scores.csv (each slice), subjects.csv, statistics.csv, comparisons.csv (the result
    against each other method, with intervals and tests), worst.csv, timing.csv, summary.json and
    report.html, which opens in a browser by a double click. What is finished is kept: started
    again after a stop, it goes on. What a reader must know before believing a score (moved or
    unchanged images, results that lose to their input) is printed and stands in summary.json.
    """
    chosen, how = choose_device(device), get_protocol(protocol).with_metrics(metric or [])
    trained = [load_run(run, chosen, choice=checkpoint_choice(checkpoint)) for run in runs or []]
    if grid and pattern is not None:
        raise ValueError(f"--pattern: expected none beside --grid, got {pattern!r}")
    cells = read_grid(grid) if grid else grid_of_runs(trained, pattern)
    path, folder = _one_store(store, trained), _folder(out, trained)
    _require_split(path, split)
    plan = Plan(
        TestSet(path, split, slices),
        cells.cells,
        choose_sources(trained, [*cells.methods, *(method or [])], tuned),
        cells,
        how,
        description or f"Split {split} of {path}.",
        parse_regions(region or []),
    )
    evaluations = score_cells(plan, folder, chosen)
    shown = show_cells(plan, evaluations, trained, chosen)
    sections = [make_section(trained, one.evaluation.cell.title, [one]) for one in shown]
    write_results(folder, f"Reconstruction of {path.stem}", "", sections)
    print_scores(evaluations)
    say(f"report: {folder / 'report.html'}")


def _one_store(store: Path | None, runs: Sequence[TrainedRun]) -> Path:
    found = {run.config.store for run in runs} if store is None else {store}
    if len(found) != 1:
        got = ", ".join(sorted(map(str, found))) or "none"
        raise ValueError(
            f"--store: expected one, since the runs do not name a single one, got {got}"
        )
    return found.pop()


def _require_split(path: Path, split: str) -> None:
    with SliceStore(path) as store:
        there = store.splits
    if split not in there:
        raise ValueError(
            f"--split: expected one in {path} ({', '.join(there) or 'none'}), got {split!r}"
        )


def _folder(out: Path | None, runs: Sequence[TrainedRun]) -> Path:
    if out is None and len(runs) != 1:
        raise ValueError(f"--out: expected a folder for {len(runs)} runs, got none")
    return out or runs[0].path / "evaluation"


def make_section(
    runs: Sequence[TrainedRun], title: str, test_sets: Sequence[ReportTestSet]
) -> ReportSection:
    """Describe runs and what they were scored on; the loss curves are those of a single run."""
    return ReportSection(
        title=title,
        description=" ".join(map(_describe, runs)) or "Classical methods alone.",
        test_sets=test_sets,
        metrics_log=runs[0].path / METRICS if len(runs) == 1 else None,
        configuration="---\n".join(config_to_yaml(run.config) for run in runs),
    )


def _describe(run: TrainedRun) -> str:
    config = run.config
    n_parameters = sum(p.numel() for p in run.generator.parameters())
    against = "against a patch discriminator" if config.training.losses.adversarial else "alone"
    return (
        f"{describe_kind(config.generator.network)}, {n_parameters:,} parameters, trained "
        f"{against} for {config.training.steps:,} steps of {config.training.batch_size} "
        f"slices. Data consistency: {config.generator.consistency}."
    )


def write_results(
    folder: Path, title: str, introduction: str, sections: Sequence[ReportSection]
) -> None:
    """Write the CSV tables, summary.json, tables for papers and report.html into a folder."""
    evaluations = [test_set.evaluation for section in sections for test_set in section.test_sets]
    write_scores_csv(evaluations, folder / "scores.csv")
    write_subjects_csv(evaluations, folder / "subjects.csv")
    write_comparisons_csv(evaluations, folder / "comparisons.csv")
    write_statistics_csv(evaluations, folder / "statistics.csv")
    write_worst_csv(evaluations, folder / "worst.csv")
    write_timing_csv(evaluations, folder / "timing.csv")
    write_summary_json(evaluations, folder / "summary.json")
    write_paper_tables(
        folder, [(one.title, test_set.evaluation) for one in sections for test_set in one.test_sets]
    )
    facts = collect()
    content = ReportContent(
        title=title,
        introduction=introduction,
        sections=sections,
        command=shlex.join(["mrirecon", *sys.argv[1:]]),
        seed=evaluations[0].seed,
        versions={
            key: str(facts[key]) for key in ("mrirecon", "torch", "python", "simd", "threads")
        }
        | {"GPU": ", ".join(facts["cuda_devices"]) or "none"},
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
    )
    write_report(folder / "report.html", content)


def print_scores(evaluations: Sequence[Evaluation]) -> None:
    """Show mean SSIM, PSNR and NMSE of each method and test set."""
    table = Table(title=f"mean scores, protocol {evaluations[0].protocol.name}")
    for heading in ("test set", "sampling", "method", "SSIM", "PSNR [dB]", "NMSE"):
        table.add_column(heading, justify="left" if heading[0] in "tsm" else "right")
    for evaluation in evaluations:
        statistics = aggregate(unit_scores(evaluation.scores, evaluation.protocol))
        for method in evaluation.methods:
            numbers = statistics[method]
            table.add_row(
                evaluation.name if method == evaluation.methods[0] else "",
                evaluation.cell.title if method == evaluation.methods[0] else "",
                method,
                f"{numbers['ssim'].mean:.4f}",
                f"{numbers['psnr'].mean:.2f}",
                f"{numbers['nmse'].mean:.5f}",
            )
    console.print(table)
    for evaluation in evaluations:
        for fault in find_faults(evaluation):
            colour = "yellow" if fault.kind == "simulated" else "red"
            text = f"{evaluation.name}, {evaluation.cell.title}: {fault.text}"
            console.print(text, style=colour, markup=False, highlight=False, soft_wrap=True)
