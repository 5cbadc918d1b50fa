"""How much noise SENSE makes of undersampling, with the coils of a ring around the object.

Sources: Pruessmann et al. 1999 (DOI 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S)
for the geometry factor; Robson et al. 2008 (DOI 10.1002/mrm.21728) for its measurement by
reconstructing noise alone.
"""

import math

import torch
from torch import Tensor

from mrirecon.classical.conjugate_gradient import conjugate_gradient
from mrirecon.classical.encoding import Encoding
from mrirecon.nufft import Nufft

TOLERANCE = 1e-4  # relative residual at which conjugate gradients stop, as for `cg_sense`


def noise_amplification(
    sampled: Tensor | Nufft,
    coil_maps: Tensor,
    *,
    scan_time_factor: float,
    n_replicas: int = 2,
    regularisation: float = 1e-3,
    n_iterations: int = 30,
    seed: int = 0,
) -> float:
    """Measure the noise of SENSE beyond what the shorter scan costs anyway.

    White noise of unit variance in all samples is reconstructed by CG-SENSE; of a full Cartesian
    scan the image would have unit variance, too. The result is the root mean square over the image
    divided by sqrt(scan_time_factor): a mean geometry factor, 1 where nothing but scan time is
    lost. Readouts of more samples than the image has pixels may have less. Regularisation bounds
    it, at the price of aliasing.

    Args:
        sampled: the mask: bool, (cols,), (rows, 1) or (rows, cols), True where measured; or the
            transform to the samples of a trajectory, with their density.
        coil_maps: complex64, (1, coils, rows, cols), of sum |map|^2 = 1.
        scan_time_factor: full over actual scan time.
        n_replicas: of the noise; two images of 256 x 256 give the mean to a percent.
        regularisation: as in `cg_sense`.
        n_iterations: as in `cg_sense`.
        seed: of the noise.

    Returns:
        The mean geometry factor.

    Raises:
        ValueError: "scan_time_factor: ..." not above 0, or as `cg_sense`.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import noise_amplification, ring_coil_maps
        >>> every_line, coil_maps = torch.ones(32, dtype=torch.bool), ring_coil_maps(4, (32, 32))
        >>> g_factor = noise_amplification(every_line, coil_maps, scan_time_factor=1)
        >>> round(g_factor, 1)
        1.0
    """
    if not 0 < scan_time_factor < math.inf:
        raise ValueError(f"scan_time_factor: expected above 0, got {scan_time_factor}")
    generator = torch.Generator().manual_seed(seed)
    size = (sampled.coords.shape[-2],) if isinstance(sampled, Nufft) else coil_maps.shape[-2:]
    shape = (n_replicas, coil_maps.shape[1], *size)
    noise = torch.randn(shape, dtype=coil_maps.dtype, generator=generator)
    encoding = Encoding(sampled, coil_maps)
    image = conjugate_gradient(
        lambda x: encoding.normal(x) + regularisation * x,
        encoding.adjoint(noise),
        n_iterations=n_iterations,
        tolerance=TOLERANCE,
    ).x
    return math.sqrt(float(image.abs().square().mean()) / scan_time_factor)
