"""Partial Fourier: what one side of k-space tells of the other, and what a wrong phase costs."""

import pytest
import torch
from torch import Tensor

from mrirecon.classical import (
    Encoding,
    reconstruct,
    reconstruct_homodyne,
    reconstruct_pocs,
    ring_coil_maps,
)
from mrirecon.classical.partial_fourier import _homodyne_weights, _mirror
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.ops import expand_coils
from mrirecon.sampling import SamplingConfig, make_mask

SIZES = [(24, 32), (23, 31)]
METHODS = ("homodyne", "pocs")


def make_image(shape: tuple[int, int], turns: float) -> Tensor:
    """A box with a stripe, complex128; its phase turns this often, as a cosine, along both axes."""
    rows, cols = shape
    magnitude = torch.zeros(1, 1, rows, cols, dtype=torch.float64)
    magnitude[..., 4:-4, 5:-5] = 1
    magnitude[..., 9:12, 8:-8] = 2
    row, col = (torch.linspace(-1, 1, n, dtype=torch.float64) for n in shape)
    phase = torch.pi * turns * (torch.cos(2 * row)[:, None] + torch.cos(2 * col))
    return torch.polar(magnitude, phase.expand_as(magnitude))


def partial_mask(n: int, left_out: int, *, is_last: bool = False) -> Tensor:
    place = torch.arange(n)
    return place < n - left_out if is_last else place >= left_out


def error(image: Tensor, target: Tensor) -> float:
    return float((image.abs() - target.abs()).norm() / target.norm())


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("axis", [-2, -1])
@pytest.mark.parametrize("is_last", [True, False])
def test_homodyne_is_exact_where_the_phase_is_constant(
    shape: tuple[int, int], axis: int, is_last: bool
) -> None:
    """Lines left out at either end of either axis, for odd and even sizes.

    The first line of an even size is its own mirror image, so that nothing tells it.
    """
    kspace = fft_centred(make_image(shape, 0) * torch.tensor(0.7j).exp())
    kspace.select(axis, 0).mul_(shape[axis] % 2)
    image = ifft_centred(kspace)
    mask = partial_mask(shape[axis], shape[axis] // 3, is_last=is_last)
    mask = mask[:, None] if axis == -2 else mask
    found = reconstruct_homodyne(kspace, Encoding(mask))
    torch.testing.assert_close(found, image, rtol=0, atol=1e-12)  # rounding of transforms of 1e3


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6])
def test_weights_of_a_line_and_its_mirror_image_add_up_to_two(
    shape: tuple[int, int], part: float
) -> None:
    """Whatever lines are measured, of those of which one is."""
    n = shape[1]
    lines = (torch.rand(5, 1, n) > part) & (torch.arange(n) >= n // 4)
    weights = _homodyne_weights(lines)[:, 0]
    assert bool((weights[~lines] == 0).all())
    is_told = lines | _mirror(lines)
    total = weights + _mirror(weights)
    torch.testing.assert_close(total[is_told], torch.full_like(total[is_told], 2))


def test_weights_grow_linearly_over_the_symmetric_lines() -> None:
    """Lines -2 to 3 of 8: those from -2 to 2 have a mirror image, and go from 1/3 to 5/3."""
    expected = torch.tensor([0, 0, 1, 2, 3, 4, 5, 6]).double() / 3
    found = _homodyne_weights(partial_mask(8, 2)[None, None])[0, 0, 0]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", METHODS)
def test_a_smooth_phase_is_told_by_the_symmetric_lines(method: str) -> None:
    image = make_image((64, 96), 0.2)
    kspace, mask = fft_centred(image), partial_mask(96, 30)
    zero_filled = error(reconstruct("zero-filled", kspace, mask), image)
    assert error(reconstruct(method, kspace, mask), image) < 0.5 * zero_filled


@pytest.mark.parametrize("method", METHODS)
def test_coils_are_combined_by_their_maps(method: str) -> None:
    image = make_image((64, 96), 0.3).to(torch.complex64)
    maps = ring_coil_maps(4, (64, 96))
    mask = partial_mask(96, 30)
    found = reconstruct(method, fft_centred(expand_coils(image, maps)), mask, maps)
    alone = reconstruct(method, fft_centred(image), mask)
    # Maps cut off by the missing lines are not quite those of the whole: some percent.
    assert error(found, alone) < 0.05


def test_projections_keep_what_was_measured() -> None:
    image, mask = make_image((24, 32), 0.3), partial_mask(32, 10)
    kspace = fft_centred(image)
    found = fft_centred(reconstruct_pocs(kspace, Encoding(mask), n_iterations=5))
    torch.testing.assert_close(found[..., mask], kspace[..., mask])
    assert bool((found[..., ~mask].abs().amax((-1, -2)) > 0).all())


def test_projections_come_nearer_with_each_step() -> None:
    image, mask = make_image((24, 32), 0), partial_mask(32, 10)
    kspace = fft_centred(image)
    errors = [
        error(reconstruct_pocs(kspace, Encoding(mask), n_iterations=n, tolerance=0), image)
        for n in (1, 3, 9)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_partial_fourier_of_a_sampling_is_undone_by_name() -> None:
    """What `SamplingConfig(partial_fourier=...)` leaves out."""
    image = make_image((64, 96), 0.2)
    config = SamplingConfig("equispaced", acceleration=96 / 60, partial_fourier=60 / 96)
    mask = make_mask(config, (64, 96), seed=0)
    assert int(mask.sum()) == 60
    kspace = fft_centred(image)
    zero_filled = error(reconstruct("zero-filled", kspace, mask), image)
    assert error(reconstruct("homodyne", kspace, mask), image) < 0.5 * zero_filled


@pytest.mark.parametrize("method", METHODS)
def test_masks_of_points_are_refused(method: str) -> None:
    kspace = torch.ones(1, 1, 6, 6, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"^sampled: expected lines along one axis, got \(6, 6\)$"):
        reconstruct(method, kspace, torch.ones(6, 6, dtype=torch.bool))


def test_no_projection_at_all_is_refused() -> None:
    kspace, encoding = torch.ones(1, 1, 6, 6, dtype=torch.complex64), Encoding(partial_mask(6, 2))
    with pytest.raises(ValueError, match=r"^n_iterations: expected 1 or more, got 0$"):
        reconstruct_pocs(kspace, encoding, n_iterations=0)
