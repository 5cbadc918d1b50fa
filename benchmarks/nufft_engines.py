"""FINUFFT and ducc0 behind one interface: transforms of NumPy arrays, tuned as an expert would.

A transform gives what its package does; `scale` makes it orthonormal, outside of what is timed.
"""

import importlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
import torch
from nufft_workloads import Workload
from torch import Tensor

_MEASURE, _ESTIMATE = 0, 64  # FFTW's flags


class Transform(Protocol):
    """A NUFFT planned for a workload."""

    scale: float

    def forward(self, image: Tensor) -> Tensor: ...
    def adjoint(self, kspace: Tensor) -> Tensor: ...
    def normal(self, image: Tensor) -> Tensor: ...


Maker = Callable[[Workload, float, int], Transform]  # of workload, tolerance and threads


@dataclass
class Engine:
    """Transforms of NumPy arrays along one trajectory, into arrays that are given."""

    forward: Callable[[np.ndarray, np.ndarray], Any]  # (images, *shape) to (images, samples)
    adjoint: Callable[[np.ndarray, np.ndarray], Any]


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
        self.kspace = torch.empty(work.n_images, work.n_samples, dtype=torch.complex64)
        self.images = torch.empty(work.n_images, *work.shape, dtype=torch.complex64)

    def forward(self, image: Tensor) -> Tensor:
        maps = self.workload.coil_maps
        images = (image if maps is None else image * maps).reshape(self.images.shape)
        self._run("forward", images.numpy(), self.kspace.numpy())
        return self.kspace.reshape(self.workload.batch, self.workload.coils, -1)

    def adjoint(self, kspace: Tensor) -> Tensor:
        work = self.workload
        self._run("adjoint", kspace.reshape(self.kspace.shape).numpy(), self.images.numpy())
        images = self.images.reshape(work.batch, work.coils, *work.shape)
        maps = work.coil_maps
        return images if maps is None else (maps.conj() * images).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        return self.adjoint(self.forward(image))

    def _run(self, direction: str, operand: np.ndarray, result: np.ndarray) -> None:
        def run(part: tuple[slice, Engine]) -> None:
            rows, engine = part
            getattr(engine, direction)(operand[rows], result[rows])

        for _ in map(run, self.parts) if self.pool is None else self.pool.map(run, self.parts):
            pass


def composed(make_engine: EngineMaker, *, across: bool) -> Maker:
    """Use all threads inside a transform, or one for each."""

    def make(workload: Workload, tolerance: float, threads: int) -> Transform:
        n_parts = threads if across else 1
        inside = 1 if across else threads
        parts = []
        for part in _rows(workload, n_parts):
            coords = workload.coords if workload.coords.ndim == 2 else workload.coords[part.start]
            count = part.stop - part.start
            engine = make_engine(coords.numpy(), workload.shape, count, tolerance, inside)
            parts.append((part, engine))
        return Composed(workload, parts, _pool(threads) if across else None)

    return make


def _rows(workload: Workload, n_parts: int) -> Iterator[slice]:
    """The images of each engine: those of a part, or of a trajectory."""
    size = 1 if workload.coords.ndim == 3 else math.ceil(workload.n_images / n_parts)
    for start in range(0, workload.n_images, size):
        yield slice(start, min(start + size, workload.n_images))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def finufft_engine(upsampling: float, *, measure: bool) -> EngineMaker:
    plan_class = importlib.import_module("finufft").Plan

    def make(
        coords: np.ndarray, shape: tuple[int, ...], n_images: int, tolerance: float, threads: int
    ) -> Engine:
        angles = coords.T * (2 * np.pi / np.array(shape)[:, None])
        planner = _MEASURE if measure else _ESTIMATE
        options = {"nthreads": threads, "upsampfac": upsampling}
        options |= {"fftw": planner, "showwarn": 0}
        plans = {}
        for kind, sign in ((1, 1), (2, -1)):
            plan = plan_class(kind, shape, n_images, tolerance, sign, "complex64", **options)
            plan.setpts(*np.ascontiguousarray(angles, dtype=np.float32))
            plans[kind] = plan
        drop = 0 if n_images == 1 else slice(None)  # one image has no axis for it
        return Engine(
            lambda image, out: plans[2].execute(image[drop], out=out[drop]),
            lambda kspace, out: plans[1].execute(kspace[drop], out=out[drop]),
        )

    return make


def ducc_planned(
    coords: np.ndarray, shape: tuple[int, ...], n_images: int, tolerance: float, threads: int
) -> Engine:
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
    nufft = importlib.import_module("ducc0").nufft
    options = {"coord": coords, "nthreads": threads, "periodicity": shape, "epsilon": tolerance}
    return Engine(
        lambda image, out: nufft.u2nu(grid=image, forward=True, out=out, **options),
        lambda kspace, out: nufft.nu2u(points=kspace, forward=False, out=out, **options),
    )
