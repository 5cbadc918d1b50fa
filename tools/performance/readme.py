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


_FASTEST = {FASTEST: "the fastest other way"}
_CENTRED = {"PyTorch: centred": "centred 2-D transforms in PyTorch"}
CLAIMS: list[Claim] = [
    Claim(
        "SSIM, 7 x 7, of 16 images, 320 x 320",
        "ssim",
        "7 x 7 uniform, forward, 16 x 1 x 320 x 320",
        _FASTEST | {"scikit-image": "scikit-image"},
    ),
    Claim(
        "SSIM, 11 x 11, with its gradient, as a loss",
        "ssim",
        "11 x 11 Gaussian, with gradient, 16 x 1 x 320 x 320",
        _FASTEST | {"pytorch-msssim": "pytorch-msssim"},
    ),
    Claim(
        "PSNR, NMSE and SSIM of 32 slices, 320 x 320",
        "metrics",
        "PSNR, NMSE and SSIM, protocol fastmri, 32 x 320 x 320",
        _FASTEST,
    ),
    Claim(
        "data consistency, lines, 16 images, 256 x 256",
        "image_consistency",
        "forward, lines, 16 x 1 x 256 x 256",
        _FASTEST | _CENTRED,
    ),
    Claim(
        "the same, 4 images of 8 coils, 320 x 320",
        "image_consistency",
        "forward, lines, 4 x 8 x 320 x 320 with maps",
        _FASTEST | _CENTRED,
    ),
    Claim(
        "NUFFT, 256 x 256, 64 spokes, 16 images",
        "nufft",
        "forward, 256 x 256, 64 x 512 radial, batch of 16, accuracy 0.001",
        {"ducc0": "ducc0", "FINUFFT": "FINUFFT", "torchkbnufft": "torchkbnufft"},
    ),
    Claim(
        "its adjoint",
        "nufft",
        "adjoint, 256 x 256, 64 x 512 radial, batch of 16, accuracy 0.001",
        {"ducc0": "ducc0", "FINUFFT": "FINUFFT", "torchkbnufft": "torchkbnufft"},
    ),
    Claim(
        "loader with undersampling, 256 x 256",
        "loader",
        "epoch of 512 slices, 256 x 256, batches of 16",
        {
            "PyTorch: batched, one axis": "whole batches in PyTorch",
            "PyTorch: one slice at a time": "a slice at a time",
        },
        has_rate=True,
    ),
    Claim(
        "GAN step, small ReconResNet, 256 x 256",
        "training",
        "GAN step, small ReconResNet, 16 channels, 6 blocks, 8 x 256 x 256",
        {
            "PyTorch: float32": "the same in plain PyTorch",
            FASTEST: "its fastest form, bfloat16 and compiled ones included",
        },
        has_rate=True,
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
