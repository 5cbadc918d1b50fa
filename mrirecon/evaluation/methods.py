"""What makes an image of a measurement, and how each result is called."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from mrirecon.classical import MethodConfig, reconstruct
from mrirecon.data import Measurement
from mrirecon.models import Generator, make_consistent

MethodName = str
"""One of `ALL_METHODS`, for one network of several with its run: `network (RUN)`."""
ALL_METHODS: tuple[MethodName, ...] = (
    "zero-filled",
    "gridding",
    "data consistency alone",
    "homodyne",
    "POCS",
    "SENSE",
    "total variation",
    "l1-wavelet",
    "network",
    "network + data consistency",
)
CLASSICAL_METHODS: dict[str, MethodName] = {
    "homodyne": "homodyne",
    "pocs": "POCS",
    "sense": "SENSE",
    "tv": "total variation",
    "wavelet": "l1-wavelet",
}
"""By their names in `mrirecon.classical`. Scored where asked for, with the known (zero) phase of
simulated images, which `data consistency alone` and the network's consistency are told too."""
METHODS: tuple[MethodName, ...] = tuple(
    name for name in ALL_METHODS if name not in ("gridding", *CLASSICAL_METHODS.values())
)
"""On the grid. `data consistency alone` is the zero-filled magnitude with the measured k-space put
back: what the known phase of simulated images is worth without any network, so that a reader can
tell it from what was learnt."""
OFF_GRID_METHODS: tuple[MethodName, ...] = ("gridding", *METHODS[1:])
"""Along a trajectory. `data consistency alone` is what conjugate gradients make of the measurement
from an image of zeros, by the steps that also follow the network, and along the known phase."""

Reconstructor = Callable[[Measurement], dict[MethodName, Tensor]]
"""Gives images (batch, rows, cols), float32, 0 or more, by the name of their method."""


def base_method(name: MethodName) -> MethodName:
    """Give the one of `ALL_METHODS` that a name with a run stands for."""
    return next((base for base in ALL_METHODS if name.startswith(f"{base} (")), name)


def order_methods(names: Iterable[MethodName]) -> tuple[MethodName, ...]:
    """Sort names, each once, as `ALL_METHODS` is, runs of one method as they come."""
    return tuple(
        sorted(dict.fromkeys(names), key=lambda name: ALL_METHODS.index(base_method(name)))
    )


def baselines(measurement: Measurement) -> dict[MethodName, Tensor]:
    """Make the images that take neither prior nor network."""
    magnitude = measurement.zero_filled.abs()
    is_on_grid = measurement.nufft is None
    prior = magnitude if is_on_grid else torch.zeros_like(magnitude)
    alone = make_consistent(
        prior,
        measurement.zero_filled,
        measurement.sampled,
        measurement.phase,
        measurement.coil_maps,
    )
    return {
        "zero-filled" if is_on_grid else "gridding": magnitude[:, 0].float(),
        "data consistency alone": alone[:, 0].float(),
    }


def classical(name: MethodName, method: MethodConfig) -> Reconstructor:
    """Reconstruct by a classical method, under a name of `CLASSICAL_METHODS`."""
    return lambda measurement: {name: reconstruct_real(method, measurement)}


def network(generator: Generator, run: str = "") -> Reconstructor:
    """Reconstruct by a generator: its own image, and that with the measured k-space put back.

    Args:
        generator: on the measurement's device, in evaluation mode.
        run: its name where there are several, which then stands behind the method's.
    """
    suffix = f" ({run})" if run else ""

    def make(measurement: Measurement) -> dict[MethodName, Tensor]:
        made = generator(
            measurement.zero_filled,
            measurement.sampled,
            measurement.phase,
            measurement.coil_maps,
        )
        return {
            f"network{suffix}": made.network[:, 0].float(),
            f"network + data consistency{suffix}": made.consistent[:, 0].float(),
        }

    return make


def reconstruct_real(method: MethodConfig, measurement: Measurement) -> Tensor:
    """Reconstruct the image along its estimated phase: float32, (batch, rows, cols), 0 or more."""
    maps = measurement.coil_maps if measurement.phase is None else measurement.phase
    image = reconstruct(method, measurement.kspace, measurement.sampled, maps, is_real=True)
    return image[:, 0].clamp_min(0.0).float()
