"""Join an image with measured k-space: of masks or trajectories, of one coil or several.

All of it needs of the measurement y only A* y, the zero-filled (or gridded, or combined) image,
and the normal operator A* A. Sources: Schlemper et al. 2018 (10.1109/TMI.2017.2760978) for masks;
Aggarwal et al. 2019 (10.1109/TMI.2018.2865356) for the step by conjugate gradients.
"""

import torch
from torch import Tensor

from mrirecon.classical import Encoding, conjugate_gradient
from mrirecon.classical.off_grid import N_STEPS, PRIOR_WEIGHT
from mrirecon.fourier import enforce_image_consistency


def enforce_measurement(image: Tensor, zero_filled: Tensor, encoding: Encoding) -> Tensor:
    """Change an image as little as the measurement asks for: hard data consistency.

    On the grid with one coil, measured samples replace the image's. Elsewhere it is the image of
    `blend_measurement` whose weight is 1000, after 8 steps of conjugate gradients.

    Args:
        image: complex, or real where it is, (batch, 1, rows, cols).
        zero_filled: the same shape and dtype, A* of the measured samples.
        encoding: what was measured.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: the images differ in shape, or do not fit the mask, maps or transform.
    """
    if isinstance(encoding.sampled, Tensor) and encoding.coil_maps is None:
        return _replace_samples(image, zero_filled, encoding.sampled)
    weight = torch.full((), 1 / PRIOR_WEIGHT, device=image.device)  # no copy from the host
    return blend_measurement(image, zero_filled, encoding, weight=weight, n_iterations=N_STEPS)


def blend_measurement(
    image: Tensor, zero_filled: Tensor, encoding: Encoding, *, weight: Tensor, n_iterations: int
) -> Tensor:
    """Weigh an image against the measurement: soft data consistency, or a proximal step.

    x = argmin weight |A x - y|^2 + |x - image|^2. On the grid with one coil the solution is
    (image + weight y) / (1 + weight) in each measured sample, computed as such. Elsewhere
    (weight A* A + 1) (x - image) = weight (A* y - A* A image) is solved by conjugate gradients, so
    that what was not measured stays the image's. Differentiable, also in `weight`.

    Args:
        image: complex64, or float32 where it is real, (batch, 1, rows, cols).
        zero_filled: the same shape and dtype, A* y.
        encoding: what was measured.
        weight: float32, (), 0 or more.
        n_iterations: of conjugate gradients where there is no closed form, 1 or more.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: the images differ in shape, or do not fit the mask, maps or transform.
    """
    if isinstance(encoding.sampled, Tensor) and encoding.coil_maps is None:
        return _replace_samples(image, zero_filled, encoding.sampled, weight)
    misfit = measurement_misfit(image, zero_filled, encoding)
    change = conjugate_gradient(
        lambda x: weight * encoding.normal(x) + x,
        weight * misfit,
        n_iterations=n_iterations,
        tolerance=0,
    )
    return image + change.x


def _replace_samples(
    image: Tensor, zero_filled: Tensor, mask: Tensor, weight: Tensor | None = None
) -> Tensor:
    if image.is_complex():
        return enforce_image_consistency(image, zero_filled, mask, noise_weight=weight)
    image, zero_filled = image.to(torch.complex64), zero_filled.to(torch.complex64)
    return enforce_image_consistency(image, zero_filled, mask, noise_weight=weight).real


def descend_to_measurement(
    image: Tensor, zero_filled: Tensor, encoding: Encoding, *, weight: Tensor
) -> Tensor:
    """Take one step of steepest descent on |A x - y|^2 from an image.

    x = image + weight s g with g = A* (y - A image) and s = |g|^2 / |A g|^2, the step that leaves
    the least misfit. The largest eigenvalue of A* A, which would bound a fixed step, is 1 on the
    grid but 9 for 60 golden spokes of 256 x 256: samples weigh what they stand for.

    Args:
        image: complex64, or float32 where it is real, (batch, 1, rows, cols).
        zero_filled: the same shape and dtype, A* y.
        encoding: what was measured.
        weight: float32, (); 1 takes the whole step.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: the images differ in shape, or do not fit the mask, maps or transform.
    """
    misfit = measurement_misfit(image, zero_filled, encoding)
    step = conjugate_gradient(encoding.normal, misfit, n_iterations=1, tolerance=0)
    return image + weight * step.x


def measurement_misfit(image: Tensor, zero_filled: Tensor, encoding: Encoding) -> Tensor:
    """Return A* (y - A image): what the measurement adds to an image, 0 where both agree.

    Half the negative gradient of |A image - y|^2.

    Args:
        image: complex, or real where it is, (batch, 1, rows, cols).
        zero_filled: the same shape and dtype, A* y.
        encoding: what was measured.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: the images differ in shape.
    """
    if image.shape != zero_filled.shape:
        expected = f"{tuple(image.shape)}, the shape of image"
        raise ValueError(f"zero_filled: expected {expected}, got {tuple(zero_filled.shape)}")
    return zero_filled - encoding.normal(image)


def measurement_residual(image: Tensor, zero_filled: Tensor, encoding: Encoding) -> Tensor:
    """Say how far an image is from the measurement: |A* (y - A image)| / |A* y|.

    On the grid with one coil this is |measured samples - the image's| / |measured samples|.

    Args:
        image: complex, or real where it is, (batch, 1, rows, cols).
        zero_filled: the same shape and dtype, A* y, not 0 everywhere.
        encoding: what was measured.

    Returns:
        Real, (batch,), 0 or more.

    Raises:
        ValueError: the images differ in shape.
    """
    misfit = measurement_misfit(image, zero_filled, encoding)
    return misfit.flatten(1).norm(dim=1) / zero_filled.flatten(1).norm(dim=1)
