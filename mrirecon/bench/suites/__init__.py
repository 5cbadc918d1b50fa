"""The suites by name; each yields its cases for a device and a number of threads."""

from mrirecon.bench.case import Suite
from mrirecon.bench.suites import loader, masking, ssim

SUITES: dict[str, Suite] = {
    "masking": masking.cases,
    "ssim": ssim.cases,
    "loader": loader.cases,
}
