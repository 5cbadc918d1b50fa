"""Subjects whose slices are pictures: a folder for each subject, or all in one folder."""

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mrirecon.data.readers.layout import (
    bare_name,
    find_places,
    natural_key,
    person_of,
    slice_prefix,
    sort_files,
)
from mrirecon.data.readers.picture import (
    SUFFIXES,
    broken_files_raise,
    parse_channel,
    read_picture,
    read_picture_header,
    write_picture,
)
from mrirecon.data.readers.subject import (
    Image,
    OnError,
    SliceHeader,
    Source,
    Split,
    Subject,
    require_volume,
)
from mrirecon.files import atomic_path


@dataclass(frozen=True)
class PictureSubject(Subject):
    """A subject with one picture for each slice."""

    channel: str | int | None
    """Channel read from colour pictures."""
    is_single_file: bool
    """The source is this one picture, so that an image is written back as a file."""

    @property
    def voxel_size(self) -> None:
        """Pictures do not tell."""
        return

    def headers(self) -> Sequence[SliceHeader]:
        """See `Subject.headers`."""
        with broken_files_raise():
            return [read_picture_header(file) for file in self.files]

    def read_slices(self, on_error: OnError | None = None) -> list[tuple[int, Image]]:
        """See `Subject.read_slices`; pictures are decoded in threads."""

        def read(file: Path) -> Image | ValueError:
            try:
                return read_picture(file, self.channel)
            except ValueError as error:
                return error

        slices = []
        with broken_files_raise(), ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, image in enumerate(pool.map(read, self.files)):
                if not isinstance(image, ValueError):
                    slices.append((number, image))
                elif on_error is not None:
                    on_error(self.files[number], image)
                else:
                    raise image
        return slices

    def write_like(self, volume: Image, out: Path) -> None:
        """See `Subject.write_like`; the pictures keep their names."""
        require_volume(volume, len(self.files))
        if self.is_single_file:
            write_picture(out, volume[0], like=self.files[0])
            return
        with atomic_path(out) as temporary:
            for file, image in zip(self.files, volume, strict=True):
                write_picture(temporary / file.name, image, like=file)


def read_pictures(root: Path, files: Sequence[Path], channel: str | int | None) -> Source:
    """Find the subjects among pictures.

    A folder is a subject, its slices in the numeric order of their names. Where all pictures lie
    in one folder, the part of the name before the last number is the subject.

    Raises:
        ValueError: no picture, or no such channel.
    """
    parse_channel(channel)
    layout = sort_files(root, files, SUFFIXES)
    places = find_places(root, layout.images)
    slices: dict[tuple[Split | None, str, str], list[Path]] = defaultdict(list)
    for file, place in places.items():
        name = place.folder or slice_prefix(bare_name(file, SUFFIXES)) or file.parent.name
        slices[place.split, place.folder, name].append(file)
    subjects = [
        PictureSubject(
            name=name,
            person=person_of(pictures[0], root, folder, name),
            split=split,
            files=tuple(sorted(pictures, key=lambda file: natural_key(file.name))),
            channel=channel,
            is_single_file=root.is_file(),
        )
        for (split, folder, name), pictures in slices.items()
    ]
    subjects.sort(key=lambda subject: natural_key(subject.name))
    return Source((root,), "image", tuple(subjects), layout.masks, layout.ignored)
