"""Reconstruct undersampled multi-coil k-space with coil maps (SENSE).

Source: Pruessmann et al. 2001 (DOI 10.1002/mrm.1241).
"""

import math
from collections.abc import Callable

from torch import Tensor

from mrirecon.classical.conjugate_gradient import Solution, conjugate_gradient
from mrirecon.fourier import ifft_centred
from mrirecon.ops import apply_mask, combine_coils, keep_measured


def cg_sense(
    kspace: Tensor,
    mask: Tensor,
    coil_maps: Tensor,
    *,
    regularisation: float = 1e-3,
    n_iterations: int = 30,
    tolerance: float = 1e-4,
) -> Solution:
    """Find the image whose coil images fit the measured k-space best, by conjugate gradients.

    x = argmin |mask F S x - kspace|^2 + regularisation |x|^2, with the coil maps S and the
    centred orthonormal transform F. Where sum |S|^2 <= 1, the operator S* F* mask F S has
    eigenvalues from 0 to 1, so that `regularisation` means the same for every scan.
    Differentiable in `kspace` and `coil_maps`, through every step.

    Args:
        kspace: complex, (batch, coils, rows, cols), centred; used where the mask is set. With
            noise that is white over the coils (`prewhiten`) the fit is the most likely image.
        mask: bool, (cols,), (rows, 1), (rows, cols) or (batch, rows or 1, cols or 1); True where
            measured.
        coil_maps: the dtype of `kspace`, (batch or 1, coils, rows, cols).
        regularisation: weight of the image's energy, 0 or more; more gives less noise and more
            aliasing.
        n_iterations: at most, 1 or more.
        tolerance: relative residual of the normal equations at which an image is done.

    Returns:
        `x`, the image (batch, 1, rows, cols), and the course of its residuals.

    Raises:
        ValueError: an argument is not as above.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import cg_sense, ring_coil_maps
        >>> from mrirecon.fourier import fft_centred
        >>> from mrirecon.ops import expand_coils
        >>> image = torch.zeros(1, 1, 64, 64, dtype=torch.complex64)
        >>> image[..., 16:48, 16:48] = 1
        >>> coil_maps = ring_coil_maps(8, (64, 64))
        >>> mask = torch.arange(64) % 2 == 0  # every other line
        >>> kspace = mask * fft_centred(expand_coils(image, coil_maps))
        >>> solution = cg_sense(kspace, mask, coil_maps, n_iterations=30)
        >>> bool((solution.x - image).norm() < 0.01 * image.norm())
        True
    """
    if not 0 <= regularisation < math.inf:
        raise ValueError(f"regularisation: expected 0 or more, got {regularisation}")
    zero_filled = combine_coils(ifft_centred(apply_mask(kspace, mask)), coil_maps)
    normal = sense_normal(mask, coil_maps, regularisation=regularisation)
    return conjugate_gradient(normal, zero_filled, n_iterations=n_iterations, tolerance=tolerance)


def sense_normal(
    mask: Tensor, coil_maps: Tensor | None, *, regularisation: float
) -> Callable[[Tensor], Tensor]:
    """Build the operator x -> S* F* mask F S x + regularisation x of `cg_sense`.

    One pass over memory on the CPU, without a shift: see `keep_measured`.

    Args:
        mask: as for `cg_sense`.
        coil_maps: as for `cg_sense`; None for one coil without a map.
        regularisation: 0 or more.

    Returns:
        A function of an image, complex, (batch, 1, rows, cols), which returns the same shape.
    """

    def normal(image: Tensor) -> Tensor:
        measured = keep_measured(image, mask, coil_maps=coil_maps)
        return measured + regularisation * image if regularisation else measured

    return normal
