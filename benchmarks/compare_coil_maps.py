"""Coil maps, whitening and compression of measured k-space against SigPy and NumPy.

For each scan: ESPIRiT's maps against SigPy's, but for the phase that all coils of a pixel share;
noise whitened by its own covariance against SigPy; and how much energy fewer virtual coils keep,
of the whole (against NumPy's singular values) and at each place along the readout.

Usage: python benchmarks/compare_coil_maps.py SCAN.npz SCAN.npy --out TABLE.md --pictures FOLDER
A scan is complex, (coils, rows, cols), centred; of an .npz the array `kspace`.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import sigpy.mri
import torch
from torch import Tensor

from mrirecon.classical import (
    compress_coils,
    compress_coils_geometric,
    espirit_maps,
    prewhiten,
    root_sum_of_squares,
)
from mrirecon.files import atomic_path
from mrirecon.fourier import ifft_centred

matplotlib.use("Agg")
CONVERGED = (300, 1000)
"""Power iterations, ours and SigPy's, after which neither changes any more."""
MAPS_BOUND = 1e-5
"""Of converged maps at every pixel; their norm over the coils is 1."""
WHITE_BOUND = 1e-4
"""Of whitened k-space, relative, in the norm of all samples; the covariance amplifies rounding."""
CORNER = 0.8  # part of k-space's reach from which on its corners are taken for noise


class MapsRow(NamedTuple):
    """Comparison of maps after some iterations."""

    n_iterations: int
    differences: Tensor
    """At pixels that neither cropped, |ours - theirs| over the coils."""
    n_cropped_by_one: int


def main() -> None:
    """Compare, check the bounds, and write the table and a picture for each scan."""
    options = parse_options()
    options.pictures.mkdir(parents=True, exist_ok=True)
    sections = [describe_scan(path, options.pictures) for path in options.scans]
    with atomic_path(options.out) as temporary:
        temporary.write_text(HEAD + "\n".join(sections), encoding="utf-8")


def describe_scan(path: Path, pictures: Path) -> str:
    """Compare one scan, draw its maps, and give its section of the table.

    Raises:
        ValueError: a difference is beyond its bound.
    """
    loaded = np.load(path)
    kspace = torch.from_numpy(loaded["kspace"] if path.suffix == ".npz" else loaded)[None]
    name = path.parent.name
    theirs = sigpy_maps(kspace, CONVERGED[1])
    ours = {n: espirit_maps(kspace, n_iterations=n) for n in (30, CONVERGED[0])}
    rows = [compare_maps(maps, theirs, n) for n, maps in ours.items()]
    whitening = compare_whitening(kspace)
    if float(rows[-1].differences.max()) > MAPS_BOUND or whitening > WHITE_BOUND:
        raise ValueError(f"{path}: expected differences within the bounds, got larger ones")
    draw(pictures / f"{name}.png", kspace, ours[CONVERGED[0]], theirs)
    shape = " x ".join(map(str, kspace.shape[2:]))
    lines = [
        f"## {name}: {kspace.shape[1]} coils of {shape}\n",
        "| ESPIRiT, iterations | largest difference | 99 % of pixels within | median | cropped by "
        "one alone |",
        "|---|---|---|---|---|",
        *map(maps_line, rows),
        f"\nWhitened k-space differs from SigPy's by {whitening:.1e} (relative l2).\n",
        "| virtual coils | energy lost, whole | by NumPy | energy lost, each place | error of the "
        "image, whole | each place |",
        "|---|---|---|---|---|---|",
        *[compression_line(kspace, n) for n in (2, 4, 6, 8) if n < kspace.shape[1]],
    ]
    return "\n".join(lines) + "\n"


def sigpy_maps(kspace: Tensor, n_iterations: int) -> Tensor:
    """Give SigPy's maps, with as many iterations as asked for."""
    array = kspace[0].numpy()
    app = sigpy.mri.app.EspiritCalib(array, max_iter=n_iterations, show_pbar=False)
    return torch.from_numpy(app.run())[None]


def compare_maps(ours: Tensor, theirs: Tensor, n_iterations: int) -> MapsRow:
    """Compare where both have maps, after turning theirs by the common phase of a pixel."""
    kept = [maps.abs().sum(1) > 0 for maps in (ours, theirs)]
    turned = theirs * common_phase(ours, theirs)
    difference = torch.linalg.vector_norm(ours - turned, dim=1)
    return MapsRow(n_iterations, difference[kept[0] & kept[1]], int((kept[0] ^ kept[1]).sum()))


def common_phase(ours: Tensor, theirs: Tensor) -> Tensor:
    """Give the phase, the same for all coils, that brings their maps closest to ours."""
    product = (ours * theirs.conj()).sum(1, keepdim=True)
    return torch.polar(torch.ones_like(product.real), product.angle())


def compare_whitening(kspace: Tensor) -> float:
    """Whiten by the corners of k-space, and compare with SigPy: relative l2 difference."""
    noise = corner_samples(kspace)
    covariance = (noise @ noise.mH / noise.shape[1]).to(torch.complex128).numpy()
    theirs = sigpy.mri.util.whiten(kspace[0].to(torch.complex128).numpy(), covariance)
    ours = prewhiten(kspace, noise)[0]
    return float(np.linalg.norm(ours.numpy() - theirs) / np.linalg.norm(theirs))


