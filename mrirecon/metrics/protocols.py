"""Protocols: everything that must be equal before two scores may be compared.

The same two images score SSIM 0.36 or 1.00 by the choice of window and data range alone, so a
number always belongs to a `Protocol`, and the data range is never guessed.

Sources: Wang et al. 2004 (SSIM, 10.1109/TIP.2003.819861); Zbontar et al. 2018 (fastMRI,
arXiv 1811.08839); Chatterjee et al. 2022 (ReconResNet, arXiv 2103.09203).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

ProtocolName = Literal["fastmri", "per_slice", "per_slice_range", "wang2004", "reconresnet"]
MetricName = Literal["ssim", "psnr", "nmse", "nrmse", "uqi", "difference_std", "ms_ssim"]
ALL_METRICS: tuple[MetricName, ...] = get_args(MetricName)
"""All that a protocol may score; PSNR in dB, `difference_std` in units of the data range."""
HIGHER_IS_BETTER: dict[MetricName, bool] = {
    metric: metric not in ("nmse", "nrmse", "difference_std") for metric in ALL_METRICS
}
_BASIC: tuple[MetricName, ...] = ("ssim", "psnr", "nmse")


@dataclass(frozen=True)
class Protocol:
    """Everything that must be equal before two scores may be compared.

    All protocols share SSIM's constants K1 = 0.01 and K2 = 0.03 and its mean over the window's
    valid positions.

    Attributes:
        name: what tables and files call it.
        window: SSIM window: "uniform" is 7 x 7 with the sample covariance (49/48), "gaussian"
            is 11 x 11 with sigma 1.5 pixels and the biased covariance.
        errors_over: what PSNR and the other errors pool their squares over, and the unit that
            statistics count: one slice, or one subject's volume.
        statement: one sentence for a reader of a table.
        range_of: whose maximum is the data range: that of the fully sampled volume, or of each
            of its slices.
        metrics: what is scored.
        centre: what stands for many scores: their mean or their median.
    """

    name: ProtocolName
    window: Literal["uniform", "gaussian"]
    errors_over: Literal["slice", "volume"]
    statement: str
    range_of: Literal["volume", "slice"] = "volume"
    metrics: tuple[MetricName, ...] = _BASIC
    centre: Literal["mean", "median"] = "mean"

    def with_metrics(self, names: Sequence[str]) -> "Protocol":
        """Score further metrics beside the protocol's own.

        Raises:
            ValueError: there is no metric of this name; the message lists those there are.

        Examples:
            >>> from mrirecon.metrics import get_protocol
            >>> get_protocol("fastmri").with_metrics(["uqi"]).metrics
            ('ssim', 'psnr', 'nmse', 'uqi')
        """
        for name in names:
            if name not in ALL_METRICS:
                raise ValueError(f"metric: expected one of {', '.join(ALL_METRICS)}, got {name!r}")
        wanted = {*self.metrics, *names}
        return replace(self, metrics=tuple(metric for metric in ALL_METRICS if metric in wanted))


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
        name="per_slice_range",
        window="uniform",
        errors_over="slice",
        statement="SSIM with a 7 x 7 uniform window, PSNR and NMSE of each slice; data range: the "
        "slice's own maximum; statistics over slices.",
        range_of="slice",
    ),
    Protocol(
        name="wang2004",
        window="gaussian",
        errors_over="slice",
        statement="SSIM with an 11 x 11 Gaussian window (sigma 1.5 pixels), PSNR and NMSE of each "
        "slice; data range: the volume's maximum; statistics over slices.",
    ),
    Protocol(
        name="reconresnet",
        window="uniform",
        errors_over="slice",
        statement="SSIM with a 7 x 7 uniform window, NRMSE, PSNR, UQI (8 x 8 window) and standard "
        "deviation of the difference of each slice of a volume divided by its maximum; data range "
        "1; medians over slices.",
        metrics=("ssim", "psnr", "nrmse", "uqi", "difference_std"),
        centre="median",
    ),
)


def get_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        ValueError: there is no protocol of this name; the message lists those there are.

    Examples:
        >>> from mrirecon.metrics import get_protocol
        >>> protocol = get_protocol("fastmri")
        >>> protocol.window, protocol.errors_over
        ('uniform', 'volume')
    """
    for protocol in PROTOCOLS:
        if protocol.name == name:
            return protocol
    names = ", ".join(protocol.name for protocol in PROTOCOLS)
    raise ValueError(f"protocol: expected one of {names}, got {name!r}")
