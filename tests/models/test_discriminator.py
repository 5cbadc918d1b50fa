"""The patch discriminator: shape, patch size and spectral norm."""

from typing import Any

import pytest
import torch
from torch import nn

from mrirecon.models import PatchDiscriminator, PatchDiscriminatorConfig

PATCH_SIZES = {3: {1: 12, 2: 26, 3: 54, 4: 110}, 4: {1: 16, 2: 34, 3: 70, 4: 142}}


@pytest.mark.parametrize(("n_downsamplings", "shape"), [(1, (32, 37)), (2, (16, 18)), (3, (8, 9))])
def test_gives_one_logit_a_patch(n_downsamplings: int, shape: tuple[int, int]) -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, n_downsamplings))
    (logits,) = network(torch.rand(2, 1, 64, 75)).logits
    assert logits.shape == (2, 1, *shape)


@pytest.mark.parametrize("n_downsamplings", [1, 2, 3, 4])
@pytest.mark.parametrize("last_kernel", [3, 4])
@pytest.mark.parametrize("scale", [0, 1])
def test_a_logit_sees_the_patch_that_the_docstring_says(
    n_downsamplings: int, last_kernel: Any, scale: int
) -> None:
    config = PatchDiscriminatorConfig(2, n_downsamplings, last_kernel, n_scales=2)
    network = PatchDiscriminator(config).double()
    image = torch.rand(1, 1, 320, 320, dtype=torch.float64, requires_grad=True)
    logits = network(image).logits[scale]
    centre = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, centre, centre], image)
    touched = gradient[0, 0].abs().sum(0).nonzero().flatten()
    expected = PATCH_SIZES[last_kernel][n_downsamplings] * 2**scale
    assert touched[-1] - touched[0] + 1 == expected


def test_every_convolution_has_spectral_norm_one() -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 2))
    for _ in range(200):  # one power iteration a forward pass
        network(torch.rand(1, 1, 16, 16))
    network.eval()
    norms = [
        torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        for layer in network.layers
        if isinstance(layer, nn.Conv2d)
    ]
    assert norms == pytest.approx([1.0] * 4, rel=1e-3)  # power iteration converges, not exactly


def test_weights_differ_from_each_other() -> None:
    """A clip(w, c, c) once made every weight of an earlier critic equal."""
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 2))
    network(torch.rand(1, 1, 16, 16))
    for layer in network.layers:
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.unique().numel() == layer.weight.numel()


def test_runs_under_bfloat16_autocast() -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 2))
    with torch.autocast("cpu", torch.bfloat16):
        (logits,) = network(torch.rand(1, 1, 16, 16)).logits
    assert logits.dtype == torch.float32
    logits.mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    assert sum(p.grad is not None for p in network.parameters()) == 8


@pytest.mark.parametrize("option", ["width", "n_downsamplings", "n_scales"])
def test_discriminator_rejects_sizes_below_one(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option}: expected at least 1, got 0"):
        PatchDiscriminatorConfig(**{option: 0})


def test_a_conditional_discriminator_sees_the_condition() -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 1, conditional=True)).eval()
    image, condition = torch.rand(2, 1, 1, 16, 16)
    one, other = (network(image, x).logits[0] for x in (condition, 1 - condition))
    assert not torch.equal(one, other)


@pytest.mark.parametrize(("conditional", "wanted"), [(True, "an image"), (False, "none")])
def test_a_condition_is_given_if_and_only_if_it_is_used(conditional: bool, wanted: str) -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 1, conditional=conditional))
    image = torch.rand(1, 1, 16, 16)
    with pytest.raises(ValueError, match=f"condition: expected {wanted}, since conditional is"):
        network(image, None if conditional else image)


def test_a_coarser_scale_judges_the_image_at_half_the_resolution() -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 1, n_scales=2)).eval()
    image = torch.rand(1, 1, 16, 20)
    assert network.coarser is not None
    coarse = network.coarser(nn.functional.avg_pool2d(image, 2))
    assert torch.equal(network(image).logits[1], coarse.logits[0])
    assert len(network(image).features) == 2 * 2


def test_halves_are_the_judgements_of_two_batches() -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 2, n_scales=2)).eval()
    real, fake = torch.rand(2, 3, 1, 24, 24)
    both = network(torch.cat([real, fake])).halves()
    for half, alone in zip(both, (network(real), network(fake)), strict=True):
        for got, expected in zip(
            half.logits + half.features, alone.logits + alone.features, strict=True
        ):
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def test_without_spectral_norm_weights_are_free() -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, 2, spectral_norm=False))
    assert all(type(layer) in (nn.Conv2d, nn.LeakyReLU) for layer in network.layers)
    expected = 16 * 4 + 4 + 16 * 4 * 8 + 8 + 9 * 8 * 8 + 8 + 9 * 8 + 1
    assert sum(p.numel() for p in network.parameters()) == expected


def test_discriminator_rejects_another_kernel() -> None:
    with pytest.raises(ValueError, match="last_kernel: expected 3 or 4, got 5"):
        PatchDiscriminatorConfig(last_kernel=5)  # type: ignore[arg-type]
