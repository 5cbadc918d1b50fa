"""DeblurGAN's generator, the RRDB U-Net and the dual-domain network: size, start and form."""

import pytest
import torch
from network_cases import encodings, measure, smooth_images, smooth_phase
from torch import nn

from mrirecon.models import (
    CnnConfig,
    DeblurGan,
    DeblurGanConfig,
    DualDomain,
    DualDomainConfig,
    ReconResNet,
    ReconResNetConfig,
    RrdbUNet,
    RrdbUNetConfig,
    UNet,
    UNetConfig,
    enforce_measurement,
)


def n_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("width", "n_blocks"), [(64, 9), (3, 1)])
def test_deblurgan_has_as_many_parameters_as_its_drawing(width: int, n_blocks: int) -> None:
    ends = 49 * width + 49 * width + 1
    halving_and_doubling = 2 * (9 * width * 2 * width + 9 * 2 * width * 4 * width)
    blocks = n_blocks * 2 * 9 * (4 * width) ** 2
    expected = ends + halving_and_doubling + blocks
    assert n_parameters(DeblurGan(DeblurGanConfig(width, n_blocks))) == expected


@pytest.mark.parametrize(
    ("width", "growth", "n_levels", "n_blocks"), [(32, 16, 2, 1), (4, 3, 1, 2)]
)
def test_rrdb_unet_has_as_many_parameters_as_its_drawing(
    width: int, growth: int, n_levels: int, n_blocks: int
) -> None:
    def rrdb(w: int) -> int:
        grown = sum(9 * (w + i * growth) * growth + growth for i in range(4))
        return 3 * (grown + 9 * (w + 4 * growth) * w + w)

    widths = [width * 2**level for level in range(n_levels + 1)]
    blocks = n_blocks * (sum(map(rrdb, widths)) + sum(map(rrdb, widths[:-1])))
    changes = sum(
        9 * w * 2 * w + 2 * w + 4 * 2 * w * w + w + 2 * w * w + w  # halve, double, join
        for w in widths[:-1]
    )
    ends = 9 * width + width + 9 * width + 1
    network = RrdbUNet(RrdbUNetConfig(width, growth, n_levels, n_blocks))
    assert n_parameters(network) == blocks + changes + ends


def test_dual_domain_has_one_network_in_each_domain() -> None:
    kspace, image = UNetConfig(4, 1), UNetConfig(3, 2)
    both = n_parameters(UNet(kspace, 2)) + n_parameters(UNet(image, 2))
    assert n_parameters(DualDomain(DualDomainConfig(kspace, image))) == both


@pytest.mark.parametrize(
    "network", [DeblurGan(DeblurGanConfig(4, 1)), RrdbUNet(RrdbUNetConfig(4, 4, 2))]
)
def test_an_untrained_network_returns_its_input(network: nn.Module) -> None:
    image = torch.rand(2, 1, 13, 11)
    assert torch.equal(network(image), image)


@pytest.mark.parametrize("name", ["points", "trajectory"])
def test_an_untrained_dual_domain_network_only_enforces_the_measurement(name: str) -> None:
    """There and back through a flattened k-space must change nothing."""
    magnitude, encoding = smooth_images(), encodings()[name]
    zero_filled = measure(magnitude * smooth_phase(magnitude), encoding)
    result = DualDomain(DualDomainConfig(CnnConfig(4, 2), CnnConfig(4, 2)))(zero_filled, encoding)
    expected = enforce_measurement(zero_filled, zero_filled, encoding)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


def test_the_network_in_kspace_sees_values_of_the_size_of_the_image() -> None:
    """An image's k-space spans four decades; flattened, no part of it is out of sight."""
    network = DualDomain(DualDomainConfig(CnnConfig(4, 2), CnnConfig(4, 2)))
    seen = []
    network.kspace.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = smooth_images(1, (64, 48))
    encoding = encodings((64, 48))["lines"]  # with the centre, whose sample is the largest
    network(measure(image.to(torch.complex64), encoding), encoding)
    assert 0.5 * image.mean() < seen[0].abs().max() < 10 * image.mean()


def test_deblurgan_reflects_its_borders_as_padded_convolutions_do() -> None:
    """The border that one layer writes for the next is that of reflection padding."""
    network = DeblurGan(DeblurGanConfig(3, 2, dropout=0.0)).double()
    nn.init.normal_(network.to_image.weight)
    image = torch.rand(2, 1, 12, 16, dtype=torch.float64)
    first, second, third = (network.encoder[i] for i in (0, 2, 4))

    def conv(layer: nn.Module, x: torch.Tensor, border: int) -> torch.Tensor:
        return layer(nn.functional.pad(x, (border,) * 4, mode="reflect"))

    def activate(x: torch.Tensor) -> torch.Tensor:
        return nn.functional.instance_norm(x).relu()

    x = activate(third(activate(second(activate(conv(first, image, 3))))))
    for block in network.blocks:
        inner = activate(conv(block.first, x, 1))
        x = x + nn.functional.instance_norm(conv(block.second, inner, 1))
    x = activate(network.decoder[2](activate(network.decoder[0](x))))
    expected = image + conv(network.to_image, x, 3).tanh()
    torch.testing.assert_close(network(image), expected)


def test_deblurgan_drops_channels_in_training_only() -> None:
    network = DeblurGan(DeblurGanConfig(4, 2))
    nn.init.normal_(network.to_image.weight)
    image = torch.rand(1, 1, 16, 16)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_deblurgan_is_smaller_than_reconresnet_by_its_blocks() -> None:
    """Both are residual networks of the same width; ReconResNet has 14 blocks instead of 9."""
    reconresnet = n_parameters(ReconResNet(ReconResNetConfig()))
    blocks = 5 * 2 * 9 * 256**2
    slopes_and_biases = reconresnet - blocks - n_parameters(DeblurGan(DeblurGanConfig()))
    # 14 blocks of 2 x 256 biases and a slope; 64, 128, 256, 128, 64 biases and 5 slopes beside.
    assert slopes_and_biases == 14 * (2 * 256 + 1) + 640 + 5


@pytest.mark.parametrize("shape", [(1, 1, 4, 16), (1, 2, 16, 16), (16, 16)])
@pytest.mark.parametrize(
    "network", [DeblurGan(DeblurGanConfig(2, 1)), RrdbUNet(RrdbUNetConfig(2, 2, 2))]
)
def test_images_that_do_not_fit_are_refused(network: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^image: expected \(batch, (1|channels), rows, cols\)"):
        network(torch.rand(shape))


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        (DeblurGanConfig, {"width": 0}, "width: expected at least 1, got 0"),
        (DeblurGanConfig, {"n_blocks": 0}, "n_blocks: expected at least 1, got 0"),
        (DeblurGanConfig, {"dropout": 1.0}, r"dropout: expected a probability in \[0, 1\), got 1"),
        (RrdbUNetConfig, {"growth": 0}, "growth: expected at least 1, got 0"),
        (RrdbUNetConfig, {"n_levels": 0}, "n_levels: expected at least 1, got 0"),
    ],
)
def test_impossible_sizes_are_refused(
    config: type, options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        config(**options)
