"""Coil maps and iterative reconstructions of a simulated scan: `classical`, SigPy, BART."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mrirecon.bench.case import Case, Problem, Setup, Way
from mrirecon.bench.suites.classical_ways import Bart, by_sigpy, read_cfl
from mrirecon.classical import (
    Encoding,
    cg_sense,
    espirit_maps,
    reconstruct_total_variation,
    reconstruct_wavelet,
)
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.ops import apply_mask, combine_coils, expand_coils
from mrirecon.sampling import SamplingConfig, make_mask

_STEPS, _MANY = 30, 100
_REGULARISATION = 1e-3
_SPARSITY = 0.005  # of the largest magnitude of the zero-filled image
_CALIBRATION = 24
_PROCESS = "a process, files in memory"
_MAPS_ERROR = 5e-2  # of 30 power iterations, where two eigenvalues are close; 3e-3 on 256 x 256
_SENSE_ERROR = 3e-2  # 30 steps are not converged at 4-fold undersampling, in any way
_SPARSE_ERROR = 5e-2  # edges of the image are periodic, padded or free, by package


@dataclass(frozen=True)
class Scan:
    """A scan of one slice.

    Attributes:
        kspace: complex64, (1, coils, rows, cols), all of it, with noise.
        coil_maps: the same shape.
        mask: (rows, cols), a quarter of it.
        threads: of every way.
    """

    kspace: Tensor
    coil_maps: Tensor
    mask: Tensor
    threads: int

    @property
    def measured(self) -> Tensor:
        """The measured part, zeros elsewhere."""
        return apply_mask(self.kspace, self.mask)


def cases(setup: Setup) -> Iterator[Case]:
    """Yield coil maps, least squares, total variation and wavelets; the peers have CPUs."""
    if setup.device.type != "cpu":
        return
    coils, size = (4, 48) if setup.small else (8, 256)
    for name, make in _PROBLEMS.items():
        yield Case(
            "classical",
            f"{name}, {coils} coils, {size} x {size}",
            partial(_make, make, coils, size, setup.threads),
            n_images=1,
        )


def _make(make: Callable[[Scan], Problem], coils: int, size: int, threads: int) -> Problem:
    return make(simulated(coils, size, threads))


def simulated(coils: int, size: int, threads: int = 1) -> Scan:
    """Simulate smooth coils, an object of rectangles, noise, and undersampling in a plane."""
    random = torch.Generator().manual_seed(0)
    spectrum = torch.zeros(1, coils, size, size, dtype=torch.complex64)
    middle = slice(size // 2 - 2, size // 2 + 3)
    spectrum[..., middle, middle] = torch.randn(
        (1, coils, 5, 5), dtype=torch.complex64, generator=random
    )
    maps = ifft_centred(spectrum)
    maps /= torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    image = torch.full((1, 1, size, size), 0.2)
    for top, left in torch.randint(0, size // 2, (12, 2), generator=random).tolist():
        image[..., top : top + size // 3, left : left + size // 4] += 0.05
    kspace = fft_centred(expand_coils(image.to(maps.dtype), maps))
    kspace += 0.002 * torch.randn(kspace.shape, dtype=kspace.dtype, generator=random)
    calibration = min(_CALIBRATION, size // 2)
    sampling = SamplingConfig("variable_density_2d", acceleration=4, calibration=calibration)
    return Scan(kspace, maps, make_mask(sampling, (size, size), seed=0), threads)


def _maps(scan: Scan) -> Problem:
    kspace = scan.kspace
    exact = espirit_maps(kspace.to(torch.complex128), n_iterations=_MANY)

    def in_phase(maps: Tensor) -> Tensor:
        """Take away the phase that all coils share, which calibration cannot tell."""
        wide = maps.to(exact.dtype)
        return wide * combine_coils(wide, exact).sgn().conj()

    ecalib = ["ecalib", "-m", "1", "-r", str(_CALIBRATION), "-c", "0.95"]
    return Problem(
        {
            "mrirecon": lambda: Way(lambda: espirit_maps(kspace, n_iterations=_STEPS), in_phase),
            "SigPy": lambda: Way(
                by_sigpy("EspiritCalib", kspace, max_iter=_STEPS),
                lambda maps: in_phase(torch.from_numpy(maps)[None]),
            ),
            "BART": lambda: Way(
                Bart(ecalib, kspace, threads=scan.threads),
                lambda path: in_phase(read_cfl(path)),
                _PROCESS,
            ),
        },
        lambda: exact,
        _MAPS_ERROR,
    )


def _sense(scan: Scan) -> Problem:
    measured, maps = scan.measured, scan.coil_maps
    options = {"regularisation": _REGULARISATION, "tolerance": 0.0}

    def ours(steps: int, dtype: torch.dtype) -> Tensor:
        kspace, wide = measured.to(dtype), maps.to(dtype)
        return cg_sense(kspace, scan.mask, wide, n_iterations=steps, **options).x

    pics = ["pics", "-w", "1", "-l2", "-r", str(_REGULARISATION), "-i", str(_STEPS)]
    return Problem(
        {
            "mrirecon": lambda: Way(lambda: ours(_STEPS, torch.complex64)),
            "SigPy": lambda: Way(
                by_sigpy("SenseRecon", measured, maps, lamda=_REGULARISATION, max_iter=_STEPS),
                _image,
            ),
            "BART": lambda: Way(
                Bart(pics, measured, maps, threads=scan.threads), read_cfl, _PROCESS
            ),
        },
        lambda: ours(_MANY, torch.complex128),
        _SENSE_ERROR,
    )


def _total_variation(scan: Scan) -> Problem:
    return _sparse(scan, partial(reconstruct_total_variation, is_isotropic=False), "TotalVariation")


def _wavelet(scan: Scan) -> Problem:
    return _sparse(scan, reconstruct_wavelet, "L1Wavelet")


def _sparse(scan: Scan, reconstruct: Callable[..., object], name: str) -> Problem:
    measured, maps = scan.measured, scan.coil_maps
    zero_filled = Encoding(scan.mask, maps).adjoint(measured)
    weight = _SPARSITY * float(zero_filled.abs().max())

    def ours(steps: int, dtype: torch.dtype) -> Tensor:
        encoding = Encoding(scan.mask, maps.to(dtype))
        options = {"regularisation": _SPARSITY, "n_iterations": steps, "tolerance": 0.0}
        image = reconstruct(measured.to(dtype), encoding, **options).x  # type: ignore[attr-defined]
        assert isinstance(image, Tensor)
        return image

    return Problem(
        {
            "mrirecon": lambda: Way(lambda: ours(_MANY, torch.complex64)),
            "SigPy": lambda: Way(
                by_sigpy(f"{name}Recon", measured, maps, lamda=weight, max_iter=_MANY), _image
            ),
        },
        lambda: ours(4 * _MANY, torch.complex128),
        _SPARSE_ERROR,
    )


def _image(array: object) -> Tensor:
    return torch.as_tensor(array)[None, None]


_PROBLEMS = {
    f"ESPIRiT, {_STEPS} iterations": _maps,
    f"CG-SENSE, {_STEPS} iterations": _sense,
    f"total variation, {_MANY} iterations": _total_variation,
    f"l1-wavelets, {_MANY} iterations": _wavelet,
}
