"""What is known of the persons of a source, so that every split has its share of each kind."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mrirecon.data.readers import SliceHeader, Source, Subject

Stratum = tuple[str, ...]
"""Value of each trait that persons are told apart by."""
DEFAULT_TRAITS = ("source", "protocol", "field_strength", "matrix")
"""What persons are told apart by unless one says otherwise, the most important first."""
UNKNOWN = "unknown"
Table = Mapping[str, Mapping[str, str]]


def find_strata(
    source: Source,
    headers: Mapping[str, Sequence[SliceHeader]],
    traits: Sequence[str] | None = None,
    table: Path | None = None,
) -> dict[str, Stratum]:
    """Tell in which stratum each person is.

    Args:
        source: its subjects tell `Subject.traits`; beside them there is "source", the file or
            folder that was named, and "matrix", the size of the slices.
        headers: of each subject by its name; a subject without is of unknown matrix.
        traits: to tell persons apart by, the most important first; None takes `DEFAULT_TRAITS`.
        table: CSV file with a row for each person, whose columns are traits too. One column holds
            the persons' names, or what their names begin with before an underscore.

    Returns:
        Values of the traits by person; of a person with several values, all of them.

    Raises:
        ValueError: no such trait, or a table that names no person of the source.
        OSError: the table cannot be read.
    """
    rows = {} if table is None else _read_table(table, source)
    known: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for subject in source.subjects:
        found = {**_traits_of(subject, source, headers), **rows.get(subject.person, {})}
        for trait, value in found.items():
            known[subject.person][trait].add(value)
    names = sorted({trait for found in known.values() for trait in found})
    for trait in traits or ():
        if trait not in names:
            raise ValueError(f"stratify_by: expected some of {', '.join(names)}, got {trait!r}")
    chosen = DEFAULT_TRAITS if traits is None else traits
    return {
        person: tuple(" + ".join(sorted(found[trait])) or UNKNOWN for trait in chosen)
        for person, found in known.items()
    }


def _traits_of(
    subject: Subject, source: Source, headers: Mapping[str, Sequence[SliceHeader]]
) -> dict[str, str]:
    file = subject.files[0]
    root = next(path for path in source.paths if file.is_relative_to(path))
    sizes = {header.shape for header in headers.get(subject.name, ())}
    matrix = " + ".join(f"{rows} x {cols}" for rows, cols in sorted(sizes))
    return {"source": root.name, **({"matrix": matrix} if matrix else {}), **subject.traits}


def _read_table(path: Path, source: Source) -> Table:
    """Give the rows of a table by person; an empty cell is unknown."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = [row for row in csv.DictReader(file, strict=True) if None not in row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: expected a table (CSV), got an error: {error}") from error
    persons = sorted({subject.person for subject in source.subjects})
    best: dict[str, Mapping[str, str]] = {}
    for column in rows[0] if rows else ():
        by_key = {row[column]: row for row in rows if row[column]}
        found: dict[str, Mapping[str, str]] = {
            person: {name: value for name, value in row.items() if value and name != column}
            for person in persons
            if (row := _row_of(person, by_key)) is not None
        }
        best = max(best, found, key=len)
    if not best:
        raise ValueError(
            f"{path}: expected a column with names of persons, such as {persons[0]}, got none"
        )
    return best


def _row_of(person: str, rows: Table) -> Mapping[str, str] | None:
    """Find a person's row: by the whole name, or by its beginning up to an underscore."""
    parts = person.split("_")
    names = ("_".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((rows[name] for name in names if name in rows), None)
