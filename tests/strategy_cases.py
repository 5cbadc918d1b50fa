"""A small comparison of sampling strategies, made once for the tests that look at it."""

from functools import lru_cache

import torch
from torch import Tensor

from mrirecon.evaluation import StrategyResult, compare_strategies, rank_strategies
from mrirecon.metrics import get_protocol
from mrirecon.sampling import CLINICAL_3T, AcquisitionConfig, make_candidate

SCAN = AcquisitionConfig(field_of_view=(0.08, 0.096))
NAMES = ("equispaced", "variable_density", "poisson_disc", "radial_spokes")


def smooth_image() -> Tensor:
    """Give a disc with waves, (40, 48), from 0 to about 200."""
    row, col = torch.linspace(-1, 1, 40)[:, None], torch.linspace(-1, 1, 48)
    disc = torch.sigmoid(30 * (0.7 - (row**2 + col**2).sqrt()))
    return disc * (150 + 50 * torch.cos(9 * row) * torch.cos(11 * col))


@lru_cache
def small_comparison() -> tuple[StrategyResult, ...]:
    """Compare `NAMES` in a 2-D scan, ranked."""
    image = smooth_image()
    candidates = {
        name: make_candidate(name, (40, 48), 3, acquisition=SCAN, profile=CLINICAL_3T)
        for name in NAMES
    }
    results = compare_strategies(
        candidates,
        image,
        acquisition=SCAN,
        profile=CLINICAL_3T,
        protocol=get_protocol("per_slice"),
        noise_std=0.002,
    )
    return tuple(rank_strategies(results))
