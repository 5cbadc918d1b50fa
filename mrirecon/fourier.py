"""Centred orthonormal Fourier transforms, and data consistency that executes no shift.

Sources: centre convention n // 2 as in docs/conventions.md; data consistency, Schlemper et al.
2018, doi:10.1109/TMI.2017.2760978.
"""

import torch
from torch import Tensor

from mrirecon.ops import round_trip


def fft_centred(image: Tensor, dims: tuple[int, ...] = (-2, -1)) -> Tensor:
    """Transform an image to k-space, both with their origin at index n // 2.

    kspace[k] = 1 / sqrt(n) * sum_x image[x] * exp(-2 pi i (k - n // 2) (x - n // 2) / n), along
    each of `dims`. Orthonormal, so that `ifft_centred` is the inverse and also the adjoint.
    Multiplying by (-1)^index would replace the shifts of even sizes; it saved a sixth of the time
    on the CPU, too little for a second path. Where speed counts, `enforce_image_consistency` and
    `mrirecon.data.simulate` execute no shift at all.

    Args:
        image: real or complex, any shape; real becomes complex.
        dims: axes to transform; all others, such as batch and coils, are left alone.

    Returns:
        k-space, complex, the image's shape.

    Examples:
        >>> import torch
        >>> from mrirecon.fourier import fft_centred
        >>> fft_centred(torch.ones(1, 4)).abs()  # a constant is all in the centre, index n // 2
        tensor([[0., 0., 2., 0.]])
    """
    shifted = torch.fft.ifftshift(image, dim=dims)
    return torch.fft.fftshift(torch.fft.fftn(shifted, dim=dims, norm="ortho"), dim=dims)


def ifft_centred(kspace: Tensor, dims: tuple[int, ...] = (-2, -1)) -> Tensor:
    """Transform k-space to an image: inverse and adjoint of `fft_centred`.

    Args:
        kspace: complex, any shape, centre at index n // 2 along `dims`.
        dims: axes to transform.

    Returns:
        Image, complex, the shape of `kspace`.

    Examples:
        >>> import torch
        >>> from mrirecon.fourier import fft_centred, ifft_centred
        >>> image = torch.arange(12.0).reshape(3, 4)
        >>> ifft_centred(fft_centred(image)).abs().round(decimals=4)
        tensor([[ 0.,  1.,  2.,  3.],
                [ 4.,  5.,  6.,  7.],
                [ 8.,  9., 10., 11.]])
    """
    shifted = torch.fft.ifftshift(kspace, dim=dims)
    return torch.fft.fftshift(torch.fft.ifftn(shifted, dim=dims, norm="ortho"), dim=dims)


def enforce_image_consistency(
    image: Tensor, zero_filled: Tensor, mask: Tensor, *, noise_weight: Tensor | None = None
) -> Tensor:
    """Replace an image's k-space by the measured k-space wherever it was measured.

    With F the centred transform, D the mask as a diagonal, x the image and z the zero-filled
    image, hard consistency is x' = F^-1 [D F z + (1 - D) F x]. Three laws make it cheap:

    - It is linear: x' = z + F^-1 (1 - D) F (x - z), so one forward transform serves both
      images. The same holds for the soft form, in which measured entries of F (x - z) are
      divided by 1 + noise_weight: the consistency of F (x - z) with a measurement of 0.
    - Shifts cancel. F = S P S^-1 with P the plain transform and S the shift that moves index 0
      to n // 2, so F^-1 (1 - D) F = S P^-1 (1 - S^-1 D S) P S^-1. The inner three factors are a
      circular convolution, which commutes with the circular shift S. Only the mask is shifted.
    - Along an axis on which the mask is constant, the transform commutes with the mask and
      meets its own inverse. So one axis is transformed for lines.

    On the CPU all of it is one pass over memory, for sizes whose factors are 2, 3, 5 and 7; see
    `mrirecon.ops.round_trip`. Differentiable, any number of times.

    Args:
        image: complex, (batch, coils, rows, cols), for instance a network's output.
        zero_filled: complex, same shape; `ifft_centred` of the masked measured k-space.
        mask: bool, (cols,), (rows, 1), (rows, cols) or (batch, rows | 1, cols | 1); True where
            measured.
        noise_weight: (), float32 for complex64, at least 0; None replaces measured samples
            (hard), a weight w averages them: (predicted + w * measured) / (1 + w).

    Returns:
        Image consistent with the measurement, complex, (batch, coils, rows, cols).

    Raises:
        ValueError: the images differ in shape, or types or the mask's shape are not as above.

    Examples:
        >>> import torch
        >>> from mrirecon.fourier import enforce_image_consistency, fft_centred, ifft_centred
        >>> target = torch.arange(64.0).reshape(1, 1, 8, 8)  # (batch, coils, rows, cols)
        >>> mask = torch.arange(8) % 2 == 0  # (cols,)
        >>> zero_filled = ifft_centred(mask * fft_centred(target))
        >>> guess = torch.zeros(1, 1, 8, 8, dtype=torch.complex64)  # such as a network's output
        >>> consistent = enforce_image_consistency(guess, zero_filled, mask)
        >>> torch.allclose(consistent, zero_filled, atol=1e-4)  # the guess had nothing to add
        True
    """
    if image.shape != zero_filled.shape:
        expected = f"{tuple(image.shape)}, the shape of image"
        raise ValueError(f"zero_filled: expected {expected}, got {tuple(zero_filled.shape)}")
    if noise_weight is None:
        weights = round_trip.unit_weights(image, of_measured=False)
    else:
        kept = 1 / (1 + noise_weight)
        weights = torch.stack([kept, torch.ones_like(kept)])
    return round_trip.enforce_image_consistency(image, zero_filled, mask, weights)
