import math

import pytest
import torch
from torch import Tensor

from mrirecon import Nufft
from mrirecon.classical import (
    cg_sense,
    cg_sense_off_grid,
    enforce_off_grid_consistency,
    replace_spokes,
)
from mrirecon.classical.off_grid import PRIOR_WEIGHT
from mrirecon.fourier import fft_centred
from mrirecon.ops import expand_coils
from mrirecon.sampling import radial_density, radial_trajectory

SHAPE = (10, 8)
N_SPOKES, N_SAMPLES = 5, 12


def make_nufft(*, n_spokes: int = N_SPOKES, with_density: bool = True) -> Nufft:
    coords = radial_trajectory(n_spokes, N_SAMPLES, SHAPE, dtype=torch.float64)
    density = radial_density(n_spokes, N_SAMPLES, SHAPE).double()
    return Nufft(coords, SHAPE, 1e-12, density=density if with_density else None)


def make_image(batch: int = 2) -> Tensor:
    return torch.randn(batch, 1, *SHAPE, dtype=torch.complex128)


def direct_matrix(nufft: Nufft) -> Tensor:
    """The transform from its definition, (samples, pixels)."""
    row, col = (torch.arange(n, dtype=torch.float64) - n // 2 for n in SHAPE)
    place = torch.stack(torch.meshgrid(row / SHAPE[0], col / SHAPE[1], indexing="ij"), -1)
    turns = nufft.coords @ place.flatten(0, 1).T
    return torch.exp(-2j * math.pi * turns) / math.sqrt(math.prod(SHAPE))


def exact_image(nufft: Nufft, kspace: Tensor, prior: Tensor, weight: float) -> Tensor:
    """Solve the weighted problem of one coil by a dense matrix."""
    a = direct_matrix(nufft)
    assert nufft.density is not None
    weighted = a.mH * nufft.density
    normal = weighted @ a + weight * torch.eye(a.shape[1], dtype=a.dtype)
    right = weighted @ kspace.flatten(1).T + weight * prior.flatten(1).T
    return torch.linalg.solve(normal, right).T.reshape(prior.shape)


def test_consistency_solves_the_problem_that_it_states() -> None:
    nufft, prior = make_nufft(), make_image()
    kspace = nufft(make_image())
    result = enforce_off_grid_consistency(
        prior, nufft.grid(kspace), nufft, prior_weight=0.1, n_iterations=60
    )
    torch.testing.assert_close(result, exact_image(nufft, kspace, prior, 0.1), rtol=0, atol=1e-9)


def test_an_image_that_fits_the_measurement_is_left_as_it_is() -> None:
    nufft, image = make_nufft(), make_image()
    gridded = nufft.grid(nufft(image))
    result = enforce_off_grid_consistency(image, gridded, nufft)
    atol = 10 * 1e-12 / PRIOR_WEIGHT  # the transform's error, where only the prior holds the image
    torch.testing.assert_close(result, image, rtol=0, atol=atol)


def test_a_few_steps_bring_the_measurement_much_closer() -> None:
    nufft, target, prior = make_nufft(), make_image(), make_image()
    kspace = nufft(target)
    result = enforce_off_grid_consistency(prior, nufft.grid(kspace), nufft)
    before, after = (torch.linalg.vector_norm(nufft(x) - kspace) for x in (prior, result))
    assert after < 0.05 * before


def test_gradients_of_consistency_are_those_of_finite_differences() -> None:
    nufft, prior, gridded = make_nufft(), make_image(1), make_image(1)

    def enforce(image: Tensor, gridded: Tensor) -> Tensor:
        return enforce_off_grid_consistency(image, gridded, nufft, n_iterations=3)

    inputs = (prior.requires_grad_(), gridded.requires_grad_())
    assert torch.autograd.gradcheck(enforce, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(enforce, inputs, fast_mode=True)


def test_consistency_of_nothing_is_conjugate_gradient_reconstruction() -> None:
    nufft = make_nufft()
    kspace = nufft(make_image())
    gridded = nufft.grid(kspace)
    result = enforce_off_grid_consistency(
        torch.zeros_like(gridded), gridded, nufft, prior_weight=0.01, n_iterations=6
    )
    expected = cg_sense_off_grid(kspace, nufft, regularisation=0.01, n_iterations=6, tolerance=0)
    torch.testing.assert_close(result, expected.x)


def test_sense_along_cartesian_samples_is_that_on_the_grid() -> None:
    rows = torch.tensor([0, 2, 3, 5, 6, 9])
    places = torch.cartesian_prod(rows - SHAPE[0] // 2, torch.arange(SHAPE[1]) - SHAPE[1] // 2)
    nufft = Nufft(places.double(), SHAPE, 1e-12)
    mask = torch.zeros(SHAPE[0], 1, dtype=torch.bool)
    mask[rows] = True
    maps = torch.randn(1, 3, *SHAPE, dtype=torch.complex128)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    kspace = fft_centred(expand_coils(make_image(), maps))
    on_grid = cg_sense(kspace, mask, maps, regularisation=0.1, n_iterations=90, tolerance=1e-12)
    off_grid = cg_sense_off_grid(
        kspace[:, :, rows].flatten(2), nufft, maps, regularisation=0.1, n_iterations=90,
        tolerance=1e-12,
    )  # fmt: skip
    torch.testing.assert_close(off_grid.x, on_grid.x, rtol=0, atol=1e-9)


def test_spokes_of_a_full_scan_are_replaced_as_in_its_gridding() -> None:
    """With the target in place of the network's image, gridding of the full scan comes out."""
    full, image = make_nufft(n_spokes=21), make_image()
    n = N_SPOKES * N_SAMPLES
    assert full.density is not None
    measured = Nufft(full.coords[:n], SHAPE, 1e-12, density=full.density[:n])
    missing = Nufft(full.coords[n:], SHAPE, 1e-12, density=full.density[n:])
    result = replace_spokes(image, measured(image), measured, missing)
    torch.testing.assert_close(result, full.normal(image), rtol=0, atol=1e-9)
    other = replace_spokes(make_image(), measured(image), measured, missing)
    assert not torch.allclose(other, result)


def test_rejects_what_it_cannot_solve() -> None:
    nufft, image = make_nufft(), make_image()
    with pytest.raises(ValueError, match=r"^gridded: expected \(2, 1, 10, 8\), the shape of image"):
        enforce_off_grid_consistency(image, image[:1], nufft)
    with pytest.raises(ValueError, match=r"^prior_weight: expected above 0, got 0$"):
        enforce_off_grid_consistency(image, image, nufft, prior_weight=0)
    with pytest.raises(ValueError, match=r"^regularisation: expected 0 or more, got -1$"):
        cg_sense_off_grid(nufft(image), nufft, regularisation=-1)
    with pytest.raises(ValueError, match=r"^density: expected weights given to Nufft"):
        plain = make_nufft(with_density=False)
        replace_spokes(image, plain(image), plain, plain)
