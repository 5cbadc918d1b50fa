import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mrirecon.data import RawBatch, SimulationConfig, simulate
from mrirecon.data.coil_ring import ring_coil_maps
from mrirecon.data.scene import mix_seeds, smooth_phase
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.sampling import (
    MixtureConfig,
    SamplingConfig,
    TrajectoryConfig,
    make_mask,
    trajectory_mask,
)

LINES = SamplingConfig(acceleration=4)
PLANE = SamplingConfig("variable_density_2d", acceleration=4)
SPOKES = TrajectoryConfig(n_readouts=9, n_samples=48)
EPS = torch.finfo(torch.float32).eps
PINNED = [3786468572763441381, -140550122739097301]


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


def test_a_slice_of_a_mixture_is_measured_the_same_in_any_batch() -> None:
    batch, mixture = make_batch(8), MixtureConfig((LINES, PLANE))
    noise = SimulationConfig(noise_std=0.1)
    whole = simulate(batch, mixture, seed=5, epoch=1, simulation=noise)
    is_of_lines = (whole.mask.sum(1) % 32 == 0).all(1)
    assert is_of_lines.any() and not is_of_lines.all()
    for i in range(8):
        alone = simulate(part(batch, slice(i, i + 1)), mixture, seed=5, epoch=1, simulation=noise)
        assert torch.equal(alone.zero_filled[0], whole.zero_filled[i])
        assert torch.equal(alone.mask[0], whole.mask[i])


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
    clean, noisy = (
        simulate(batch, SPOKES, seed=1, simulation=SimulationConfig(std)) for std in (0.0, 0.05)
    )
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

    together = simulate(batch, sampling, seed=3, epoch=1, simulation=SimulationConfig(noise_std))
    alone = simulate(
        part(batch, slice(2, 3)), sampling, seed=3, epoch=1, simulation=SimulationConfig(noise_std)
    )

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

    one = simulate(same, full, seed=0, epoch=0, simulation=SimulationConfig(0.1))
    two = simulate(
        other,
        full,
        seed=int(change == "seed"),
        epoch=int(change == "epoch"),
        simulation=SimulationConfig(0.1),
    )

    clean = fft_centred(one.target)
    correlation = torch.vdot((one.kspace - clean).flatten(), (two.kspace - clean).flatten())
    n = clean.numel()
    assert abs(correlation) / (2 * 0.1**2 * n) < 5 / math.sqrt(n)  # 5 standard deviations


def test_noise_has_the_stated_size_in_kspace_and_in_the_image() -> None:
    batch = make_batch(4, (64, 64))
    full = SamplingConfig("every_nth", acceleration=1)

    measured = simulate(batch, full, seed=1, simulation=SimulationConfig(0.05))

    n = measured.kspace.numel()
    for noise in (
        measured.kspace - fft_centred(measured.target),
        measured.zero_filled - measured.target,
    ):
        for component in (noise.real, noise.imag):
            # standard error of a standard deviation, 5 times
            assert component.std().item() == pytest.approx(0.05, rel=5 / math.sqrt(2 * n))


def coil_batch(n_coils: int, shape: tuple[int, int] = (64, 48)) -> RawBatch:
    """Make measured images of an ellipse in smooth coils, with a smooth phase."""
    row, col = (torch.linspace(-1, 1, n)[:, None] for n in shape)
    inside = ((row**2 + col.T**2) < 0.6).float() * (1 + 0.5 * torch.cos(9 * row) * col.T)
    phase = torch.polar(torch.ones(shape), 1.5 * row + 0.8 * col.T**2)
    maps = ring_coil_maps(n_coils, shape)[0]
    images = (100 * inside * phase * maps)[None].expand(2, -1, -1, -1).contiguous()
    return RawBatch(
        images=images,
        scale=torch.full((2,), 100 * float(inside.max())),
        volumes=torch.tensor([0, 1]),
        slices=torch.tensor([3, 4]),
    )


@pytest.mark.parametrize("n_coils", [1, 4])
@pytest.mark.parametrize("sampling", [LINES, PLANE])
def test_measured_images_keep_their_kspace(n_coils: int, sampling: SamplingConfig) -> None:
    batch = coil_batch(n_coils)

    measured = simulate(batch, sampling, seed=2)

    scaled = batch.images / batch.scale[:, None, None, None]
    root = scaled.abs().square().sum(1, keepdim=True).sqrt()
    torch.testing.assert_close(measured.target, root, atol=8 * EPS, rtol=0)
    full = fft_centred(scaled)
    mask = measured.mask[:, None].expand_as(full)
    expected = torch.where(mask, full, torch.zeros(()))
    assert torch.count_nonzero(measured.kspace[~mask]) == 0
    torch.testing.assert_close(
        measured.kspace, expected, atol=50 * EPS * full.abs().max().item(), rtol=0
    )


def test_the_phase_of_one_coil_is_estimated_from_what_was_measured() -> None:
    batch = coil_batch(1)

    measured = simulate(batch, LINES, seed=2)

    assert measured.phase is not None
    assert measured.coil_maps is None
    shown = measured.target > 0.3
    along = (batch.images / batch.scale[:, None, None, None] * measured.phase.conj())[shown]
    assert along.angle().abs().median() < 0.15  # rad; the image's phase spans 3
    assert simulate(make_batch(), LINES, seed=2).phase is None


