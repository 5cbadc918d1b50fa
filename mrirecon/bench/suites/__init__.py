"""The suites by name; each yields its cases for a device and a number of threads."""

from mrirecon.bench.case import Suite
from mrirecon.bench.suites import (
    coils,
    consistency,
    image_consistency,
    loader,
    masking,
    nufft,
    ssim,
)

SUITES: dict[str, Suite] = {
    "coils": coils.cases,
    "consistency": consistency.cases,
    "image_consistency": image_consistency.cases,
    "loader": loader.cases,
    "masking": masking.cases,
    "nufft": nufft.cases,
    "ssim": ssim.cases,
}
