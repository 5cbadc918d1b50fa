import math

import numpy as np
import pytest
import torch

from mrirecon.data import RawBatch, simulate
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.sampling import SamplingConfig, TrajectoryConfig, make_mask, trajectory_mask

LINES = SamplingConfig(acceleration=4)
PLANE = SamplingConfig("variable_density_2d", acceleration=4)
SPOKES = TrajectoryConfig(n_readouts=9, n_samples=48)
EPS = torch.finfo(torch.float32).eps


def make_batch(n: int = 3, shape: tuple[int, int] = (32, 40), dtype: str = "uint8") -> RawBatch:
    limit = np.iinfo(dtype).max
    pixels = np.random.default_rng(1).integers(0, limit, (n, *shape), endpoint=True).astype(dtype)
    return RawBatch(
        images=torch.from_numpy(pixels),
        scale=torch.from_numpy(pixels.max((1, 2)).astype(np.float32)),
        volumes=torch.arange(n) // 2,
        slices=torch.arange(n) % 2,
    )


def part(batch: RawBatch, index: slice) -> RawBatch:
    return RawBatch(
        batch.images[index], batch.scale[index], batch.volumes[index], batch.slices[index]
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32"])
def test_the_target_is_the_image_over_its_volumes_maximum(dtype: str) -> None:
    batch = make_batch(dtype=dtype)

    target = simulate(batch, LINES, seed=1).target

    assert target.shape == (3, 1, 32, 40)
    assert (target.dtype, target.amax().item(), target.amin() >= 0) == (torch.float32, 1, True)
    expected = batch.images.numpy() / batch.scale.numpy()[:, None, None]
    np.testing.assert_allclose(target[:, 0], expected, rtol=2 * EPS)


@pytest.mark.parametrize("shape", [(32, 40), (33, 41)])
@pytest.mark.parametrize("sampling", [LINES, PLANE, SamplingConfig(axis="rows", per="run")])
def test_what_is_measured_is_the_masked_centred_kspace(
    sampling: SamplingConfig, shape: tuple[int, int]
) -> None:
    """An earlier attempt lost a pixel in flips; here a shift left out must not show."""
    batch = make_batch(shape=shape)

    measured = simulate(batch, sampling, seed=5, epoch=2)

    full = fft_centred(measured.target)
    tolerance = EPS * math.log2(math.prod(shape))  # of a transform, for values up to 1
    largest = full.abs().max().item()
    for i in range(3):
        place = {"volume": int(batch.volumes[i]), "slice_index": int(batch.slices[i])}
        mask = make_mask(sampling, shape, seed=5, epoch=2, **place).expand(shape)
        assert torch.equal(measured.mask[i].expand(shape), mask)
        expected = torch.where(mask, full[i], torch.zeros(()))
        assert torch.count_nonzero(measured.kspace[i][:, ~mask]) == 0
        torch.testing.assert_close(measured.kspace[i], expected, atol=tolerance * largest, rtol=0)
        torch.testing.assert_close(
            measured.zero_filled[i], ifft_centred(expected), atol=tolerance, rtol=0
        )


def test_the_zero_filled_image_lies_on_the_target() -> None:
    batch = make_batch(shape=(33, 40))
    full = SamplingConfig("every_nth", acceleration=1)

    measured = simulate(batch, full, seed=1)

    assert measured.mask.all()
    tolerance = EPS * math.log2(33 * 40)  # of a transform and its inverse, values up to 1
    torch.testing.assert_close(measured.zero_filled.real, measured.target, atol=tolerance, rtol=0)
    assert measured.zero_filled.imag.abs().max() < tolerance


def test_a_trajectory_measures_its_samples_and_grids_them() -> None:
    batch = make_batch(shape=(33, 40))

    measured = simulate(batch, SPOKES, seed=1)

    row, col = (torch.arange(n, dtype=torch.float64) - n // 2 for n in (33, 40))
    coords = SPOKES.coords((33, 40)).double()
    along_rows = torch.exp(-2j * math.pi * coords[:, :1] * row / 33)  # (samples, rows)
    along_cols = torch.exp(-2j * math.pi * coords[:, 1:] * col / 40)
    image = measured.target[:, 0].to(torch.complex128)
    exact = torch.einsum("sr,brc,sc->bs", along_rows, image, along_cols) / math.sqrt(33 * 40)
    error = torch.linalg.norm(measured.kspace[:, 0] - exact) / torch.linalg.norm(exact)
    assert error < 1e-4  # of the transform
    gridded = torch.einsum(
        "sr,bs,sc->brc", along_rows.conj(), exact * SPOKES.density((33, 40)), along_cols.conj()
    ) / math.sqrt(33 * 40)
    difference = torch.linalg.norm(measured.zero_filled[:, 0] - gridded)
    assert difference < 2e-4 * torch.linalg.norm(gridded)
    assert torch.equal(measured.mask[1], trajectory_mask(SPOKES, (33, 40)))
    assert measured.sampled is measured.nufft


def test_noise_along_a_trajectory_has_the_stated_size() -> None:
    batch = make_batch(4, (32, 32))
    clean, noisy = (simulate(batch, SPOKES, seed=1, noise_std=std) for std in (0.0, 0.05))
    noise = noisy.kspace - clean.kspace
    for component in (noise.real, noise.imag):
        error = 5 / math.sqrt(2 * noise.numel())  # standard errors of a standard deviation
        assert component.std().item() == pytest.approx(0.05, rel=error)


@pytest.mark.parametrize("sampling", [PLANE, SPOKES])
@pytest.mark.parametrize("noise_std", [0.0, 0.1])
def test_a_slice_is_measured_the_same_in_any_batch(
    noise_std: float, sampling: SamplingConfig | TrajectoryConfig
) -> None:
    batch = make_batch()

    together = simulate(batch, sampling, seed=3, epoch=1, noise_std=noise_std)
    alone = simulate(part(batch, slice(2, 3)), sampling, seed=3, epoch=1, noise_std=noise_std)

    if sampling is PLANE:
        assert torch.equal(together.kspace[2:], alone.kspace)
    else:  # images of a batch are transformed in lanes
        torch.testing.assert_close(together.kspace[2:], alone.kspace, rtol=0, atol=100 * EPS)


@pytest.mark.parametrize("change", ["seed", "epoch", "volume", "slice"])
def test_each_seed_epoch_volume_and_slice_has_its_own_noise(change: str) -> None:
    batch = make_batch(2)
    same = RawBatch(batch.images[:1], batch.scale[:1], torch.tensor([0]), torch.tensor([0]))
    other = RawBatch(
        batch.images[:1],
        batch.scale[:1],
        torch.tensor([int(change == "volume")]),
        torch.tensor([int(change == "slice")]),
    )
    full = SamplingConfig("every_nth", acceleration=1)

    one = simulate(same, full, seed=0, epoch=0, noise_std=0.1)
    two = simulate(
        other, full, seed=int(change == "seed"), epoch=int(change == "epoch"), noise_std=0.1
    )

    clean = fft_centred(one.target)
    correlation = torch.vdot((one.kspace - clean).flatten(), (two.kspace - clean).flatten())
    n = clean.numel()
    assert abs(correlation) / (2 * 0.1**2 * n) < 5 / math.sqrt(n)  # 5 standard deviations


def test_noise_has_the_stated_size_in_kspace_and_in_the_image() -> None:
    batch = make_batch(4, (64, 64))
    full = SamplingConfig("every_nth", acceleration=1)

    measured = simulate(batch, full, seed=1, noise_std=0.05)

    n = measured.kspace.numel()
    for noise in (
        measured.kspace - fft_centred(measured.target),
        measured.zero_filled - measured.target,
    ):
        for component in (noise.real, noise.imag):
            # standard error of a standard deviation, 5 times
            assert component.std().item() == pytest.approx(0.05, rel=5 / math.sqrt(2 * n))


def test_negative_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="noise_std: expected"):
        simulate(make_batch(), LINES, seed=1, noise_std=-0.1)
