from pathlib import Path

import pytest

from mrirecon.bench import (
    CaseResult,
    SuiteResult,
    WayResult,
    joined,
    read_result,
    read_results,
    write_result,
)
from mrirecon.bench.results import rounded

CASE = CaseResult(
    suite="ssim",
    name="7 x 7",
    threads=2,
    tolerance=1e-4,
    ways=(
        WayResult("mrirecon", "", 1e-8, 0.5, (1.0, 1.5, 2.0), 30, 0.25),
        WayResult("cupy", note="not installed"),
    ),
    aims={"fastest": 2.5},
    floors_ms={"bytes": 0.75},
    n_bytes=1024,
    n_images=16,
    curve="by side",
    at=320,
    neighbours=0.01,
)
RESULT = SuiteResult({"command": "mrirecon bench ssim", "versions": {"PyTorch": "2"}}, (CASE,))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_result(RESULT, tmp_path / "ssim.json")
    assert read_result(tmp_path / "ssim.json") == RESULT


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    write_result(RESULT, tmp_path / "ssim.json")
    write_result(RESULT, tmp_path / "again.json")
    (tmp_path / "quality.json").write_text('{"table": []}')
    found = read_results(tmp_path)
    assert list(found) == ["again", "ssim"]
    assert joined(found.values()) == [CASE, CASE]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Invalid JSON"),
        ('{"about": {}, "cases": [', "Invalid JSON"),
        ('{"about": {}, "cases": [{"suite": "ssim"}]}', "cases.0.name: Field required"),
        ('{"cases": []}', "about: Field required"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "ssim.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="expected a result of `mrirecon bench`") as caught:
        read_result(path)
    assert reason in str(caught.value)


def test_a_failed_write_leaves_the_earlier_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ssim.json"
    write_result(RESULT, path)
    before = path.read_bytes()

    def refuse(self: Path, text: str, encoding: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_result(RESULT, path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["ssim.json"]


def test_numbers_keep_four_digits() -> None:
    assert rounded({"a": [1.23456, 123456.7, (1e-9 / 3,)], "b": "text", "c": 123456}) == {
        "a": [1.235, 123500.0, [3.333e-10]],
        "b": "text",
        "c": 123456,
    }
