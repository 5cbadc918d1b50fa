"""What a store says of itself: where its slices come from, and what was done to them."""

import platform
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import h5py
import numpy as np

from mrirecon.data.prepare_config import PrepareConfig
from mrirecon.data.prepared_subject import LeftOut, PreparedSubject
from mrirecon.data.readers import Source, Split
from mrirecon.version import __version__

LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING")


@dataclass
class Summary:
    """What was written so far."""

    n_subjects: Counter[Split] = field(default_factory=Counter)
    n_slices: Counter[Split] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    """Digests of slices, to know repeated ones by."""
    is_simulated: bool = False

    def add(self, split: Split, made: PreparedSubject) -> None:
        """Count a subject and what was left out of it."""
        self.left_out += made.left_out
        if len(made.images):
            self.n_subjects[split] += 1
            self.n_slices[split] += len(made.images)
            self.origins[made.origin] += 1
            self.is_simulated |= not made.is_measured

    def provenance(self) -> dict[str, Any]:
        """Say what the images are and which slices are missing, as JSON holds it."""
        return {
            "origins": dict(self.origins),
            "simulated": self.is_simulated,
            "left_out": [asdict(entry) for entry in self.left_out],
        }


def describe_source(source: Source, config: PrepareConfig) -> dict[str, Any]:
    """Say where slices come from and how they are prepared, as JSON holds it."""
    return {
        "sources": [str(path.resolve()) for path in source.paths],
        "kind": source.kind,
        "licences": _licences(source, config),
        "config": {**asdict(config), "licence": None},
        "versions": _versions(),
    }


def _licences(source: Source, config: PrepareConfig) -> list[str]:
    """Give the text that was handed in, or else those that lie in the source's folders."""
    if config.licence is not None:
        return [config.licence]
    folders = [path if path.is_dir() else path.parent for path in source.paths]
    files = [file for folder in dict.fromkeys(folders) for file in sorted(folder.iterdir())]
    return [
        file.read_text(encoding="utf-8", errors="replace")
        for file in files
        if file.stem.upper() in LICENCE_FILES and file.is_file() and not file.is_symlink()
    ]


def _versions() -> dict[str, str]:
    return {
        "mrirecon": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
    }
