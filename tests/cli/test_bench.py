import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from mrirecon.bench import Case, Problem, Setup, Way
from mrirecon.cli.app import app

RUN = CliRunner()
RIGHT = torch.tensor([3.0, 4.0])


@pytest.fixture(autouse=True)
def _keep_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def of(factor: float, name: str = "a case") -> Case:
    ways = {
        "mrirecon": lambda: Way(lambda: factor * RIGHT),
        "PyTorch: plain": lambda: Way(lambda: RIGHT + 0),
        "NumPy": lambda: Way(RIGHT.numpy),
    }
    return Case("small", name, lambda: Problem(ways, RIGHT.double, tolerance=1e-3))


@pytest.fixture
def factor(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Replaces the suites by one of two cases, whose result of ours is off by a factor."""
    chosen = {"factor": 1.0}

    def cases(setup: Setup) -> Iterator[Case]:
        yield of(chosen["factor"])
        yield of(1.0, "another")

    monkeypatch.setattr("mrirecon.cli.bench.SUITES", {"small": cases})
    monkeypatch.setattr("mrirecon.cli.bench.peak_operations", lambda device: 1e12)
    return chosen


def test_a_suite_is_measured_and_kept(factor: dict[str, float], tmp_path: Path) -> None:
    options = ["--seconds", "0", "--threads", "1", "--threads", "2", "--out", str(tmp_path)]
    result = RUN.invoke(app, ["bench", "small", *options])
    assert result.exit_code == 0, result.output
    assert "small: a case, 1 threads" in result.output
    stored = json.loads((tmp_path / "small.json").read_text())
    assert [(case["name"], case["threads"]) for case in stored["cases"]] == [
        ("a case", 1),
        ("another", 1),
        ("a case", 2),
        ("another", 2),
    ]
    assert [way["way"] for way in stored["cases"][0]["ways"]] == [
        "mrirecon",
        "PyTorch: plain",
        "NumPy",
    ]


def test_cases_and_peers_are_picked(factor: dict[str, float], tmp_path: Path) -> None:
    options = ["--seconds", "0", "--case", "anoth", "--peer", "NumPy", "--out", str(tmp_path)]
    assert RUN.invoke(app, ["bench", *options]).exit_code == 0
    (case,) = json.loads((tmp_path / "small.json").read_text())["cases"]
    assert case["name"] == "another"
    assert [way["way"] for way in case["ways"]] == ["mrirecon", "NumPy"]


def test_fails_where_this_package_is_wrong(factor: dict[str, float]) -> None:
    factor["factor"] = 1.1
    result = RUN.invoke(app, ["bench", "--seconds", "0"])
    assert result.exit_code == 1
    assert "mrirecon is not right in: small: a case" in result.output


def test_what_there_is_no_time_for_is_no_failure(factor: dict[str, float]) -> None:
    result = RUN.invoke(app, ["bench", "--minutes", "0"])
    assert result.exit_code == 0
    assert "left out: no time" in result.output


def test_cases_are_listed_without_being_made() -> None:
    result = RUN.invoke(app, ["bench", "ssim", "--list"])
    assert result.exit_code == 0
    assert "ssim: 7 x 7 uniform, forward, 16 x 1 x 320 x 320" in result.output
    assert "not installed: " in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nonsense"], "suite: expected one of small; got nonsense"),
        (["--peer", "nonsense"], "peer: expected one of mrirecon, PyTorch"),
        (["--device", "nonsense"], "device: expected cpu or cuda, got nonsense"),
        (["--threads", "0"], "threads: expected at least 1, got 0"),
        (["--case", "nonsense"], "case: expected a part of a name that --list gives"),
    ],
)
def test_refuses_what_it_does_not_know(
    arguments: list[str], reason: str, factor: dict[str, float]
) -> None:
    result = RUN.invoke(app, ["bench", *arguments])
    assert isinstance(result.exception, ValueError)
    assert reason in str(result.exception)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_refuses_a_gpu_that_is_not_there() -> None:
    result = RUN.invoke(app, ["bench", "--device", "cuda"])
    assert "device: cuda needs a GPU that torch can use" in str(result.exception)


def stored(path: Path, ours: float) -> Path:
    def way(name: str, ms: float) -> dict:
        return {"way": name, "quartiles_ms": [ms, ms, ms], "n_samples": 3}

    case = {"suite": "ssim", "name": "a case", "threads": 2, "tolerance": 1e-3, "aims": {}}
    case |= {"floors_ms": {}, "ways": [way("mrirecon", ours), way("NumPy", 10.0)]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": {}, "cases": [case]}))
    return path


def test_what_became_slower_is_named_and_fails(tmp_path: Path) -> None:
    old, new = stored(tmp_path / "old/ssim.json", 1.0), stored(tmp_path / "new/ssim.json", 1.3)
    result = RUN.invoke(app, ["bench-compare", str(old), str(new)])
    assert result.exit_code == 1
    assert "ssim: a case, 2 threads (mrirecon): 1.30 times, slower" in result.output
    assert RUN.invoke(app, ["bench-compare", str(new), str(old)]).exit_code == 0
    folders = [str(old.parent), str(new.parent)]
    assert RUN.invoke(app, ["bench-compare", *folders, "--limit", "1.5"]).exit_code == 0


def test_results_of_nothing_in_common_are_refused(tmp_path: Path) -> None:
    old = stored(tmp_path / "ssim.json", 1.0)
    (tmp_path / "none").mkdir()
    result = RUN.invoke(app, ["bench-compare", str(old), str(tmp_path / "none")])
    assert "none: expected cases of" in str(result.exception)
