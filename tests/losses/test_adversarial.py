"""Adversarial losses against hand-worked values, and the direction in which each one pushes."""

import pytest
import torch
from torch import Tensor

from mrirecon.losses import (
    AdversarialKind,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    gradient_penalty,
    r1_penalty,
    separation,
)
from mrirecon.models import PatchDiscriminator, PatchDiscriminatorConfig

KINDS: list[AdversarialKind] = ["hinge", "least-squares", "wasserstein"]


def test_losses_have_their_published_values() -> None:
    real, fake = [torch.tensor([2.0, 0.5])], [torch.tensor([-2.0, 0.0])]
    assert discriminator_loss(real, fake, kind="hinge") == 0.25 + 0.5
    assert generator_loss(fake, kind="hinge") == 1.0
    assert discriminator_loss(real, fake, kind="least-squares") == 0.5 * (1.25 / 2 + 2.0)
    assert generator_loss(fake, kind="least-squares") == 0.5 * (9 + 1) / 2
    assert discriminator_loss(real, fake, kind="wasserstein") == -1.0 - 1.25
    assert generator_loss(fake, kind="wasserstein") == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_each_scale_counts_alike_however_many_patches_it_has(kind: AdversarialKind) -> None:
    fine, coarse = torch.full((2, 1, 8, 8), 0.25), torch.full((2, 1, 2, 2), -0.5)
    both = discriminator_loss([fine, coarse], [coarse, fine], kind=kind)
    parts = [discriminator_loss([r], [f], kind=kind) for r, f in ((fine, coarse), (coarse, fine))]
    torch.testing.assert_close(both, 0.5 * (parts[0] + parts[1]))
    apart = [generator_loss([f], kind=kind) for f in (fine, coarse)]
    torch.testing.assert_close(
        generator_loss([fine, coarse], kind=kind), 0.5 * (apart[0] + apart[1])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_discriminator_learns_high_logits_for_real_and_low_for_fake(kind: AdversarialKind) -> None:
    """An earlier critic had its labels exchanged and a sign lost by adding for multiplying."""
    real, fake = torch.zeros(4, requires_grad=True), torch.full((4,), 0.5, requires_grad=True)
    discriminator_loss([real], [fake], kind=kind).backward()
    assert real.grad is not None and fake.grad is not None
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_generator_learns_high_logits_for_its_images(kind: AdversarialKind) -> None:
    fake = torch.zeros(4, requires_grad=True)
    generator_loss([fake], kind=kind).backward()
    assert fake.grad is not None
    assert (fake.grad < 0).all()


def test_wasserstein_multiplies_labels_of_plus_and_minus_one() -> None:
    """An earlier critic added its labels: its loss then falls for any logits, real or not."""
    real, fake = torch.randn(2, 16)
    labels = torch.cat([torch.full((16,), -1.0), torch.ones(16)])
    expected = 2 * (labels * torch.cat([real, fake])).mean()
    torch.testing.assert_close(discriminator_loss([real], [fake], kind="wasserstein"), expected)
    lower = discriminator_loss([real - 1], [fake - 1], kind="wasserstein")
    torch.testing.assert_close(lower, expected)


@pytest.mark.parametrize("kind", ["hinge", "least-squares"])
def test_the_adversarial_game_is_settled_where_both_agree(kind: AdversarialKind) -> None:
    certain = {"hinge": (3.0, -3.0), "least-squares": (1.0, 0.0)}[kind]
    real, fake = ([torch.full((4,), value)] for value in certain)
    assert discriminator_loss(real, fake, kind=kind) == 0


def test_separation_is_one_where_all_are_told_apart_and_half_where_none_is() -> None:
    low = torch.tensor([[0.0, 9.0], [1.0, 2.0], [5.0, 5.0]])  # two patches of three images
    high = low + torch.tensor([-1.0, 3.0])
    assert separation([high], [low]) == 1
    assert separation([high - 100], [low - 100]) == 1  # Wasserstein's logits have no zero
    assert separation([low], [high]) == 0
    assert separation([low], [low]) == 0.5
    mixed = torch.randn(2, 20_000, 1)
    # The share of 20,000 guesses scatters by 1 / (2 sqrt(20,000)).
    assert abs(separation([mixed[0]], [mixed[1]]) - 0.5) < 5 * 0.5 / 20_000**0.5


@pytest.mark.parametrize("slope", [0.5, 1.0, 3.0])
def test_penalties_of_a_plane_are_those_of_its_slope(slope: float) -> None:
    """D(x) = slope <x, e> with |e| = 1 has the gradient slope everywhere."""
    direction = torch.randn(1, 1, 4, 6, dtype=torch.float64)
    direction /= direction.norm()

    def judge(image: Tensor) -> list[Tensor]:
        return [slope * (image * direction).sum((1, 2, 3), keepdim=True)]

    real, fake = torch.rand(2, 3, 1, 4, 6, dtype=torch.float64)
    expected = torch.tensor((slope - 1) ** 2, dtype=torch.float64)
    torch.testing.assert_close(gradient_penalty(judge, real, fake), expected)
    torch.testing.assert_close(r1_penalty(judge, real), torch.tensor(slope**2 / 2).double())


def test_gradient_penalty_looks_between_pairs_of_images() -> None:
    """D(x) = |x|^2 / 2 has the gradient x, whose norm lies between those of both images."""
    real, fake = torch.full((64, 1, 1, 1), 2.0), torch.full((64, 1, 1, 1), 4.0)
    penalty = gradient_penalty(lambda x: [0.5 * x.square()], real, fake)
    # Of (norm - 1)^2 with a norm uniform from 2 to 4: 13/3, variance 5.7, over 64 images.
    assert abs(penalty - 13 / 3) < 5 * (5.7 / 64) ** 0.5


@pytest.mark.parametrize("name", ["gradient_penalty", "r1"])
def test_a_penalty_flattens_the_discriminator(name: str) -> None:
    """Its gradient in the weights is of second order, through every layer."""
    judges = PatchDiscriminator(PatchDiscriminatorConfig(4, 1, n_scales=2, spectral_norm=False))
    with torch.no_grad():
        for parameter in judges.parameters():
            parameter.mul_(40)  # steep
    real, fake = torch.rand(2, 2, 1, 16, 16)
    optimizer = torch.optim.Adam(judges.parameters(), lr=1e-2)
    history = []
    for _ in range(10):
        torch.manual_seed(0)
        judge = lambda image: judges(image).logits  # noqa: E731
        is_r1 = name == "r1"
        penalty = r1_penalty(judge, real) if is_r1 else gradient_penalty(judge, real, fake)
        optimizer.zero_grad()
        penalty.backward()
        optimizer.step()
        history.append(penalty.item())
    assert history[-1] < history[0]
    weights = [p for p in judges.parameters() if p.dim() == 4]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in weights)


def test_a_flat_discriminator_has_a_finite_penalty() -> None:
    judges = PatchDiscriminator(PatchDiscriminatorConfig(4, 1, spectral_norm=False))
    with torch.no_grad():
        for parameter in judges.parameters():
            parameter.zero_()
    real, fake = torch.rand(2, 2, 1, 16, 16)
    penalty = gradient_penalty(lambda image: judges(image).logits, real, fake)
    penalty.backward()
    torch.testing.assert_close(penalty, torch.tensor(1.0))
    grads = [p.grad for p in judges.parameters() if p.grad is not None]
    assert grads and all(grad.isfinite().all() for grad in grads)


def test_feature_matching_is_the_mean_over_layers_and_teaches_the_fake_alone() -> None:
    fake = [torch.zeros(2, 3, requires_grad=True), torch.zeros(5, requires_grad=True)]
    real = [torch.full((2, 3), 2.0, requires_grad=True), torch.full((5,), -1.0)]
    loss = feature_matching_loss(fake, real)
    loss.backward()
    assert loss == 1.5
    assert fake[0].grad is not None
    assert real[0].grad is None
