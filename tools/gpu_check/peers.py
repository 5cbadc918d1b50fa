"""Other packages' NUFFTs behind the shapes of this one; imported when they are planned.

A transform gives what its package does; `scale` makes it orthonormal, outside of what is timed.
"""

import importlib
import math
from typing import Any

import torch
from torch import Tensor


class TorchKbNufft:
    """torchkbnufft with its defaults: 6 points, twice the grid; A* A by its Toeplitz kernel."""

    def __init__(self, coords: Tensor, shape: tuple[int, ...], maps: Tensor | None) -> None:
        """Plan along `coords`, (samples, ndim), on their device."""
        package: Any = importlib.import_module("torchkbnufft")
        self.maps, self.omega = maps, angles(coords, shape).T.contiguous()
        self.forward_op = package.KbNufft(shape).to(coords.device)
        self.adjoint_op = package.KbNufftAdjoint(shape).to(coords.device)
        self.scale = 2 ** (len(shape) / 2)  # its "ortho" is that of the grid
        self.toeplitz = package.ToepNufft()
        self.kernel: Tensor | None = None
        if len(shape) == 2:  # of a volume it takes minutes to make
            self.kernel = package.calc_toeplitz_kernel(self.omega, shape, norm="ortho")

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
        return self.toeplitz(image, self.kernel, smaps=self.maps, norm="ortho")


class CuFinufft:
    """cufinufft, planned, with single precision."""

    def __init__(
        self,
        coords: Tensor,
        shape: tuple[int, ...],
        maps: Tensor | None,
        n_images: int,
        accuracy: float,
    ) -> None:
        """Plan both directions along `coords`, (samples, ndim), for `n_images` at once."""
        plan: Any = importlib.import_module("cufinufft").Plan
        self.maps, self.shape, self.scale = maps, shape, 1 / math.sqrt(math.prod(shape))
        points = angles(coords, shape).T.contiguous()
        options = {"eps": accuracy, "dtype": "complex64"}
        self.forward_plan = plan(2, shape, n_images, isign=-1, **options)
        self.adjoint_plan = plan(1, shape, n_images, isign=1, **options)
        for each in (self.forward_plan, self.adjoint_plan):
            each.setpts(*points)
        self.n_samples = coords.shape[0]

    def forward(self, image: Tensor) -> Tensor:
        """Sample images, (batch, coils or 1, *shape)."""
        images = image if self.maps is None else image * self.maps
        out = images.new_empty(*images.shape[:2], self.n_samples)
        self._execute(self.forward_plan, images, out)
        return out

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply the adjoint to k-space, (batch, coils, samples)."""
        out = kspace.new_empty(*kspace.shape[:2], *self.shape)
        self._execute(self.adjoint_plan, kspace, out)
        return out if self.maps is None else (self.maps.conj() * out).sum(1, keepdim=True)

    def normal(self, image: Tensor) -> Tensor:
        """Apply both."""
        return self.adjoint(self.forward(image))

    def _execute(self, plan: Any, operand: Tensor, out: Tensor) -> None:
        drop: Any = 0 if math.prod(out.shape[:2]) == 1 else slice(None)  # one has no axis for it
        plan.execute(operand.flatten(0, 1)[drop], out=out.flatten(0, 1)[drop])


def angles(coords: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return coordinates in radians per pixel."""
    return coords * (2 * math.pi / torch.tensor(shape, device=coords.device))
