"""The CUDA kernels on plain NumPy arrays: their numbers, and not a byte beside their output."""

from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import DTypeLike, NDArray
from skimage.metrics import structural_similarity

from mrirecon.nufft.gridding import Gridding
from mrirecon.nufft.plan import make_plan

REALS = [np.float32, np.float64]
GUARD = 64  # numbers before and after an output
CANARY = 12345.0


class Guarded:
    """An output between two runs of numbers that nothing may write to."""

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        size = int(np.prod(shape))
        self._memory = np.full(size + 2 * GUARD, CANARY, dtype)
        self.array = self._memory[GUARD : GUARD + size].reshape(shape)
        self.array[...] = np.nan  # what is left of it was not written

    def result(self) -> NDArray[np.generic]:
        assert (self._memory[:GUARD] == CANARY).all()
        assert (self._memory[-GUARD:] == CANARY).all()
        assert np.isfinite(self.array).all()
        return self.array


@pytest.fixture
def kernels(ordered: ModuleType) -> ModuleType:
    return ordered.kernels


@pytest.fixture(params=REALS, ids=["float32", "float64"])
def real(request: pytest.FixtureRequest) -> type[np.floating]:
    return request.param


def complex_of(real: type[np.floating]) -> np.dtype:
    return np.result_type(real, np.complex64)


def draw(*shape: int, real: type[np.floating]) -> NDArray[np.complexfloating]:
    parts = np.random.default_rng(len(shape) + shape[-1]).standard_normal((2, *shape))
    return (parts[0] + 1j * parts[1]).astype(complex_of(real))


def tolerance(real: type[np.floating], terms: int) -> float:
    """Rounding of a sum of so many terms of size 1, in any order."""
    return 4 * terms * float(np.finfo(real).eps)


def test_masking_keeps_what_is_measured(kernels: ModuleType, real: type[np.floating]) -> None:
    kspace = draw(2, 3, 5, 37, real=real)
    mask = np.random.default_rng(1).random((2, 5, 37)) < 0.4
    out = Guarded(kspace.shape, kspace.dtype)
    kernels.apply_mask(kspace, mask, out.array)
    assert np.array_equal(out.result(), np.where(mask[:, None], kspace, 0))


@pytest.mark.parametrize("weight", [None, 1.5])
def test_consistency_takes_the_measured(
    kernels: ModuleType, real: type[np.floating], weight: float | None
) -> None:
    prediction, measured = draw(2, 2, 3, 33, real=real), draw(2, 2, 3, 33, real=real)[::-1].copy()
    mask = np.random.default_rng(2).random((2, 3, 33)) < 0.5
    out = Guarded(prediction.shape, prediction.dtype)
    kernels.enforce_consistency(prediction, measured, mask, weight, out.array)
    blend = measured if weight is None else (prediction + weight * measured) / (1 + weight)
    expected = np.where(mask[:, None], blend, prediction)
    np.testing.assert_allclose(out.result(), expected, atol=tolerance(real, 4))


def test_coils_expand_and_combine(kernels: ModuleType, real: type[np.floating]) -> None:
    maps, image = draw(1, 3, 41, real=real), draw(2, 1, 41, real=real)
    seen = Guarded((2, 3, 41), maps.dtype)
    kernels.expand_coils(image, maps, seen.array)
    np.testing.assert_allclose(seen.result(), maps * image, atol=tolerance(real, 8))
    joined = Guarded((2, 1, 41), maps.dtype)
    kernels.combine_coils(seen.array, maps, joined.array)
    expected = (maps.conj() * seen.array).sum(1, keepdims=True)
    np.testing.assert_allclose(joined.result(), expected, atol=tolerance(real, 32))


