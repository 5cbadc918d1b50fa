"""Lay slices out for the report: every picture a data URI, as many as a file should hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrirecon.evaluation import Example, MethodName
from mrirecon.report.content import ReportTestSet
from mrirecon.report.pictures import error_uri, grey_limit, grey_uri, largest_error_square
from mrirecon.report.tables import format_number

MOST_BYTES = 7_000_000
"""Of the pictures of slices in one report, so that with all else it stays below 10 MB."""


@dataclass(frozen=True)
class PictureView:
    """One column of an example; the target has neither scores nor an error map."""

    label: str
    scores: str
    image: str
    zoom: str
    error: str | None

    @property
    def n_bytes(self) -> int:
        """Of its pictures in the file."""
        return len(self.image) + len(self.zoom) + len(self.error or "")


@dataclass(frozen=True)
class ExampleView:
    """A slice with its columns; the zoomed square in percent of the image, as CSS takes it."""

    title: str
    reason: str
    is_ranked: bool
    pictures: list[PictureView]
    square: str
    n_pixels: int
    shape: tuple[int, int]


def lay_out_examples(
    test_sets: Sequence[ReportTestSet], *, error_limit: float, most_bytes: int = MOST_BYTES
) -> list[list[ExampleView]]:
    """Lay out the examples of all test sets, the first of each before the second of any.

    Args:
        test_sets: of the whole report.
        error_limit: upper end of the error scale.
        most_bytes: after which no further example is taken.

    Returns:
        Examples of each test set, in their order; fewer than there are where the bytes ran out.
    """
    views: list[list[ExampleView]] = [[] for _ in test_sets]
    whites = [grey_limit(test_set.examples) for test_set in test_sets]
    left = most_bytes
    for rank in range(max(len(test_set.examples) for test_set in test_sets)):
        for own, test_set, white in zip(views, test_sets, whites, strict=True):
            if rank >= len(test_set.examples):
                continue
            has_slice_psnr = test_set.evaluation.protocol.errors_over == "slice"
            view = _lay_out(test_set.examples[rank], white, error_limit, has_slice_psnr)
            left -= sum(picture.n_bytes for picture in view.pictures)
            if left < 0:
                return views
            own.append(view)
    return views


def example_title(example: Example) -> str:
    """Name a slice."""
    return f"{example.subject}, slice {example.slice}"


def _lay_out(example: Example, white: float, limit: float, has_slice_psnr: bool) -> ExampleView:
    row, col, side = largest_error_square(example)
    rows, cols = example.target.shape
    region = slice(row, row + side), slice(col, col + side)
    target = PictureView(
        label="target, fully sampled",
        scores="",
        image=grey_uri(example.target, upper=white),
        zoom=grey_uri(example.target[region], upper=white),
        error=None,
    )
    columns = [
        PictureView(
            label=method,
            scores=_write_scores(example, method, has_slice_psnr),
            image=grey_uri(example.images[method], upper=white),
            zoom=grey_uri(example.images[method][region], upper=white),
            error=error_uri(example.images[method], example.target, upper=limit),
        )
        for method in example.images
    ]
    return ExampleView(
        title=example_title(example),
        reason=example.reason,
        is_ranked=example.is_ranked,
        pictures=[target, *columns],
        square=f"left:{100 * col / cols:.2f}%;top:{100 * row / rows:.2f}%;"
        f"width:{100 * side / cols:.2f}%;height:{100 * side / rows:.2f}%",
        n_pixels=side,
        shape=(rows, cols),
    )


def _write_scores(example: Example, method: MethodName, has_slice_psnr: bool) -> str:
    """Write a slice's scores, only those that the protocol defines for a slice."""
    score = example.scores[method]
    texts = [f"SSIM {format_number(score.ssim, 3)}"]
    if has_slice_psnr:
        texts.append(f"{format_number(score.psnr, 1)} dB")
    return ", ".join(texts)
