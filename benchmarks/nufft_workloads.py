"""The trajectories and images that NUFFTs are compared on, and what is right for them."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from mrirecon import Nufft
from mrirecon.reference import nufft as direct

GOLDEN_ANGLE = math.radians(111.246117975)
N_CHECKED = 16  # outputs compared with the direct sum


@dataclass(frozen=True)
class Workload:
    """Images and where their k-space is sampled.

    Attributes:
        case: by which the command knows it.
        name: as in the tables.
        shape: of an image.
        coords: float64, (samples, ndim) or (batch, samples, ndim), cycles per field of view.
        batch: number of images.
        coils: seen of each image.
        has_maps: whether there is one image for all coils, or one for each.
    """

    case: str
    name: str
    shape: tuple[int, ...]
    coords: Tensor
    batch: int = 1
    coils: int = 1
    has_maps: bool = False

    @property
    def n_images(self) -> int:
        return self.batch * self.coils

    @property
    def n_samples(self) -> int:
        return self.coords.shape[-2]

    @cached_property
    def image(self) -> Tensor:
        return _random(self.batch, 1 if self.has_maps else self.coils, *self.shape)

    @cached_property
    def kspace(self) -> Tensor:
        return _random(self.batch, self.coils, self.n_samples)

    @cached_property
    def coil_maps(self) -> Tensor | None:
        return _random(1, self.coils, *self.shape) if self.has_maps else None

    def operands(self) -> dict[str, Tensor]:
        """What each direction is applied to."""
        return {"forward": self.image, "adjoint": self.kspace, "normal": self.image}

    def exact(self, direction: str) -> Tensor:
        """The result in complex128, exact to 1e-9, which the direct sum confirms."""
        return getattr(self, f"_exact_{direction}")

    @cached_property
    def _exact_forward(self) -> Tensor:
        image, maps = self.image.to(torch.complex128), self._double_maps
        kspace = self._double(image, maps)
        _confirm(image if maps is None else image * maps, self.coords, kspace)
        return kspace

    @cached_property
    def _exact_adjoint(self) -> Tensor:
        return self._double.adjoint(self.kspace.to(torch.complex128), self._double_maps)

    @cached_property
    def _exact_normal(self) -> Tensor:
        return self._double.adjoint(self._exact_forward, self._double_maps)

    @cached_property
    def _double(self) -> Nufft:
        return Nufft(self.coords, self.shape, 1e-9)

    @cached_property
    def _double_maps(self) -> Tensor | None:
        return None if self.coil_maps is None else self.coil_maps.to(torch.complex128)

    def one_image(self) -> "Workload":
        """The same trajectory with one image, on which tolerances are chosen."""
        coords = self.coords if self.coords.ndim == 2 else self.coords[0]
        return replace(self, coords=coords, batch=1, coils=1, has_maps=False)


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def _random(*size: int) -> Tensor:
    return torch.randn(*size, dtype=torch.complex64, generator=torch.Generator().manual_seed(7))


def _confirm(image: Tensor, coords: Tensor, kspace: Tensor) -> None:
    """Assert that some of the k-space of the first image is its direct sum."""
    own = coords if coords.ndim == 2 else coords[0]
    some = torch.randperm(len(own), generator=torch.Generator().manual_seed(7))[:N_CHECKED]
    error = relative_error(kspace[0, 0, some], direct.nufft(image[0, 0], own[some]))
    assert error < 1e-8, f"relative error {error:.1e} against the direct sum, expected 1e-9"


def radial(n_spokes: int, n_samples: int, n: int, first: int = 0) -> Tensor:
    """Spokes at the golden angle."""
    angle = (torch.arange(n_spokes, dtype=torch.float64)[:, None] + first) * GOLDEN_ANGLE
    radius = (torch.arange(n_samples, dtype=torch.float64) / n_samples - 0.5) * n
    return torch.stack([radius * angle.sin(), radius * angle.cos()], -1).reshape(-1, 2)


def spiral(n_arms: int, n_samples: int, n: int, n_turns: float = 8) -> Tensor:
    """Arms of an Archimedean spiral, which step along themselves evenly at the outside."""
    radius = (torch.arange(n_samples, dtype=torch.float64) / n_samples).sqrt()
    turn = torch.arange(n_arms, dtype=torch.float64)[:, None] / n_arms + n_turns * radius
    angle = 2 * math.pi * turn
    return (n / 2 * radius[:, None] * torch.stack([angle.sin(), angle.cos()], -1)).reshape(-1, 2)


def kooshball(n_spokes: int, n_samples: int, n: int) -> Tensor:
    """Spokes towards a Fibonacci lattice on half a sphere."""
    index = torch.arange(n_spokes, dtype=torch.float64) + 0.5
    height, angle = index / n_spokes, index * math.pi * (3 - math.sqrt(5))
    flat = (1 - height.square()).sqrt()
    direction = torch.stack([height, flat * angle.sin(), flat * angle.cos()], -1)
    radius = (torch.arange(n_samples, dtype=torch.float64) / n_samples - 0.5) * n
    return (direction[:, None] * radius[:, None]).reshape(-1, 3)


def frames() -> Tensor:
    return torch.stack([radial(21, 384, 192, first=21 * frame) for frame in range(16)])


def workloads() -> list[Workload]:
    """All that are compared."""
    plane = radial(64, 512, 256)
    name = "256 x 256, 64 x 512 radial"
    return [
        Workload("radial", name, (256, 256), plane),
        Workload("batch", f"{name}, batch of 16", (256, 256), plane, batch=16),
        Workload(
            "maps",
            "320 x 320, 100 x 640 radial, 8 coils with maps",
            (320, 320),
            radial(100, 640, 320),
            coils=8,
            has_maps=True,
        ),
        Workload(
            "spiral",
            "256 x 256, 16 x 4,096 spiral, 8 coils",
            (256, 256),
            spiral(16, 4096, 256),
            coils=8,
        ),
        Workload(
            "frames",
            "192 x 192, 16 frames, each its own 21 x 384 radial",
            (192, 192),
            frames(),
            batch=16,
        ),
        Workload(
            "kooshball", "96^3, 3,000 x 192 kooshball", (96, 96, 96), kooshball(3000, 192, 96)
        ),
    ]
