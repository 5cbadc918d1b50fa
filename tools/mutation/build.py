"""Build the emulated library with one file replaced, by the commands of the usual build."""

import shlex
import subprocess
from pathlib import Path

_TARGET = "mrirecon_emulated"


class Commands:
    """How the build folder compiles the file of a stem, and links the library."""

    def __init__(self, root: Path, build: Path) -> None:
        """Ask ninja. Raises: RuntimeError if the folder is not a build."""
        self._root, self._build = root, build
        listing = _run(["ninja", "-C", str(build), "-t", "commands", _TARGET], root)
        self._lines = [line for line in listing.splitlines() if " -o " in line]

    def compile_command(self, stem: str, copy: Path, to: Path) -> list[str]:
        """Return the command that compiles csrc/cuda/`stem`.cu of a copy of the sources."""
        line = next(line for line in self._lines if line.endswith(f"csrc/cuda/{stem}.cu"))
        words = shlex.split(line)
        words[words.index("-o") + 1] = str(to)
        words[words.index("-MF") + 1] = str(to.with_suffix(".d"))
        sources = str(self._root / "csrc")
        moved = [word.replace(sources, str(copy / "csrc")) for word in words]
        return ["-O1" if word == "-O3" else word for word in moved]  # builds faster, as exact

    def link_command(self, stem: str, replacement: Path, to: Path) -> list[str]:
        """Return the command that links the library with another object for `stem`."""
        line = next(line for line in self._lines if " -shared " in line)
        words = shlex.split(line.removeprefix(": && ").removesuffix(" && :"))
        words[words.index("-o") + 1] = str(to)
        ends = f"cuda/{stem}.cu.o"
        return [str(replacement) if word.endswith(ends) else word for word in words]

    def build(self, stem: str, copy: Path) -> Path:
        """Compile and link; return the library. Raises: RuntimeError with the compiler's text."""
        compiled, library = copy / f"{stem}.o", copy / f"{_TARGET}.so"
        _run(self.compile_command(stem, copy, compiled), self._build)
        _run(self.link_command(stem, compiled, library), self._build)
        return library


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
