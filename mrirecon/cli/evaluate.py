"""`mrirecon evaluate`: a run and a test set in, scores and a report out."""

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mrirecon.cli.info import collect
from mrirecon.cli.regularisation import MethodsOption, TunedOption, choose_methods
from mrirecon.cli.runs import (
    CheckpointOption,
    PatternOption,
    TrainedRun,
    checkpoint_choice,
    choose_device,
    choose_patterns,
    load_run,
    score_test_set,
)
from mrirecon.cli.terminal import console, say
from mrirecon.config import config_to_yaml
from mrirecon.data import SliceDataset, SliceStore
from mrirecon.evaluation import (
    Evaluation,
    aggregate,
    unit_scores,
    write_comparisons_csv,
    write_scores_csv,
    write_subjects_csv,
    write_summary_json,
)
from mrirecon.metrics import get_protocol
from mrirecon.models import describe_kind
from mrirecon.report import ReportContent, ReportSection, ReportTestSet, write_report
from mrirecon.sampling import sampling_title
from mrirecon.training.log import METRICS


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained run.")],
    store: Annotated[
        Path | None, typer.Option(help="Store with the test set; the run's own if not given.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    protocol: Annotated[
        str, typer.Option(help="fastmri, per_slice or gaussian; see docs/conventions.md.")
    ] = "per_slice",
    out: Annotated[
        Path | None, typer.Option(help="Folder for scores and report; RUN/evaluation if not given.")
    ] = None,
    description: Annotated[str, typer.Option(help="What the data are, for the report.")] = "",
    method: MethodsOption = None,
    tuned: TunedOption = None,
    checkpoint: CheckpointOption = "best",
    pattern: PatternOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Score zero-filled (or gridded) images, the network, and the network with data consistency.

    A run of a mixture is scored on each of its patterns, or on --pattern. With --method also
    classical reconstructions: SENSE, total variation, l1-wavelets.

    Writes scores.csv (each slice), subjects.csv, comparisons.csv (the result against each other
    method, with intervals and tests), summary.json and report.html, which opens in a browser by a
    double click.
    """
    chosen, how = choose_device(device), get_protocol(protocol)
    classical = choose_methods(method, tuned, run)
    trained = load_run(run, chosen, choice=checkpoint_choice(checkpoint))
    path = store or trained.config.store
    sections = []
    patterns = choose_patterns(trained.config, pattern)
    with SliceStore(path) as opened:
        for title, sampling in patterns.items():
            where = f"{path.stem}, {split}"
            test_set = score_test_set(
                trained,
                SliceDataset(opened, split),
                protocol=how,
                name=where if len(patterns) == 1 else f"{where}, {title}",
                description=description or f"Split {split} of {path}.",
                device=chosen,
                sampling=sampling,
                classical=classical,
            )
            sections.append(make_section(trained, title, [test_set]))
    folder = out or run / "evaluation"
    write_results(folder, f"Reconstruction of {path.stem}", "", sections)
    print_scores([section.test_sets[0].evaluation for section in sections])
    say(f"report: {folder / 'report.html'}")


def make_section(
    trained: TrainedRun, title: str, test_sets: Sequence[ReportTestSet]
) -> ReportSection:
    """Describe one run and what it was scored on."""
    config = trained.config
    n_parameters = sum(p.numel() for p in trained.generator.parameters())
    against = "against a patch discriminator" if config.training.losses.adversarial else "alone"
    return ReportSection(
        title=title,
        description=(
            f"{describe_kind(config.generator.network)}, {n_parameters:,} parameters, trained "
            f"{against} for {config.training.steps:,} steps of {config.training.batch_size} "
            f"slices. Data consistency: {config.generator.consistency}."
        ),
        test_sets=test_sets,
        metrics_log=trained.path / METRICS,
        configuration=config_to_yaml(config),
    )


def write_results(
    folder: Path, title: str, introduction: str, sections: Sequence[ReportSection]
) -> None:
    """Write the CSV tables, summary.json and report.html into a folder."""
    evaluations = [test_set.evaluation for section in sections for test_set in section.test_sets]
    write_scores_csv(evaluations, folder / "scores.csv")
    write_subjects_csv(evaluations, folder / "subjects.csv")
    write_comparisons_csv(evaluations, folder / "comparisons.csv")
    write_summary_json(evaluations, folder / "summary.json")
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
                sampling_title(evaluation.sampling) if method == evaluation.methods[0] else "",
                method,
                f"{numbers['ssim'].mean:.4f}",
                f"{numbers['psnr'].mean:.2f}",
                f"{numbers['nmse'].mean:.5f}",
            )
    console.print(table)