def corner_samples(kspace: Tensor) -> Tensor:
    """Take samples of high frequency along both axes for noise, (coils, samples)."""
    far = [(torch.arange(n) - n // 2).abs() > CORNER * n / 2 for n in kspace.shape[2:]]
    corners = kspace[0][:, far[0][:, None] & far[1]]
    measured = corners[:, (corners != 0).any(0)]
    if measured.shape[1] > 4 * len(measured):
        return measured
    # an elliptical shutter leaves no corners: the outer rows hold as little signal
    outer = kspace[0][:, far[0]].flatten(1)
    return outer[:, (outer != 0).any(0)]


def compression_line(kspace: Tensor, n_coils: int) -> str:
    """Give energies that n virtual coils lose, and errors of the images they make."""
    energy = kspace.abs().square().sum()
    compressed = [
        compress(kspace, n_coils) for compress in (compress_coils, compress_coils_geometric)
    ]
    lost = [float(1 - virtual.abs().square().sum() / energy) for virtual in compressed]
    values = np.linalg.svd(kspace[0].flatten(1).numpy().astype(complex), compute_uv=False) ** 2
    by_numpy = values[n_coils:].sum() / values.sum()
    image = root_sum_of_squares(ifft_centred(kspace))
    errors = [
        float((root_sum_of_squares(ifft_centred(virtual)) - image).norm() / image.norm())
        for virtual in compressed
    ]
    return (
        f"| {n_coils} | {lost[0]:.2e} | {by_numpy:.2e} | {lost[1]:.2e} | {errors[0]:.2e} | "
        f"{errors[1]:.2e} |"
    )


def maps_line(row: MapsRow) -> str:
    """Give a line of the table of maps."""
    most, median = (float(row.differences.quantile(q)) for q in (0.99, 0.5))
    return (
        f"| {row.n_iterations} | {float(row.differences.max()):.1e} | {most:.1e} | {median:.1e} | "
        f"{row.n_cropped_by_one} |"
    )


def draw(path: Path, kspace: Tensor, ours: Tensor, theirs: Tensor) -> None:
    """Draw image, then magnitude and phase of four maps: ours, SigPy's, and the difference."""
    turned = theirs * common_phase(ours, theirs)
    coils = torch.linspace(0, ours.shape[1] - 1, 4).long().tolist()
    figure, axes = plt.subplots(5, 5, figsize=(12, 12), layout="constrained")
    image = root_sum_of_squares(ifft_centred(kspace))[0, 0]
    difference = torch.linalg.vector_norm(ours - turned, dim=1)[0]
    pictures = {"image": (image, "gray", None), "|ours - SigPy|": (difference, "magma", None)}
    for axis, (title, (values, colours, limit)) in zip(axes[:, 0], pictures.items(), strict=False):
        drawn = axis.imshow(values, cmap=colours, vmax=limit)
        axis.set_title(title)
        figure.colorbar(drawn, ax=axis, shrink=0.7)
    rows = (("ours", ours), ("SigPy", turned))
    for column, coil in enumerate(coils, start=1):
        for row, (label, maps) in enumerate(rows):
            axes[row, column].imshow(maps[0, coil].abs(), cmap="gray", vmin=0, vmax=1)
            axes[row, column].set_title(f"{label}, coil {coil}")
            phase = maps[0, coil].angle().where(maps[0, coil] != 0, torch.nan)
            axes[2 + row, column].imshow(phase, cmap="twilight", vmin=-3.2, vmax=3.2)
            axes[2 + row, column].set_title(f"{label}, phase")
        apart = (ours - turned)[0, coil].abs()
        axes[4, column].imshow(apart, cmap="magma")
        axes[4, column].set_title(f"difference, to {float(apart.max()):.0e}")
    for axis in axes.flat:
        axis.axis("off")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)
    plt.close(figure)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    return parser.parse_args()


HEAD = f"""# Coil maps, whitening and compression on measured scans

Command: `python benchmarks/compare_coil_maps.py SCAN ... --out benchmarks/results/coil_maps.md
--pictures FOLDER`

torch {torch.__version__}, SigPy {sigpy.__version__}, NumPy {np.__version__}, complex64.
The scans are public and not part of this repository: a fully sampled one, and one undersampled
8-fold along both axes, of which compression takes the zero-filled k-space. Maps are compared with
SigPy's after {CONVERGED[1]} iterations, but for the phase that all coils of a pixel share; the
norm of a map over its coils is 1. The command fails where converged maps differ by more than
{MAPS_BOUND:g} at any pixel, or whitened k-space by {WHITE_BOUND:g}. Compression:
`compress_coils` of the whole, whose loss is the energy of NumPy's smallest singular values, and
`compress_coils_geometric` at each place along the rows. The error of the image is that of the root
sum of squares, relative l2.

"""


if __name__ == "__main__":
    main()
