"""Images joined with measured k-space: what is solved, and what is left alone."""

import pytest
import torch
from network_cases import encodings, measure, smooth_images, smooth_phase
from properties import assert_adjoint, rounding
from torch import Tensor

from mrirecon.classical import Encoding
from mrirecon.models import (
    blend_measurement,
    descend_to_measurement,
    enforce_measurement,
    measurement_misfit,
    measurement_residual,
)

NAMES = ["lines", "points", "coils", "trajectory", "trajectory with coils"]
GRIDDING_ERROR = 1e-3  # what `plan_trajectory` asks of the transform


@pytest.fixture(params=NAMES)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    return encodings()[request.param]


@pytest.fixture
def image() -> Tensor:
    magnitude = smooth_images()
    return magnitude * smooth_phase(magnitude)


def tolerance(encoding: Encoding, image: Tensor) -> float:
    return rounding(image) if isinstance(encoding.sampled, Tensor) else GRIDDING_ERROR


def test_normal_is_what_sampling_and_its_adjoint_do(encoding: Encoding, image: Tensor) -> None:
    torch.testing.assert_close(
        encoding.normal(image), measure(image, encoding), rtol=0, atol=tolerance(encoding, image)
    )


def test_normal_is_its_own_adjoint(encoding: Encoding, image: Tensor) -> None:
    assert_adjoint(encoding.normal, encoding.normal, image, torch.randn_like(image))


def test_the_true_image_is_left_alone(encoding: Encoding, image: Tensor) -> None:
    """A shift or flip between image and measurement would change it."""
    zero_filled = measure(image, encoding)
    weight = torch.tensor(3.0)
    for same in (
        enforce_measurement(image, zero_filled, encoding),
        blend_measurement(image, zero_filled, encoding, weight=weight, n_iterations=3),
        descend_to_measurement(image, zero_filled, encoding, weight=weight / 3),
    ):
        torch.testing.assert_close(same, image, rtol=0, atol=4 * tolerance(encoding, image))


def test_blending_solves_its_normal_equations(encoding: Encoding, image: Tensor) -> None:
    weight = torch.tensor(2.0)
    zero_filled, prior = measure(image, encoding), torch.randn_like(image)
    x = blend_measurement(prior, zero_filled, encoding, weight=weight, n_iterations=25)
    left, right = weight * encoding.normal(x) + x, weight * zero_filled + prior
    # Conjugate gradients carry their residual along, and it drifts by rounding.
    assert (left - right).norm() < 1e-5 * right.norm()


def test_enforcing_brings_the_measurement_back(encoding: Encoding, image: Tensor) -> None:
    zero_filled, prior = measure(image, encoding), image + 0.1 * torch.randn_like(image)
    before = measurement_residual(prior, zero_filled, encoding)
    after = measurement_residual(
        enforce_measurement(prior, zero_filled, encoding), zero_filled, encoding
    )
    assert after.shape == (2,)
    assert (after < 0.1 * before).all()


def test_a_whole_step_of_descent_leaves_the_least_misfit(encoding: Encoding, image: Tensor) -> None:
    zero_filled, prior = measure(image, encoding), torch.randn_like(image)

    def misfit(weight: float) -> Tensor:
        """|A x - y|^2 = <x, A* A x> - 2 Re <x, A* y> + |y|^2; the last is the same for all."""
        x = descend_to_measurement(prior, zero_filled, encoding, weight=torch.tensor(weight))
        energy = (x.conj() * encoding.normal(x)).real - 2 * (x.conj() * zero_filled).real
        return energy.double().sum((1, 2, 3))

    best = misfit(1.0)
    assert (best < misfit(0.0)).all()
    assert (best < misfit(0.9)).all()
    assert (best < misfit(1.1)).all()


def test_weight_has_the_gradient_of_its_equations(encoding: Encoding, image: Tensor) -> None:
    """Against a finite difference of the solution itself."""
    zero_filled, prior = measure(image, encoding), torch.randn_like(image)
    other = torch.randn_like(image)

    def projected(value: float) -> tuple[Tensor, Tensor]:
        weight = torch.tensor(value, requires_grad=True)
        x = blend_measurement(prior, zero_filled, encoding, weight=weight, n_iterations=20)
        return torch.vdot(other.flatten(), x.flatten()).real, weight

    value, weight = projected(2.0)
    value.backward()
    difference = (projected(2.1)[0] - projected(1.9)[0]).item() / 0.2
    scale = (image.norm() * other.norm()).item()
    # The difference is of second order: 0.1^2 / 6 of a third derivative no larger than the scale.
    assert weight.grad is not None
    assert abs(weight.grad.item() - difference) < 0.1**2 / 6 * scale + 1e-3 * scale


def test_residual_is_that_of_the_samples_on_the_grid(image: Tensor) -> None:
    encoding = encodings()["points"]
    wrong = 0.75 * image
    residual = measurement_residual(wrong, measure(image, encoding), encoding)
    torch.testing.assert_close(residual, torch.full((2,), 0.25))


@pytest.mark.parametrize("function", [measurement_misfit, enforce_measurement])
def test_images_of_two_shapes_are_refused(function: object, image: Tensor) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match=r"zero_filled: expected \(2, 1, 20, 17\), the shape of"):
        function(image, image[..., :-1], encodings()["lines"])
