"""One image under two names: within a source, and in a store that was prepared before."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.checks import LOOK_ALIKE, digest, find_look_alikes
from mrirecon.data.readers import Image, Split, Subject
from mrirecon.data.store import SliceStore
from mrirecon.data.store_file import StoredSubject


@dataclass(frozen=True)
class LookAlike:
    """Two slices of two persons that are one image, up to contrast, noise or compression."""

    first: str
    """Subject and number of the slice."""
    second: str
    persons: tuple[str, str]
    likeness: float
    """Correlation, see `mrirecon.data.checks.LOOK_ALIKE`."""


@dataclass(frozen=True)
class StoredAlike:
    """A person of a source who is in a store, by name or by an image."""

    person: str
    slice: str
    """Subject and number of the slice; only the person where the name alone is the same."""
    stored: str
    """The person in the store, or the subject and number of the slice."""
    split: Split
    """Of the store."""
    likeness: float | None
    """Correlation, see `mrirecon.data.checks.LOOK_ALIKE`; None where only the name is the same."""


@dataclass
class KeptSlices:
    """What is kept of slices that show something, to compare those of all subjects."""

    persons: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By the hash of a slice."""
    digests: list[NDArray[np.float32]] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    """Person, and subject with number of the slice."""

    def add(self, subject: Subject, number: int, image: Image) -> bytes:
        """Keep a slice, and give its hash."""
        fingerprint = blake2b(image.tobytes(), digest_size=16).digest()
        self.persons[fingerprint].add(subject.person)
        self.digests.append(digest(image))
        self.names.append((subject.person, f"{subject.name} slice {number}"))
        return fingerprint

    def duplicates(self) -> list[tuple[str, ...]]:
        """Name the persons that share an identical slice."""
        shared = {tuple(sorted(names)) for names in self.persons.values() if len(names) > 1}
        return sorted(shared)

    def look_alikes(self) -> list[LookAlike]:
        """Find slices of two persons that are one image, where none is identical."""
        if not self.digests:
            return []
        persons = [person for person, _ in self.names]
        _, owners = np.unique(persons, return_inverse=True)
        known = [set(names) for names in self.duplicates()]
        found = []
        for first, second, likeness in find_look_alikes(np.array(self.digests), owners):
            pair = (persons[first], persons[second])
            if not any(set(pair) <= names for names in known):
                names = self.names[first][1], self.names[second][1]
                found.append(LookAlike(*names, pair, likeness))
        return found

    def find_in_store(self, path: Path) -> list[StoredAlike]:
        """Find persons of the source who are in a store, by name and by their images.

        Images that `prepare` cropped or padded are known by the name alone.

        Raises:
            FileNotFoundError: there is no such store.
            ValueError: no slice store.
        """
        found: dict[tuple[str, str], StoredAlike] = {}
        persons = {person for person, _ in self.names}
        with SliceStore(path) as store:
            for subject in store.subjects:
                person = subject.person
                if person in persons and (person, person) not in found:
                    by_name = StoredAlike(person, person, person, subject.split, None)
                    found[person, person] = by_name
                for pair in self._look_alikes_of(store, subject):
                    before = found.get((pair.person, person))
                    if before is None or (before.likeness or 0) < (pair.likeness or 0):
                        found[pair.person, person] = pair
        return list(found.values())

    def _look_alikes_of(self, store: SliceStore, subject: StoredSubject) -> Iterator[StoredAlike]:
        """Find slices that are one image with one of a stored subject."""
        rows = np.arange(subject.first, subject.first + subject.count)
        stored = np.array([digest(_magnitude(image)) for image in store.read_rows(rows)])
        likeness = np.array(self.digests).reshape(len(self.names), -1) @ stored.T
        for own, other in np.argwhere(likeness > LOOK_ALIKE).tolist():
            person, name = self.names[own]
            where = f"{subject.name} slice {store.numbers[rows[other]]}"
            alike = float(likeness[own, other])
            yield StoredAlike(person, name, where, subject.split, alike)


def _magnitude(image: Image) -> Image:
    """Combine the coils of a stored slice, if it has any: (rows, cols)."""
    if image.ndim == 2 and image.dtype.kind != "c":
        return image
    return np.sqrt(np.square(np.abs(image)).reshape(-1, *image.shape[-2:]).sum(axis=0))
