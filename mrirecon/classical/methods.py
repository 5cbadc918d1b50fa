"""Reconstruct by a method's name: each with a frozen configuration, on and off the grid.

Sources: those of the methods; defaults of SENSE, total variation and wavelets are those that
ReconResNet is compared with (Chatterjee et al. 2022, arXiv 2103.09203).
"""

import math
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, get_args

from torch import Tensor

from mrirecon.classical.compressed_sensing import reconstruct_total_variation, reconstruct_wavelet
from mrirecon.classical.conjugate_gradient import conjugate_gradient
from mrirecon.classical.encoding import Encoding
from mrirecon.classical.partial_fourier import reconstruct_homodyne, reconstruct_pocs
from mrirecon.nufft import Nufft

MethodName = Literal["zero-filled", "homodyne", "pocs", "sense", "cg-sense", "tv", "wavelet"]


@dataclass(frozen=True)
class ZeroFilledConfig:
    """Transform back with zeros where nothing was measured, or grid; combine by the coil maps."""


@dataclass(frozen=True)
class HomodyneConfig:
    """Lines of one side tell those left out on the other: `reconstruct_homodyne`."""


@dataclass(frozen=True)
class _IterativeConfig:
    """What every iteration has.

    Attributes:
        n_iterations: at most, 1 or more.
        tolerance: at which an image is done, at least 0 and below 1; see the method's function.
    """

    n_iterations: int = 100
    tolerance: float = 1e-3

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        if self.n_iterations < 1:
            raise ValueError(f"n_iterations: expected 1 or more, got {self.n_iterations}")
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance: expected at least 0 and below 1, got {self.tolerance}")


@dataclass(frozen=True)
class PocsConfig(_IterativeConfig):
    """The same, by projections in turn, which keep what was measured: `reconstruct_pocs`."""

    n_iterations: int = 20


@dataclass(frozen=True)
class PriorConfig(_IterativeConfig):
    """What every iteration with a prior has.

    Attributes:
        regularisation: weight of the prior, 0 or more.
    """

    regularisation: float = 0.005

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        super().__post_init__()
        if not 0 <= self.regularisation < math.inf:
            raise ValueError(f"regularisation: expected 0 or more, got {self.regularisation}")


@dataclass(frozen=True)
class SenseConfig(PriorConfig):
    """Least squares with a weight of the image's energy, by conjugate gradients (`cg_sense`)."""

    regularisation: float = 0.01
    n_iterations: int = 50
    tolerance: float = 1e-4


@dataclass(frozen=True)
class TotalVariationConfig(PriorConfig):
    """Few edges: `reconstruct_total_variation`.

    Attributes:
        is_isotropic: take the length of the gradient, not the sum of its parts.
    """

    is_isotropic: bool = True


@dataclass(frozen=True)
class WaveletConfig(PriorConfig):
    """Few wavelets: `reconstruct_wavelet`.

    Attributes:
        n_moments: of Daubechies' wavelet, 1 to 10.
        n_levels: at most, 0 or more.
        is_shifted: take wavelets at another place in each step, which shows no blocks.
    """

    n_moments: int = 4
    n_levels: int = 4
    is_shifted: bool = True


MethodConfig = (
    ZeroFilledConfig
    | HomodyneConfig
    | PocsConfig
    | SenseConfig
    | TotalVariationConfig
    | WaveletConfig
)

DEFAULTS: dict[MethodName, MethodConfig] = {
    "zero-filled": ZeroFilledConfig(),
    "homodyne": HomodyneConfig(),
    "pocs": PocsConfig(),
    "sense": SenseConfig(),
    "cg-sense": SenseConfig(regularisation=1e-3, n_iterations=30),
    "tv": TotalVariationConfig(),
    "wavelet": WaveletConfig(),
}
"""`sense` and `cg-sense` solve one problem; the latter trusts the measurement more."""


def get_method(name: str) -> MethodConfig:
    """Give a method's default configuration.

    Raises:
        ValueError: no such method.

    Examples:
        >>> from mrirecon.classical import get_method
        >>> get_method("sense").n_iterations
        50
    """
    if name not in DEFAULTS:
        raise ValueError(f"method: expected one of {', '.join(get_args(MethodName))}, got {name!r}")
    return DEFAULTS[name]


def reconstruct(
    method: str | MethodConfig,
    kspace: Tensor,
    sampled: Tensor | Nufft,
    coil_maps: Tensor | None = None,
    *,
    is_real: bool = False,
) -> Tensor:
    """Reconstruct a batch of undersampled k-space, on the device of its tensors.

    Args:
        method: a name, for its defaults, or a configuration.
        kspace: complex64 or complex128, (batch, coils, rows, cols), centred, used where the mask is
            set; or (batch, coils, samples) along a trajectory.
        sampled: the mask: bool, (cols,), (rows, 1), (rows, cols) or (batch, rows or 1, cols or 1),
            True where measured; or the transform to the samples, with their density if it has one.
        coil_maps: the dtype of `kspace`, (batch or 1, coils, rows, cols); None for one coil.
        is_real: the image is known to be real, as one simulated from magnitudes is.

    Returns:
        The image, complex or, with `is_real`, real, (batch, 1, rows, cols).

    Raises:
        ValueError: no such method, several coils without maps, shapes and dtypes that do not fit
            each other, or a method for lines along one axis with other masks or a trajectory.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import TotalVariationConfig, reconstruct
        >>> kspace = torch.ones(1, 1, 32, 32, dtype=torch.complex64)
        >>> mask = torch.arange(32) % 2 == 0
        >>> reconstruct("zero-filled", mask * kspace, mask).shape
        torch.Size([1, 1, 32, 32])
        >>> stronger = TotalVariationConfig(regularisation=0.01)
        >>> reconstruct(stronger, mask * kspace, mask, is_real=True).dtype
        torch.float32
    """
    config = get_method(method) if isinstance(method, str) else method
    encoding = Encoding(sampled, coil_maps, is_real=is_real)
    options = asdict(config)
    match config:
        case TotalVariationConfig():
            return reconstruct_total_variation(kspace, encoding, **options).x
        case WaveletConfig():
            return reconstruct_wavelet(kspace, encoding, **options).x
        case SenseConfig():
            return _reconstruct_sense(kspace, encoding, config)
        case PocsConfig():
            return reconstruct_pocs(kspace, encoding, **options)
        case HomodyneConfig():
            return reconstruct_homodyne(kspace, encoding)
        case ZeroFilledConfig():
            return encoding.adjoint(kspace)


def _reconstruct_sense(kspace: Tensor, encoding: Encoding, config: SenseConfig) -> Tensor:
    return conjugate_gradient(
        lambda image: encoding.normal(image) + config.regularisation * image,
        encoding.adjoint(kspace),
        n_iterations=config.n_iterations,
        tolerance=config.tolerance,
    ).x
