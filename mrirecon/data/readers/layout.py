"""How files lie in folders: which are images of one person, which split, which are masks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonpath
from pathlib import Path

from mrirecon.data.readers.subject import Split

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_MASK_STEM = re.compile(r"(^|[_\-. ])(mask|masks|seg|dseg|label|labels)$", re.IGNORECASE)
_SLICE_NUMBER = re.compile(r"^(?P<prefix>.*?)[_\-. ]*(?P<number>\d+)$")
_BIDS_PERSON = re.compile(r"(^|[/_])(?P<person>sub-[0-9A-Za-z]+)")


@dataclass(frozen=True)
class Entry:
    """A file that is a subject of its own."""

    file: Path
    name: str
    person: str
    split: Split | None


@dataclass(frozen=True)
class Layout:
    """Files of one kind, sorted into those to read and those not."""

    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    ignored: tuple[Path, ...]


@dataclass(frozen=True)
class Place:
    """Where an image lies: its split, and its folder below all that the source has in common."""

    split: Split | None
    folder: str
    """Below what all images have in common and without the split; "" where nothing is left."""


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which numbers count as numbers: slice 2 comes before slice 10."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def bare_name(path: Path, suffixes: Sequence[str]) -> str:
    """Give a file's name without the first of `suffixes` (lower case) that it ends in."""
    name = path.name
    suffix = next((suffix for suffix in suffixes if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def find_files(path: Path) -> list[Path]:
    """List the visible files of a source in natural order.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: a link in the folder leads out of it.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.is_file():
        return [path]
    visible = [
        file
        for file in path.rglob("*")
        if not any(part.startswith(".") for part in file.relative_to(path).parts) and file.is_file()
    ]
    inside = path.resolve()
    for file in visible:
        if file.is_symlink() and not file.resolve().is_relative_to(inside):
            raise ValueError(
                f"{file}: expected files inside of {path}, got a link to {file.resolve()}; "
                "name its folder as a source of its own"
            )
    return sorted(visible, key=lambda file: [natural_key(part) for part in file.parts])


def sort_files(root: Path, files: Sequence[Path], suffixes: Sequence[str]) -> Layout:
    """Set masks apart, in files of one kind.

    A file is a mask if its name ends in `_mask`, `_seg` or `_label`, or if a folder on its way is
    named so. Where there are folders named as splits, images outside of them are ignored. A file
    that is itself the source is taken as it is.
    """
    images, masks, ignored = [], [], []
    for file in files:
        way = [] if file == root else list(file.relative_to(root).parts[:-1])
        if file != root and any(map(_MASK_STEM.search, [*way, bare_name(file, suffixes)])):
            masks.append(file)
        else:
            images.append(file)
    if any(_split_of(root, file) for file in images):
        ignored += [file for file in images if not _split_of(root, file)]
        images = [file for file in images if _split_of(root, file)]
    return Layout(tuple(images), tuple(masks), tuple(ignored))


def find_places(root: Path, images: Sequence[Path]) -> dict[Path, Place]:
    """Give split and folder of each image, in the order of `images`."""
    splits = {image: _split_of(root, image) for image in images}
    folders = {image: _folder_below_split(root, image) for image in images}
    common = len(Path(commonpath(folders.values())).parts) if images else 0
    return {
        image: Place(splits[image], "/".join(folder.parts[common:]))
        for image, folder in folders.items()
    }


def list_entries(root: Path, layout: Layout, suffixes: Sequence[str]) -> list[Entry]:
    """Make a subject of each image file, in the natural order of their names."""
    entries = []
    for file, place in find_places(root, layout.images).items():
        bare = bare_name(file, suffixes)
        name = f"{place.folder}/{bare}" if place.folder else bare
        entries.append(Entry(file, name, person_of(file, root, place.folder, bare), place.split))
    return sorted(entries, key=lambda entry: natural_key(entry.name))


def person_of(path: Path, root: Path, folder: str, name: str) -> str:
    """Tell whom an image shows: a BIDS `sub-` label, else the first folder, else its own name."""
    inside = path.name if path == root else path.relative_to(root).as_posix()
    bids = _BIDS_PERSON.search(inside)
    if bids:
        return bids["person"]
    return folder.split("/", maxsplit=1)[0] or name


def slice_prefix(stem: str) -> str:
    """Give a file name's part before the slice number; all of it if there is no number."""
    found = _SLICE_NUMBER.match(stem)
    return found["prefix"] if found else stem


def _split_of(root: Path, file: Path) -> Split | None:
    if file == root:
        return None
    parts = file.relative_to(root).parts[:-1]
    return next((SPLIT_FOLDERS[p.lower()] for p in parts if p.lower() in SPLIT_FOLDERS), None)


def _folder_below_split(root: Path, file: Path) -> Path:
    if file == root:
        return Path()
    parts = [p for p in file.relative_to(root).parts[:-1] if p.lower() not in SPLIT_FOLDERS]
    return Path(*parts)
