"""Turn an inspection into one HTML page with a picture of every subject."""

from dataclasses import dataclass
from pathlib import Path

import torch

from mrirecon.data import Inspection, SubjectReport
from mrirecon.files import atomic_path
from mrirecon.report.page import render_page
from mrirecon.report.pictures import grey_uri

MOST_PICTURES = 240
"""Subjects shown; more would make a page of many megabytes. They are chosen at even distances."""


@dataclass(frozen=True)
class SubjectView:
    """One subject: its picture and what is told beside it."""

    name: str
    picture: str
    facts: str
    values: str
    is_odd: bool
    """A problem names it."""


def write_inspection(path: Path, found: Inspection) -> None:
    """Write a self-contained HTML page about a source.

    Pictures are inlined; the page forbids itself scripts and links. All text is escaped.

    Args:
        path: the .html file to write; replaced as a whole or left as it was.
        found: what to tell.

    Raises:
        OSError: the file cannot be written.
    """
    page = render_inspection(found)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render_inspection(found: Inspection) -> str:
    """Make the page of `write_inspection` as text; equal findings give equal text."""
    problems = [finding for finding in found.findings if finding.severity == "problem"]
    odd = {name for finding in problems for name in finding.subjects}
    step = max(1, -(-len(found.subjects) // MOST_PICTURES))
    return render_page(
        "inspection.html",
        styles=("inspection.css",),
        found=found,
        title=", ".join(path.name or str(path) for path in found.source.paths),
        sizes=", ".join(f"{rows} x {cols} ({n})" for (rows, cols), n in found.sizes.items()),
        problems=problems,
        remarks=[finding for finding in found.findings if finding.severity == "note"],
        methods=sorted({s.snr.method for s in found.subjects if s.snr.value is not None}),
        origins=sorted({subject.origin for subject in found.subjects}),
        persons=len({subject.person for subject in found.subjects}),
        views=[_lay_out(subject, odd) for subject in found.subjects[::step]],
        unreadable={str(file): error for file, error in found.unreadable.items()},
    )


def _lay_out(subject: SubjectReport, odd: set[str]) -> SubjectView:
    sizes = ", ".join(f"{rows} x {cols}" for rows, cols in subject.sizes)
    slices = f"{subject.n_slices} slice" + ("s" if subject.n_slices > 1 else "")
    voxels = (
        "" if subject.voxel_size is None else " x ".join(f"{n:.3g}" for n in subject.voxel_size)
    )
    return SubjectView(
        name=subject.name + (f" ({subject.split})" if subject.split else ""),
        picture=grey_uri(torch.from_numpy(subject.thumbnail).float(), upper=255.0),
        facts=f"{slices}, {sizes}" + (f", {voxels} mm" if voxels else ""),
        values=f"{subject.minimum:g} to {subject.maximum:g}, {', '.join(subject.dtypes)}"
        + (f", {subject.n_blank} blank" if subject.n_blank else "")
        + ("" if subject.snr.value is None else f", SNR {subject.snr.value:.3g}"),
        is_odd=subject.name in odd,
    )
