"""FINUFFT, cuFINUFFT and ducc0 behind one interface: transforms into arrays that are given.

A transform gives what its package does; `scale` makes it orthonormal, outside of what is timed.
"""

import importlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mrirecon.bench.suites.nufft_workloads import Workload

MEASURE, ESTIMATE = 0, 64  # FFTW's flags: it tries its algorithms, or guesses


class Transform(Protocol):
    """A NUFFT planned for a workload."""

    scale: float

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        ...

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        ...

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        ...


@dataclass(frozen=True)
class Engine:
    """Transforms along one trajectory, of arrays that NumPy or the GPU holds."""

    forward: Callable[[Any, Any], Any]  # (images, *shape) into (images, samples)
    adjoint: Callable[[Any, Any], Any]


# Of float64 coordinates, shape, images, tolerance and threads.
EngineMaker = Callable[[np.ndarray, tuple[int, ...], int, float, int], Engine]


@dataclass
class Composed:
    """Engines for parts of a workload, one after the other or one to a thread."""

    workload: Workload
    parts: list[tuple[slice, Engine]]
    pool: ThreadPoolExecutor | None
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        work = self.workload
        self.scale = 1 / math.sqrt(math.prod(work.shape))
        options: dict[str, Any] = {"dtype": torch.complex64, "device": work.device}
        self.kspace = torch.empty(work.n_images, work.n_samples, **options)
        self.images = torch.empty(work.n_images, *work.shape, **options)

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        maps = self.workload.coil_maps
        images = (image if maps is None else image * maps).reshape(self.images.shape)
        self._run("forward", images, self.kspace)
        return self.kspace.reshape(self.workload.batch, self.workload.coils, -1)

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        work = self.workload
        self._run("adjoint", kspace.reshape(self.kspace.shape), self.images)
        images = self.images.reshape(work.batch, work.coils, *work.shape)
        maps = work.coil_maps
        return images if maps is None else (maps.conj() * images).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        return self.adjoint(self.forward(image))

    def _run(self, direction: str, operand: Tensor, result: Tensor) -> None:
        is_numpy = self.workload.device.type == "cpu"
        source, target = (x.numpy() if is_numpy else x for x in (operand, result))

        def run(part: tuple[slice, Engine]) -> None:
            rows, engine = part
            getattr(engine, direction)(source[rows], target[rows])

        for _ in map(run, self.parts) if self.pool is None else self.pool.map(run, self.parts):
            pass


def composed(
    make_engine: EngineMaker, workload: Workload, tolerance: float, threads: int, *, across: bool
) -> Composed:
    """Use all threads inside a transform, or one for each."""
    n_parts, inside = (threads, 1) if across else (1, threads)
    parts = []
    for part in _rows(workload, n_parts):
        coords = workload.coords[part.start] if workload.has_frames else workload.coords
        count = part.stop - part.start
        parts.append((part, make_engine(coords.numpy(), workload.shape, count, tolerance, inside)))
    return Composed(workload, parts, _pool(threads) if len(parts) > 1 and across else None)


def _rows(workload: Workload, n_parts: int) -> Iterator[slice]:
    """Yield the images of each engine: those of a part, or of a trajectory."""
    size = 1 if workload.has_frames else math.ceil(workload.n_images / n_parts)
    for start in range(0, workload.n_images, size):
        yield slice(start, min(start + size, workload.n_images))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def finufft_engine(
    coords: np.ndarray,
    shape: tuple[int, ...],
    n_images: int,
    tolerance: float,
    threads: int,
    *,
    upsampling: float,
    planner: int,
) -> Engine:
    """Plan both directions by FINUFFT on a grid of `upsampling` times the image.

    `planner` is FFTW's flag; what it tries out once is kept for all later plans.
    """
    plan_class = importlib.import_module("finufft").Plan
    options = {"nthreads": threads, "upsampfac": upsampling, "fftw": planner, "showwarn": 0}
    plan = partial(plan_class, n_modes_or_dim=shape, n_trans=n_images, eps=tolerance)
    return _engine(partial(plan, dtype="complex64", **options), _angles(coords, shape), n_images)


def cufinufft_engine(
    coords: np.ndarray,
    shape: tuple[int, ...],
    n_images: int,
    tolerance: float,
    threads: int,
    *,
    upsampling: float,
    device: torch.device,
) -> Engine:
    """Plan both directions by cuFINUFFT, for tensors on a GPU; `threads` means nothing there."""
    plan_class = importlib.import_module("cufinufft").Plan
    plan = partial(plan_class, n_modes=shape, n_trans=n_images, eps=tolerance)
    angles = torch.from_numpy(_angles(coords, shape)).to(device)
    return _engine(partial(plan, dtype="complex64", upsampfac=upsampling), angles, n_images)


def _engine(plan: Callable[..., Any], angles: Any, n_images: int) -> Engine:
    forward, adjoint = plan(2, isign=-1), plan(1, isign=1)
    for each in (forward, adjoint):
        each.setpts(*angles)
    drop = 0 if n_images == 1 else slice(None)  # one image has no axis for it
    return Engine(
        lambda image, out: forward.execute(image[drop], out=out[drop]),
        lambda kspace, out: adjoint.execute(kspace[drop], out=out[drop]),
    )


def _angles(coords: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return radians per pixel, float32, (ndim, samples)."""
    angles = coords.T * (2 * np.pi / np.array(shape)[:, None])
    return np.ascontiguousarray(angles, dtype=np.float32)


def ducc_planned(
    coords: np.ndarray, shape: tuple[int, ...], n_images: int, tolerance: float, threads: int
) -> Engine:
    """Plan both directions by ducc0."""
    options = {"grid_shape": shape, "nthreads": threads, "periodicity": shape, "epsilon": tolerance}
    make = importlib.import_module("ducc0").nufft.plan
    single = coords.astype(np.float32)  # a plan has one precision
    forward, adjoint = (make(nu2u=nu2u, coord=single, **options) for nu2u in (False, True))
    return Engine(
        lambda image, out: forward.u2nu(forward=True, grid=image, out=out),
        lambda kspace, out: adjoint.nu2u(forward=False, points=kspace, out=out),
    )


def ducc_unplanned(
    coords: np.ndarray, shape: tuple[int, ...], n_images: int, tolerance: float, threads: int
) -> Engine:
    """Call ducc0 without a plan, with coordinates in double precision."""
    nufft = importlib.import_module("ducc0").nufft
    options = {"coord": coords, "nthreads": threads, "periodicity": shape, "epsilon": tolerance}
    return Engine(
        lambda image, out: nufft.u2nu(grid=image, forward=True, out=out, **options),
        lambda kspace, out: nufft.nu2u(points=kspace, forward=False, out=out, **options),
    )
