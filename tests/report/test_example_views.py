"""How many slices a report holds: the first of every test set before the second of any."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from evaluation_cases import make_dataset, make_evaluation, make_example
from report_cases import make_content

from mrirecon.evaluation import Evaluation
from mrirecon.report import ReportTestSet, render_report
from mrirecon.report.example_views import MOST_BYTES, lay_out_examples


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return make_evaluation(make_dataset(tmp_path_factory.mktemp("store")))


def noisy(scored: Evaluation, size: int) -> ReportTestSet:
    """Three examples whose pictures no PNG makes smaller."""
    example = make_example(scored, 0.1 * torch.randn(size, size))
    return ReportTestSet(scored, [replace(example, reason=name) for name in ("1st", "2nd", "3rd")])


def test_all_are_laid_out_where_there_is_room(scored: Evaluation) -> None:
    views = lay_out_examples([noisy(scored, 20)] * 2, error_limit=0.3)
    assert [[view.reason for view in own] for own in views] == [["1st", "2nd", "3rd"]] * 2


def test_every_test_set_keeps_its_first_where_room_runs_out(scored: Evaluation) -> None:
    test_sets = [noisy(scored, 20)] * 3
    (first, *_), *_ = lay_out_examples(test_sets, error_limit=0.3)
    size = sum(picture.n_bytes for picture in first.pictures)
    views = lay_out_examples(test_sets, error_limit=0.3, most_bytes=4 * size + size // 2)
    assert [[view.reason for view in own] for own in views] == [["1st", "2nd"], ["1st"], ["1st"]]


def test_a_large_report_stays_below_10_megabytes_and_says_so(tmp_path: Path) -> None:
    """Twelve cells of 256 x 256 pixels of noise would fill more than twice as much."""
    content = make_content(tmp_path)
    scored = content.sections[0].test_sets[0].evaluation
    section = replace(content.sections[0], test_sets=[noisy(scored, 256)])
    page = render_report(replace(content, sections=[section] * 12))
    assert MOST_BYTES < len(page) < 10_000_000
    assert "slices left out, so that the file stays below 10 MB" in page
