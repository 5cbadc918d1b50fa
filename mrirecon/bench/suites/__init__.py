"""The suites by name; each yields its cases for a device and a number of threads."""

from mrirecon.bench.case import Suite
from mrirecon.bench.suites import (
    classical,
    coils,
    consistency,
    image_consistency,
    inference,
    instance_norm,
    loader,
    masking,
    metrics,
    nufft,
    sampling,
    ssim,
    training,
)

SUITES: dict[str, Suite] = {
    "classical": classical.cases,
    "coils": coils.cases,
    "consistency": consistency.cases,
    "image_consistency": image_consistency.cases,
    "inference": inference.cases,
    "instance_norm": instance_norm.cases,
    "loader": loader.cases,
    "masking": masking.cases,
    "metrics": metrics.cases,
    "nufft": nufft.cases,
    "sampling": sampling.cases,
    "ssim": ssim.cases,
    "training": training.cases,
}
