"""SigPy's and BART's reconstructions of one scan; BART as a user runs it, a process and files."""

import importlib
import os
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mrirecon.bench.case import Compute

_IN_MEMORY = Path("/dev/shm")


def by_sigpy(name: str, *operands: Tensor, **options: Any) -> Compute:
    """Return what runs an application of `sigpy.mri.app`.

    Args:
        name: of its class.
        operands: each (1, coils, rows, cols).
        options: of the application.
    """
    application: Any = getattr(importlib.import_module("sigpy.mri.app"), name)
    arrays = [operand[0].numpy() for operand in operands]
    return lambda: application(*arrays, show_pbar=False, **options).run()


class Bart:
    """Runs a tool of BART on files in memory, where the system has a place for such.

    Args:
        command: the tool and its options.
        operands: complex64, each (1, coils, rows, cols).
        threads: of the process.
    """

    def __init__(self, command: list[str], *operands: Tensor, threads: int) -> None:
        place = _IN_MEMORY if _IN_MEMORY.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="mrirecon-bench-", dir=place))
        weakref.finalize(self, shutil.rmtree, self._folder)
        names = [str(number) for number in range(len(operands))]
        for name, operand in zip(names, operands, strict=True):
            write_cfl(self._folder / name, operand[0])
        self._command = ["bart", *command, *names, "out"]
        self._threads = str(threads)

    def __call__(self) -> Path:
        """Run it, and return where the result is.

        Raises:
            subprocess.CalledProcessError: it fails.
        """
        environment = os.environ | {"OMP_NUM_THREADS": self._threads}
        subprocess.run(
            self._command, cwd=self._folder, env=environment, check=True, capture_output=True
        )
        return self._folder / "out"


def write_cfl(path: Path, coil_images: Tensor) -> None:
    """Write (coils, rows, cols) as BART's (rows, cols, 1, coils), the first axis the fastest."""
    coils, rows, cols = coil_images.shape
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{rows} {cols} 1 {coils}\n")
    data = coil_images.permute(0, 2, 1).contiguous().numpy().astype(np.complex64)
    data.tofile(path.with_suffix(".cfl"))


def read_cfl(path: Path) -> Tensor:
    """Read a result of BART as (1, coils, rows, cols)."""
    line = path.with_suffix(".hdr").read_text().splitlines()[1]
    rows, cols, _, coils = (int(size) for size in line.split()[:4])
    data = np.fromfile(path.with_suffix(".cfl"), np.complex64).reshape(coils, cols, rows)
    return torch.from_numpy(data).permute(0, 2, 1)[None]
