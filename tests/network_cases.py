"""Small networks of every kind, and measurements for them."""

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.classical import Encoding
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.models import (
    CnnConfig,
    DeblurGanConfig,
    DualDomainConfig,
    NetworkConfig,
    ReconResNetConfig,
    RrdbUNetConfig,
    UNetConfig,
    UnrolledConfig,
)
from mrirecon.ops import combine_coils, expand_coils
from mrirecon.sampling import TrajectoryConfig, plan_trajectory

NETWORKS: dict[str, NetworkConfig] = {
    "reconresnet": ReconResNetConfig(width=4, n_blocks=1, dropout=0.0, residual=True),
    "unet": UNetConfig(width=8, n_levels=2),
    "unrolled": UnrolledConfig(n_cascades=2, refinement=CnnConfig(8, 3)),
    "unrolled with a shared U-Net": UnrolledConfig(
        n_cascades=2, refinement=UNetConfig(width=4, n_levels=1), shared_weights=True
    ),
    "unrolled gradient steps": UnrolledConfig(
        n_cascades=2, refinement=CnnConfig(8, 2), step="gradient"
    ),
    "dual domain": DualDomainConfig(UNetConfig(width=4, n_levels=1), CnnConfig(8, 3)),
    "deblurgan": DeblurGanConfig(width=8, n_blocks=1, dropout=0.0),
    "rrdb_unet": RrdbUNetConfig(width=4, growth=4, n_levels=1),
}
SHAPE = (20, 17)


def smooth_images(n: int = 2, shape: tuple[int, int] = SHAPE) -> Tensor:
    """Random images without sharp edges, in [0.1, 0.9], (n, 1, rows, cols)."""
    coarse = torch.rand(n, 1, 5, 5)
    smooth = functional.interpolate(coarse, shape, mode="bilinear", align_corners=True)
    return 0.1 + 0.8 * smooth


def smooth_phase(image: Tensor) -> Tensor:
    """A random smooth phase for each image, complex of magnitude 1."""
    shape = (image.shape[-2], image.shape[-1])
    return torch.polar(torch.ones_like(image), 3 * smooth_images(len(image), shape))


def encodings(shape: tuple[int, int] = SHAPE) -> dict[str, Encoding]:
    """What can be measured: lines, points, and a trajectory, of one coil and of three."""
    rows, cols = shape
    lines = torch.arange(cols) % 3 == 0
    points = torch.rand(rows, cols) < 0.5
    coil_maps = torch.randn(1, 3, rows, cols, dtype=torch.complex64)
    coil_maps /= coil_maps.abs().square().sum(1, keepdim=True).sqrt()
    trajectory = TrajectoryConfig(n_readouts=12, n_samples=32)
    nufft = plan_trajectory(trajectory, shape, torch.device("cpu"))
    return {
        "lines": Encoding(lines),
        "points": Encoding(points),
        "coils": Encoding(points, coil_maps),
        "trajectory": Encoding(nufft),
        "trajectory with coils": Encoding(nufft, coil_maps),
    }


def measure(image: Tensor, encoding: Encoding) -> Tensor:
    """Return A* A of complex images, computed the plain way: through their samples."""
    sampled, coil_maps = encoding.sampled, encoding.coil_maps
    if not isinstance(sampled, Tensor):
        return sampled.grid(sampled(image, coil_maps), coil_maps)
    coil_images = image if coil_maps is None else expand_coils(image, coil_maps)
    measured = ifft_centred(fft_centred(coil_images) * sampled)
    return measured if coil_maps is None else combine_coils(measured, coil_maps)
