"""Unrolled reconstruction: a small network and the measurement, in turn, a fixed number of times.

Sources: Schlemper et al. 2018 (10.1109/TMI.2017.2760978) for cascades; Aggarwal et al. 2019
(MoDL, 10.1109/TMI.2018.2865356) for the proximal step and shared weights; Hammernik et al. 2018
(10.1002/mrm.26977) for the gradient step.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, get_args

import torch
from pydantic import Field
from torch import Tensor, nn

from mrirecon.classical import Encoding
from mrirecon.models.cnn import Cnn, CnnConfig
from mrirecon.models.consistency import blend_measurement, descend_to_measurement
from mrirecon.models.kinds import kind_if_missing
from mrirecon.models.layers import require_at_least, to_channels, to_complex
from mrirecon.models.unet import UNet, UNetConfig

StepName = Literal["proximal", "gradient"]
RefinementConfig = Annotated[
    CnnConfig | UNetConfig, Field(discriminator="kind"), kind_if_missing("cnn")
]

_FIRST_WEIGHT = {"proximal": 10.0, "gradient": 1.0}
"""Of the measurement, before training: nearly hard, and the whole of a step."""


@dataclass(frozen=True)
class UnrolledConfig:
    """Size and form of an `Unrolled` network.

    Attributes:
        kind: "unrolled".
        n_cascades: times that network and measurement take turns.
        refinement: the network of a cascade, on real and imaginary part.
        shared_weights: all cascades have one network, as in MoDL.
        step: how the measurement enters: "proximal": the image that weighs the network's against
            it (soft data consistency; conjugate gradients with coils or off the grid);
            "gradient": a step of steepest descent towards it. Its weight is learned in each
            cascade.
        n_iterations: of conjugate gradients in a proximal step that has no closed form.
    """

    kind: Literal["unrolled"] = field(default="unrolled", kw_only=True)
    n_cascades: int = 5
    refinement: RefinementConfig = field(default_factory=CnnConfig)
    shared_weights: bool = False
    step: StepName = "proximal"
    n_iterations: int = 4

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        require_at_least("n_cascades", self.n_cascades, 1)
        require_at_least("n_iterations", self.n_iterations, 1)
        if self.step not in get_args(StepName):
            raise ValueError(f"step: expected 'proximal' or 'gradient', got {self.step!r}")


class Unrolled(nn.Module):
    """Reconstruct an image from what was measured, with the phase that it has there or real.

    An untrained network is a classical method: some steps towards the measurement from the
    zero-filled image.
    """

    def __init__(self, config: UnrolledConfig, *, is_real: bool = False) -> None:
        super().__init__()
        self.config = config
        n_channels = 1 if is_real else 2
        n_networks = 1 if config.shared_weights else config.n_cascades
        self.refinements = nn.ModuleList(
            make_refinement(config.refinement, n_channels=n_channels) for _ in range(n_networks)
        )
        first = torch.tensor(_FIRST_WEIGHT[config.step]).log()
        self.log_weights = nn.ParameterList(
            nn.Parameter(first.clone()) for _ in range(config.n_cascades)
        )

    def forward(self, zero_filled: Tensor, encoding: Encoding) -> Tensor:
        """Reconstruct a batch.

        Args:
            zero_filled: complex64, or float32 if `is_real`, (batch, 1, rows, cols), A* of the
                measured samples.
            encoding: what was measured.

        Returns:
            Image, the same shape and dtype.
        """
        image = zero_filled
        for cascade, log_weight in enumerate(self.log_weights):
            refinement = self.refinements[cascade % len(self.refinements)]
            image = apply_refinement(refinement, image)
            image = self._step(image, zero_filled, encoding, log_weight.exp())
        return image

    def _step(
        self, image: Tensor, zero_filled: Tensor, encoding: Encoding, weight: Tensor
    ) -> Tensor:
        """Draw the image towards the measurement."""
        if self.config.step == "gradient":
            return descend_to_measurement(image, zero_filled, encoding, weight=weight)
        return blend_measurement(
            image, zero_filled, encoding, weight=weight, n_iterations=self.config.n_iterations
        )


def make_refinement(config: RefinementConfig, *, n_channels: int) -> Cnn | UNet:
    """Build the network that a configuration describes, for `n_channels` channels."""
    if isinstance(config, CnnConfig):
        return Cnn(config, n_channels)
    return UNet(config, n_channels)


def apply_refinement(refinement: nn.Module, image: Tensor) -> Tensor:
    """Apply a network of one channel to a real image, of two channels to a complex one."""
    if not image.is_complex():
        refined: Tensor = refinement(image)
        return refined
    return to_complex(refinement(to_channels(image)))
