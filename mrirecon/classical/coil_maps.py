"""Estimate the sensitivity maps of the receive coils from the scan itself.

Sources: ESPIRiT, Uecker et al. 2014 (DOI 10.1002/mrm.24751); adaptive combination, Walsh et al.
2000 (DOI 10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G).
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.classical.eigenvectors import Eigenpairs, dominant_eigenvectors

# Of the matrices at the pixels of some rows, which every iteration reads again, so that they stay
# in a processor's caches (measured: 320 x 320 pixels of 16 coils take a third less time).
_CHUNK_BYTES = 2**23
_MOST_CHANCE_ZEROS = 0.1  # of the samples of a block that counts as fully measured


def espirit_maps(
    kspace: Tensor,
    *,
    calibration: int | tuple[int, int] = 24,
    kernel_size: int = 6,
    threshold: float = 0.02,
    crop: float = 0.95,
    n_iterations: int = 30,
) -> Tensor:
    """Find the maps that explain every neighbourhood of k-space's fully measured centre (ESPIRiT).

    All patches of kernel_size x kernel_size samples of all coils in the centre span a space; P
    projects onto its singular vectors above `threshold`. Averaged over the places of a sample in
    its patch, P is a convolution, whose transform is a matrix of coils by coils at each pixel. A
    true coil image is left unchanged by it, so that the maps are its eigenvectors of eigenvalue 1.
    Iteration starts from the centre's own blurred coil images, which are close to the maps and
    give them their phase: images combined with these maps are nearly real. One map for each coil
    does not describe an object that is folded over the edge of the field of view.

    For 3-D k-space transform along its fully measured axis and give the slices as a batch.

    Args:
        kspace: complex64 or complex128, (batch, coils, rows, cols), centred; only the calibration
            block is read.
        calibration: rows and cols of the fully measured block around index n // 2; an int for
            both.
        kernel_size: side of a patch [samples], 1 or more, at most `calibration`.
        threshold: of singular values to keep, as a part of the largest, 0 to 1; more noise needs
            more.
        crop: maps are 0 where the eigenvalue is not above this, 0 to 1; 0 keeps everything.
        n_iterations: of power iteration, 1 or more.

    Returns:
        Maps, the dtype and shape of `kspace`; over the coils the sum of |map|^2 is 1, or all are 0
        where cropped.

    Raises:
        ValueError: an argument is not as above, or the block is not finite or not fully measured.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import espirit_maps, ring_coil_maps
        >>> from mrirecon.fourier import fft_centred
        >>> kspace = fft_centred(ring_coil_maps(4, (64, 64)))  # of a homogeneous object
        >>> maps = espirit_maps(kspace, calibration=24)
        >>> maps.shape
        torch.Size([1, 4, 64, 64])
        >>> maps.abs().square().sum(1).max().round(decimals=3)
        tensor(1.)
    """
    block = _calibration_block(kspace, calibration)
    _check_options(block, kernel_size, threshold, crop, n_iterations)
    kernels = _consistency_kernels(block, kernel_size, threshold)
    soft_block = block * _window(block.shape[-2], block)[:, None] * _window(block.shape[-1], block)
    maps = torch.empty_like(kspace, memory_format=torch.contiguous_format)
    taps = 2 * kernel_size - 1
    n_rows, n_cols = kspace.shape[-2:]
    for i, kernel in enumerate(kernels):
        spread = kernel @ _transform(n_cols, taps, kernel).mT  # (coils, coils, taps, cols)
        blurred = soft_block[i] @ _transform(n_cols, block.shape[-1], kernel).mT
        for rows in _row_chunks(kernel.shape[0], n_rows, n_cols, kernel):
            matrices = _transform(n_rows, taps, kernel)[rows] @ spread  # (coils, coils, rows, cols)
            start = _transform(n_rows, block.shape[-2], kernel)[rows] @ blurred
            pairs = dominant_eigenvectors(matrices, start[None], n_iterations=n_iterations)
            maps[i : i + 1, :, rows] = torch.where(pairs.values > crop, pairs.vectors, 0)
    return maps


def walsh_maps(coil_images: Tensor, *, window: int = 7, n_iterations: int = 10) -> Tensor:
    """Find the combination of most signal in the neighbourhood of each pixel (Walsh 2000).

    The maps are the dominant eigenvectors of the coils' covariance over a window around the pixel.
    Never cropped: where there is no signal they are those of noise. The object's phase cancels in
    the covariance, but not in blurred images: where it turns by a cycle within the blur, they
    vanish, and the maps with them. `espirit_maps` has no such places.

    Args:
        coil_images: complex64 or complex128, (batch, coils, rows, cols), with white noise; of
            undersampled k-space the transform of its fully measured centre, wide enough to hold
            the bulk of the energy, which a phase may have moved away from n // 2.
        window: side of the neighbourhood [pixels], odd.
        n_iterations: of power iteration, 1 or more.

    Returns:
        Maps, the dtype and shape of `coil_images`; over the coils the sum of |map|^2 is 1, or all
        are 0 where the neighbourhood is. The sum over a window, combined with them, is real.

    Raises:
        ValueError: an argument is not as above.

    Examples:
        >>> from mrirecon.classical import ring_coil_maps, walsh_maps
        >>> maps = walsh_maps(ring_coil_maps(4, (64, 64)))  # coil images of a homogeneous object
        >>> maps.shape
        torch.Size([1, 4, 64, 64])
    """
    _require_coils("coil_images", coil_images)
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window: expected an odd number, 1 or more, got {window}")
    if n_iterations < 1:
        raise ValueError(f"n_iterations: expected 1 or more, got {n_iterations}")
    maps = torch.empty_like(coil_images, memory_format=torch.contiguous_format)
    coils, n_rows, n_cols = coil_images.shape[1:]
    for i, images in enumerate(coil_images):
        for rows in _row_chunks(coils, n_rows, n_cols, images):
            pairs = _local_eigenpairs(images, rows, window, n_iterations)
            maps[i : i + 1, :, rows] = pairs.vectors
    return maps


def _local_eigenpairs(images: Tensor, rows: slice, window: int, n_iterations: int) -> Eigenpairs:
    """Find the dominant eigenvectors of the local covariance, for some rows of (coils, ...)."""
    first, last = rows.start - window // 2, rows.stop + window // 2
    around = images[:, max(0, first) : last]
    inner = slice(rows.start - max(0, first), rows.stop - max(0, first))
    products = around[:, None] * around.conj()  # (coils, coils, rows, cols)
    matrices = _local_sum(products.flatten(0, 1), window)[:, inner].view(
        len(images), len(images), -1, images.shape[-1]
    )
    start = _local_sum(around, window)[None, :, inner]
    return dominant_eigenvectors(matrices, start, n_iterations=n_iterations)


def _local_sum(planes: Tensor, window: int) -> Tensor:
    """Sum complex (planes, rows, cols) over a window, with zeros beyond the edges."""
    reach = window // 2
    for dim, padding in ((1, (0, 0, reach, reach)), (2, (reach, reach))):
        padded, n = functional.pad(planes, padding), planes.shape[dim]
        planes = padded.narrow(dim, 0, n).clone()
        for offset in range(1, window):
            planes += padded.narrow(dim, offset, n)
    return planes


def _calibration_block(kspace: Tensor, calibration: int | tuple[int, int]) -> Tensor:
    """Cut the block around n // 2 out of (batch, coils, rows, cols), and check its samples."""
    _require_coils("kspace", kspace)
    sizes = (calibration, calibration) if isinstance(calibration, int) else tuple(calibration)
    shape = tuple(kspace.shape[-2:])
    if len(sizes) != 2 or not all(1 <= c <= n for c, n in zip(sizes, shape, strict=True)):
        raise ValueError(f"calibration: expected 1 to (rows, cols) = {shape}, got {calibration}")
    rows, cols = (
        slice(n // 2 - c // 2, n // 2 - c // 2 + c) for c, n in zip(sizes, shape, strict=True)
    )
    block = kspace[:, :, rows, cols]
    if not block.isfinite().all():
        raise ValueError("kspace: expected finite samples, got NaN or Inf in the calibration block")
    is_missing = (block == 0).all(1)  # (batch, rows, cols)
    if (
        is_missing.all(-1).any()
        or is_missing.all(-2).any()
        or is_missing.float().mean((-2, -1)).gt(_MOST_CHANCE_ZEROS).any()
    ):
        raise ValueError(
            f"calibration: expected a fully measured centre of {sizes[0]} x {sizes[1]} samples, "
            f"got {int(is_missing.sum())} of {is_missing.numel()} missing"
        )
    return block


def _consistency_kernels(block: Tensor, kernel_size: int, threshold: float) -> Tensor:
    """Average the projection onto the patches' space to one convolution.

    Returns:
        (batch, coils, coils, 2 kernel_size - 1, 2 kernel_size - 1), from the second coil to the
        first; offset 0 at index kernel_size - 1.
    """
    size = kernel_size
    patches = block.unfold(-2, size, 1).unfold(-2, size, 1)  # (batch, coils, *places, size, size)
    patches = patches.movedim(1, 3).flatten(1, 2).flatten(2)  # (batch, places, coils size size)
    _, values, basis = torch.linalg.svd(patches, full_matrices=False)
    is_kept = values > threshold * values[:, :1]
    projection = (basis.mT * is_kept[:, None]) @ basis.conj()
    coils = block.shape[1]
    projection = projection.unflatten(2, (coils, size, size)).unflatten(1, (coils, size, size))
    kernels = block.new_zeros(len(block), coils, coils, 2 * size - 1, 2 * size - 1)
    for row in range(size):
        for col in range(size):  # a sample at p from those at q: offset p - q
            from_sample = projection[:, :, row, col].flip(-2, -1)  # (batch, coils, coils, ...)
            kernels[..., row : row + size, col : col + size] += from_sample
    return kernels / size**2


def _transform(n: int, taps: int, like: Tensor) -> Tensor:
    """Build the inverse transform of `taps` samples around the centre to n pixels: (n, taps)."""
    pixels = torch.arange(n, dtype=torch.float64, device=like.device) - n // 2
    samples = torch.arange(taps, dtype=torch.float64, device=like.device) - taps // 2
    return torch.exp(2j * math.pi / n * torch.outer(pixels, samples)).to(like.dtype)


def _window(n: int, like: Tensor) -> Tensor:
    """Fade n samples out to both ends (Hann), so that the blurred image does not ring."""
    dtype = like.dtype.to_real()
    return torch.hann_window(n + 2, periodic=False, dtype=dtype, device=like.device)[1:-1]


def _row_chunks(coils: int, n_rows: int, n_cols: int, like: Tensor) -> list[slice]:
    """Divide the rows so that the matrices of a part have about _CHUNK_BYTES."""
    step = max(1, _CHUNK_BYTES // max(1, coils**2 * n_cols * like.element_size()))
    return [slice(first, min(first + step, n_rows)) for first in range(0, n_rows, step)]


def _require_coils(name: str, tensor: Tensor) -> None:
    if not tensor.is_complex() or tensor.ndim != 4 or 0 in tensor.shape[1:]:
        raise ValueError(
            f"{name}: expected complex (batch, coils, rows, cols), "
            f"got {tensor.dtype} {tuple(tensor.shape)}"
        )


def _check_options(
    block: Tensor, kernel_size: int, threshold: float, crop: float, n_iterations: int
) -> None:
    if not 1 <= kernel_size <= min(block.shape[-2:]):
        raise ValueError(
            f"kernel_size: expected 1 to {min(block.shape[-2:])}, the calibration, "
            f"got {kernel_size}"
        )
    for name, value in (("threshold", threshold), ("crop", crop)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: expected 0 to 1, got {value}")
    if n_iterations < 1:
        raise ValueError(f"n_iterations: expected 1 or more, got {n_iterations}")
