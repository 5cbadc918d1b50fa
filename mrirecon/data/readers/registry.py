"""Choose the readers of a source by the files that lie in it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mrirecon.data.readers import arrays, dicom, fastmri, folder, hdf5, mrd, nifti, picture
from mrirecon.data.readers.arrays import ArrayOptions
from mrirecon.data.readers.dicom_files import SUFFIXES as DICOM_SUFFIXES
from mrirecon.data.readers.dicom_files import is_dicom
from mrirecon.data.readers.layout import find_files
from mrirecon.data.readers.nifti import SliceAxis, require_slice_axis
from mrirecon.data.readers.subject import Source, Subject

KINDS: dict[str, tuple[str, ...]] = {
    "NIfTI": nifti.SUFFIXES,
    "DICOM": DICOM_SUFFIXES,
    "HDF5": hdf5.SUFFIXES,
    "array": arrays.SUFFIXES,
    "image": picture.SUFFIXES,
}
"""Kinds of files by suffix. HDF5 is told by its contents, DICOM also without a suffix."""


def read_source(
    path: str | Path | Sequence[str | Path],
    *,
    channel: str | int | None = None,
    slice_axis: SliceAxis = "axial",
    arrays: ArrayOptions | None = None,
) -> Source:
    """Find the subjects in files or folders; pixels are read when they are asked for.

    A folder of pictures holds a folder for each subject, with slices in the numeric order of
    their names, or pictures named `<subject>_<number>`. Other kinds tell their volumes themselves;
    where one of them lies beside pictures, the pictures are previews and not read. Folders named
    train, val and test give the split. Masks are set apart.

    Args:
        path: folder, or one TIFF, PNG, JPEG, NIfTI, DICOM, fastMRI, MRD, BART or NumPy file; or
            several of them.
        channel: of colour pictures: pre, flair, post, red, green, blue, luminance or 0 to 2.
        slice_axis: of NIfTI volumes.
        arrays: what .npy, .npz and .cfl files hold, which they do not tell themselves.

    Returns:
        Subjects and what was left out.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: no image is there, or an option does not exist.

    Examples:
        >>> from mrirecon.data import read_source
        >>> source = read_source("scans")
        >>> subject = source.subjects[0]
        >>> subject.name, subject.read_volume().shape
        ('head0', (8, 32, 32))
    """
    require_slice_axis(slice_axis)
    options = arrays or ArrayOptions()
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        raise ValueError("path: expected a file or folder, got none")
    return _join([_read(Path(each), channel, slice_axis, options) for each in paths])


def _read(
    root: Path, channel: str | int | None, slice_axis: SliceAxis, options: ArrayOptions
) -> Source:
    picture.parse_channel(channel)
    files = find_files(root)
    by_kind = _sort_by_kind(files)
    readers: dict[str, Callable[[Sequence[Path]], Source]] = {
        "NIfTI": lambda found: nifti.read_niftis(root, found, slice_axis),
        "DICOM": lambda found: dicom.read_dicoms(root, found),
        "fastMRI": lambda found: fastmri.read_fastmris(root, found),
        "MRD": lambda found: mrd.read_mrds(root, found),
        "array": lambda found: arrays.read_arrays(root, found, options),
        "image": lambda found: folder.read_pictures(root, found, channel),
    }
    kinds = _choose_kinds(set(by_kind) & readers.keys(), options)
    if channel is not None and kinds and "image" not in kinds:
        raise ValueError(
            f"channel: expected none for {', '.join(kinds)} files ({root}), got {channel!r}"
        )
    sources = [readers[kind](by_kind[kind]) for kind in kinds] or [Source((root,), "", (), (), ())]
    unread = [file for kind, found in by_kind.items() if kind not in kinds for file in found]
    source = _join(sources, unread)
    if source.subjects:
        return source
    if source.masks:
        raise ValueError(f"{root}: expected images, got {len(source.masks)} masks alone")
    suffixes = ", ".join(suffix for kind in KINDS.values() for suffix in kind)
    raise ValueError(f"{root}: expected images ({suffixes}), got {_describe(files)}")


def _sort_by_kind(files: Sequence[Path]) -> dict[str, list[Path]]:
    by_kind: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        by_kind[_kind_of(file)].append(file)
    return by_kind


def _kind_of(file: Path) -> str:
    name = file.name.lower()
    for kind, suffixes in KINDS.items():
        if name.endswith(suffixes):
            return hdf5.hdf5_kind(file) or "other" if kind == "HDF5" else kind
    return "DICOM" if is_dicom(file) else "other"


def _choose_kinds(present: set[str], options: ArrayOptions) -> list[str]:
    """Name the kinds to read: volumes before pictures, arrays if a person says what they are."""
    volumes = present - {"image", "array"}
    if options.contents is not None:
        volumes |= present & {"array"}
    others: list[str] = [kind for kind in ("image", "array") if kind in present]
    return sorted(volumes) or others[:1]


def _join(sources: Sequence[Source], unread: Sequence[Path] = ()) -> Source:
    """Make one source of several, with names that differ."""
    subjects: dict[str, Subject] = {}
    for source in sources:
        for subject in source.subjects:
            name, number = subject.name, 1
            while name in subjects:
                number += 1
                name = f"{subject.name} ({number})"
            subjects[name] = subject if name == subject.name else replace(subject, name=name)
    masks = [file for source in sources for file in source.masks]
    ignored = [file for source in sources for file in source.ignored]
    kinds = dict.fromkeys(source.kind for source in sources)
    return Source(
        tuple(dict.fromkeys(path for source in sources for path in source.paths)),
        ", ".join(kinds),
        tuple(subjects.values()),
        tuple(masks),
        tuple(sorted([*ignored, *unread])),
    )


def _describe(files: Sequence[Path]) -> str:
    if not files:
        return "an empty folder"
    counts = Counter(file.suffix or "no suffix" for file in files).most_common(3)
    return "files of other kinds: " + ", ".join(f"{n} x {suffix}" for suffix, n in counts)
