"""Charts parsed as SVG: valid, themed, the same every time, safe with any name."""

import base64
import math
from xml.etree import ElementTree

import numpy as np
import pytest

from mrirecon.evaluation import METHODS, MethodName
from mrirecon.report.chart_frame import METHOD_COLOURS
from mrirecon.report.charts import Series, box_plot_uri, curve_uri, series_chart, spread_curve_uri

HOSTILE = '<script>1</script> $\\frac{$ & "quoted"'


def decode(uri: str) -> str:
    kind, _, text = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return base64.b64decode(text).decode("utf-8")


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def values_for(n: int) -> dict[MethodName, list[float]]:
    return {method: [0.1 * i + 0.01 * k for k in range(n)] for i, method in enumerate(METHODS, 1)}


@pytest.mark.parametrize("n", [1, 2, 5, 200])
def test_a_box_plot_names_its_metric_and_test_sets(n: int) -> None:
    svg = decode(box_plot_uri({"slab": values_for(n), "head": values_for(n)}, "SSIM"))
    assert {"SSIM", "slab", "head"} <= set(texts(svg))


def test_charts_have_a_colour_for_light_and_for_dark() -> None:
    svg = decode(box_plot_uri({"slab": values_for(5)}, "SSIM"))
    assert "prefers-color-scheme:dark" in svg
    for light, dark in METHOD_COLOURS.values():
        assert light in svg
        assert dark in svg
    assert "#0405" not in svg  # no placeholder is left


def test_the_same_values_give_the_same_chart() -> None:
    first, second = (box_plot_uri({"slab": values_for(9)}, "SSIM") for _ in range(2))
    assert first == second


def test_a_name_is_text_whatever_it_holds() -> None:
    svg = decode(box_plot_uri({HOSTILE: values_for(5)}, HOSTILE))
    assert texts(svg).count(HOSTILE) == 2
    assert "<script" not in svg


def test_values_that_are_not_finite_are_left_out() -> None:
    values: dict[MethodName, list[float]] = {key: [1.0, 2.0, 3.0] for key in METHODS}
    broken: dict[MethodName, list[float]] = {key: [1.0, 2.0, 3.0, math.inf] for key in METHODS}
    assert box_plot_uri({"slab": broken}, "PSNR") == box_plot_uri({"slab": values}, "PSNR")


def test_a_logarithmic_axis_changes_the_chart() -> None:
    values: dict[MethodName, list[float]] = {key: [0.001, 0.01, 0.5] for key in METHODS}
    plain, logarithmic = (
        box_plot_uri({"slab": values}, "NMSE", is_log=is_log) for is_log in (False, True)
    )
    assert plain != logarithmic


def test_a_long_curve_shows_its_values_and_their_running_mean() -> None:
    steps = [float(step) for step in range(400)]
    short, long = (decode(curve_uri(steps[:n], steps[:n], "loss")) for n in (20, 400))
    faint = "var(--c2)"
    assert f"stroke: {faint}" in long
    assert f"stroke: {faint}" not in short
    assert {"step", "loss"} <= set(texts(long))


def test_a_curve_of_one_value_is_drawn() -> None:
    assert "loss" in texts(decode(curve_uri([1.0], [0.5], "loss")))


def test_the_point_spread_curve_names_its_axis() -> None:
    svg = decode(spread_curve_uri(np.linspace(-60, 0, 20), -60.0))
    assert "distance from a structure [pixels]" in texts(svg)


def test_long_names_below_a_chart_stand_in_one_column() -> None:
    """In two columns the ends of "network + data consistency (points)" were cut off."""
    heights = {}
    for ending in ("", " + data consistency (points)"):
        names = [f"network{ending} {number}" for number in range(4)]
        series = {name: Series([1.0, 2.0], [0.5, 0.6], "#000000") for name in names}
        chart = series_chart(series, "SSIM", "acceleration", description="scores")
        heights[ending] = chart.size[1]
    short, long = heights.values()
    assert long > short
