"""Scores against fully sampled images: by named protocols, and the measures they are made of."""

from mrirecon.metrics.errors import difference_std, nmse, nrmse, psnr
from mrirecon.metrics.protocols import (
    ALL_METRICS,
    HIGHER_IS_BETTER,
    PROTOCOLS,
    MetricName,
    Protocol,
    ProtocolName,
    get_protocol,
)
from mrirecon.metrics.scores import (
    Score,
    SliceMeasures,
    measure_slices,
    pool,
    score_volume,
    slice_ranges,
)
from mrirecon.metrics.structure import ms_ssim, ssim_in_region, ssim_volume, uqi

__all__ = [
    "ALL_METRICS",
    "HIGHER_IS_BETTER",
    "PROTOCOLS",
    "MetricName",
    "Protocol",
    "ProtocolName",
    "Score",
    "SliceMeasures",
    "difference_std",
    "get_protocol",
    "measure_slices",
    "ms_ssim",
    "nmse",
    "nrmse",
    "pool",
    "psnr",
    "score_volume",
    "slice_ranges",
    "ssim_in_region",
    "ssim_volume",
    "uqi",
]