def test_coils_are_combined_by_maps_from_what_was_measured() -> None:
    full = SamplingConfig("every_nth", acceleration=1)
    measured = simulate(coil_batch(4), full, seed=2)

    assert measured.coil_maps is not None
    assert measured.coil_images is not None
    assert measured.coil_images.shape == (2, 4, 64, 48)
    assert measured.phase is None
    power = measured.coil_maps.abs().square().sum(1)
    torch.testing.assert_close(power, torch.ones_like(power), atol=20 * EPS, rtol=0)
    shown = measured.target > 0.3
    error = (measured.zero_filled - measured.target)[shown].abs()
    assert error.median() < 0.02  # neither magnitude nor phase is lost to the combination


def test_magnitudes_get_the_coils_and_the_phase_that_are_asked_for() -> None:
    batch = make_batch(2, (32, 40))
    full = SamplingConfig("every_nth", acceleration=1)
    plain = simulate(batch, full, seed=1)

    phased = simulate(batch, full, seed=1, simulation=SimulationConfig(phase=0.5))
    coils = simulate(batch, full, seed=1, simulation=SimulationConfig(phase=0.5, n_coils=3))

    assert torch.equal(plain.target, phased.target)
    torch.testing.assert_close(phased.zero_filled.abs(), phased.target, atol=50 * EPS, rtol=0)
    assert phased.phase is not None
    assert (phased.zero_filled.angle() - plain.zero_filled.angle()).std() > 0.1
    assert coils.coil_images is not None
    root = coils.coil_images.abs().square().sum(1, keepdim=True).sqrt()
    torch.testing.assert_close(root, coils.target, atol=50 * EPS, rtol=0)


def test_coils_measure_along_a_trajectory_too() -> None:
    batch = make_batch(2, (32, 40))
    simulation = SimulationConfig(0.01, phase=0.3, n_coils=2)

    measured = simulate(batch, SPOKES, seed=1, simulation=simulation)

    assert measured.kspace.shape == (2, 2, 9 * 48)
    assert measured.zero_filled.shape == (2, 1, 32, 40)
    assert measured.coil_maps is not None
    assert measured.coil_maps.shape == (2, 2, 32, 40)


def test_a_smooth_phase_has_the_stated_size_and_belongs_to_its_slice() -> None:
    keys = torch.arange(400)
    phases = smooth_phase((24, 30), 0.7, keys)[:, 0]

    about = phases - phases.mean((1, 2), keepdim=True)
    size = about.square().mean().sqrt().item()
    assert size == pytest.approx(0.7, rel=0.1)  # of 400 draws of 15 coefficients, 5 deviations
    step = phases.diff(dim=1).abs().amax()
    assert step < 0.7 * 2  # a few half waves over the field of view
    assert torch.equal(smooth_phase((24, 30), 0.7, keys[7:8])[0, 0], phases[7])


@pytest.mark.parametrize("n_coils", [1, 4])
def test_the_signal_to_noise_ratio_is_that_of_the_image(n_coils: int) -> None:
    batch = make_batch(2, (64, 64))
    full = SamplingConfig("every_nth", acceleration=1)
    clean, noisy = (
        simulate(batch, full, seed=1, simulation=SimulationConfig(n_coils=n_coils, snr=snr))
        for snr in (None, 20.0)
    )
    for i in range(2):
        target = clean.target[i]
        signal = target[target >= 0.1].mean()
        noise = noisy.kspace[i] - clean.kspace[i]
        for component in (noise.real, noise.imag):
            error = 5 / math.sqrt(2 * noise.numel())
            assert (signal / component.std()).item() == pytest.approx(20, rel=error)


def test_a_blank_slice_has_the_noise_of_a_tenth() -> None:
    batch = make_batch(1, (64, 64))
    blank = replace(batch, images=torch.zeros_like(batch.images))
    full = SamplingConfig("every_nth", acceleration=1)

    noise = simulate(blank, full, seed=1, simulation=SimulationConfig(snr=5.0)).kspace

    assert noise.real.std().item() == pytest.approx(0.02, rel=5 / math.sqrt(2 * noise.numel()))


@pytest.mark.parametrize("change", ["purpose", "seed", "volume", "slice", "epoch"])
def test_every_part_of_a_place_changes_the_key(change: str) -> None:
    names = ("purpose", "seed", "volume", "slice", "epoch")
    before = dict.fromkeys(names, 3)
    after = before | {change: 4}

    def keys(place: dict[str, int]) -> int:
        volumes, slices = np.array([place["volume"]]), np.array([place["slice"]])
        return int(mix_seeds(place["purpose"], place["seed"], volumes, slices, place["epoch"])[0])

    assert keys(before) == keys(before) != keys(after)


def test_keys_never_change_between_versions_and_never_meet() -> None:
    """A resumed run must see the noise that an uninterrupted one would have seen."""
    volumes, slices = np.divmod(np.arange(1 << 16), 256)
    keys = mix_seeds(1, 0, volumes, slices, 0)
    assert len(np.unique(keys)) == 1 << 16
    assert keys[:2].tolist() == PINNED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise_std": -0.1}, "noise_std: expected 0 or more, got -0.1"),
        ({"phase": math.nan}, "phase: expected 0 or more, got nan"),
        ({"snr": 0.0}, "snr: expected a finite number above 0, got 0.0"),
        ({"snr": 10.0, "noise_std": 0.1}, "snr: expected none beside noise_std, got 10.0"),
        ({"n_coils": 0}, "n_coils: expected 1 or more, got 0"),
    ],
)
def test_what_no_scan_has_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimulationConfig(**options)


@pytest.mark.parametrize("simulation", [SimulationConfig(phase=1.0), SimulationConfig(n_coils=2)])
def test_measured_images_have_coils_and_phase_of_their_own(simulation: SimulationConfig) -> None:
    with pytest.raises(ValueError, match="simulation: expected neither phase nor n_coils"):
        simulate(coil_batch(1), LINES, seed=1, simulation=simulation)
