"""What the centre of k-space, which every sampling measures, tells of phase and coils."""

import torch
from torch import Tensor

PHASE_WINDOW = 0.125
"""Half the width of the central k-space that is kept, over the width of k-space."""


def low_resolution(image: Tensor) -> Tensor:
    """Keep an image's central k-space, weighted by a Hann window.

    Args:
        image: complex, (..., rows, cols).

    Returns:
        Complex, same shape.
    """
    spectrum = torch.fft.fft2(image)
    for axis in (-2, -1):
        n = image.shape[axis]
        distance = torch.fft.fftfreq(n, device=image.device) / PHASE_WINDOW
        window = torch.cos(torch.pi / 2 * distance.clamp(-1, 1)).square()
        spectrum = spectrum * (window[:, None] if axis == -2 else window)
    return torch.fft.ifft2(spectrum)


def low_resolution_phase(image: Tensor) -> Tensor:
    """Return the phase of an image's central k-space.

    The phase of an MR image is smooth, so that its centre of k-space tells it; as in homodyne
    detection (Noll 1991, DOI 10.1109/42.79473).

    Args:
        image: complex, (..., rows, cols), from undersampled k-space too.

    Returns:
        Complex of magnitude 1, same shape; 1 where the image is 0.
    """
    return torch.polar(torch.ones_like(image.real), low_resolution(image).angle())


def self_calibrated_maps(coil_images: Tensor) -> Tensor:
    """Estimate coil maps from the central k-space of the measurement itself.

    Each coil's low-resolution image over the root of the sum of squares of all (McKenzie et al.
    2002, DOI 10.1002/mrm.10087). They contain the image's smooth phase, so that the image that
    they combine coils to has nearly none.

    Args:
        coil_images: complex, (batch, coils, rows, cols), from undersampled k-space too.

    Returns:
        Complex, same shape; the sum over coils of |map|^2 is 1, or 0 where the images are.
    """
    smooth = low_resolution(coil_images)
    power = (smooth.real.square() + smooth.imag.square()).sum(dim=1, keepdim=True)
    return smooth * torch.rsqrt(power).nan_to_num(posinf=0.0)
