"""How a run that is stopped keeps the subjects that are done.

A part is an .npz beside the store to be, named by a hash of all that decides its contents: what was
asked for, and name, length and time of each file. So a part is used again only for the same work.
"""

import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

import numpy as np

from mrirecon.data.prepared_subject import LeftOut, PreparedSubject
from mrirecon.data.readers import Subject
from mrirecon.files import atomic_path


class Parts:
    """Finished subjects of a run that may be stopped and go on later.

    Args:
        out: store to be written; the parts lie in a hidden folder beside it.
        settings: what was asked for, as JSON holds it.
    """

    def __init__(self, out: Path, settings: object) -> None:
        self.folder = out.with_name(f".{out.name}.parts")
        self._settings = settings

    def get_or_make(self, subject: Subject, make: Callable[[], PreparedSubject]) -> PreparedSubject:
        """Give a subject from its part; without one, make the subject and keep it."""
        path = self.folder / f"{self._key(subject)}.npz"
        with suppress(OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return _load(path)
        made = make()
        with atomic_path(path) as temporary:
            about = {**vars(made), "left_out": [asdict(entry) for entry in made.left_out]}
            del about["images"], about["numbers"]
            np.savez(
                temporary,
                allow_pickle=False,
                images=np.stack(made.images) if made.images else np.empty(0),
                numbers=made.numbers,
                about=json.dumps(about),
            )
        return made

    def remove(self) -> None:
        """Delete all parts, when the store is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _key(self, subject: Subject) -> str:
        files = [(str(file), *_state(file)) for file in subject.files]
        text = json.dumps([self._settings, subject.name, files], sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _load(path: Path) -> PreparedSubject:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as part:
        about = json.loads(str(part["about"]))
        about["left_out"] = tuple(LeftOut(**entry) for entry in about["left_out"])
        return PreparedSubject(images=list(part["images"]), numbers=part["numbers"], **about)
