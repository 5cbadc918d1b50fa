"""ReconResNet against the figures of its paper, and its behaviour on awkward sizes."""

import pytest
import torch
from torch import nn

from mrirecon.models import ReconResNet, ReconResNetConfig

SMALL = ReconResNetConfig(width=4, n_blocks=1)


def test_has_the_parameter_count_of_the_paper() -> None:
    network = ReconResNet(ReconResNetConfig())
    assert sum(p.numel() for p in network.parameters()) == 17_266_452


@pytest.mark.parametrize("shape", [(16, 16), (17, 18), (19, 23), (5, 8)])
@pytest.mark.parametrize("residual", [False, True])
def test_keeps_any_size(shape: tuple[int, int], residual: bool) -> None:
    network = ReconResNet(ReconResNetConfig(width=4, n_blocks=1, residual=residual))
    image = torch.rand(2, 1, *shape)
    assert network(image).shape == image.shape


def test_pads_by_reflection_so_that_a_padded_image_gives_the_same_interior() -> None:
    network = ReconResNet(SMALL).eval()
    image = torch.rand(1, 1, 18, 15)
    reflected = nn.functional.pad(image, (0, 1, 0, 2), mode="reflect")
    expected = network(reflected)[..., :18, :15]
    eps = torch.finfo(torch.float32).eps
    torch.testing.assert_close(network(image), expected, rtol=0, atol=4 * eps)


@pytest.mark.parametrize("shape", [(1, 1, 4, 16), (1, 1, 16, 4), (1, 2, 16, 16), (16, 16)])
def test_rejects_images_it_cannot_take(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image: expected \(batch, 1, rows, cols\) with rows"):
        ReconResNet(SMALL)(torch.rand(shape))


def test_output_lies_in_the_unit_interval_without_the_residual_path() -> None:
    output = ReconResNet(SMALL)(10 * torch.randn(2, 1, 16, 16))
    assert output.min() > 0 and output.max() < 1


def test_untrained_residual_network_returns_its_input() -> None:
    image = torch.rand(2, 1, 16, 16)
    network = ReconResNet(ReconResNetConfig(width=4, n_blocks=1, residual=True))
    torch.testing.assert_close(network(image), image, rtol=0, atol=0)


def test_without_the_residual_path_no_input_is_added() -> None:
    network = ReconResNet(SMALL).eval()
    nn.init.zeros_(network.to_image.weight)
    torch.testing.assert_close(network(torch.rand(1, 1, 16, 16)), torch.full((1, 1, 16, 16), 0.5))


def test_draws_weights_from_the_normal_distribution_of_the_paper() -> None:
    network = ReconResNet(ReconResNetConfig(width=16, n_blocks=2))
    weights = torch.cat([p.flatten() for p in network.blocks.parameters() if p.dim() == 4])
    n = weights.numel()
    assert abs(weights.mean()) < 5 * 0.02 / n**0.5
    assert abs(weights.std() / 0.02 - 1) < 5 / (2 * n) ** 0.5


def test_norms_have_no_parameters_and_activations_have_one() -> None:
    network = ReconResNet(SMALL)
    norms = [m for m in network.modules() if isinstance(m, nn.InstanceNorm2d)]
    slopes = [m.weight.numel() for m in network.modules() if isinstance(m, nn.PReLU)]
    assert norms and not any(list(norm.parameters()) for norm in norms)
    assert slopes == [1] * 6


def test_drops_channels_in_training_only() -> None:
    network = ReconResNet(ReconResNetConfig(width=4, n_blocks=2, dropout=0.5))
    image = torch.rand(1, 1, 16, 16)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_bfloat16_autocast_stays_near_float32_and_returns_it() -> None:
    network = ReconResNet(SMALL).eval()
    image = torch.rand(1, 1, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        output = network(image)
    assert output.dtype == torch.float32
    # 8 convolutions, each rounding to 8 bits, before a sigmoid of slope 1/4 at most.
    assert (output - network(image)).abs().max() < 8 * 2**-8


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"width": 0}, "width: expected at least 1, got 0"),
        ({"n_blocks": -1}, "n_blocks: expected 0 or more, got -1"),
        ({"dropout": 1.0}, r"dropout: expected a probability in \[0, 1\), got 1.0"),
    ],
)
def test_rejects_impossible_options(option: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReconResNetConfig(**option)
