"""The generator: a network joined with the measured k-space.

The join follows Schlemper et al. 2018 (10.1109/TMI.2017.2760978), equation 4 without noise: a
sample that was measured is kept, one that was not is the network's. So the network's part of the
result lies in the null space of the measurement (Schwab et al. 2019, 10.1088/1361-6420/aaf14a): it
may invent only what was not measured.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from mrirecon.classical import Encoding
from mrirecon.models.consistency import enforce_measurement
from mrirecon.models.dual_domain import DualDomain
from mrirecon.models.networks import NetworkConfig, make_network
from mrirecon.models.real import as_real
from mrirecon.models.reconresnet import ReconResNetConfig
from mrirecon.models.unrolled import Unrolled
from mrirecon.nufft import Nufft


@dataclass(frozen=True)
class GeneratorConfig:
    """A network and how it is joined with the measured k-space.

    Attributes:
        network: the network; its `kind` decides which further keys it has.
        consistency: "none": the network's image is the result; "after": the network is trained on
            its own, as in the paper, and its result then made consistent; "inside": the losses
            see the consistent image, so that the network learns only what was not measured. The
            last two confine the network to the null space of the measurement.
        is_real: make use of that an image is real once its known or estimated phase is taken away,
            as the classical methods do: half of k-space then tells the other half. Networks of
            every kind then see and correct a real image, which may be negative.
    """

    network: NetworkConfig = field(default_factory=ReconResNetConfig)
    consistency: Literal["none", "after", "inside"] = "after"
    is_real: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.consistency not in ("none", "after", "inside"):
            raise ValueError(
                f"consistency: expected 'none', 'after' or 'inside', got {self.consistency!r}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "GeneratorConfig":
        """Rebuild a configuration from `to_dict`, also of a version that had fewer options.

        Raises:
            ValueError: a key is unknown, or a value is out of range.
        """
        try:
            return TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise ValueError(f"{key}: {message}, from {first['input']!r}") from None


class Reconstruction(NamedTuple):
    """What a generator makes of a batch, (batch, 1, rows, cols); all but `image` are float.

    Attributes:
        network: the network's image.
        consistent: the same with the measured k-space put back, 0 or more.
        output: the one of the two that is the result.
        trained: the one of the two that the losses see.
        image: complex64, the result with its phase, of which `output` is the magnitude or, where
            the phase was known, the part along it. If it is consistent, its samples are those
            measured.
    """

    network: Tensor
    consistent: Tensor
    output: Tensor
    trained: Tensor
    image: Tensor


class Generator(nn.Module):
    """Reconstruct zero-filled images with a network and the measured k-space.

    A network on magnitudes gets the phase from the caller; an unrolled or a dual-domain one works
    on the complex image and keeps the phase of the measurement.

    Examples:
        >>> import torch
        >>> from mrirecon.models import CnnConfig, Generator, GeneratorConfig, UnrolledConfig
        >>> network = UnrolledConfig(n_cascades=2, refinement=CnnConfig(width=8, n_layers=2))
        >>> generator = Generator(GeneratorConfig(network, consistency="inside"))
        >>> zero_filled = torch.rand(2, 1, 32, 32, dtype=torch.complex64)
        >>> mask = torch.arange(32) % 2 == 0
        >>> generator(zero_filled, mask).output.shape
        torch.Size([2, 1, 32, 32])
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.network = make_network(config.network, is_real=config.is_real)
        self.arithmetic: torch.dtype | None = None
        """Of the network, by autocast; None leaves it to the caller (see `ready_for_use`)."""

    @property
    def keeps_phase(self) -> bool:
        """Whether the network reconstructs the phase too, rather than take it from the caller."""
        return isinstance(self.network, Unrolled | DualDomain)

    def forward(
        self,
        zero_filled: Tensor,
        sampled: Tensor | Nufft,
        phase: Tensor | None = None,
        coil_maps: Tensor | None = None,
    ) -> Reconstruction:
        """Reconstruct a batch.

        Args:
            zero_filled: complex64, (batch, 1, rows, cols), the centred inverse FFT of k-space
                with zeros where nothing was measured, or `Nufft.grid` of samples off the grid;
                of several coils, their combination by `coil_maps`; scaled so that the image is
                in [0, 1].
            sampled: the mask: bool, (cols,), (rows or 1, cols or 1) or (batch, rows or 1, cols or
                1), True is measured; or the transform to the samples, with their density.
            phase: complex64, (batch, 1, rows, cols), of magnitude 1: the image's phase where it
                is known. None stands for zero phase, that of an image simulated from magnitudes.
                Not used by a network that keeps the phase.
            coil_maps: complex64, (batch or 1, coils, rows, cols); None for one coil.

        Returns:
            The network's and the consistent image.
        """
        encoding = Encoding(sampled, coil_maps)
        if self.config.is_real:
            zero_filled, encoding = as_real(zero_filled, encoding, phase)
        with self._in_arithmetic(zero_filled.device):
            network, image = self._apply_network(zero_filled, encoding, phase)
        inside = self.config.consistency == "inside"
        with torch.set_grad_enabled(inside and torch.is_grad_enabled()):
            kept = enforce_measurement(image, zero_filled, encoding)
            consistent = self._magnitude(kept, phase)
        if self.config.is_real:
            image, kept = _with_phase(image, phase), _with_phase(kept, phase)
        if self.config.consistency == "none":
            return Reconstruction(network, consistent, network, network, image)
        return Reconstruction(
            network, consistent, consistent, consistent if inside else network, kept
        )

    def _in_arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        if self.arithmetic is None:
            return nullcontext()
        return torch.autocast(device.type, self.arithmetic)

    def _apply_network(
        self, zero_filled: Tensor, encoding: Encoding, phase: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the network's image, float, and the same with its phase, if it is not real."""
        if self.keeps_phase:
            image = self.network(zero_filled, encoding)
            return (image if self.config.is_real else image.abs()), image
        if self.config.is_real:
            network = self.network(zero_filled)
            return network, network
        network = self.network(zero_filled.abs())
        return network, _with_phase(network, phase)

    def _magnitude(self, image: Tensor, phase: Tensor | None) -> Tensor:
        """Return the magnitude, or the part along the phase where it was known, 0 or more."""
        if self.config.is_real:
            return image.clamp_min(0.0)
        return image.abs() if self.keeps_phase else _along_phase(image, phase)


def make_consistent(
    network: Tensor,
    zero_filled: Tensor,
    sampled: Tensor | Nufft,
    phase: Tensor | None,
    coil_maps: Tensor | None = None,
) -> Tensor:
    """Put the measured k-space back and return the image along its phase, 0 or more.

    Args:
        network: real, (batch, 1, rows, cols), a magnitude image of any origin.
        zero_filled: complex, same shape, of the measured k-space.
        sampled: mask or transform, as in `Generator.forward`.
        phase: complex of magnitude 1, same shape; None stands for zero phase.
        coil_maps: complex, (batch or 1, coils, rows, cols); None for one coil.

    Returns:
        Real, (batch, 1, rows, cols).

    Examples:
        >>> import torch
        >>> from mrirecon.fourier import fft_centred, ifft_centred
        >>> from mrirecon.models import make_consistent
        >>> target = torch.rand(1, 1, 32, 32)
        >>> mask = torch.arange(32) % 2 == 0
        >>> zero_filled = ifft_centred(mask * fft_centred(target))
        >>> consistent = make_consistent(target, zero_filled, mask, phase=None, coil_maps=None)
        >>> torch.allclose(consistent, target, atol=1e-5)
        True
    """
    image = enforce_measurement(
        _with_phase(network, phase), zero_filled, Encoding(sampled, coil_maps)
    )
    return _along_phase(image, phase)


def _with_phase(magnitude: Tensor, phase: Tensor | None) -> Tensor:
    return magnitude.to(torch.complex64) if phase is None else magnitude * phase


def _along_phase(image: Tensor, phase: Tensor | None) -> Tensor:
    return (image if phase is None else image * phase.conj()).real.clamp_min(0.0)
