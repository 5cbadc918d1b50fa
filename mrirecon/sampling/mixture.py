"""Several undersamplings in one training, and which of them a slice gets.

Source: Chatterjee et al. 2022 (arXiv 2103.09203), who train one network on mixed patterns.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.sampling.checks import expect
from mrirecon.sampling.config import SamplingConfig
from mrirecon.sampling.masks import mask_batch
from mrirecon.sampling.trajectory_config import TrajectoryConfig

Undersampling = SamplingConfig | TrajectoryConfig
"""How k-space is undersampled: by a mask on the grid, or along a trajectory off it."""

_CHOICE = 1  # last part of the key of the choice; masks have keys without it


@dataclass(frozen=True)
class MixtureConfig:
    """Several patterns and accelerations, of which every slice in every epoch gets one.

    Attributes:
        sampling: patterns on the grid.
        trajectory: patterns off it; with those on the grid two or more.
        weights: how often each is chosen, in this order, relative to the others; None: equally
            often.
    """

    sampling: tuple[SamplingConfig, ...] = ()
    trajectory: tuple[TrajectoryConfig, ...] = ()
    weights: tuple[float, ...] | None = None

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse what is no mixture.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        n_patterns = len(self.patterns)
        expect("sampling", n_patterns >= 2, "two patterns or more, with trajectory", n_patterns)
        if self.weights is not None:
            n_weights = len(self.weights)
            wanted = f"{n_patterns}, one for each pattern"
            expect("weights", n_weights == n_patterns, wanted, n_weights)
            all_above = all(0 < weight < math.inf for weight in self.weights)
            expect("weights", all_above, "finite numbers above 0", list(self.weights))

    @property
    def patterns(self) -> tuple[Undersampling, ...]:
        """The patterns, numbered as `choose` does."""
        return (*self.sampling, *self.trajectory)

    @property
    def mask_shape(self) -> tuple[bool, bool]:
        """Whether masks have rows and columns: of size 1 where no pattern on the grid varies."""
        axes = {pattern.axis if pattern.is_line_mask else "both" for pattern in self.sampling}
        return axes != {"cols"}, axes != {"rows"}

    def choose(
        self, *, seed: int, volumes: Tensor, slices: Tensor, epoch: int
    ) -> NDArray[np.int64]:
        """Choose a pattern for each slice of a batch, by (seed, volume, slice, epoch) alone.

        Args:
            seed: of the run, at least 0.
            volumes: int64, (batch,), on the CPU, numbers of the volumes.
            slices: int64, (batch,), on the CPU, numbers of the slices in their volumes.
            epoch: at least 0.

        Returns:
            (batch,), places in `patterns`.
        """
        weights = np.array(self.weights or [1.0] * len(self.patterns))
        edges = np.cumsum(weights / weights.sum())[:-1]
        places = zip(volumes.tolist(), slices.tolist(), strict=True)
        keys = [np.random.SeedSequence(seed, spawn_key=(*p, epoch, _CHOICE)) for p in places]
        drawn = np.array([key.generate_state(1, np.uint64)[0] for key in keys], dtype=np.uint64)
        return np.searchsorted(edges, drawn / 2.0**64, side="right")

    def masks(
        self, shape: tuple[int, int], *, seed: int, volumes: Tensor, slices: Tensor, epoch: int
    ) -> Tensor:
        """Make the mask of each slice by its own pattern on the grid.

        Args:
            shape: (rows, cols) of the images.
            seed: of the run, at least 0.
            volumes: int64, (batch,), on the CPU, numbers of the volumes.
            slices: int64, (batch,), on the CPU, numbers of the slices in their volumes.
            epoch: at least 0.

        Returns:
            bool, on the CPU, (batch, rows or 1, cols or 1); an axis has size 1 where no pattern
            of the mixture varies along it, whatever this batch has.

        Raises:
            ValueError: as `make_mask`; or a slice is to be measured along a trajectory.
        """
        has_rows, has_cols = self.mask_shape
        size = (shape[0] if has_rows else 1, shape[1] if has_cols else 1)
        chosen = torch.from_numpy(
            self.choose(seed=seed, volumes=volumes, slices=slices, epoch=epoch)
        )
        n_off_grid = int((chosen >= len(self.sampling)).sum())
        expect("slices", n_off_grid == 0, "patterns on the grid alone", f"{n_off_grid} off it")
        masks = torch.empty(len(volumes), *size, dtype=torch.bool)
        for number, pattern in enumerate(self.sampling):
            rows = torch.nonzero(chosen == number)[:, 0]
            if len(rows):
                masks[rows] = mask_batch(
                    pattern,
                    shape,
                    seed=seed,
                    volumes=volumes[rows],
                    slices=slices[rows],
                    epoch=epoch,
                )
        return masks


def sampling_title(sampling: Undersampling) -> str:
    """Name an undersampling in a few words."""
    if isinstance(sampling, TrajectoryConfig):
        readouts = "spokes" if sampling.kind == "radial" else "interleaves"
        return f"{sampling.kind}, {sampling.n_readouts} {readouts}"
    return f"{sampling.strategy.replace('_', ' ')}, {sampling.acceleration:g}x"


def named_patterns(sampling: Undersampling | MixtureConfig) -> dict[str, Undersampling]:
    """Name each pattern of a mixture by its title, numbered where titles are alike.

    A single undersampling is its one pattern.
    """
    patterns = sampling.patterns if isinstance(sampling, MixtureConfig) else (sampling,)
    titles = [sampling_title(pattern) for pattern in patterns]
    count, seen = Counter(titles), Counter[str]()
    named: dict[str, Undersampling] = {}
    for title, pattern in zip(titles, patterns, strict=True):
        seen[title] += 1
        named[f"{title} ({seen[title]})" if count[title] > 1 else title] = pattern
    return named
