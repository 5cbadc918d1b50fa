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


def test_activations_have_one_parameter() -> None:
    network = ReconResNet(SMALL)
    slopes = [m.weight.numel() for m in network.modules() if isinstance(m, nn.PReLU)]
    assert slopes == [1] * 6


class PlainReconResNet(nn.Module):
    """The network of torch's own modules, whose weights have the names of stored ones."""

    def __init__(self, config: ReconResNetConfig) -> None:
        super().__init__()
        width, transposed = config.width, {"stride": 2, "padding": 1, "output_padding": 1}

        def norm_and_activation(channels: int) -> tuple[nn.Module, nn.Module]:
            return nn.InstanceNorm2d(channels), nn.PReLU()

        def convolve(inputs: int, outputs: int, size: int) -> nn.Module:
            return nn.Conv2d(inputs, outputs, size, padding=size // 2, padding_mode="reflect")

        def body(channels: int) -> nn.ModuleDict:
            first, second = convolve(channels, channels, 3), convolve(channels, channels, 3)
            dropout, norm = nn.Dropout2d(config.dropout), nn.InstanceNorm2d(channels)
            layers = (first, *norm_and_activation(channels), dropout, second, norm)
            return nn.ModuleDict({"body": nn.Sequential(*layers)})

        self.encoder = nn.Sequential(
            convolve(1, width, 7),
            *norm_and_activation(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            *norm_and_activation(2 * width),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            *norm_and_activation(4 * width),
        )
        self.blocks = nn.Sequential(*(body(4 * width) for _ in range(config.n_blocks)))
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, 3, **transposed),
            *norm_and_activation(2 * width),
            nn.ConvTranspose2d(2 * width, width, 3, **transposed),
            *norm_and_activation(width),
        )
        self.to_image = convolve(width, 1, 7)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = self.encoder(image)
        for block in self.blocks:
            features = features + block["body"](features)
        return torch.sigmoid(self.to_image(self.decoder(features)))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("n_blocks", "dropout"), [(2, 0.5), (1, 0.0), (0, 0.2)])
def test_equals_the_network_of_torch_modules(
    n_blocks: int, dropout: float, memory_format: torch.memory_format
) -> None:
    """Weights that were stored before the norms were fused still give the same numbers."""
    config = ReconResNetConfig(width=6, n_blocks=n_blocks, dropout=dropout)
    plain, network = PlainReconResNet(config).double(), ReconResNet(config).double()
    network.load_state_dict(plain.state_dict())
    network.to(memory_format=memory_format)  # type: ignore[call-overload]
    image = torch.rand(2, 1, 16, 20, dtype=torch.float64)
    results = []
    for each in (plain, network):
        torch.manual_seed(3)  # the same channels are dropped
        output = each(image)
        gradients = torch.autograd.grad(output.square().sum(), list(each.parameters()))
        results.append([output, *gradients])
    for found, expected in zip(*reversed(results), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_channels_last_weights_keep_every_layer_channels_last() -> None:
    network = ReconResNet(ReconResNetConfig(width=4, n_blocks=2)).to(
        memory_format=torch.channels_last  # type: ignore[call-overload]
    )
    orders = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(
                lambda _, inputs, output: orders.append(
                    [each.stride(1) for each in (*inputs, output)]
                )
            )
    network(torch.rand(2, 1, 16, 16))
    assert len(orders) == 2 * 2 + 5 + 1
    assert all(stride == 1 for order in orders for stride in order)


@pytest.mark.filterwarnings("default::DeprecationWarning")  # of torch's own tracing of functions
def test_compiles_without_a_graph_break() -> None:
    network = ReconResNet(ReconResNetConfig(width=4, n_blocks=1, dropout=0.0))
    image = torch.rand(1, 1, 18, 16)
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(image), network(image))
    (found, expected) = (
        torch.autograd.grad(each(image).sum(), list(network.parameters()))
        for each in (compiled, network)
    )
    torch.testing.assert_close(found, expected)


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
