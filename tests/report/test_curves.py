"""Reading a training's log."""

from pathlib import Path

import pytest

from mrirecon.report.curves import read_curves


def test_each_number_becomes_a_curve_over_steps(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text(
        '{"step": 1, "epoch": 0, "loss": 0.5}\n{"step": 2, "loss": 0.25, "ssim": 0.9}\n',
        encoding="utf-8",
    )
    curves = read_curves(log)
    assert list(curves) == ["loss", "ssim"]
    assert (curves["loss"].steps, curves["loss"].values) == ([1.0, 2.0], [0.5, 0.25])
    assert curves["ssim"].steps == [2.0]


def test_texts_flags_and_nan_are_no_curve(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step": 1, "name": "a", "ok": true, "loss": NaN}\n', encoding="utf-8")
    assert read_curves(log) == {}


@pytest.mark.parametrize("line", ["{", "[1]", '{"loss": 1}', '{"step": null}'])
def test_a_broken_line_is_named_with_its_file(tmp_path: Path, line: str) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step": 1, "loss": 1}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 2: expected a JSON object"):
        read_curves(log)
