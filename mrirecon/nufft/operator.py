"""The non-uniform fast Fourier transform as an operator, planned once for a trajectory.

Sources: Fessler and Sutton 2003 (DOI 10.1109/TSP.2002.807005), Beatty, Nishimura and Pauly 2005
(DOI 10.1109/TMI.2005.848376); the normal operator: Wajer and Pruessmann 2001, Fessler et al. 2005
(DOI 10.1109/TSP.2005.853152).
"""

from typing import Self

import torch
from torch import Tensor

from mrirecon.nufft.gridding import Gridding, choose_gridding, require_gridding
from mrirecon.nufft.plan import make_plan, move_plan
from mrirecon.nufft.toeplitz import (
    Convolution,
    apply_convolution,
    convolution_is_faster,
    make_convolution,
)
from mrirecon.ops.nufft import nufft, nufft_adjoint


class Nufft:
    """Sample images at points of k-space that need not lie on a grid.

    kspace(m) = 1 / sqrt(pixels) * sum over pixels r of
    image(r) exp(-2 pi i sum over axes of coords(m) (r - n // 2) / n):
    a Cartesian trajectory gives exactly `fourier.fft_centred`, and its adjoint is its inverse.

    The plan is a tuple of tensors, made once. All methods are differentiable, also in `coords`
    (learned trajectories, for which a new object is made at each step), twice in images and
    k-space, and give the same bits for any number of threads. The object can be pickled, moved
    with `to`, and used under torch.compile.

    Attributes:
        coords: the trajectory.
        image_shape: sizes of the image.
        gridding: the oversampled grid, the width of the kernel and the error they promise.
        plan: what the kernels read.

    Examples:
        >>> import torch
        >>> from mrirecon import Nufft
        >>> from mrirecon.sampling import radial_density, radial_trajectory
        >>> coords = radial_trajectory(32, 128, (64, 64))  # (samples, 2), cycles per field of view
        >>> nufft = Nufft(coords, (64, 64), density=radial_density(32, 128, (64, 64)))
        >>> kspace = nufft(torch.ones(1, 1, 64, 64, dtype=torch.complex64))
        >>> kspace.shape
        torch.Size([1, 1, 4096])
        >>> nufft.grid(kspace).shape
        torch.Size([1, 1, 64, 64])
    """

    def __init__(
        self,
        coords: Tensor,
        image_shape: tuple[int, ...],
        accuracy: float = 1e-3,
        *,
        density: Tensor | None = None,
        n_images: int = 8,
        gridding: Gridding | None = None,
    ) -> None:
        """Plan the transform.

        Args:
            coords: float32 or float64, (samples, ndim) for the whole batch or (batch, samples,
                ndim), ndim 1 to 3, [cycles per field of view], each in [-n / 2, n / 2], in the
                image's order of axes: (row, col) or (depth, row, col). Its precision is the
                transform's: complex64 or complex128.
            image_shape: sizes of the image, ndim of them.
            accuracy: relative l2 error allowed against the direct sum, of an image without
                structure (a single pixel at the image's corner may have three times as much);
                1e-6 (float32) or 1e-12 (float64) to 0.1.
            density: real as `coords`, (samples,) or (batch, samples), weights of `gridding` and
                `normal`.
            n_images: images times coils of a call, for which the plan is to be fast.
            gridding: a grid and a width of one's own instead of those chosen for `accuracy`.

        Raises:
            ValueError: a shape, dtype or value not as above.
        """
        self.image_shape = tuple(image_shape)
        self.coords, self.density = coords, density
        _require_coords(coords, self.image_shape)
        _require_density(density, coords)
        if gridding is not None:
            require_gridding(gridding, self.image_shape, coords.dtype)
        self.accuracy = accuracy
        self.gridding = gridding or choose_gridding(
            self.image_shape, coords.shape[-2], n_images, accuracy, coords.dtype
        )
        by_trajectory = coords if coords.ndim == 3 else coords[None]
        self.plan = make_plan(by_trajectory, self.image_shape, self.gridding)
        self._convolution: Convolution | None = None

    def __call__(self, image: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Sample the Fourier transform of images, or of what each coil sees of them.

        Args:
            image: complex, (batch, coils, *image_shape); with `coil_maps` (batch, 1,
                *image_shape).
            coil_maps: complex, (batch or 1, coils, *image_shape). Coil images are never stored.

        Returns:
            complex, (batch, coils, samples).

        Raises:
            ValueError: a shape, dtype or device not as above or not the plan's.
        """
        return nufft(image, coil_maps, self.coords, self.plan)

    def adjoint(self, kspace: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Apply the adjoint of the forward transform, exact to rounding.

        Args:
            kspace: complex, (batch, coils, samples).
            coil_maps: complex, (batch or 1, coils, *image_shape); the sum over coils of conj(map)
                times image is given.

        Returns:
            complex, (batch, coils or 1, *image_shape).

        Raises:
            ValueError: a shape, dtype or device not as above or not the plan's.

        Examples:
            >>> import torch
            >>> from mrirecon import Nufft
            >>> line = torch.arange(-4.0, 4.0)[:, None]  # a Cartesian trajectory, (samples, 1)
            >>> nufft = Nufft(line, (8,), accuracy=1e-5)
            >>> image = torch.arange(8.0).reshape(1, 1, 8).to(torch.complex64)
            >>> nufft.adjoint(nufft(image)).abs().round(decimals=2)
            tensor([[[0., 1., 2., 3., 4., 5., 6., 7.]]])
        """
        return nufft_adjoint(kspace, coil_maps, self.coords, self.plan)

    def grid(self, kspace: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Reconstruct by gridding: the adjoint of k-space times `density`.

        Args:
            kspace: complex, (batch, coils, samples).
            coil_maps: as in `adjoint`.

        Returns:
            complex, (batch, coils or 1, *image_shape).

        Raises:
            ValueError: no density was given, or as in `adjoint`.
        """
        if self.density is None:
            raise ValueError("density: expected weights given to Nufft, to grid with, got none")
        return self.adjoint(kspace * self._density_for(kspace), coil_maps)

    def normal(self, image: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Apply the forward transform, the weights `density` if given, and the adjoint.

        Whichever is estimated to be faster is used: the two transforms, or a convolution with a
        kernel that is computed at the first call (where no gradient to coords or density is
        asked for).

        Args:
            image: complex, (batch, coils, *image_shape); with `coil_maps` (batch, 1,
                *image_shape).
            coil_maps: complex, (batch or 1, coils, *image_shape).

        Returns:
            complex, shape of `image`.

        Raises:
            ValueError: a shape, dtype or device not as above or not the plan's.

        Examples:
            >>> import torch
            >>> from mrirecon import Nufft
            >>> nufft = Nufft(torch.zeros(3, 1), (8,))  # the centre of k-space, three times
            >>> nufft.normal(torch.ones(1, 1, 8, dtype=torch.complex64)).real.round(decimals=2)
            tensor([[[3., 3., 3., 3., 3., 3., 3., 3.]]])
        """
        coils = image.shape[1] if coil_maps is None else coil_maps.shape[1]
        n_images = coils if self.coords.ndim == 3 or coil_maps is not None else coils * len(image)
        if convolution_is_faster(self.plan, n_images) and not self._needs_gradient():
            return self.normal_by_convolution(image, coil_maps)
        kspace = self(image, coil_maps)
        if self.density is not None:
            kspace = kspace * self._density_for(kspace)
        return self.adjoint(kspace, coil_maps)

    def normal_by_convolution(self, image: Tensor, coil_maps: Tensor | None = None) -> Tensor:
        """Apply `normal` as a convolution, which has no gradient to coords or density.

        Args:
            image: as in `normal`.
            coil_maps: as in `normal`.

        Returns:
            complex, shape of `image`.
        """
        if self._convolution is None:
            self._convolution = make_convolution(
                self.coords, self.image_shape, self.density, self.accuracy
            )
        return apply_convolution(image, self._convolution, coil_maps)

    def to(self, device: torch.device | str) -> Self:
        """Give the same operator with its plan on another device."""
        moved = object.__new__(type(self))
        moved.__dict__.update(self.__dict__)
        for name in ("coords", "density", "_convolution"):
            part = getattr(self, name)
            setattr(moved, name, None if part is None else part.to(device))
        moved.plan = move_plan(self.plan, device)
        return moved

    def __repr__(self) -> str:
        """Give sizes, not numbers."""
        return (
            f"Nufft({tuple(self.coords.shape)} samples, image {self.image_shape}, "
            f"grid {self.gridding.grid}, width {self.gridding.width}, "
            f"error {self.gridding.error:.1e}, {self.coords.dtype}, {self.coords.device})"
        )

    def _density_for(self, kspace: Tensor) -> Tensor:
        assert self.density is not None
        return self.density.reshape(-1, 1, self.density.shape[-1]).to(kspace.device)

    def _needs_gradient(self) -> bool:
        wanted = [self.coords] if self.density is None else [self.coords, self.density]
        return torch.is_grad_enabled() and any(x.requires_grad for x in wanted)


def _require_coords(coords: Tensor, shape: tuple[int, ...]) -> None:
    ndim = len(shape)
    if not 1 <= ndim <= 3 or any(n < 1 for n in shape):
        raise ValueError(f"image_shape: expected 1 to 3 sizes of at least 1, got {shape}")
    if coords.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"coords: expected float32 or float64, got {coords.dtype}")
    if coords.ndim not in (2, 3) or coords.shape[-1] != ndim:
        raise ValueError(
            f"coords: expected (samples, {ndim}) or (batch, samples, {ndim}), "
            f"got {tuple(coords.shape)}"
        )
    half = torch.tensor(shape, dtype=coords.dtype, device=coords.device) / 2
    fits = (coords.detach().abs() <= half).flatten(0, -2).all(0)
    if not bool(fits.all()):
        axis = int(fits.int().argmin())
        wrong = coords.detach()[..., axis]
        worst = wrong[~(wrong.abs() <= half[axis])][0]
        raise ValueError(
            f"coords: expected values in [{-shape[axis] / 2:g}, {shape[axis] / 2:g}] cycles per "
            f"field of view along axis {axis}, got {float(worst):g}"
        )


def _require_density(density: Tensor | None, coords: Tensor) -> None:
    if density is None:
        return
    expected = (tuple(coords.shape[-2:-1]), tuple(coords.shape[:-1]))
    if tuple(density.shape) not in expected or density.dtype != coords.dtype:
        raise ValueError(
            f"density: expected {coords.dtype} {' or '.join(map(str, dict.fromkeys(expected)))}, "
            f"got {density.dtype} {tuple(density.shape)}"
        )