def test_padding_and_its_adjoint(kernels: ModuleType, real: type[np.floating]) -> None:
    """Index 0 of the grid is the image's centre; what lies outside the image is 0."""
    image = draw(2, 1, 5, 6, real=real)
    apodisation = np.random.default_rng(3).random(1 + 5 + 6).astype(real)
    weights = apodisation[0] * apodisation[1:6, None] * apodisation[6:]
    grid = Guarded((2, 1, 9, 12), image.dtype)
    kernels.pad_image(image, apodisation, grid.array)
    expected = np.zeros((2, 1, 9, 12), image.dtype)
    expected[..., :5, :6] = weights * image
    expected = np.roll(expected, (-(5 // 2), -(6 // 2)), (-2, -1))
    np.testing.assert_allclose(grid.result(), expected, atol=tolerance(real, 4))
    back = Guarded(image.shape, image.dtype)
    kernels.crop_image(grid.array, apodisation, back.array)
    np.testing.assert_allclose(back.result(), weights**2 * image, atol=tolerance(real, 8))


def test_interpolation_sums_its_taps(kernels: ModuleType, real: type[np.floating]) -> None:
    """Each sample's grid points and weights are worked out in NumPy from the plan's numbers."""
    coords = torch.from_numpy(np.random.default_rng(4).uniform(-6, 6, (1, 50, 2)).astype(real))
    plan = make_plan(coords, (12, 12), Gridding(grid=(20, 24), width=5))
    starts, offsets, positions, taps = (
        part.numpy() for part in (plan.starts[0], plan.offsets[0], plan.positions[0], plan.taps)
    )
    grid = draw(3, 20, 24, real=real)
    out = Guarded((3, 50), grid.dtype)
    kernels.interpolate(grid, starts, offsets, positions, taps, 5, out.array)
    expected = np.zeros((3, 50), np.complex128)
    for sample, place in enumerate(positions):
        rows, cols = (
            (starts[place, axis] + np.arange(5)) % grid.shape[axis + 1] for axis in (0, 1)
        )
        by_row, by_col = (np.polyval(taps[:9, :5].astype(float), x) for x in offsets[place])
        part = grid[:, rows[:, None], cols]
        expected[:, sample] = (part * by_row[:, None] * by_col).sum((-2, -1))
    np.testing.assert_allclose(out.result(), expected, atol=tolerance(real, 200))


def test_transfer_weighs_the_grid_in_place(kernels: ModuleType, real: type[np.floating]) -> None:
    weights = np.random.default_rng(5).standard_normal((13, 10)).astype(real)
    bands = np.zeros((2, 8, 10), real)
    bands.reshape(16, 10)[:13] = weights
    points = draw(3, 13, 10, real=real)
    out = Guarded(points.shape, points.dtype)
    out.array[...] = points
    kernels.apply_transfer(np.ascontiguousarray(bands.transpose(0, 2, 1)), out.array)
    np.testing.assert_allclose(out.result(), weights * points, atol=tolerance(real, 2))


@pytest.mark.parametrize("size", [7, 11])
def test_ssim_map_equals_scikit_image(
    kernels: ModuleType, real: type[np.floating], size: int
) -> None:
    rng = np.random.default_rng(6)
    target = rng.random((2, 21, 40)).astype(real)
    prediction = np.clip(target + 0.2 * rng.standard_normal(target.shape), 0, 1).astype(real)
    out = Guarded((2, 21 - size + 1, 40 - size + 1), real)
    kernels.ssim_map(prediction, target, np.array([1.0, 2.0], real), size, out.array)
    is_gaussian = size == 11
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    for index, data_range in enumerate((1.0, 2.0)):
        _, full = structural_similarity(
            target[index].astype(float),
            prediction[index].astype(float),
            data_range=data_range,
            full=True,
            **(options if is_gaussian else {}),
        )
        margin = size // 2
        expected = full[margin:-margin, margin:-margin]
        # C2 = 9e-4 divides differences of moments, each rounded to eps.
        np.testing.assert_allclose(out.result()[index], expected, atol=4 * tolerance(real, 100))


def test_instance_norm_normalises_each_plane(kernels: ModuleType, real: type[np.floating]) -> None:
    x = draw(2, 6, 7, 5, real=real).real.copy()
    out = Guarded((2, 8, 9, 5), real)
    kernels.instance_norm(x, 0.25, 1e-5, 1, out.array)
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    normal = (x - mean) / np.sqrt(variance + 1e-5)
    expected = np.where(normal > 0, normal, 0.25 * normal)
    expected = np.pad(expected, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    np.testing.assert_allclose(out.result(), expected, atol=tolerance(real, 42))


def test_a_wrong_array_is_named(emulator: ModuleType) -> None:
    kspace = np.zeros((1, 1, 4, 4), np.complex64)
    with pytest.raises(ValueError, match=r"mask: expected \(1, 4, 4, \), got another shape"):
        emulator.kernels.apply_mask(kspace, np.zeros((4, 4), bool), kspace.copy())
    with pytest.raises(ValueError, match="kspace: expected 4 axes, got 1"):
        emulator.kernels.apply_mask(kspace[0, 0, 0], np.zeros((1, 4, 4), bool), kspace)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        emulator.kernels.apply_mask(kspace.real.copy(), np.zeros((1, 4, 4), bool), kspace)
