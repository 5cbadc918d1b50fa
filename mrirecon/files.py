"""Write files so that a reader never sees half of one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` and rename it to `path` on success.

    The temporary name keeps the suffixes, since several writers choose a format by them. On any
    error, or if nothing was written, the temporary file or folder is removed and `path` is left
    as it was. An existing file is replaced; an existing folder is not.

    Args:
        path: final place of the file or folder; missing parent folders are made.

    Yields:
        The path to write to.

    Raises:
        OSError: the folder cannot be made or written to, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{uuid4().hex[:8]}.partial.{path.name}"
    try:
        yield temporary
        for path_written in (temporary, *temporary.rglob("*")):
            if path_written.is_file():
                with path_written.open("rb") as written:
                    os.fsync(written.fileno())
        temporary.rename(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)
