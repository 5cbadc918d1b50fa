"""Forward and adjoint transform under the names of torchkbnufft."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mrirecon.nufft.operator import Nufft
from mrirecon.nufft.torchkbnufft.arguments import (
    as_complex,
    n_points,
    oversampled,
    require_no_matrices,
)
from mrirecon.nufft.torchkbnufft.plans import Plans


class _KbModule(nn.Module):
    """What forward and adjoint share."""

    def __init__(
        self,
        im_size: Sequence[int],
        grid_size: Sequence[int] | None = None,
        numpoints: int | Sequence[int] = 6,
        n_shift: Sequence[int] | None = None,
        table_oversamp: int | Sequence[int] = 2**10,
        kbwidth: float = 2.34,
        order: float | Sequence[float] = 0.0,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
        *,
        accuracy: float = 1e-3,
    ) -> None:
        """Describe the transform.

        Args:
            im_size: sizes of an image.
            grid_size: twice `im_size` by default; only the scale of norm="ortho" depends on it.
            numpoints: without effect.
            n_shift: the image's centre, im_size // 2; no other is supported.
            table_oversamp: without effect.
            kbwidth: without effect.
            order: without effect.
            dtype: without effect; images say it.
            device: without effect; images and trajectories say it.
            accuracy: relative l2 error, as of `Nufft`.

        Raises:
            ValueError: n_shift is not the centre.
        """
        super().__init__()
        self.im_size = tuple(int(n) for n in im_size)
        self.grid_size = oversampled(self.im_size, grid_size)
        self.accuracy = accuracy
        centre = tuple(n // 2 for n in self.im_size)
        if n_shift is not None and tuple(n_shift) != centre:
            raise ValueError(f"n_shift: expected the centre {centre}, got {tuple(n_shift)}")
        self._plans = Plans()

    def extra_repr(self) -> str:
        return f"im_size={self.im_size}, grid_size={self.grid_size}, accuracy={self.accuracy:g}"

    def _plan(self, omega: Tensor, operand: Tensor, smaps: Tensor | None) -> Nufft:
        coils = operand.shape[1] if smaps is None else smaps.shape[1]
        n_images = operand.shape[0] * coils
        return self._plans.find(omega, self.im_size, operand.dtype, self.accuracy, n_images)

    def _scale(self, norm: str | None) -> float:
        return math.sqrt(math.prod(self.im_size) / n_points(norm, self.grid_size))


class KbNufft(_KbModule):
    """Images to k-space, as torchkbnufft.KbNufft; arguments as of `_KbModule`."""

    def forward(
        self,
        image: Tensor,
        omega: Tensor,
        interp_mats: None = None,
        smaps: Tensor | None = None,
        norm: str | None = None,
    ) -> Tensor:
        """Transform images.

        Plans of the last trajectories are kept as long as the same tensor `omega` is given and not
        changed.

        Args:
            image: complex, (batch, coils, *im_size), or real, (..., 2).
            omega: real, (ndim, samples) or (batch, ndim, samples), [radians per pixel].
            interp_mats: None; sparse matrices of torchkbnufft are not needed.
            smaps: as `image`, coil maps, (batch or 1, coils, *im_size), multiplied with it.
            norm: None or "ortho".

        Returns:
            As `image`, (batch, coils, samples).

        Raises:
            ValueError: interp_mats given, another norm, or as of `Nufft`.
        """
        require_no_matrices(interp_mats)
        operand, maps = as_complex(image), None if smaps is None else as_complex(smaps)
        if maps is not None and operand.shape[1] != 1:
            operand, maps = operand * maps, None
        kspace = self._plan(omega, operand, maps)(operand, maps) * self._scale(norm)
        return kspace if image.is_complex() else torch.view_as_real(kspace)


class KbNufftAdjoint(_KbModule):
    """K-space to images, as torchkbnufft.KbNufftAdjoint; arguments as of `_KbModule`."""

    def forward(
        self,
        data: Tensor,
        omega: Tensor,
        interp_mats: None = None,
        smaps: Tensor | None = None,
        norm: str | None = None,
    ) -> Tensor:
        """Apply the adjoint of `KbNufft`, with the same norm; plans are kept as there.

        Args:
            data: complex, (batch, coils, samples), or real, (..., 2).
            omega: real, (ndim, samples) or (batch, ndim, samples), [radians per pixel].
            interp_mats: None; sparse matrices of torchkbnufft are not needed.
            smaps: as `data`, coil maps, (batch or 1, coils, *im_size); the sum over coils is given.
            norm: None or "ortho".

        Returns:
            As `data`, (batch, coils or 1, *im_size).

        Raises:
            ValueError: interp_mats given, another norm, or as of `Nufft`.
        """
        require_no_matrices(interp_mats)
        operand, maps = as_complex(data), None if smaps is None else as_complex(smaps)
        image = self._plan(omega, operand, maps).adjoint(operand, maps) * self._scale(norm)
        return image if data.is_complex() else torch.view_as_real(image)
