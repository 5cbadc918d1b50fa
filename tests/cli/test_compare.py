"""`mrirecon compare` as a person would call it."""

from pathlib import Path

from command import Command
from run_cases import SUBJECTS, make_run


def test_compare_tells_settings_validation_speed_and_tests(
    mrirecon: Command, tmp_path: Path
) -> None:
    scores = {subject: 0.9 + 0.001 * place for place, subject in enumerate(SUBJECTS)}
    first = make_run(tmp_path / "a", settings={"steps": 600}, ssim=scores, rate=20)
    worse = {subject: value - 0.02 for subject, value in scores.items()}
    second = make_run(tmp_path / "b [red]", settings={"steps": 900}, ssim=worse)
    result = mrirecon("compare", first, second, "--html", tmp_path / "page.html")
    assert result.status == 0, result.err
    for expected in ("training.steps", "600", "900", "20.0", "b [red]", "8 subjects", "+0.0200"):
        assert expected in result.out
    assert "Runs compared" in (tmp_path / "page.html").read_text("utf-8")


def test_compare_names_a_folder_without_a_run(mrirecon: Command, tmp_path: Path) -> None:
    result = mrirecon("compare", make_run(tmp_path / "a"), tmp_path / "b")
    assert result.status == 1
    assert "b: expected a run, got no config.yaml; see mrirecon train" in result.err
