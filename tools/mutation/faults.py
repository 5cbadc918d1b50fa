"""Read lists of faults, and put one into a copy of the sources."""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One change of one source file.

    Attributes:
        stem: csrc/cuda/`stem`.cu is compiled with it.
        what: what is wrong, in a few words.
        file: path from the root; a header that the kernels include, or the file itself.
        old: text that stands in the file exactly once.
        new: what replaces it.
        tests: arguments of pytest that must fail.
    """

    stem: str
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def read_faults(path: Path) -> list[Fault]:
    """Read `stem`.toml: `tests`, and tables `[[fault]]` of `what`, `old`, `new` and maybe `file`.

    Raises:
        ValueError: a key is missing or unknown; the file and the fault.
    """
    stored = tomllib.loads(path.read_text())
    kernels = f"csrc/cuda/{path.stem}.cu"
    faults = []
    for entry in stored["fault"]:
        try:
            keys = {"stem": path.stem, "file": kernels, "tests": tuple(stored["tests"])}
            faults.append(Fault(**(keys | entry)))
        except TypeError as error:
            raise ValueError(f"{path}: {entry.get('what', 'a fault')}: {error}") from None
    return faults


def put_into_copy(fault: Fault, root: Path, copy: Path) -> None:
    """Copy `root`/csrc to `copy`/csrc, with the fault.

    Raises:
        ValueError: the old text does not stand in the file exactly once.
    """
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root / "csrc", copy / "csrc")
    path = copy / fault.file
    text = path.read_text()
    if text.count(fault.old) != 1:
        raise ValueError(
            f"{fault.file}: {fault.what}: expected once, found {text.count(fault.old)} times: "
            f"{fault.old!r}"
        )
    path.write_text(text.replace(fault.old, fault.new))
