"""Curves over the cells of a grid: which are drawn, and where their points lie."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import pytest
from evaluation_cases import make_dataset, make_evaluation

from mrirecon.data import SimulationConfig
from mrirecon.evaluation import Evaluation
from mrirecon.report import grid_charts
from mrirecon.report.chart_frame import Chart
from mrirecon.report.charts import Series
from mrirecon.report.grid_charts import draw_grid
from mrirecon.sampling import SamplingConfig

Drawn = list[tuple[str, str, dict[str, Series]]]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return make_evaluation(make_dataset(tmp_path_factory.mktemp("store")))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Collect label, axis and lines of every chart."""
    found: Drawn = []

    def record(series: dict[str, Series], label: str, axis: str, *, description: str) -> Chart:
        found.append((label, axis, series))
        return Chart("", description)

    monkeypatch.setattr(grid_charts, "series_chart", record)
    return found


def cell_of(
    scored: Evaluation, strategy: str, rate: float, *, noise_std: float = 0.0
) -> Evaluation:
    """Take the scores for those of another cell, worse with acceleration."""
    scores = [
        replace(s, acceleration=rate, scan_time=60 / rate, ssim=s.ssim / rate)
        for s in scored.scores
    ]
    sampling = SamplingConfig(strategy=strategy, acceleration=rate)
    simulation = SimulationConfig(noise_std=noise_std)
    cell = replace(scored.cell, sampling=sampling, simulation=simulation)
    return replace(scored, cell=cell, scores=scores)


def labels(drawn: Drawn) -> Sequence[tuple[str, str]]:
    return [(label, axis) for label, axis, _ in drawn]


def test_each_method_is_a_line_over_acceleration(scored: Evaluation, drawn: Drawn) -> None:
    cells = [cell_of(scored, "random", rate) for rate in (8, 2, 4)]
    (view,) = draw_grid(cells)
    assert labels(drawn)[:2] == [
        ("SSIM, random", "acceleration"),
        ("PSNR [dB], random", "acceleration"),
    ]
    lines = drawn[0][2]
    assert list(lines) == list(scored.methods)
    for method, line in lines.items():
        assert line.places == [2, 4, 8]
        own = [s.ssim for s in scored.scores if s.method == method]
        assert line.values == pytest.approx([fmean(own) / rate for rate in (2, 4, 8)])
        assert all(i.low <= v <= i.high for i, v in zip(line.intervals, line.values, strict=True))
    assert len(view.charts) == 4


def test_the_result_of_every_strategy_is_a_line_over_scan_time(
    scored: Evaluation, drawn: Drawn
) -> None:
    cells = [
        cell_of(scored, "random", 2),
        cell_of(scored, "random", 4),
        cell_of(scored, "gaussian", 3),
    ]
    draw_grid(cells)
    label, axis, lines = drawn[2]
    assert (label, axis) == (f"SSIM of {scored.methods[-1]}", "scan time [s]")
    assert {name: line.places for name, line in lines.items()} == {
        "random": [15, 30],
        "gaussian": [20],
    }
    assert len({line.colour for line in lines.values()}) == 2


def test_one_acceleration_of_each_strategy_has_no_curve(scored: Evaluation) -> None:
    assert draw_grid([cell_of(scored, "random", 2), cell_of(scored, "gaussian", 4)]) == []


def test_noise_levels_are_told_apart(scored: Evaluation, drawn: Drawn) -> None:
    cells = [cell_of(scored, "random", rate, noise_std=n) for n in (0, 0.02) for rate in (2, 4)]
    assert [view.title for view in draw_grid(cells)] == ["small", "small, noise 0.02"]


def test_a_strategy_without_a_scan_time_is_left_out_of_its_chart(
    scored: Evaluation, drawn: Drawn
) -> None:
    cells = [cell_of(scored, "random", rate) for rate in (2, 4)]
    plane = [cell_of(scored, "variable_density_2d", rate) for rate in (2, 4)]
    plane = [replace(c, scores=[replace(s, scan_time=None) for s in c.scores]) for c in plane]
    draw_grid(cells + plane)
    by_time = [lines for _, axis, lines in drawn if axis == "scan time [s]"]
    assert [list(lines) for lines in by_time] == [["random"]] * 2


def test_networks_of_several_runs_share_a_colour_and_differ_in_dashes(
    scored: Evaluation, drawn: Drawn
) -> None:
    last = scored.methods[-1]
    both = [
        replace(score, method=f"{last} ({run})")
        for run in ("a", "b")
        for score in scored.scores
        if score.method == last
    ]
    draw_grid([cell_of(replace(scored, scores=both), "random", rate) for rate in (2, 4)])
    first, second = drawn[0][2].values()
    assert first.colour == second.colour
    assert (first.number, second.number) == (0, 1)


def test_the_chart_is_drawn_whatever_the_name(scored: Evaluation) -> None:
    cells = [cell_of(scored, "random", rate) for rate in (2, 4)]
    named = [replace(cell, name='<b> $x$ & "quoted"') for cell in cells]
    (view,) = draw_grid(named)
    assert all(chart.uri.startswith("data:image/svg+xml;base64,") for chart in view.charts)
    assert view.charts[0].size[1] > view.charts[0].size[0] / 2
