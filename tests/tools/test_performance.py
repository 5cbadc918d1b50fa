from dataclasses import replace
from pathlib import Path

import pytest
from performance import charts, page, readme
from performance.text import comma, ms, ratio

from mrirecon.bench import SUITES, CaseResult, SuiteResult, WayResult, read_results

ROOT = Path(__file__).parents[2]
ABOUT = {
    "command": "mrirecon bench ssim",
    "processor": "Some CPU",
    "cores": 2,
    "simd": "avx2",
    "system": "Linux",
    "python": "3.11",
    "compiler": "g++ 12",
    "versions": {"PyTorch": "2.13"},
}


def timed(way: str, median: float) -> WayResult:
    quartiles = (0.9 * median, median, 1.1 * median)
    return WayResult(way, "tuned", 1e-7, 12.0, quartiles, 30, 5.0)


CASE = CaseResult(
    suite="ssim",
    name="a case",
    threads=2,
    tolerance=1e-4,
    ways=(
        timed("mrirecon", 2.0),
        timed("scikit-image", 50.0),
        timed("torch.compile: slices", 6.0),
        WayResult("cupy", note="not installed"),
        WayResult("piqa", error=0.5, note="wrong: error 5.0e-01, allowed 1.0e-04"),
    ),
    aims={"fastest": 2.5, "scikit-image": 30.0},
    floors_ms={"bytes": 0.5, "operations": 0.8},
    n_bytes=16_000_000,
    n_operations=1e9,
    n_images=16,
    neighbours=0.01,
)
RESULTS = {"ssim": SuiteResult(ABOUT, (CASE,))}


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_a_case_is_a_line_with_ratio_aims_and_floor() -> None:
    text = page.render(RESULTS)
    assert line_of(text, "| a case | 2 | 2 |") == (
        "| a case | 2 | 2 | 8,000 | torch.compile: slices | 6 | 3.00 | 3.00 of 2.5; "
        "scikit-image 25.0 of 30 **missed** | 0.8 (operations) | 2.50 |"
    )


def test_every_way_has_a_line_also_without_times() -> None:
    text = page.render(RESULTS)
    assert "| a case | 2 | scikit-image | 50 | 20% | 25.0 | 1.0e-07 | 5 | 12 | tuned |" in text
    assert "| a case | 2 | cupy |  |  |  |  |  |  | not installed |" in text
    assert "| a case | 2 | piqa |  |  |  | 5.0e-01 |  |  | wrong: error 5.0e-01" in text


def test_missed_aims_are_listed_and_reached_ones_counted() -> None:
    text = page.render(RESULTS)
    assert "1 of 2 aims are reached." in text
    assert "| ssim: a case | 2 | scikit-image | 25.0 | 30 |" in text


def test_aims_are_for_the_most_threads() -> None:
    text = page.render({"ssim": SuiteResult(ABOUT, (replace(CASE, threads=1), CASE))})
    assert "1 of 2 aims are reached." in text
    assert "| a case | 1 | 2 | 8,000 | torch.compile: slices | 6 | 3.00 |  | 0.8" in text


def test_an_aim_against_what_was_not_measured_is_said_to_be() -> None:
    alone = replace(CASE, ways=CASE.ways[:1])
    text = page.render({"ssim": SuiteResult(ABOUT, (alone,))})
    assert "| none |  |  | 2.5, not measured; scikit-image 30, not measured |" in text


def test_the_machine_and_what_disturbed_are_named() -> None:
    noisy = replace(CASE, neighbours=0.2)
    text = page.render({"ssim": SuiteResult(ABOUT, (noisy,))})
    assert "- Some CPU, 2 cores, avx2; Linux, Python 3.11, compiler g++ 12: ssim" in text
    assert "- other programs took 20% of the machine at most" in text
    assert "| disturbed; tuned |" in text
    assert "disturbed" not in page.render(RESULTS)


@pytest.mark.parametrize("name", charts.CHARTS)
@pytest.mark.parametrize("results", [RESULTS, {}], ids=["results", "none"])
def test_charts_are_drawn_the_same_each_time(
    name: str, results: dict[str, SuiteResult], tmp_path: Path
) -> None:
    if results:
        curve = [replace(CASE, name=f"{n}", curve="by side", at=n, threads=t)
                 for n in (1, 2) for t in (1, 2)]  # fmt: skip
        one = replace(CASE, threads=1)
        results = {"ssim": SuiteResult(ABOUT, (CASE, one, *curve))}
    for file in ("a.png", "b.png"):
        charts.CHARTS[name](results, tmp_path / file)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_readme_has_its_table_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rivals = {"fastest": "the fastest other way", "scikit-image": "scikit-image"}
    claim = readme.Claim("SSIM", "ssim", "a case", rivals, has_rate=True)
    monkeypatch.setattr(readme, "CLAIMS", [claim])
    text = readme.fill(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter", RESULTS)
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert (
        "| SSIM | 8,000 images/s, 3.0 times as fast as the fastest other way, 25 times as fast as "
        "scikit-image | `mrirecon bench ssim`, [results](docs/performance.md#ssim) |"
    ) in text
    assert readme.fill(text, RESULTS) == text


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (readme.Claim("", "ssim", "another", {}), "expected ssim: another; found none"),
        (readme.Claim("", "coils", "a case", {}), "expected coils: a case; found none"),
        (readme.Claim("", "ssim", "a case", {}, threads=1), "found none"),
        (readme.Claim("", "ssim", "a case", {"cupy": "cupy"}), "expected a time of cupy"),
    ],
)
def test_a_claim_without_a_result_is_refused(
    claim: readme.Claim, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "CLAIMS", [claim])
    with pytest.raises(ValueError, match=reason):
        readme.render(RESULTS)


@pytest.mark.parametrize("text", ["", readme.BEGIN, readme.END + readme.BEGIN])
def test_a_readme_without_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"README\.md: expected <!-- performance"):
        readme.fill(text, RESULTS)


def test_numbers_are_written_without_exponents() -> None:
    assert [ms(x) for x in (None, 0.01234, 1.234, 99.96, 1234.5)] == [
        "",
        "0.0123",
        "1.23",
        "100",
        "1,234",
    ]
    assert [ratio(x) for x in (None, 1.234, 12.34, 123.4)] == ["", "1.23", "12.3", "123"]
    assert [comma(x) for x in (0, 1.234, 1234.5)] == ["", "1.23", "1,234"]


def test_the_page_and_readme_are_what_the_results_give() -> None:
    """No number of theirs is typed: `make performance` writes them, or they are not changed."""
    results = read_results(ROOT / "benchmarks" / "results")
    assert set(results) == set(SUITES)
    assert (ROOT / "docs" / "performance.md").read_text() == page.render(results)
    text = (ROOT / "README.md").read_text()
    assert readme.fill(text, results) == text
