"""The packages whose NUFFTs are compared, behind the shapes of this one.

Each is imported when it is planned. A transform gives what its package does; `scale` makes it
orthonormal, outside of what is timed. Frames that have their own trajectories go one after the
other where a package has no other way.
"""

import importlib
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mrirecon.bench.suites.nufft_workloads import Workload
from mrirecon.nufft import Nufft
from mrirecon.nufft.units import to_mri_nufft


class Ours:
    """mrirecon.Nufft."""

    scale = 1.0

    def __init__(self, work: Workload, accuracy: float) -> None:
        self.maps = work.coil_maps
        self.op = Nufft(work.single_coords(), work.shape, accuracy, n_images=work.n_images)

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        return self.op(image, self.maps)

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        return self.op.adjoint(kspace, self.maps)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        return self.op.normal(image, self.maps)


class TorchKbNufft:
    """torchkbnufft on twice the grid.

    The normal operator by its Toeplitz kernel in the plane; of a volume that takes minutes to make,
    and for frames there is none.
    """

    def __init__(self, work: Workload, n_points: float, threads: int) -> None:
        self.package: Any = importlib.import_module("torchkbnufft")
        self.work, self.maps, self.omega = work, work.coil_maps, work.angles()
        self.n_points = int(n_points)
        options = {"im_size": work.shape, "numpoints": self.n_points}
        self.forward_op = self.package.KbNufft(**options).to(work.device)
        self.adjoint_op = self.package.KbNufftAdjoint(**options).to(work.device)
        self.scale = 2 ** (len(work.shape) / 2)  # its "ortho" is that of the grid

    @cached_property
    def kernel(self) -> Tensor | None:
        """The Toeplitz kernel, which planning does not include."""
        if self.work.has_frames or len(self.work.shape) > 2:
            return None
        options = {"norm": "ortho", "numpoints": self.n_points}
        return self.package.calc_toeplitz_kernel(self.omega, self.work.shape, **options)

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        return self.forward_op(image, self.omega, smaps=self.maps, norm="ortho")

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        return self.adjoint_op(kspace, self.omega, smaps=self.maps, norm="ortho")

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        if self.kernel is None:
            return self.adjoint(self.forward(image))
        return self.package.ToepNufft()(image, self.kernel, smaps=self.maps, norm="ortho")


class PytorchFinufft:
    """pytorch-finufft, which plans at every call."""

    def __init__(self, upsampling: float, work: Workload, tolerance: float, threads: int) -> None:
        self.package: Any = importlib.import_module("pytorch_finufft.functional")
        self.work, self.maps, self.points = work, work.coil_maps, work.angles()
        self.scale = 1 / math.sqrt(math.prod(work.shape))
        self.options = {"eps": tolerance, "nthreads": threads, "modeord": 0}
        self.options |= {"showwarn": 0, "upsampfac": upsampling}

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        return self._each(
            image if self.maps is None else image * self.maps,
            lambda x, p: self.package.finufft_type2(p, x, isign=-1, **self.options),
        )

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        shape = self.work.shape
        images = self._each(
            kspace, lambda y, p: self.package.finufft_type1(p, y, shape, isign=1, **self.options)
        )
        return images if self.maps is None else (self.maps.conj() * images).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        return self.adjoint(self.forward(image))

    def _each(self, operand: Tensor, transform: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        if self.work.has_frames:
            pairs = zip(operand, self.points, strict=True)
            return torch.stack([transform(x, p) for x, p in pairs])
        return transform(operand.flatten(0, 1), self.points).unflatten(0, operand.shape[:2])


class MriNufft:
    """mri-nufft's operator over FINUFFT; an operator has one trajectory."""

    def __init__(
        self, upsampling: float, planner: int, work: Workload, tolerance: float, threads: int
    ) -> None:
        make: Any = importlib.import_module("mrinufft").get_operator("finufft")
        self.scale = 2 ** (len(work.shape) / 2)  # it divides by the root of the doubled grid's size
        trajectories = work.single_coords() if work.has_frames else work.single_coords()[None]
        options: dict[str, Any] = {
            "smaps": None if work.coil_maps is None else work.coil_maps[0].numpy(),
            "n_coils": work.coils,
            "n_batchs": work.batch // len(trajectories),
            "n_trans": work.n_images // len(trajectories),  # at once
            "squeeze_dims": False,
            "eps": tolerance,
            "nthreads": threads,
            "upsampfac": upsampling,
            "fftw": planner,
            "showwarn": 0,
        }
        samples = [to_mri_nufft(each, work.shape).numpy() for each in trajectories]
        self.operators = [make(each, work.shape, **options) for each in samples]

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        return self._each("op", image)

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        return self._each("adj_op", kspace)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        return self.adjoint(self.forward(image))

    def _each(self, direction: str, operand: Tensor) -> Tensor:
        parts = operand.chunk(len(self.operators))
        pairs = zip(self.operators, parts, strict=True)
        done = [getattr(operator, direction)(part.numpy()) for operator, part in pairs]
        return torch.from_numpy(done[0] if len(done) == 1 else np.concatenate(done))


class SigPy:
    """SigPy, which plans nothing and runs in one thread."""

    scale = 1.0

    def __init__(self, oversampling: float, work: Workload, width: float, threads: int) -> None:
        self.package: Any = importlib.import_module("sigpy")
        self.work, self.maps = work, work.coil_maps
        self.coords = work.single_coords().numpy()
        self.options = {"oversamp": oversampling, "width": int(width)}

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        images = image if self.maps is None else image * self.maps
        return self._each(images, lambda x, c: self.package.nufft(x, c, **self.options))

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""

        def transform(y: np.ndarray, coords: np.ndarray) -> np.ndarray:
            size = (*y.shape[:-1], *self.work.shape)
            return self.package.nufft_adjoint(y, coords, size, **self.options)

        images = self._each(kspace, transform)
        return images if self.maps is None else (self.maps.conj() * images).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        return self.adjoint(self.forward(image))

    def _each(self, operand: Tensor, transform: Callable[..., np.ndarray]) -> Tensor:
        if not self.work.has_frames:
            return torch.from_numpy(transform(operand.numpy(), self.coords))
        pairs = zip(operand.numpy(), self.coords, strict=True)
        return torch.from_numpy(np.stack([transform(x, c) for x, c in pairs]))
