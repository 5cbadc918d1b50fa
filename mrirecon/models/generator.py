"""The generator: a network on magnitude images, joined with the measured k-space.

The join follows Schlemper et al. 2018 (10.1109/TMI.2017.2760978), equation 4 without noise: a
sample that was measured is kept, one that was not is the network's. Off the grid it is the image
nearest to the network's that fits the measurement.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from mrirecon.classical import enforce_off_grid_consistency
from mrirecon.fourier import enforce_image_consistency
from mrirecon.models.reconresnet import ReconResNet, ReconResNetConfig
from mrirecon.nufft import Nufft


@dataclass(frozen=True)
class GeneratorConfig:
    """A network and how it is joined with the measured k-space.

    Attributes:
        network: the network.
        consistency: "none": the network's image is the result; "after": the network is trained on
            its own, as in the paper, and its result then made consistent; "inside": the losses
            see the consistent image, so that the network learns only what was not measured.
    """

    network: ReconResNetConfig = field(default_factory=ReconResNetConfig)
    consistency: Literal["none", "after", "inside"] = "after"

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
        """Rebuild a configuration from `to_dict`.

        Raises:
            TypeError: a key is unknown or missing.
            ValueError: a value is out of range.
        """
        network = ReconResNetConfig(**values["network"])
        return cls(**{**values, "network": network})


class Reconstruction(NamedTuple):
    """What a generator makes of a batch; every image is float, (batch, 1, rows, cols).

    Attributes:
        network: the network's image.
        consistent: the same with the measured k-space put back, 0 or more.
        output: the one of the two that is the result.
        trained: the one of the two that the losses see.
    """

    network: Tensor
    consistent: Tensor
    output: Tensor
    trained: Tensor


class Generator(nn.Module):
    """Reconstruct zero-filled images with a `ReconResNet` and the measured k-space."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.network = ReconResNet(config.network)

    def forward(
        self, zero_filled: Tensor, sampled: Tensor | Nufft, phase: Tensor | None = None
    ) -> Reconstruction:
        """Reconstruct a batch.

        Args:
            zero_filled: complex64, (batch, 1, rows, cols), the centred inverse FFT of k-space
                with zeros where nothing was measured, or `Nufft.grid` of samples off the grid;
                scaled so that the image is in [0, 1].
            sampled: the mask: bool, (cols,), (rows or 1, cols or 1) or (batch, rows or 1, cols or
                1), True is measured; or the transform to the samples, with their density.
            phase: complex64, (batch, 1, rows, cols), of magnitude 1: the image's phase where it
                is known. None stands for zero phase, that of an image simulated from magnitudes.

        Returns:
            The network's and the consistent image.
        """
        network: Tensor = self.network(zero_filled.abs())
        if self.config.consistency == "inside":
            consistent = make_consistent(network, zero_filled, sampled, phase)
            return Reconstruction(network, consistent, consistent, consistent)
        with torch.no_grad():
            consistent = make_consistent(network, zero_filled, sampled, phase)
        output = network if self.config.consistency == "none" else consistent
        return Reconstruction(network, consistent, output, network)


def make_consistent(
    network: Tensor, zero_filled: Tensor, sampled: Tensor | Nufft, phase: Tensor | None
) -> Tensor:
    """Put the measured k-space back and return the image along its phase, 0 or more.

    Args:
        network: real, (batch, 1, rows, cols), a magnitude image of any origin.
        zero_filled: complex, same shape, of the measured k-space.
        sampled: mask or transform, as in `Generator.forward`.
        phase: complex of magnitude 1, same shape; None stands for zero phase.

    Returns:
        Real, (batch, 1, rows, cols).
    """
    image = network.to(zero_filled.dtype)
    if phase is not None:
        image = image * phase
    if isinstance(sampled, Nufft):
        image = enforce_off_grid_consistency(image, zero_filled, sampled)
    else:
        image = enforce_image_consistency(image, zero_filled, sampled)
    if phase is not None:
        image = image * phase.conj()
    return image.real.clamp_min(0.0)
