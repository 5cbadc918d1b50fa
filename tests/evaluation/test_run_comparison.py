"""Runs held against one another: what differs, who is ahead, and whether that can be tested."""

import re
from pathlib import Path

import pytest
from run_cases import KEY, SUBJECTS, make_run

from mrirecon.evaluation import compare_runs, differing_settings, read_runs

BETTER = {subject: 0.9 + 0.001 * place for place, subject in enumerate(SUBJECTS)}
WORSE = {subject: value - 0.05 - 0.001 * len(subject) for subject, value in BETTER.items()}


def test_only_settings_that_differ_are_told(tmp_path: Path) -> None:
    runs = read_runs(
        [
            make_run(tmp_path / "a", settings={"steps": 600, "losses": {"l1": 1.0}}),
            make_run(tmp_path / "b", settings={"steps": 900, "losses": {"l1": 1.0, "ssim": 0.5}}),
        ]
    )
    assert differing_settings(runs) == {
        "training.steps": ["600", "900"],
        "training.losses.ssim": ["", "0.5"],
    }


def test_final_and_best_validation_and_speed_are_read(tmp_path: Path) -> None:
    first, second = read_runs(
        [
            make_run(tmp_path / "a", validation={200: 0.7, 400: 0.95, 600: 0.9}, rate=20),
            make_run(tmp_path / "b"),
        ]
    )
    assert first.validation("ssim") == (0.9, 0.95, 400)
    assert first.validation("nmse") is None
    assert (first.steps, first.images_per_second, first.peak_memory) == (600, 20, 2**30)
    assert second.images_per_second == 10


def test_subjects_are_paired_and_the_first_run_is_held_against_the_others(tmp_path: Path) -> None:
    less = {subject: value for subject, value in WORSE.items() if subject != "s7"}
    runs = read_runs([make_run(tmp_path / n, ssim=s) for n, s in (("a", BETTER), ("b", less))])
    (test,) = compare_runs(runs)
    assert test.n_subjects == 7
    (found,) = test.against["ssim"]
    assert (found.method, found.other, found.n) == ("a", "b", 7)
    assert found.difference == pytest.approx(0.052)
    assert found.n_better == 7
    assert found.p_value == pytest.approx(2 / 2**7)  # all signs alike
    shared = [value for subject, value in BETTER.items() if subject != "s7"]
    assert test.means["a"]["ssim"] == pytest.approx(sum(shared) / 7)
    assert test.against["psnr"][0].difference == pytest.approx(40 * 0.052)


@pytest.mark.parametrize("part", list(KEY))
def test_other_tests_are_not_paired(tmp_path: Path, part: str) -> None:
    other = KEY | {part: "another"}
    runs = read_runs(
        [make_run(tmp_path / "a", ssim=BETTER), make_run(tmp_path / "b", ssim=WORSE, key=other)]
    )
    assert compare_runs(runs) == []


def test_runs_without_evaluation_are_compared_by_validation_alone(tmp_path: Path) -> None:
    runs = read_runs([make_run(tmp_path / "a", ssim=BETTER), make_run(tmp_path / "b")])
    assert compare_runs(runs) == []


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    paths = [make_run(tmp_path / place / "run") for place in ("x", "y")]
    assert [run.name for run in read_runs(paths)] == [str(path) for path in paths]


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", "b", "a"]])
def test_fewer_than_two_runs_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in ("a", "b"):
        make_run(tmp_path / name)
    with pytest.raises(ValueError, match="RUN: expected two or more different runs, got"):
        read_runs([tmp_path / name for name in names])


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty: expected a run, got no config\.yaml"):
        read_runs([tmp_path / "a", tmp_path / "empty"])


def test_scores_of_an_older_format_are_named_with_their_line(tmp_path: Path) -> None:
    path = make_run(tmp_path / "a", ssim=BETTER) / "evaluation" / "subjects.csv"
    path.write_text("test_set,subject,method\nheads,s0,network + data consistency\n")
    with pytest.raises(ValueError, match=re.escape("subjects.csv, line 2: expected a row of")):
        read_runs([tmp_path / "a", make_run(tmp_path / "b")])


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    (make_run(tmp_path / "b") / "config.yaml").write_text("- 1\n")
    with pytest.raises(ValueError, match=r"config\.yaml: expected keys and values, got list"):
        read_runs([tmp_path / "a", tmp_path / "b"])
