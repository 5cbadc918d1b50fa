"""Total variation and l1-wavelets of measured k-space against SigPy at equal regularisation.

Each scan is fully sampled, is undersampled here, and is reconstructed by both: at their defaults
(100 iterations, ours until its own stop), which is what is timed, and after many iterations, whose
images are what is compared. SigPy sums the parts of the gradient, so ours does here too; its
image is periodic for total variation, and padded for wavelets, where ours is not; our wavelets move
at each step, by default, theirs do not. PSNR is that of
the complex image against the fully sampled one, with its largest magnitude for range.

Usage: python benchmarks/compare_compressed_sensing.py SCAN.npz SCAN.npy --out TABLE.md
A scan is complex, (coils, rows, cols) or (rows, cols), centred; of an .npz the array `kspace`.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import sigpy
import sigpy.mri
import torch
from torch import Tensor

from mrirecon.classical import (
    Encoding,
    espirit_maps,
    reconstruct_total_variation,
    reconstruct_wavelet,
)
from mrirecon.files import atomic_path
from mrirecon.fourier import ifft_centred
from mrirecon.ops import apply_mask, combine_coils
from mrirecon.sampling import SamplingConfig, make_mask

SAMPLINGS = {
    "2-D points, 4x": SamplingConfig("variable_density_2d", acceleration=4, calibration=24),
    "1-D lines, 3x": SamplingConfig("variable_density", acceleration=3, calibration=24),
}
REGULARISATIONS = (0.002, 0.01)
"""Of the largest magnitude of the zero-filled image, in SigPy's units too."""
MANY, DEFAULT = 400, 100
"""Iterations of what is compared, and at most of what is timed, which is the default of both."""
BOUND_DB = 0.1
HEAD = f"""# Total variation and l1-wavelets on measured scans, beside SigPy

Command: `python benchmarks/compare_compressed_sensing.py SCAN ... --out \
benchmarks/results/compressed_sensing.md`,
a scan at a time (`--append`), alone on the machine

torch {torch.__version__}, SigPy {sigpy.__version__}, {torch.get_num_threads()} threads, complex64,
db4 of at most 4 levels, moved at each step, here, and of as many as fit, unmoved, in SigPy. The
scans are public and not part of this repository. Time is the median of 5 runs; PSNR [dB] after
{MANY} iterations each, and in brackets at the default stop, which is what the time is of. The
command fails where the converged PSNR is more than {BOUND_DB} dB below SigPy's.

| scan | sampling | method | regularisation | ours | SigPy | ours [s] | SigPy [s] | ratio |
|---|---|---|---|---|---|---|---|---|
"""


class Scan(NamedTuple):
    """Undersampled k-space with what both need, scaled to a largest magnitude of 1."""

    kspace: Tensor
    mask: Tensor
    coil_maps: Tensor | None
    target: Tensor


def main() -> None:
    """Compare all, and write the table."""
    options = parse_options()
    lines = [
        compare(f"{path.parent.name} | {name}", load(path, sampling), method, weight)
        for path in options.scans
        for name, sampling in SAMPLINGS.items()
        for method in METHODS
        for weight in REGULARISATIONS
    ]
    head = options.out.read_text("utf-8") if options.append else HEAD
    with atomic_path(options.out) as temporary:
        temporary.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def load(path: Path, sampling: SamplingConfig) -> Scan:
    """Read a scan, find its maps and undersample it."""
    loaded = np.load(path)
    kspace = torch.from_numpy(loaded["kspace"] if path.suffix == ".npz" else loaded)
    kspace = kspace.to(torch.complex64).reshape(1, -1, *kspace.shape[-2:])
    maps = espirit_maps(kspace, crop=0.0) if kspace.shape[1] > 1 else None
    images = ifft_centred(kspace)
    target = images if maps is None else combine_coils(images, maps)
    scale = target.abs().max()
    shape = kspace.shape[-2], kspace.shape[-1]
    mask = make_mask(sampling, shape, seed=0)
    return Scan(apply_mask(kspace / scale, mask), mask, maps, target / scale)


def compare(title: str, scan: Scan, method: str, regularisation: float) -> str:
    """Reconstruct by both and give a line of the table.

    Raises:
        ValueError: the converged image is further from the target than SigPy's by the bound.
    """
    ours, theirs = METHODS[method]
    converged = (
        psnr(ours(scan, regularisation, MANY, 0.0), scan),
        psnr(theirs(scan, regularisation, MANY), scan),
    )
    if not converged[0] > converged[1] - BOUND_DB:
        raise ValueError(
            f"{title}, {method}: expected {converged[1]:.2f} dB, got {converged[0]:.2f}"
        )
    stopped, seconds = time_it(lambda: ours(scan, regularisation, DEFAULT, 1e-3))
    theirs_stopped, theirs_seconds = time_it(lambda: theirs(scan, regularisation, DEFAULT))
    return (
        f"| {title} | {method} | {regularisation} | {converged[0]:.2f} ({psnr(stopped, scan):.2f}) "
        f"| {converged[1]:.2f} ({psnr(theirs_stopped, scan):.2f}) | {seconds:.3f} | "
        f"{theirs_seconds:.3f} | {theirs_seconds / seconds:.1f} |"
    )


def our_total_variation(
    scan: Scan, regularisation: float, n_iterations: int, tolerance: float
) -> Tensor:
    """Reconstruct until a relative change, or that many iterations."""
    encoding = Encoding(scan.mask, scan.coil_maps)
    return reconstruct_total_variation(
        scan.kspace,
        encoding,
        regularisation=regularisation,
        is_isotropic=False,
        n_iterations=n_iterations,
        tolerance=tolerance,
    ).x


def our_wavelet(scan: Scan, regularisation: float, n_iterations: int, tolerance: float) -> Tensor:
    """Reconstruct until a relative change, or that many iterations."""
    encoding = Encoding(scan.mask, scan.coil_maps)
    return reconstruct_wavelet(
        scan.kspace,
        encoding,
        regularisation=regularisation,
        n_iterations=n_iterations,
        tolerance=tolerance,
    ).x


def sigpy_by(name: str) -> Callable[[Scan, float, int], Tensor]:
    """Give SigPy's reconstruction of that name."""

    def run(scan: Scan, regularisation: float, n_iterations: int) -> Tensor:
        zero_filled = Encoding(scan.mask, scan.coil_maps).adjoint(scan.kspace)
        weight = regularisation * float(zero_filled.abs().max())
        maps = torch.ones_like(scan.target) if scan.coil_maps is None else scan.coil_maps
        arrays = scan.kspace[0].numpy(), maps[0].numpy()
        app = getattr(sigpy.mri.app, name)
        image = app(*arrays, weight, max_iter=n_iterations, show_pbar=False).run()
        return torch.from_numpy(np.asarray(image)).reshape(scan.target.shape)

    return run


METHODS = {
    "total variation": (our_total_variation, sigpy_by("TotalVariationRecon")),
    "l1-wavelet": (our_wavelet, sigpy_by("L1WaveletRecon")),
}


def psnr(image: Tensor, scan: Scan) -> float:
    """Give the PSNR of a complex image against the target, whose largest magnitude is 1."""
    return float(-10 * (image - scan.target).abs().square().mean().log10())


def time_it(run: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Return the result and the median time of five runs after one [s]."""
    result, times = run(), []
    for _ in range(5):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return result, median(times)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--append", action="store_true", help="to the table that is there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
