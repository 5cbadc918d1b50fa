"""U-Net and the plain stack of convolutions: size, start and sight."""

import pytest
import torch
from torch import Tensor, nn

from mrirecon.models import Cnn, CnnConfig, UNet, UNetConfig


def n_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("width", "n_levels", "channels"), [(32, 4, 1), (5, 1, 2), (4, 3, 2)])
def test_unet_has_as_many_parameters_as_its_drawing(
    width: int, n_levels: int, channels: int
) -> None:
    """A level has two convolutions of nine weights and two slopes, on the way down and up."""
    widths = [width * 2**level for level in range(n_levels + 1)]
    down = sum(
        9 * before * after + 9 * after * after + 2
        for before, after in zip([channels, *widths], widths, strict=False)
    )
    up = sum(
        4 * (2 * w) * w + 1 + 9 * (2 * w) * w + 9 * w * w + 2  # enlarge, then join the skipped
        for w in widths[:-1]
    )
    last = width * channels + channels
    assert n_parameters(UNet(UNetConfig(width, n_levels), channels)) == down + up + last


def test_unet_without_norms_has_biases_in_place_of_slopes() -> None:
    width, n_levels = 4, 2
    widths = [width * 2**level for level in range(n_levels + 1)]
    n_slopes = 2 * len(widths) + 3 * n_levels
    n_biases = sum(2 * w for w in widths) + sum(3 * w for w in widths[:-1])
    with_norms, without = (UNet(UNetConfig(width, n_levels, norm=norm)) for norm in (True, False))
    assert n_parameters(without) == n_parameters(with_norms) - n_slopes + n_biases


@pytest.mark.parametrize(("width", "n_layers"), [(64, 5), (3, 2)])
def test_cnn_has_as_many_parameters_as_its_layers(width: int, n_layers: int) -> None:
    first, last = 9 * 2 * width + width, 9 * width * 2 + 2
    between = (n_layers - 2) * (9 * width * width + width)
    assert n_parameters(Cnn(CnnConfig(width, n_layers), 2)) == first + between + last


@pytest.mark.parametrize(
    "network",
    [
        UNet(UNetConfig(4, 2)),
        UNet(UNetConfig(4, 1, fold=2, norm=False)),
        Cnn(CnnConfig(4, 3), 1),
        Cnn(CnnConfig(4, 3, fold=3), 1),
    ],
)
def test_an_untrained_network_returns_its_input(network: nn.Module) -> None:
    image = torch.rand(2, 1, 13, 11)
    assert torch.equal(network(image), image)


@pytest.mark.parametrize(
    ("n_layers", "fold", "reach"), [(2, 1, 5), (5, 1, 11), (2, 2, 10), (2, 3, 15)]
)
def test_a_pixel_of_the_cnn_sees_its_neighbourhood(n_layers: int, fold: int, reach: int) -> None:
    """Folded, a layer reaches one square of pixels further in place of one pixel."""
    assert seen_along_cols(Cnn(CnnConfig(4, n_layers, fold), 1)) == reach


def test_a_pixel_of_the_unet_sees_the_image() -> None:
    """Through the instance norms alone, whose mean is over the image."""
    assert seen_along_cols(UNet(UNetConfig(4, 2))) == 33


def seen_along_cols(network: nn.Module) -> int:
    """Return how many columns change what a network adds to the central pixel."""
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    network = network.double()
    image = torch.rand(1, 1, 33, 33, dtype=torch.float64, requires_grad=True)
    pixel: Tensor = network(image)[0, 0, 16, 16]
    (gradient,) = torch.autograd.grad(pixel, image)
    touched = gradient[0, 0].abs().sum(0).nonzero().flatten()
    return int(touched[-1] - touched[0] + 1)


def test_unet_pads_by_reflection() -> None:
    network = UNet(UNetConfig(4, 2))
    nn.init.normal_(network.to_image.weight)
    image = torch.rand(1, 1, 14, 11)
    reflected = nn.functional.pad(image, (0, 1, 0, 2), mode="reflect")
    torch.testing.assert_close(network(image), network(reflected)[..., :14, :11])


@pytest.mark.parametrize("shape", [(1, 1, 4, 16), (1, 1, 16, 4), (1, 2, 16, 16), (16, 16)])
def test_unet_refuses_images_it_cannot_take(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^image: expected \(batch, (1|channels), rows, cols\)"):
        UNet(UNetConfig(4, 2))(torch.rand(shape))


def test_cnn_refuses_another_number_of_channels() -> None:
    with pytest.raises(ValueError, match=r"image: expected \(batch, 2, rows, cols\), got \(1, 1,"):
        Cnn(CnnConfig(4, 2), 2)(torch.rand(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        (UNetConfig, {"width": 0}, "width: expected at least 1, got 0"),
        (UNetConfig, {"n_levels": 0}, "n_levels: expected at least 1, got 0"),
        (CnnConfig, {"width": 0}, "width: expected at least 1, got 0"),
        (CnnConfig, {"n_layers": 1}, "n_layers: expected at least 2, got 1"),
        (CnnConfig, {"fold": 0}, "fold: expected at least 1, got 0"),
        (UNetConfig, {"fold": 0}, "fold: expected at least 1, got 0"),
    ],
)
def test_impossible_sizes_are_refused(
    config: type[UNetConfig] | type[CnnConfig], options: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        config(**options)  # type: ignore[arg-type]
