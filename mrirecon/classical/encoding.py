"""The operator that reconstruction without a network inverts: coil maps, transform, sampling.

Source: Pruessmann et al. 2001 (DOI 10.1002/mrm.1241).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from mrirecon.classical.sense import sense_normal
from mrirecon.fourier import ifft_centred
from mrirecon.nufft import Nufft
from mrirecon.ops import apply_mask, combine_coils

_POWER_STEPS = 20
_MARGIN = 1.05  # power iteration comes from below; 20 steps came within 3 % on real trajectories


class Encoding:
    """What was measured of an image: A = sampling, transform, and coil maps.

    On the grid A* A has eigenvalues up to the largest sum over coils of |map|^2, which is 1 for
    normalised maps. Off the grid the trajectory's density, if it has one, weighs the samples:
    A* D A. Where the image is known to be real, A* is followed by its real part, so that all
    that is iterated is real, and takes half the time.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import Encoding
        >>> encoding = Encoding(torch.arange(32) % 2 == 0, is_real=True)
        >>> encoding.adjoint(torch.ones(1, 1, 32, 32, dtype=torch.complex64)).dtype
        torch.float32
    """

    def __init__(
        self, sampled: Tensor | Nufft, coil_maps: Tensor | None = None, *, is_real: bool = False
    ) -> None:
        """Describe a measurement.

        Args:
            sampled: the mask: bool, (cols,), (rows, 1), (rows, cols) or (batch, rows or 1, cols or
                1), True where measured; or the transform to the samples of a trajectory.
            coil_maps: complex, (batch or 1, coils, rows, cols); None for one coil without a map.
            is_real: the image is real, as one simulated from magnitudes is.
        """
        self.sampled = sampled
        self.coil_maps = coil_maps
        self.is_real = is_real
        self._normal = _make_normal(sampled, coil_maps)

    def adjoint(self, kspace: Tensor) -> Tensor:
        """Apply A*: the zero-filled or gridded image, combined by the coil maps.

        Args:
            kspace: complex, (batch, coils, rows, cols), centred, used where the mask is set; or
                (batch, coils, samples).

        Returns:
            Complex or, where the image is, real, (batch, 1, rows, cols).

        Raises:
            ValueError: several coils without maps, or shapes and dtypes that do not fit.
        """
        if self.coil_maps is None and kspace.ndim > 1 and kspace.shape[1] != 1:
            raise ValueError(f"coil_maps: expected maps of {kspace.shape[1]} coils, got none")
        image = self._adjoint(kspace)
        return image.real.contiguous() if self.is_real else image

    def normal(self, image: Tensor) -> Tensor:
        """Apply A* A, or A* D A, to an image (batch, 1, rows, cols); the same shape and dtype."""
        if self.is_real:
            return self._normal(torch.complex(image, torch.zeros_like(image))).real
        return self._normal(image)

    def largest_eigenvalue(self, like: Tensor) -> Tensor:
        """Bound the eigenvalues of `normal` from above: real, (batch, 1, ...), as `like` has axes.

        On the grid by the coil maps; off the grid by power iteration from noise of a fixed seed,
        with a margin.

        Args:
            like: an image of the batch.
        """
        if isinstance(self.sampled, Nufft):
            return self._iterate_power(like)
        if self.coil_maps is None:
            return torch.ones((len(like), 1, 1, 1), dtype=like.dtype.to_real(), device=like.device)
        energy = combine_coils(self.coil_maps, self.coil_maps).real  # (batch or 1, 1, rows, cols)
        return energy.amax((-2, -1), keepdim=True).expand(len(like), -1, -1, -1)

    def _adjoint(self, kspace: Tensor) -> Tensor:
        if isinstance(self.sampled, Nufft):
            if self.sampled.density is None:
                return self.sampled.adjoint(kspace, self.coil_maps)
            return self.sampled.grid(kspace, self.coil_maps)
        images = ifft_centred(apply_mask(kspace, self.sampled))
        return images if self.coil_maps is None else combine_coils(images, self.coil_maps)

    def _iterate_power(self, like: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(like.shape[1:], generator=generator, dtype=like.dtype)
        vector = noise.to(like.device).expand_as(like)
        dims = tuple(range(1, like.ndim))
        for _ in range(_POWER_STEPS):
            vector = vector / torch.linalg.vector_norm(vector, dim=dims, keepdim=True)
            vector = self.normal(vector)
        return _MARGIN * torch.linalg.vector_norm(vector, dim=dims, keepdim=True)


def _make_normal(sampled: Tensor | Nufft, coil_maps: Tensor | None) -> Callable[[Tensor], Tensor]:
    if isinstance(sampled, Nufft):
        return lambda image: sampled.normal(image, coil_maps)
    return sense_normal(sampled, coil_maps, regularisation=0.0)
