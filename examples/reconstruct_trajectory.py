"""Reconstruct measured multi-coil k-space along a 2-D trajectory, by gridding or CG-SENSE.

The file is an .npz with `kspace`, complex (coils, ..., samples of a readout), and `coords`, real
(..., samples of a readout, 2), the axes between alike. Units of the coordinates: cycles per field
of view (in [-n / 2, n / 2]), or with --unit pixel cycles per pixel (in [-1/2, 1/2]).

Usage: python examples/reconstruct_trajectory.py FILE.npz --size 384 384 --out image.npy
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mrirecon import Nufft
from mrirecon.classical import cg_sense_off_grid, estimate_maps, root_sum_of_squares
from mrirecon.files import atomic_path
from mrirecon.nufft import density_compensation, voronoi_density


def main() -> None:
    """Read, plan, reconstruct, and write the magnitude or complex image as .npy."""
    options = parse_options()
    with np.load(options.file) as arrays:
        kspace = torch.from_numpy(arrays[options.kspace]).to(torch.complex64)
        coords = torch.from_numpy(arrays[options.coords]).float()
    shape = (options.size[0], options.size[1])
    samples = kspace.flatten(1)[None]  # (1, coils, samples)
    nufft = plan(coords.flatten(0, -2), shape, unit=options.unit, weights=options.weights)
    if options.method == "gridding":
        image = root_sum_of_squares(nufft.grid(samples))
    else:
        image = cg_sense(samples, nufft, options.regularisation)
    with atomic_path(options.out) as temporary, temporary.open("wb") as opened:
        np.save(opened, image[0, 0].numpy())


def plan(coords: Tensor, shape: tuple[int, int], *, unit: str, weights: str) -> Nufft:
    """Plan the transform to (samples, 2) coordinates, with weights by iteration or Voronoi cells.

    A coordinate up to a cycle beyond the edge, as delays of gradients leave it, is moved by the
    period: sampled at the pixels, k and k - n are the same wave.

    Raises:
        ValueError: a coordinate lies further out, as in another unit.
    """
    size = torch.tensor(shape)
    if unit == "pixel":
        coords = coords * size
    if not torch.all(coords.abs() <= size / 2 + 1):
        worst = float(coords.abs().nan_to_num(torch.inf).max())
        raise ValueError(f"coords: expected up to n / 2 cycles per field of view, got {worst:g}")
    wrapped = torch.remainder(coords + size / 2, size) - size / 2
    if weights == "voronoi":
        return Nufft(wrapped, shape, density=voronoi_density(coords))
    return Nufft(wrapped, shape, density=density_compensation(wrapped, shape))


def cg_sense(kspace: Tensor, nufft: Nufft, regularisation: float) -> Tensor:
    """Reconstruct with ESPIRiT's coil maps of the gridded k-space, (1, 1, *shape)."""
    maps = estimate_maps(kspace, nufft)
    return cg_sense_off_grid(kspace, nufft, maps, regularisation=regularisation).x


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--size", type=int, nargs=2, required=True, help="rows and columns")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--method", choices=["gridding", "cg-sense"], default="cg-sense")
    parser.add_argument("--unit", choices=["field-of-view", "pixel"], default="field-of-view")
    parser.add_argument("--weights", choices=["iterated", "voronoi"], default="iterated")
    parser.add_argument("--regularisation", type=float, default=1e-3)
    parser.add_argument("--kspace", default="kspace", help="name of the k-space in the file")
    parser.add_argument("--coords", default="coords", help="name of the coordinates in the file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
