"""The packages whose NUFFTs are compared, each in the ways its users have."""

import importlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from nufft_engines import Maker, composed, ducc_planned, ducc_unplanned, finufft_engine
from nufft_workloads import Workload
from torch import Tensor

from mrirecon import Nufft

# Multiples of the error that is wanted, from which the one with the nearest error is chosen.
_TOLERANCES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Peer:
    """A package in one of the ways it can be used.

    Attributes:
        name: the package.
        setting: what its error depends on.
        way: how threads share the work.
        make: plans it.
        trial: plans it more quickly, to measure errors.
        tolerances: to choose from, as multiples of the error that is wanted; if empty, `make`
            ignores its tolerance, and a few rounds at one accuracy must do.
    """

    name: str
    setting: str
    way: str
    make: Maker
    trial: Maker
    tolerances: tuple[float, ...] = _TOLERANCES


class Ours:
    """mrirecon.Nufft."""

    scale = 1.0

    def __init__(self, workload: Workload, accuracy: float, threads: int) -> None:
        self.maps = workload.coil_maps
        n_images = workload.n_images
        self.op = Nufft(workload.coords.float(), workload.shape, accuracy, n_images=n_images)

    def forward(self, image: Tensor) -> Tensor:
        return self.op(image, self.maps)

    def adjoint(self, kspace: Tensor) -> Tensor:
        return self.op.adjoint(kspace, self.maps)

    def normal(self, image: Tensor) -> Tensor:
        return self.op.normal(image, self.maps)


class TorchKbNufft:
    """torchkbnufft with its defaults: 6 points, twice the grid.

    The normal operator by its Toeplitz kernel in the plane, where that takes seconds to make.
    """

    def __init__(self, workload: Workload, tolerance: float, threads: int) -> None:
        package: Any = importlib.import_module("torchkbnufft")
        shape = workload.shape
        self.maps = workload.coil_maps
        self.omega = angles(workload).transpose(-1, -2).contiguous()
        self.forward_op, self.adjoint_op = package.KbNufft(shape), package.KbNufftAdjoint(shape)
        self.scale = 2 ** (len(shape) / 2)  # its "ortho" is that of the grid
        self.toeplitz, self.kernel = package.ToepNufft(), None
        if self.omega.ndim == 2 and len(shape) == 2:
            self.kernel = package.calc_toeplitz_kernel(self.omega, shape, norm="ortho")

    def forward(self, image: Tensor) -> Tensor:
        return self.forward_op(image, self.omega, smaps=self.maps, norm="ortho")

    def adjoint(self, kspace: Tensor) -> Tensor:
        return self.adjoint_op(kspace, self.omega, smaps=self.maps, norm="ortho")

    def normal(self, image: Tensor) -> Tensor:
        if self.kernel is None:
            return self.adjoint(self.forward(image))
        return self.toeplitz(image, self.kernel, smaps=self.maps, norm="ortho")


class PytorchFinufft:
    """pytorch-finufft, which plans at every call; frames one after the other."""

    def __init__(
        self, workload: Workload, tolerance: float, threads: int, **options: float
    ) -> None:
        self.package: Any = importlib.import_module("pytorch_finufft.functional")
        self.workload, self.maps = workload, workload.coil_maps
        self.scale = 1 / math.sqrt(math.prod(workload.shape))
        self.points = angles(workload).transpose(-1, -2).contiguous()
        self.options = {"eps": tolerance, "nthreads": threads, "modeord": 0}
        self.options |= {"showwarn": 0, **options}

    def forward(self, image: Tensor) -> Tensor:
        images = image if self.maps is None else image * self.maps
        return self._each(
            images, lambda x, p: self.package.finufft_type2(p, x, isign=-1, **self.options)
        )

    def adjoint(self, kspace: Tensor) -> Tensor:
        shape = self.workload.shape
        images = self._each(
            kspace, lambda y, p: self.package.finufft_type1(p, y, shape, isign=1, **self.options)
        )
        return images if self.maps is None else (self.maps.conj() * images).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        return self.adjoint(self.forward(image))

    def _each(self, operand: Tensor, transform: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        if self.points.ndim == 3:
            pairs = zip(operand, self.points, strict=True)
            return torch.stack([transform(x, p) for x, p in pairs])
        return transform(operand.flatten(0, 1), self.points).unflatten(0, operand.shape[:2])


class SigPy:
    """SigPy with its defaults: 4 points, a grid of 1.25 times the image."""

    scale = 1.0

    def __init__(self, workload: Workload, tolerance: float, threads: int) -> None:
        self.package: Any = importlib.import_module("sigpy")
        self.workload, self.maps = workload, workload.coil_maps
        self.coords = workload.coords.numpy().astype(np.float32)
        ndim = len(workload.shape)  # compiled at the first call for a number of axes and a dtype
        few = self.package.nufft(np.zeros([8] * ndim, np.complex64), np.zeros((2, ndim), "f4"))
        self.package.nufft_adjoint(few, np.zeros((2, ndim), "f4"), [8] * ndim)

    def forward(self, image: Tensor) -> Tensor:
        images = image if self.maps is None else image * self.maps
        return self._each(images, self.package.nufft)

    def adjoint(self, kspace: Tensor) -> Tensor:
        shape = self.workload.shape
        images = self._each(
            kspace, lambda y, c: self.package.nufft_adjoint(y, c, (*y.shape[:-1], *shape))
        )
        return images if self.maps is None else (self.maps.conj() * images).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        return self.adjoint(self.forward(image))

    def _each(self, operand: Tensor, transform: Callable[..., np.ndarray]) -> Tensor:
        if self.coords.ndim == 2:
            return torch.from_numpy(transform(operand.numpy(), self.coords))
        pairs = zip(operand.numpy(), self.coords, strict=True)
        return torch.from_numpy(np.stack([transform(x, c) for x, c in pairs]))


def angles(workload: Workload) -> Tensor:
    """Coordinates in radians per pixel, float32, (..., samples, ndim)."""
    return (workload.coords * (2 * math.pi / torch.tensor(workload.shape))).float()


def peers(workload: Workload) -> list[Peer]:
    """Every installed package in its ways, for one image, a batch, or frames."""
    ways = {
        "threads inside": workload.coords.ndim == 2,
        "a transform per thread": workload.n_images > 1,
    }
    found = []
    for way in (way for way, fits in ways.items() if fits):
        make = partial(composed, across=way == "a transform per thread")
        for upsampling in (1.25, 2.0) if installed("finufft") else ():
            maker, trial = (make(finufft_engine(upsampling, measure=m)) for m in (True, False))
            found.append(Peer("FINUFFT", f"upsampling {upsampling}", way, maker, trial))
        engines = {"plan": ducc_planned, "no plan, float64 coordinates": ducc_unplanned}
        for name, engine in engines.items() if installed("ducc0") else ():
            found.append(Peer("ducc0", name, way, make(engine), make(engine)))
    for upsampling in (1.25, 2.0) if installed("pytorch_finufft") else ():
        maker = partial(PytorchFinufft, upsampfac=upsampling)
        found.append(Peer("pytorch-finufft", f"upsampling {upsampling}", "", maker, maker))
    for name, maker in {"torchkbnufft": TorchKbNufft, "SigPy": SigPy}.items():
        if installed(name.lower()):
            found.append(Peer(name, "defaults", "", maker, maker, tolerances=()))
    return found


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
