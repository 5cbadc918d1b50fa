"""What a measurement tells of an image that is known to be real, once its phase is taken away.

The k-space of a real image has conjugate symmetry: a sample tells the one on the other side of the
centre too. Source: Margosian et al. 1986 (partial Fourier; Health Care Instrum. 1, 195).
"""

import torch
from torch import Tensor

from mrirecon.classical import Encoding
from mrirecon.nufft import Nufft
from mrirecon.ops.round_trip import masked_dims


def as_real(
    zero_filled: Tensor, encoding: Encoding, phase: Tensor | None
) -> tuple[Tensor, Encoding]:
    """Restate a measurement as one of a real image.

    On the grid with one coil and no phase the mirror images of the samples count as measured; where
    both of a pair were, their mean does, which is what least squares gives. Elsewhere the phase
    becomes a map of the coil, and A* is followed by its real part.

    Args:
        zero_filled: complex64, (batch, 1, rows, cols), A* y.
        encoding: what was measured; with coil maps, these contain the phase.
        phase: complex64, (batch, 1, rows, cols), of magnitude 1, of one coil's image; None for 0.

    Returns:
        A* y of the real image, float32, (batch, 1, rows, cols), and what was measured of it.
    """
    if phase is not None and encoding.coil_maps is None:
        zero_filled = zero_filled * phase.conj()
        encoding = Encoding(encoding.sampled, phase)
    if isinstance(encoding.sampled, Nufft) or encoding.coil_maps is not None:
        known = Encoding(encoding.sampled, encoding.coil_maps, is_real=True)
        return zero_filled.real.contiguous(), known
    return _mirror(zero_filled, encoding.sampled)


def _mirror(zero_filled: Tensor, mask: Tensor) -> tuple[Tensor, Encoding]:
    """Fill in the other side of k-space.

    The real part of an image has half of each sample and half of its mirror image's conjugate.
    """
    dims = masked_dims(mask) or (-1,)
    plain = torch.fft.ifftshift(mask, dim=dims)  # index 0 is the centre
    n_known = plain.float() + plain.flip(dims).roll((1,) * len(dims), dims)  # 0, 1 or 2
    scale = 2.0 / n_known.clamp_min(1.0)
    scale = scale[:, None] if scale.ndim == 3 else scale  # an axis of coils
    spectrum = torch.fft.fftn(zero_filled.real, dim=dims) * scale
    image = torch.fft.ifftn(spectrum, dim=dims).real.contiguous()
    return image, Encoding(torch.fft.fftshift(n_known > 0, dim=dims), is_real=True)
