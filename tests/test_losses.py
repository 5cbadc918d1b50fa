"""Losses against hand-worked values, and the direction in which each one pushes."""

import pytest
import torch

from mrirecon.losses import AdversarialKind, discriminator_loss, generator_loss, l1_loss, ssim_loss
from mrirecon.reference.ssim import ssim as reference_ssim

KINDS: list[AdversarialKind] = ["hinge", "least-squares"]


def test_l1_is_the_mean_absolute_difference() -> None:
    assert l1_loss(torch.tensor([0.0, 0.5]), torch.tensor([0.25, 0.0])) == 0.375


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_ssim_loss_is_one_minus_the_reference(window: str) -> None:
    prediction, target = torch.rand(2, 3, 1, 20, 24, dtype=torch.float64)
    expected = 1 - reference_ssim(prediction, target, data_range=1.0, window=window).mean()
    loss = ssim_loss(prediction, target, data_range=1.0, window=window)
    torch.testing.assert_close(loss, expected)


def test_ssim_loss_vanishes_for_equal_images_and_falls_along_its_gradient() -> None:
    target = torch.rand(2, 1, 16, 16, dtype=torch.float64)
    assert ssim_loss(target, target, data_range=1.0, window="gaussian").abs() < 1e-12
    prediction = torch.rand_like(target).requires_grad_()
    before = ssim_loss(prediction, target, data_range=1.0, window="gaussian")
    (gradient,) = torch.autograd.grad(before, prediction)
    moved = prediction - 1e-3 * gradient / gradient.abs().max()
    assert ssim_loss(moved, target, data_range=1.0, window="gaussian") < before


def test_hinge_and_least_squares_have_their_published_values() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-2.0, 0.0])
    assert discriminator_loss(real, fake, kind="hinge") == 0.25 + 0.5
    assert generator_loss(fake, kind="hinge") == 1.0
    assert discriminator_loss(real, fake, kind="least-squares") == 0.5 * (1.25 / 2 + 2.0)
    assert generator_loss(fake, kind="least-squares") == 0.5 * (9 + 1) / 2


@pytest.mark.parametrize("kind", KINDS)
def test_discriminator_learns_high_logits_for_real_and_low_for_fake(kind: AdversarialKind) -> None:
    """An earlier critic had its labels exchanged and a sign lost by adding for multiplying."""
    real, fake = torch.zeros(4, requires_grad=True), torch.full((4,), 0.5, requires_grad=True)
    discriminator_loss(real, fake, kind=kind).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_generator_learns_high_logits_for_its_images(kind: AdversarialKind) -> None:
    fake = torch.zeros(4, requires_grad=True)
    generator_loss(fake, kind=kind).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_adversarial_game_is_settled_where_both_agree(kind: AdversarialKind) -> None:
    certain = {"hinge": (3.0, -3.0), "least-squares": (1.0, 0.0)}[kind]
    real, fake = (torch.full((4,), value) for value in certain)
    assert discriminator_loss(real, fake, kind=kind) == 0
