"""The trajectories and images that NUFFTs are compared on, and what is right for them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal

import torch
from torch import Tensor

from mrirecon.bench.case import Setup, relative_error
from mrirecon.bench.suites.operands import random_complex
from mrirecon.nufft import Nufft
from mrirecon.reference import nufft as direct

Direction = Literal["forward", "adjoint", "normal"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "adjoint", "normal")
GOLDEN_ANGLE = math.radians(111.246117975)
_N_CHECKED = 16  # outputs compared with the direct sum
_N_FEW = 4096  # samples that tell the error of a way that is too slow for all


@dataclass(frozen=True, eq=False)
class Workload:
    """Images and where their k-space is sampled.

    Attributes:
        trajectory: its sizes and kind.
        shape: of an image.
        coords: float64, (samples, ndim) or (batch, samples, ndim), cycles per field of view, on
            the CPU.
        batch: number of images.
        coils: seen of each image.
        has_maps: whether there is one image for all coils, or one for each.
        device: of images, k-space and maps.
    """

    trajectory: str
    shape: tuple[int, ...]
    coords: Tensor
    batch: int = 1
    coils: int = 1
    has_maps: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def name(self) -> str:
        """All sizes, as in the tables."""
        coils = f"{self.coils} coils{' with maps' if self.has_maps else ''}"
        parts = [
            " x ".join(map(str, self.shape)),
            f"{self.batch} frames, each its own {self.trajectory}" * self.has_frames,
            self.trajectory * (not self.has_frames),
            f"batch of {self.batch}" * (self.batch > 1 and not self.has_frames),
            coils * (self.coils > 1),
        ]
        return ", ".join(filter(None, parts))

    @property
    def has_frames(self) -> bool:
        """Whether each image has a trajectory of its own."""
        return self.coords.ndim == 3

    @property
    def n_images(self) -> int:
        """Images and coils of one call."""
        return self.batch * self.coils

    @property
    def n_samples(self) -> int:
        """Samples of a trajectory."""
        return self.coords.shape[-2]

    @cached_property
    def image(self) -> Tensor:
        """complex64, (batch, coils or 1, *shape)."""
        n_coils = 1 if self.has_maps else self.coils
        return random_complex((self.batch, n_coils, *self.shape), self.device)

    @cached_property
    def kspace(self) -> Tensor:
        """complex64, (batch, coils, samples)."""
        return random_complex((self.batch, self.coils, self.n_samples), self.device, seed=1)

    @cached_property
    def coil_maps(self) -> Tensor | None:
        """complex64, (1, coils, *shape), or none."""
        size = (1, self.coils, *self.shape)
        return random_complex(size, self.device, seed=2) if self.has_maps else None

    def operand(self, direction: Direction) -> Tensor:
        """Return what a direction is applied to."""
        return self.kspace if direction == "adjoint" else self.image

    def single_coords(self) -> Tensor:
        """Return the coordinates in float32, on the device."""
        return self.coords.float().to(self.device)

    def angles(self) -> Tensor:
        """Return the coordinates in radians per pixel, float32, (..., ndim, samples)."""
        scaled = self.coords * (2 * math.pi / torch.tensor(self.shape))
        return scaled.float().transpose(-1, -2).contiguous().to(self.device)

    def exact(self, direction: Direction) -> Tensor:
        """Return the result in complex128, exact to 1e-9, which the direct sum confirms."""
        return {
            "forward": lambda: self._exact_kspace,
            "adjoint": lambda: self._double_adjoint(self.kspace.cpu().to(torch.complex128)),
            "normal": lambda: self._double_adjoint(self._exact_kspace),
        }[direction]()

    @cached_property
    def _exact_kspace(self) -> Tensor:
        image, maps = self.image.cpu().to(torch.complex128), self._double_maps
        kspace = self._double(image, maps)
        _confirm(image if maps is None else image * maps, self.coords, kspace)
        return kspace

    def _double_adjoint(self, kspace: Tensor) -> Tensor:
        return self._double.adjoint(kspace, self._double_maps)

    @cached_property
    def _double(self) -> Nufft:
        return Nufft(self.coords, self.shape, 1e-9)

    @cached_property
    def _double_maps(self) -> Tensor | None:
        return None if self.coil_maps is None else self.coil_maps.cpu().to(torch.complex128)

    @cached_property
    def one_image(self) -> "Workload":
        """The same trajectory with one image, on which settings are chosen."""
        coords = self.coords[0] if self.has_frames else self.coords
        return replace(self, coords=coords, batch=1, coils=1, has_maps=False)

    @cached_property
    def few_samples(self) -> "Workload":
        """One image and some of its samples, which have the error of all."""
        work = self.one_image
        return replace(work, coords=work.coords[_some(work.n_samples, _N_FEW)])


def _some(n: int, n_chosen: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(7))[:n_chosen]


def _confirm(image: Tensor, coords: Tensor, kspace: Tensor) -> None:
    """Assert that some of the k-space of the first image is its direct sum."""
    own = coords if coords.ndim == 2 else coords[0]
    some = _some(len(own), _N_CHECKED)
    error = relative_error(kspace[0, 0, some], direct.nufft(image[0, 0], own[some]))
    assert error < 1e-8, f"relative error {error:.1e} against the direct sum, expected 1e-9"


def radial(n_spokes: int, n_samples: int, n: int, first: int = 0) -> Tensor:
    """Return spokes at the golden angle."""
    angle = (torch.arange(n_spokes, dtype=torch.float64)[:, None] + first) * GOLDEN_ANGLE
    radius = (torch.arange(n_samples, dtype=torch.float64) / n_samples - 0.5) * n
    return torch.stack([radius * angle.sin(), radius * angle.cos()], -1).reshape(-1, 2)


def spiral(n_arms: int, n_samples: int, n: int, n_turns: float = 8) -> Tensor:
    """Return arms of an Archimedean spiral, with even steps along them at the outside."""
    radius = (torch.arange(n_samples, dtype=torch.float64) / n_samples).sqrt()
    turn = torch.arange(n_arms, dtype=torch.float64)[:, None] / n_arms + n_turns * radius
    angle = 2 * math.pi * turn
    return (n / 2 * radius[:, None] * torch.stack([angle.sin(), angle.cos()], -1)).reshape(-1, 2)


def kooshball(n_spokes: int, n_samples: int, n: int) -> Tensor:
    """Return spokes towards a Fibonacci lattice on half a sphere."""
    index = torch.arange(n_spokes, dtype=torch.float64) + 0.5
    height, angle = index / n_spokes, index * math.pi * (3 - math.sqrt(5))
    flat = (1 - height.square()).sqrt()
    direction = torch.stack([height, flat * angle.sin(), flat * angle.cos()], -1)
    radius = (torch.arange(n_samples, dtype=torch.float64) / n_samples - 0.5) * n
    return (direction[:, None] * radius[:, None]).reshape(-1, 3)


def workloads(setup: Setup) -> Iterator[Workload]:
    """Yield one image, a batch, coils with maps, coils, frames and a volume."""
    size = partial(_size, setup)
    yield radial_workload(setup)
    yield radial_workload(setup, batch=size(16))
    n, n_spokes, n_along = size(320), size(100), size(640)
    yield Workload(
        f"{n_spokes} x {n_along} radial",
        (n, n),
        radial(n_spokes, n_along, n),
        coils=8,
        has_maps=True,
        device=setup.device,
    )
    n, n_along = size(256), size(4096)
    yield Workload(
        f"16 x {n_along:,} spiral", (n, n), spiral(16, n_along, n), coils=8, device=setup.device
    )
    n, n_spokes, n_along, batch = size(192), size(21), size(384), size(16)
    frames = [radial(n_spokes, n_along, n, first=n_spokes * frame) for frame in range(batch)]
    yield Workload(
        f"{n_spokes} x {n_along} radial",
        (n, n),
        torch.stack(frames),
        batch=batch,
        device=setup.device,
    )
    n, n_spokes, n_along = size(96), size(3000), size(192)
    yield Workload(
        f"{n_spokes:,} x {n_along} kooshball",
        (n, n, n),
        kooshball(n_spokes, n_along, n),
        device=setup.device,
    )


def radial_workload(
    setup: Setup, *, n_spokes: int = 64, batch: int = 1, coils: int = 1
) -> Workload:
    """Return images of 256 x 256 pixels along spokes of 512 samples."""
    n, n_spokes, n_along = (_size(setup, full) for full in (256, n_spokes, 512))
    return Workload(
        f"{n_spokes} x {n_along} radial",
        (n, n),
        radial(n_spokes, n_along, n),
        batch=batch,
        coils=coils,
        device=setup.device,
    )


def _size(setup: Setup, full: int) -> int:
    return 2 * max(2, full // 24) if setup.small else full  # BART wants even sizes
