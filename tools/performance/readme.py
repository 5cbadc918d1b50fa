"""README's table of speeds: which results it names, and what it says of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from mrirecon.bench import CaseResult, SuiteResult
from mrirecon.bench.case import FASTEST
from performance.text import comma, table

BEGIN, END = "<!-- performance: `make performance` writes this -->", "<!-- performance: end -->"


@dataclass(frozen=True)
class Claim:
    """A line of the table.

    Attributes:
        label: what is compared.
        suite: whose result it is.
        case: name of the case.
        rivals: ways or peers, or "fastest", and how the reader knows them.
        threads: of the result.
        has_rate: whether images a second are named.
    """

    label: str
    suite: str
    case: str
    rivals: Mapping[str, str]
    threads: int = 2
    has_rate: bool = False


CLAIMS: list[Claim] = [
    Claim(
        "SSIM of 16 images, 320 x 320",
        "ssim",
        "7 x 7 uniform, forward, 16 x 1 x 320 x 320",
        {FASTEST: "the fastest other way", "scikit-image": "scikit-image"},
    ),
]


def fill(text: str, results: Mapping[str, SuiteResult]) -> str:
    """Return README's text with its table of speeds made anew.

    Raises:
        ValueError: the marks around the table are not there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md: expected {BEGIN} and, further down, {END}")
    return f"{before}{BEGIN}\n{render(results)}{END}{after}"


def render(results: Mapping[str, SuiteResult]) -> str:
    """Return the table.

    Raises:
        ValueError: a result that it names is not there.
    """
    rows = []
    for claim in CLAIMS:
        case = find(claim, results)
        says = [_times(case, rival, name) for rival, name in claim.rivals.items()]
        ours = case.ours
        if claim.has_rate and ours is not None and ours.median_ms:
            says.insert(0, f"{comma(1e3 * case.n_images / ours.median_ms)} images/s")
        shown = f"[results](docs/performance.md#{claim.suite.replace('_', '-')})"
        rows.append([claim.label, ", ".join(says), f"`mrirecon bench {claim.suite}`, {shown}"])
    return table(["", "here", "shown by"], rows)


def find(claim: Claim, results: Mapping[str, SuiteResult]) -> CaseResult:
    """Return the result that a line is made of."""
    cases = results[claim.suite].cases if claim.suite in results else ()
    for case in cases:
        if (case.name, case.threads) == (claim.case, claim.threads):
            return case
    raise ValueError(f"benchmarks/results: expected {claim.suite}: {claim.case}; found none")


def _times(case: CaseResult, rival: str, name: str) -> str:
    found = case.ratio_to(rival)
    if found is None:
        raise ValueError(f"{case.suite}: {case.name}: expected a time of {rival}; found none")
    return f"{found:.{1 if found < 10 else 0}f} times as fast as {name}"
