"""The patch discriminator: shape, patch size and spectral norm."""

import pytest
import torch
from torch import nn

from mrirecon.models import PatchDiscriminator, PatchDiscriminatorConfig

PATCH_SIZES = {1: 12, 2: 26, 3: 54, 4: 110}


@pytest.mark.parametrize(("n_downsamplings", "shape"), [(1, (32, 37)), (2, (16, 18)), (3, (8, 9))])
def test_gives_one_logit_a_patch(n_downsamplings: int, shape: tuple[int, int]) -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(4, n_downsamplings))
    assert network(torch.rand(2, 1, 64, 75)).shape == (2, 1, *shape)


@pytest.mark.parametrize("n_downsamplings", [1, 2, 3, 4])
def test_a_logit_sees_the_patch_that_the_docstring_says(n_downsamplings: int) -> None:
    network = PatchDiscriminator(PatchDiscriminatorConfig(2, n_downsamplings)).double()
    image = torch.rand(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    logits = network(image)
    centre = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, centre, centre], image)
    touched = gradient[0, 0].abs().sum(0).nonzero().flatten()
    assert touched[-1] - touched[0] + 1 == PATCH_SIZES[n_downsamplings]


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
        logits = network(torch.rand(1, 1, 16, 16))
    logits.float().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    assert sum(p.grad is not None for p in network.parameters()) == 8


@pytest.mark.parametrize("option", ["width", "n_downsamplings"])
def test_discriminator_rejects_sizes_below_one(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option}: expected at least 1, got 0"):
        PatchDiscriminatorConfig(**{option: 0})
