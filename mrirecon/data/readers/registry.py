"""Choose the reader of a source by the files that lie in it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mrirecon.data.readers import folder, nifti, picture
from mrirecon.data.readers.layout import find_files
from mrirecon.data.readers.nifti import SliceAxis
from mrirecon.data.readers.subject import Source

KINDS: dict[str, tuple[str, ...]] = {"NIfTI": nifti.SUFFIXES, "image": picture.SUFFIXES}
"""Kinds of files; the first that a source holds is read, so that a preview is not."""


def read_source(
    path: str | Path, *, channel: str | int | None = None, slice_axis: SliceAxis = "axial"
) -> Source:
    """Find the subjects in a file or folder; pixels are read when they are asked for.

    A folder of pictures holds a folder for each subject, with slices in the numeric order of
    their names, or pictures named `<subject>_<number>`. In a folder of NIfTI files each is a
    subject. Folders named train, val and test give the split. Masks are set apart.

    Args:
        path: folder, or one TIFF, PNG, JPEG or NIfTI file.
        channel: of colour pictures: pre, flair, post, red, green, blue, luminance or 0 to 2.
        slice_axis: of NIfTI volumes.

    Returns:
        Subjects and what was left out.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: no image is there, or an option does not exist.
    """
    root = Path(path)
    files = find_files(root)
    source = _read(root, files, channel, slice_axis)
    if source.subjects:
        return source
    if source.masks:
        raise ValueError(f"{root}: expected images, got {len(source.masks)} masks alone")
    suffixes = ", ".join(suffix for kind in KINDS.values() for suffix in kind)
    raise ValueError(f"{root}: expected images ({suffixes}), got {_describe(files)}")


def _read(
    root: Path, files: Sequence[Path], channel: str | int | None, slice_axis: SliceAxis
) -> Source:
    if any(file.name.lower().endswith(KINDS["NIfTI"]) for file in files):
        if channel is not None:
            raise ValueError(f"channel: expected none for NIfTI files ({root}), got {channel!r}")
        return nifti.read_niftis(root, files, slice_axis)
    return folder.read_pictures(root, files, channel)


def _describe(files: Sequence[Path]) -> str:
    if not files:
        return "an empty folder"
    counts = Counter(file.suffix or "no suffix" for file in files).most_common(3)
    return "files of other kinds: " + ", ".join(f"{n} x {suffix}" for suffix, n in counts)
