"""The adapters against sums written as torchkbnufft defines them, and what they keep."""

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor

import mrirecon.nufft.torchkbnufft as tkbn

SHAPE = (6, 9)


def trajectory(n_samples: int = 40, batch: int | None = None) -> Tensor:
    size = (2, n_samples) if batch is None else (batch, 2, n_samples)
    return (torch.rand(size) - 0.5) * 2 * math.pi


def random(*size: int) -> Tensor:
    return torch.randn(*size, dtype=torch.complex64)


def wave(omega: Tensor, shape: tuple[int, ...] = SHAPE) -> Tensor:
    """exp(-i omega r) of pixels r from -(n // 2), (samples, pixels), complex128."""
    pixels = [torch.arange(n, dtype=torch.float64) - n // 2 for n in shape]
    places = torch.cartesian_prod(*pixels)  # (pixels, ndim)
    return torch.exp(-1j * (places @ omega.double()).T)


def direct(image: Tensor, omega: Tensor) -> Tensor:
    return image.to(torch.complex128).flatten(2) @ wave(omega).T


def direct_adjoint(kspace: Tensor, omega: Tensor) -> Tensor:
    return (kspace.to(torch.complex128) @ wave(omega).conj()).unflatten(2, SHAPE)


def assert_near(found: Tensor, expected: Tensor, tolerance: float = 1e-3) -> None:
    assert found.shape == expected.shape
    assert float((found - expected).norm() / expected.norm()) <= tolerance


# Of torchkbnufft's grid, 12 x 18 points by default.
NORMS = [(None, None, 1.0), ("ortho", None, 216**-0.5), ("ortho", (9, 12), 108**-0.5)]


@pytest.mark.parametrize(("norm", "grid", "scale"), NORMS)
def test_transforms_are_sums_with_the_scale_of_the_grid(
    norm: str | None, grid: tuple[int, ...] | None, scale: float
) -> None:
    omega, image, data = trajectory(), random(2, 3, *SHAPE), random(2, 3, 40)
    forward, adjoint = tkbn.KbNufft(SHAPE, grid), tkbn.KbNufftAdjoint(SHAPE, grid)
    assert_near(forward(image, omega, norm=norm), scale * direct(image, omega))
    assert_near(adjoint(data, omega, norm=norm), scale * direct_adjoint(data, omega))


def test_coil_maps_multiply_one_image_or_each() -> None:
    omega, maps = trajectory(), random(1, 3, *SHAPE)
    forward, adjoint = tkbn.KbNufft(SHAPE), tkbn.KbNufftAdjoint(SHAPE)
    for coils in (1, 3):
        image = random(2, coils, *SHAPE)
        assert_near(forward(image, omega, smaps=maps), direct(maps * image, omega))
    data = random(2, 3, 40)
    expected = (maps.conj() * direct_adjoint(data, omega)).sum(1, keepdim=True)
    assert_near(adjoint(data, omega, smaps=maps), expected)


def test_each_batch_element_can_have_its_own_trajectory() -> None:
    omega, image, data = trajectory(batch=2), random(2, 3, *SHAPE), random(2, 3, 40)
    sampled, gridded = (
        tkbn.KbNufft(SHAPE)(image, omega),
        tkbn.KbNufftAdjoint(SHAPE)(data, omega),
    )
    for i in range(2):
        assert_near(sampled[i : i + 1], direct(image[i : i + 1], omega[i]))
        assert_near(gridded[i : i + 1], direct_adjoint(data[i : i + 1], omega[i]))


def test_real_tensors_of_two_parts_stay_real() -> None:
    omega, image, maps = trajectory(), random(1, 1, *SHAPE), random(1, 3, *SHAPE)
    views = [torch.view_as_real(x) for x in (image, maps)]
    sampled = tkbn.KbNufft(SHAPE)(views[0], omega, smaps=views[1])
    assert_near(torch.view_as_complex(sampled), direct(maps * image, omega))
    gridded = tkbn.KbNufftAdjoint(SHAPE)(sampled, omega, smaps=views[1])
    assert gridded.shape == (1, 1, *SHAPE, 2)
    kernel = torch.view_as_real(tkbn.calc_toeplitz_kernel(omega, SHAPE))
    normal = tkbn.ToepNufft()(views[0], kernel, smaps=views[1])
    assert_near(normal, gridded, 2e-3)


def test_a_trajectory_wraps_around() -> None:
    omega, image = trajectory(), random(1, 1, *SHAPE)
    turned = omega + 2 * math.pi * torch.randint(-2, 3, omega.shape)
    forward = tkbn.KbNufft(SHAPE, accuracy=1e-5)
    assert_near(forward(image, turned), direct(image, omega), 1e-4)


@pytest.mark.parametrize(("norm", "grid", "scale"), NORMS)
@pytest.mark.parametrize("batch", [None, 2])
def test_convolution_is_forward_and_adjoint(
    batch: int | None, norm: str | None, grid: tuple[int, ...] | None, scale: float
) -> None:
    omega, image = trajectory(batch=batch), random(2, 3, *SHAPE)
    weights = torch.rand(1 if batch is None else batch, 40)
    kernel = tkbn.calc_toeplitz_kernel(omega, SHAPE, weights, norm, grid)
    assert kernel.shape == (() if batch is None else (batch,)) + (12, 18)
    assert kernel.dtype == torch.complex64
    found = tkbn.ToepNufft()(image, kernel, norm=norm)
    for i in range(2):
        own, weight = (omega, weights[0]) if batch is None else (omega[i], weights[i])
        one = image[i : i + 1]
        expected = direct_adjoint(weight * direct(one, own), own)
        assert_near(found[i : i + 1], scale**2 * expected, 2e-3)


# What torchkbnufft 1.5.2 gives for these samples and images of 8 x 8.
SAMPLES = torch.tensor([[0.0, 1, 2, 3, 0, 0.7, -1.4], [0, 0, 0, 0, 0.5, 0.7, 1.4]])
WIDE = [0.3232, 0.3669, 0.441, 0.4656, 0.2422, 0.3357, 0.4931]
COARSE = [0.269, 0.2383, 0.3507, 0.42, 0.1709, 0.2498, 0.4892]


@pytest.mark.parametrize(
    ("points", "grid", "expected"), [(6, None, WIDE), ([6, 6], (12, 12), COARSE)]
)
def test_density_is_that_of_torchkbnufft(
    points: int | list[int], grid: tuple[int, int] | None, expected: list[float]
) -> None:
    found = tkbn.calc_density_compensation_function(
        SAMPLES, (8, 8), grid_size=grid, numpoints=points
    )
    torch.testing.assert_close(found.real[0, 0], torch.tensor(expected), rtol=0.01, atol=0)


def test_density_counts_how_close_samples_lie() -> None:
    omega = torch.cat([trajectory(60), torch.zeros(2, 3)], dim=1)
    density = tkbn.calc_density_compensation_function(omega, SHAPE)
    assert density.shape == (1, 1, 63)
    assert density.dtype == torch.complex64
    torch.testing.assert_close(density[..., 60:].std(), torch.tensor(0.0), rtol=0, atol=1e-4)
    batch = tkbn.calc_density_compensation_function(torch.stack([omega, -omega]), SHAPE)
    torch.testing.assert_close(batch, density.repeat(2, 1, 1), rtol=1e-3, atol=1e-4)


class TestPlans:
    """Plans are made once for a trajectory, and again when it changes."""

    def count_plans(self, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
        made: list[Tensor] = []
        planned = tkbn.plans.Nufft

        def plan(coords: Tensor, *arguments: object, **options: object) -> object:
            made.append(coords)
            return planned(coords, *arguments, **options)

        monkeypatch.setattr(tkbn.plans, "Nufft", plan)
        return made

    def test_the_same_tensor_is_planned_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = self.count_plans(monkeypatch)
        forward, omega = tkbn.KbNufft(SHAPE), trajectory()
        for _ in range(3):
            forward(random(1, 1, *SHAPE), omega)
        assert len(made) == 1

    def test_a_tensor_changed_in_place_is_planned_again(self) -> None:
        forward, omega, image = tkbn.KbNufft(SHAPE), trajectory(), random(1, 1, *SHAPE)
        forward(image, omega)
        omega *= 0.5
        assert_near(forward(image, omega), direct(image, omega))

    def test_a_new_tensor_at_an_old_address_is_planned_again(self) -> None:
        forward, image = tkbn.KbNufft(SHAPE), random(1, 1, *SHAPE)
        for _ in range(12):  # each may take the place in memory of the one before
            omega = trajectory()
            assert_near(forward(image, omega), direct(image, omega))
            del omega

    def test_few_plans_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = self.count_plans(monkeypatch)
        forward, image = tkbn.KbNufft(SHAPE), random(1, 1, *SHAPE)
        trajectories = [trajectory() for _ in range(5)]
        for omega in [*trajectories, trajectories[-1], trajectories[0]]:
            forward(image, omega)
        assert len(made) == 6

    def test_a_module_is_copied_and_pickled_without_them(self) -> None:
        forward, omega, image = tkbn.KbNufft(SHAPE), trajectory(), random(1, 1, *SHAPE)
        expected = forward(image, omega)
        for other in (copy.deepcopy(forward), pickle.loads(pickle.dumps(forward))):
            assert torch.equal(other(image, omega), expected)


def test_gradients_reach_image_and_trajectory() -> None:
    omega = trajectory(7).double().requires_grad_()
    image = random(1, 2, *SHAPE).to(torch.complex128).requires_grad_()
    forward = tkbn.KbNufft(SHAPE, accuracy=1e-11)
    assert torch.autograd.gradcheck(forward, (image, omega))


@pytest.mark.parametrize("module", [tkbn.KbNufft, tkbn.KbNufftAdjoint])
def test_rejects_a_shift_that_is_not_the_centre(module: type) -> None:
    module(SHAPE, n_shift=[3, 4])
    with pytest.raises(ValueError, match=r"n_shift: expected the centre \(3, 4\), got \(0, 0\)"):
        module(SHAPE, n_shift=[0, 0])


def test_rejects_what_has_no_meaning_here() -> None:
    forward, image, omega = tkbn.KbNufft(SHAPE), random(1, 1, *SHAPE), trajectory()
    with pytest.raises(ValueError, match="norm: expected None or \"ortho\", got 'forward'"):
        forward(image, omega, norm="forward")
    with pytest.raises(ValueError, match="interp_mats: expected None, since plans take the place"):
        forward(image, omega, interp_mats=(omega, omega))
    with pytest.raises(ValueError, match="order: expected 0, got 1"):
        tkbn.calc_density_compensation_function(omega, SHAPE, order=1)
