"""Dual domain: a network predicts the missing k-space, another one corrects the image.

Sources: Eo et al. 2018 (KIKI-net, 10.1002/mrm.27201) for the two domains with data consistency
between; Souza et al. 2020 (10.1016/j.mri.2020.06.002) for U-Nets in both.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from mrirecon.classical import Encoding
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.models.consistency import enforce_measurement
from mrirecon.models.layers import to_channels, to_complex
from mrirecon.models.unet import UNetConfig
from mrirecon.models.unrolled import RefinementConfig, apply_refinement, make_refinement


@dataclass(frozen=True)
class DualDomainConfig:
    """Networks of a `DualDomain`.

    Attributes:
        kind: "dual_domain".
        kspace: the network that predicts k-space.
        image: the network that corrects the image.
    """

    kind: Literal["dual_domain"] = field(default="dual_domain", kw_only=True)
    kspace: RefinementConfig = field(default_factory=UNetConfig)
    image: RefinementConfig = field(default_factory=UNetConfig)

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


class DualDomain(nn.Module):
    """Reconstruct an image from what was measured, with the phase that it has there or real.

    The k-space is that of the zero-filled image: of several coils combined, off the grid gridded.
    """

    def __init__(self, config: DualDomainConfig, *, is_real: bool = False) -> None:
        super().__init__()
        self.config = config
        self.kspace = make_refinement(config.kspace, n_channels=2)
        self.image = make_refinement(config.image, n_channels=1 if is_real else 2)

    def forward(self, zero_filled: Tensor, encoding: Encoding) -> Tensor:
        """Reconstruct a batch.

        Args:
            zero_filled: complex64, or float32 if `is_real`, (batch, 1, rows, cols), A* of the
                measured samples.
            encoding: what was measured.

        Returns:
            Image, the same shape and dtype.
        """
        flattening = _flattening(zero_filled)
        flat = to_channels(fft_centred(zero_filled) * flattening)  # (batch, 2, rows, cols)
        predicted = ifft_centred(to_complex(self.kspace(flat)) / flattening)
        predicted = predicted if zero_filled.is_complex() else predicted.real
        consistent = enforce_measurement(predicted, zero_filled, encoding)
        return apply_refinement(self.image, consistent)


def _flattening(image: Tensor) -> Tensor:
    """Return (1 + |k|) / sqrt(pixels), with k in cycles per field of view, (rows, cols).

    The k-space of an image falls about as 1 / |k| from its centre, which is sqrt(pixels) times
    the image's mean. Multiplied by this, all of it is of the size of the image, as a network
    needs it.
    """
    rows, cols = image.shape[-2:]
    k_rows = torch.arange(rows, device=image.device)[:, None] - rows // 2
    k_cols = torch.arange(cols, device=image.device) - cols // 2
    return (1.0 + torch.hypot(k_rows.float(), k_cols.float())) / (rows * cols) ** 0.5
