"""`python -m performance`: benchmarks/results to docs/performance.md, pictures and README.md."""

from pathlib import Path

from mrirecon.bench import read_results
from mrirecon.files import atomic_path
from performance import charts, page, readme

_ROOT = Path(__file__).parents[2]
RESULTS, DOCS, README = _ROOT / "benchmarks" / "results", _ROOT / "docs", _ROOT / "README.md"


def main() -> None:
    """Write everything that is made of results."""
    results = read_results(RESULTS)
    for name, draw in charts.CHARTS.items():
        with atomic_path(DOCS / name) as path:
            draw(results, path)
    _write(DOCS / "performance.md", page.render(results))
    _write(README, readme.fill(README.read_text(encoding="utf-8"), results))


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
