"""What to sample of a slab along all three axes: the description of a trajectory, and its plan."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from mrirecon.nufft import Nufft
from mrirecon.sampling.checks import expect
from mrirecon.sampling.masks import acceleration
from mrirecon.sampling.summary import MaskSummary, sampled_centre
from mrirecon.sampling.trajectories_3d import (
    kooshball,
    kooshball_density,
    stack_of_stars,
    stack_of_stars_density,
)

SlabKind = Literal["stack_of_stars", "kooshball"]
_ACCURACY = 1e-3  # of the transform; images of a comparison differ by more


@dataclass(frozen=True)
class SlabConfig:
    """Describe spokes through a slab.

    Attributes:
        kind: `stack_of_stars`, golden spokes in each partition, each turned against the one before;
            or `kooshball`, spokes in every direction of space.
        n_spokes: of each partition, or of the whole kooshball; 1 or more.
        n_samples: of each spoke, 2 or more.
    """

    kind: SlabKind
    n_spokes: int
    n_samples: int

    def __post_init__(self) -> None:
        """Refuse values that describe no trajectory.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        kinds = get_args(SlabKind)
        expect("kind", self.kind in kinds, f"one of {', '.join(kinds)}", self.kind)
        expect("n_spokes", self.n_spokes >= 1, "1 or more", self.n_spokes)
        expect("n_samples", self.n_samples >= 2, "2 or more", self.n_samples)

    def n_readouts(self, depth: int) -> int:
        """Count the spokes of a slab of `depth` partitions."""
        return self.n_spokes * (depth if self.kind == "stack_of_stars" else 1)

    def coords(self, shape: tuple[int, int, int], dtype: torch.dtype = torch.float32) -> Tensor:
        """Give the trajectory, (samples, 3), [cycles per field of view], (depth, row, col)."""
        lay = stack_of_stars if self.kind == "stack_of_stars" else kooshball
        return lay(self.n_spokes, self.n_samples, shape, dtype=dtype)

    def density(self, shape: tuple[int, int, int]) -> Tensor:
        """Give the volume around each sample, float32, (samples,), [cells of the grid]."""
        of = stack_of_stars_density if self.kind == "stack_of_stars" else kooshball_density
        return of(self.n_spokes, self.n_samples, shape)

    def plan(self, shape: tuple[int, int, int]) -> Nufft:
        """Plan the transform to the samples, with their density."""
        return Nufft(self.coords(shape), shape, _ACCURACY, density=self.density(shape))


def visited_volume(config: SlabConfig, shape: tuple[int, int, int]) -> Tensor:
    """Mark the grid's cells that hold a sample: bool, (depth, rows, cols)."""
    size = torch.tensor(shape)
    cell = (config.coords(shape).round().long() + size // 2).remainder(size)
    visited = torch.zeros(shape, dtype=torch.bool)
    visited[cell.unbind(-1)] = True
    return visited


def summarise_slab(config: SlabConfig, shape: tuple[int, int, int]) -> MaskSummary:
    """Measure a trajectory as `summarise` measures a mask, by the cells that it visits.

    Spokes count against the lines of the shorter axis in each partition.
    """
    visited = visited_volume(config, shape)
    return MaskSummary(
        shape=shape[1:],
        kind="spokes",
        n_readouts=config.n_readouts(shape[0]),
        n_samples=int(visited.sum()),
        acceleration=acceleration(visited),
        calibration=sampled_centre(visited),
        largest_gap=None,
        scan_time_factor=min(shape[1:]) * shape[0] / config.n_readouts(shape[0]),
    )
