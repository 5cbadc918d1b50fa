"""Protocols: everything that must be equal before two scores may be compared.

The same two images score SSIM 0.36 or 1.00 by the choice of window and data range alone, so a
number always belongs to a `Protocol`, and the data range is never guessed.

Sources: Wang et al. 2004 (SSIM, 10.1109/TIP.2003.819861); Zbontar et al. 2018 (fastMRI,
arXiv 1811.08839).
"""

from dataclasses import dataclass
from typing import Literal

ProtocolName = Literal["fastmri", "per_slice", "gaussian"]


@dataclass(frozen=True)
class Protocol:
    """Everything that must be equal before two scores may be compared.

    All protocols share SSIM's constants K1 = 0.01 and K2 = 0.03 and its mean over the window's
    valid positions, and take as data range the maximum of the fully sampled volume.

    Attributes:
        name: what tables and files call it.
        window: SSIM window: "uniform" is 7 x 7 with the sample covariance (49/48), "gaussian"
            is 11 x 11 with sigma 1.5 pixels and the biased covariance.
        errors_over: what PSNR and NMSE pool their squared errors over, and the unit that
            statistics count: one slice, or one subject's volume.
        statement: one sentence for a reader of a table.
    """

    name: ProtocolName
    window: Literal["uniform", "gaussian"]
    errors_over: Literal["slice", "volume"]
    statement: str


PROTOCOLS: tuple[Protocol, ...] = (
    Protocol(
        name="fastmri",
        window="uniform",
        errors_over="volume",
        statement="SSIM with a 7 x 7 uniform window, mean over the slices of a subject; PSNR and "
        "NMSE over the subject's volume; data range: the volume's maximum; statistics over "
        "subjects.",
    ),
    Protocol(
        name="per_slice",
        window="uniform",
        errors_over="slice",
        statement="SSIM with a 7 x 7 uniform window, PSNR and NMSE of each slice; data range: the "
        "volume's maximum; statistics over slices.",
    ),
    Protocol(
        name="gaussian",
        window="gaussian",
        errors_over="slice",
        statement="SSIM with an 11 x 11 Gaussian window (sigma 1.5 pixels), PSNR and NMSE of each "
        "slice; data range: the volume's maximum; statistics over slices.",
    ),
)


def get_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        ValueError: there is no protocol of this name; the message lists those there are.
    """
    for protocol in PROTOCOLS:
        if protocol.name == name:
            return protocol
    names = ", ".join(protocol.name for protocol in PROTOCOLS)
    raise ValueError(f"protocol: expected one of {names}, got {name!r}")
