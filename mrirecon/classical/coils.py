"""Prepare multi-coil k-space: whiten its noise, compress its coils; and combine without maps.

Sources: Pruessmann et al. 2001 (DOI 10.1002/mrm.1241) for whitening; Huang et al. 2008
(DOI 10.1016/j.mri.2007.04.010) for compression, and Zhang et al. 2013 (DOI 10.1002/mrm.24267) for
its geometric form.
"""

import torch
from torch import Tensor

from mrirecon.fourier import fft_centred, ifft_centred


def root_sum_of_squares(coil_images: Tensor) -> Tensor:
    """Combine coil images without maps: out = sqrt(sum over coils of |coil image|^2).

    Args:
        coil_images: complex or real, (batch, coils, rows, cols); any spatial axes.

    Returns:
        Real magnitude image, (batch, 1, rows, cols).

    Examples:
        >>> import torch
        >>> from mrirecon.classical import root_sum_of_squares
        >>> coil_images = torch.full((1, 4, 2, 2), 0.5j)
        >>> root_sum_of_squares(coil_images)
        tensor([[[[1., 1.],
                  [1., 1.]]]])
    """
    parts = torch.view_as_real(coil_images) if coil_images.is_complex() else coil_images[..., None]
    return parts.square().sum(-1).sum(1, keepdim=True).sqrt()


def prewhiten(kspace: Tensor, noise: Tensor) -> Tensor:
    """Make the coils' noise uncorrelated and of equal strength.

    With the noise covariance Psi = L L* (Cholesky) the virtual coils are L^-1 kspace. Their noise
    has the covariance 1: complex samples of variance 1, real and imaginary parts of variance 1/2
    each. Least-squares methods and combinations weighted by maps then have the least noise.

    Args:
        kspace: complex, (batch, coils, ...).
        noise: the same dtype, (coils, n_samples), received without excitation by the same coils,
            in the units of `kspace` and at its bandwidth; more samples than coils.

    Returns:
        k-space of virtual coils, the shape and dtype of `kspace`; no longer in its units.

    Raises:
        ValueError: shapes or dtypes not as above, too few samples, or coils whose noise is not
            linearly independent.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import prewhiten
        >>> noise = torch.randn(4, 1000, dtype=torch.complex64)  # (coils, samples)
        >>> prewhiten(torch.ones(1, 4, 32, 32, dtype=torch.complex64), noise).shape
        torch.Size([1, 4, 32, 32])
    """
    _require_coils(kspace)
    coils = kspace.shape[1]
    if noise.ndim != 2 or noise.shape[0] != coils or noise.shape[1] <= coils:
        expected = f"({coils}, more than {coils} samples)"
        raise ValueError(f"noise: expected {expected}, got {tuple(noise.shape)}")
    if noise.dtype != kspace.dtype:
        raise ValueError(f"noise: expected {kspace.dtype}, as kspace, got {noise.dtype}")
    covariance = noise @ noise.mH / noise.shape[1]
    factor, info = torch.linalg.cholesky_ex(covariance)
    if info.item() != 0:
        raise ValueError("noise: expected linearly independent coils, got a singular covariance")
    white = torch.linalg.solve_triangular(factor, kspace.flatten(2), upper=False)
    return white.view(kspace.shape)


def compress_coils(kspace: Tensor, n_coils: int) -> Tensor:
    """Replace the coils by fewer virtual ones that keep the most energy.

    The virtual coils are the coils' principal components over all samples of a batch element
    (Huang 2008), in falling order of energy: U* kspace with orthonormal columns U. White noise
    stays white.

    Args:
        kspace: complex, (batch, coils, ...); undersampled is as good as full.
        n_coils: of the result, 1 to coils.

    Returns:
        k-space of virtual coils, (batch, n_coils, ...).

    Raises:
        ValueError: shape, dtype or `n_coils` not as above.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import compress_coils
        >>> compress_coils(torch.ones(1, 8, 32, 32, dtype=torch.complex64), n_coils=2).shape
        torch.Size([1, 2, 32, 32])
    """
    _require_coils(kspace)
    _require_count(n_coils, kspace)
    samples = kspace.flatten(2)  # (batch, coils, samples)
    components = torch.linalg.eigh(samples @ samples.mH).eigenvectors  # in rising order of energy
    compressed = components[..., -n_coils:].flip(-1).mH @ samples
    return compressed.unflatten(2, kspace.shape[2:])


def compress_coils_geometric(kspace: Tensor, n_coils: int, *, readout: int = -2) -> Tensor:
    """Replace the coils by fewer virtual ones at each place along the readout (GCC).

    What a coil sees changes along the readout, so that the principal components of each place keep
    more energy than those of the whole do. Those of neighbouring places are turned to lie as close
    as unitary matrices allow, since a jump between them would be one of the
    coil maps. Places that the samples tell nothing about follow their neighbours. White noise stays
    white.

    Args:
        kspace: complex, (batch, coils, ...), centred; fully sampled along the readout, undersampled
            otherwise is as good as full.
        n_coils: of the result, 1 to coils.
        readout: axis of the readout, one of the spatial axes.

    Returns:
        k-space of virtual coils, (batch, n_coils, ...).

    Raises:
        ValueError: shape, dtype, `n_coils` or `readout` not as above.
    """
    _require_coils(kspace)
    _require_count(n_coils, kspace)
    if not 2 <= readout % kspace.ndim < kspace.ndim or abs(readout) > kspace.ndim:
        raise ValueError(
            f"readout: expected a spatial axis of {kspace.ndim} axes, 2 or later, got {readout}"
        )
    profiles = ifft_centred(kspace, dims=(readout,)).movedim(readout, 1)
    samples = profiles.flatten(3)  # (batch, places, coils, samples)
    components = torch.linalg.eigh(samples @ samples.mH).eigenvectors
    matrices = components[..., -n_coils:].flip(-1).mH  # (batch, places, n_coils, coils)
    virtual = (_align(matrices) @ samples).unflatten(3, profiles.shape[3:])
    return fft_centred(virtual.movedim(1, readout), dims=(readout,))


def _align(matrices: Tensor) -> Tensor:
    """Turn each matrix along the second axis to lie close to the one before, (batch, places, ...).

    The turn of a place is that of the place before times the polar factor of M_before M*, since a
    unitary matrix in front comes out of the polar factor: one decomposition for all places.
    """
    left, _, right = torch.linalg.svd(matrices[:, :-1] @ matrices[:, 1:].mH)
    steps = left @ right
    turns = [torch.eye(matrices.shape[2], dtype=matrices.dtype, device=matrices.device)]
    turns[0] = turns[0].expand(len(matrices), -1, -1)
    for step in steps.unbind(1):
        turns.append(turns[-1] @ step)
    return torch.stack(turns, dim=1) @ matrices


def _require_count(n_coils: int, kspace: Tensor) -> None:
    if not 1 <= n_coils <= kspace.shape[1]:
        raise ValueError(f"n_coils: expected 1 to {kspace.shape[1]}, got {n_coils}")


def _require_coils(kspace: Tensor) -> None:
    if not kspace.is_complex() or kspace.ndim < 3:
        raise ValueError(
            f"kspace: expected complex (batch, coils, ...), got {kspace.dtype} "
            f"{tuple(kspace.shape)}"
        )
