"""What holds for a generator with any network."""

import copy

import pytest
import torch
from network_cases import NETWORKS, encodings, measure, smooth_images, smooth_phase

from mrirecon.classical import Encoding
from mrirecon.models import (
    CnnConfig,
    Generator,
    GeneratorConfig,
    NetworkConfig,
    describe_kind,
    measurement_residual,
)

OFF_GRID_RESIDUAL = 0.02  # after 8 steps of conjugate gradients, from 0.1 to 0.5 before


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def network(request: pytest.FixtureRequest) -> NetworkConfig:
    return request.param


def trained_a_little(config: GeneratorConfig) -> Generator:
    """Return a generator whose every weight is off its start, as after some training."""
    generator = Generator(config)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return generator


@pytest.mark.parametrize("name", ["lines", "points", "coils", "trajectory"])
def test_what_was_measured_is_in_the_result(network: NetworkConfig, name: str) -> None:
    """Null-space mode: a network may invent only what was not measured."""
    encoding = encodings()[name]
    magnitude = smooth_images()
    phase = smooth_phase(magnitude)
    zero_filled = measure(magnitude * phase, encoding)
    for consistency in ("after", "inside"):
        generator = trained_a_little(GeneratorConfig(network, consistency))
        result = generator(zero_filled, encoding.sampled, phase, encoding.coil_maps)
        residual = measurement_residual(result.image, zero_filled, encoding)
        # Two transforms and a subtraction, each of which rounds to eps of the largest samples.
        exact = name in ("lines", "points")
        bound = 50 * torch.finfo(torch.float32).eps if exact else OFF_GRID_RESIDUAL
        assert (residual < bound).all()
        generator.config = GeneratorConfig(network, "none")
        free = generator(zero_filled, encoding.sampled, phase, encoding.coil_maps)
        assert (measurement_residual(free.image, zero_filled, encoding) > 2 * residual).all()


def test_output_is_the_magnitude_of_the_image(network: NetworkConfig) -> None:
    encoding = encodings()["points"]
    generator = trained_a_little(GeneratorConfig(network, "inside"))
    image = smooth_images()
    result = generator(measure(image.to(torch.complex64), encoding), encoding.sampled)
    whole = result.image.abs() if generator.keeps_phase else result.image.real.clamp_min(0)
    torch.testing.assert_close(result.output, whole, rtol=0, atol=0)


def test_one_batch_can_be_learnt_by_heart(network: NetworkConfig) -> None:
    target = smooth_images(shape=(12, 12))
    encoding = Encoding((torch.arange(12) - 6).abs() < 3)  # a blur, which is local
    zero_filled = measure(target.to(torch.complex64), encoding)
    generator = Generator(GeneratorConfig(network, "inside"))
    optimizer = torch.optim.Adam(generator.parameters(), lr=8e-3)
    history = []
    for _ in range(40):
        trained = generator(zero_filled, encoding.sampled).trained
        loss = (trained - target).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.4 * history[0]


def test_every_parameter_learns(network: NetworkConfig) -> None:
    encoding = encodings()["coils"]
    image = smooth_images().to(torch.complex64)
    generator = trained_a_little(GeneratorConfig(network, "inside"))
    result = generator(measure(image, encoding), encoding.sampled, None, encoding.coil_maps)
    result.trained.square().sum().backward()
    unused = [
        name
        for name, p in generator.named_parameters()
        if p.grad is None or not p.grad.isfinite().all() or (p.grad == 0).all()
    ]
    assert unused == []


def test_bfloat16_autocast_stays_near_float32_and_returns_it(network: NetworkConfig) -> None:
    encoding = encodings()["points"]
    image = smooth_images()
    zero_filled = measure(image.to(torch.complex64), encoding)
    generator = trained_a_little(GeneratorConfig(network, "none")).eval()
    with torch.autocast("cpu", torch.bfloat16):
        low = generator(zero_filled, encoding.sampled)
    exact = generator(zero_filled, encoding.sampled)
    assert low.network.dtype == torch.float32
    assert low.image.dtype == torch.complex64
    correction = exact.network - zero_filled.abs()
    # Up to 16 convolutions round what is added to the image to 8 bits each.
    assert (low.network - exact.network).norm() < 16 * 2**-8 * correction.norm()


@pytest.mark.parametrize("shape", [(16, 16), (17, 23)])
def test_any_size_is_kept(network: NetworkConfig, shape: tuple[int, int]) -> None:
    encoding = encodings(shape)["lines"]
    image = smooth_images(3, shape)
    result = Generator(GeneratorConfig(network))(
        measure(image.to(torch.complex64), encoding), encoding.sampled
    )
    assert result.output.shape == image.shape


def test_images_do_not_depend_on_their_batch(network: NetworkConfig) -> None:
    encoding = encodings()["lines"]
    generator = trained_a_little(GeneratorConfig(network, "inside")).eval()
    zero_filled = measure(smooth_images(3).to(torch.complex64), encoding)
    together = generator(zero_filled, encoding.sampled).output[1]
    alone = generator(zero_filled[1:2], encoding.sampled).output[0]
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_configuration_survives_a_round_trip(network: NetworkConfig) -> None:
    config = GeneratorConfig(network, "inside")
    assert GeneratorConfig.from_dict(copy.deepcopy(config.to_dict())) == config
    assert network.kind in describe_kind(network)


def test_names_of_tensors_are_the_same_in_two_networks(network: NetworkConfig) -> None:
    first, second = (Generator(GeneratorConfig(network)) for _ in range(2))
    assert first.state_dict().keys() == second.state_dict().keys()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "resnet"}, "network: .*'resnet'.*'reconresnet', 'unet', 'unrolled'"),
        ({"kind": "unet", "n_blocks": 3}, "network.unet.n_blocks: "),
        ({"kind": "unet", "width": 0}, "network.unet: width: expected at least 1, got 0"),
        ({"kind": "unrolled", "refinement": {"n_layers": 1}}, "n_layers: expected at least 2"),
    ],
)
def test_a_damaged_configuration_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GeneratorConfig.from_dict({"network": values})


def test_a_network_saved_without_its_kind_is_a_reconresnet() -> None:
    config = GeneratorConfig.from_dict({"network": {"width": 3}, "consistency": "none"})
    assert config.to_dict()["network"]["kind"] == "reconresnet"


def test_a_part_of_a_network_is_refused_by_name() -> None:
    """It was a KeyError of a class."""
    with pytest.raises(ValueError, match=r"network: expected one of ReconResNet.*, got CnnConfig"):
        Generator(GeneratorConfig(CnnConfig()))  # type: ignore[arg-type]
