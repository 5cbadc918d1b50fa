"""Write a slice store; `store_file` documents its layout."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers import Image, Split
from mrirecon.data.store_file import (
    FORMAT,
    FORMAT_VERSION,
    TEXT_COLUMNS,
    StoredSubject,
    digest_of,
)


class _DiskFile(io.FileIO):
    """A file that keeps its first error, for the writer to raise.

    HDF5 cannot close a file that a full disk left half written: it crashes when the process ends.
    So it is told that all is well, closes, and then the error is raised with its errno.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of `data`, or remember why not."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self.error = self.error or error
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        """Set the length, or remember why not."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def require_written(self) -> None:
        """Raise the first error."""
        if self.error is not None:
            raise self.error


class SliceWriter:
    """Write a store, volume by volume.

    Args:
        path: file to make; use `mrirecon.files.atomic_path`, since a half-written store is useless.
        provenance: anything JSON holds: where the slices come from and what was done to them. It
            is written last, so that it may grow until then.
    """

    def __init__(self, path: Path, provenance: dict[str, Any]) -> None:
        self.provenance = provenance
        self._disk = _DiskFile(path, "w+")
        self._file = h5py.File(self._disk, "w")
        self._file.attrs["format"] = FORMAT
        self._file.attrs["format_version"] = FORMAT_VERSION
        self._images = self._file.create_group("images")
        self._subjects: list[StoredSubject] = []
        self._numbers: list[NDArray[np.int64]] = []

    def __enter__(self) -> Self:
        """Give the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the tables, unless something went wrong, and close the file."""
        try:
            if error is None:
                self._write_tables()
        finally:
            self._file.close()
            self._disk.close()
        if error is None:
            self._disk.require_written()

    def add(
        self,
        images: Sequence[Image],
        numbers: Sequence[int] | NDArray[np.int64],
        *,
        name: str,
        person: str,
        split: Split,
        files: Sequence[str],
        scale: float,
        voxel_size: tuple[float, float, float] | None,
    ) -> None:
        """Append a volume.

        Args:
            images: (rows, cols) of each slice, or complex64 (coils, rows, cols); one slice at
                least, of one shape in a volume and one type in the store.
            numbers: of these slices within their source.
            name: unique within the store.
            person: whom it shows.
            split: subjects of one split follow each other.
            files: files it was read from, relative to the source.
            scale: largest magnitude of the volume.
            voxel_size: distance between (slices, rows, cols) [mm].

        Raises:
            OSError: the disk is full, or cannot be written for another reason.
        """
        shape = images[0].shape
        dataset = self._images.create_dataset(  # contiguous
            str(len(self._subjects)), (len(images), *shape), images[0].dtype
        )
        for place, image in enumerate(images):
            dataset[place] = image
        self._disk.require_written()
        self._numbers.append(np.asarray(numbers, dtype=np.int64))
        first = sum(subject.count for subject in self._subjects)
        self._subjects.append(
            StoredSubject(
                name=name,
                person=person,
                split=split,
                files=tuple(files),
                digest=digest_of(images),
                scale=scale,
                voxel_size=voxel_size,
                shape=shape,
                first=first,
                count=len(images),
            )
        )

    def _write_tables(self) -> None:
        subjects = self._subjects
        texts = {key: [getattr(subject, key) for subject in subjects] for key in TEXT_COLUMNS}
        texts["files"] = [json.dumps(files, ensure_ascii=False) for files in texts["files"]]
        table = self._file.create_group("subjects")
        for key in TEXT_COLUMNS:
            table.create_dataset(key, data=texts[key], dtype=h5py.string_dtype())
        unknown = (np.nan,) * 3
        table["scale"] = np.array([subject.scale for subject in subjects], dtype=np.float32)
        table["voxel_size"] = np.array([subject.voxel_size or unknown for subject in subjects])
        self._file["slices/number"] = np.concatenate([np.empty(0, np.int64), *self._numbers])
        self._file.attrs["provenance"] = json.dumps(self.provenance, ensure_ascii=False)
