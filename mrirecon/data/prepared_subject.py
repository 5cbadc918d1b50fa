"""One subject on its way from files to the store: read, checked, cleaned, fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.pixels import fit_centre, is_blank, magnitude
from mrirecon.data.prepare_config import PrepareConfig
from mrirecon.data.readers import Image, Subject
from mrirecon.data.readers.volume import FileSubject

BLANK, REPEATED = "blank", "repeated"


@dataclass(frozen=True)
class LeftOut:
    """A slice that the store does not hold."""

    subject: str
    slice: int | None
    """Its number within the source; None of a file that cannot be read."""
    reason: str
    """blank, repeated, or the error."""


@dataclass(frozen=True)
class PreparedSubject:
    """The slices of a subject as the store keeps them."""

    images: Sequence[Image]
    """(rows, cols) each, or complex64 (coils, rows, cols); of one shape, maybe none."""
    numbers: NDArray[np.int64]
    """(count,), of the slices within their source."""
    scale: float
    """Largest magnitude of the volume."""
    origin: str
    """What the images are, see `Subject.origin`."""
    is_measured: bool
    """Whether their Fourier transform is k-space that was measured."""
    left_out: tuple[LeftOut, ...]
    """In the order in which they were found."""


def prepare_subject(subject: Subject, config: PrepareConfig) -> PreparedSubject:
    """Read, check and fit the slices of a subject.

    Raises:
        ValueError: a file cannot be used and may not be left out, or the subject shows nothing.
    """
    damaged: list[LeftOut] = []
    if config.keep == "complex":
        slices, origin, is_measured = _read_complex(subject, config, damaged)
    else:
        slices = _read_magnitudes(subject, config, damaged)
        origin, is_measured = subject.origin if slices else "", False
    magnitudes = [magnitude(image) for _, image in slices]
    scale = max((float(image.max()) for image in magnitudes), default=0.0)
    blank = [
        LeftOut(subject.name, number, BLANK)
        for (number, _), image in zip(slices, magnitudes, strict=True)
        if scale <= 0 or (config.drop_blank and is_blank(image, scale))
    ]
    gone = {entry.slice for entry in blank}
    kept = [(number, image) for number, image in slices if number not in gone]
    if not kept and not config.drop_damaged:
        raise ValueError(
            f"{subject.files[0]}: expected an image in {subject.name}, got only blanks"
        )
    return PreparedSubject(
        images=[_fit(image, config) for _, image in kept],
        numbers=np.array([number for number, _ in kept], dtype=np.int64),
        scale=scale,
        origin=origin,
        is_measured=is_measured,
        left_out=(*damaged, *blank),
    )


def _fit(image: Image, config: PrepareConfig) -> Image:
    if image.dtype.kind == "c":
        return image
    fitted = image if config.size is None else fit_centre(image, config.size)
    return fitted.clip(min=0) if config.clip_negative else fitted


def _read_magnitudes(
    subject: Subject, config: PrepareConfig, damaged: list[LeftOut]
) -> list[tuple[int, Image]]:
    def leave_out(_: Path, error: ValueError) -> None:
        damaged.append(LeftOut(subject.name, None, str(error)))

    sound = []
    for number, image in subject.read_slices(leave_out if config.drop_damaged else None):
        file = subject.files[min(number, len(subject.files) - 1)]
        if _is_sound(file, number, image, subject, config, damaged):
            sound.append((number, image))
    return sound


def _read_complex(
    subject: Subject, config: PrepareConfig, damaged: list[LeftOut]
) -> tuple[list[tuple[int, Image]], str, bool]:
    file = subject.files[0]
    wanted = f"{file}: expected k-space or complex images, since they are to be kept (keep), got"
    if not isinstance(subject, FileSubject):
        raise ValueError(f"{wanted} {subject.origin}")
    slices: list[tuple[int, Image]] = []
    with subject.open() as volume:
        if volume.coil_images is None:
            raise ValueError(f"{wanted} {volume.origin}")
        for number in range(volume.n_slices):
            try:
                image = volume.coil_images.read(number)
            except ValueError as error:
                if not config.drop_damaged:
                    raise
                damaged.append(LeftOut(subject.name, number, str(error)))
                continue
            if _is_sound(file, number, image, subject, config, damaged):
                slices.append((number, image))
        return slices, volume.coil_images.origin, volume.coil_images.is_measured


def _is_sound(  # noqa: PLR0917  (a slice, where it comes from, and where to tell of it)
    file: Path,
    number: int,
    image: Image,
    subject: Subject,
    config: PrepareConfig,
    damaged: list[LeftOut],
) -> bool:
    """Tell whether the store may hold a slice; refuse or note one that it may not."""
    problem = _problem(image, config)
    if problem is not None and not config.drop_damaged:
        raise ValueError(f"{file}: {problem}")
    if problem is not None:
        damaged.append(LeftOut(subject.name, number, problem))
    return problem is None


def _problem(image: Image, config: PrepareConfig) -> str | None:
    if image.dtype.kind in "fc" and not np.isfinite(image).all():
        count = image.size - np.count_nonzero(np.isfinite(image))
        return f"expected finite values, got {count} NaN or Inf"
    if image.dtype.kind != "c" and not config.clip_negative and image.min() < 0:
        return (
            f"expected magnitudes, 0 or more, got {image.min()}; set them to 0 with --clip-negative"
        )
    return None
