"""A copy for use gives the generator's images, in the arithmetic asked for."""

import pytest
import torch
from network_cases import NETWORKS, encodings, measure, smooth_images
from torch import nn

from mrirecon.models import Generator, GeneratorConfig, NetworkConfig, ready_for_use


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def generator(request: pytest.FixtureRequest) -> Generator:
    network: NetworkConfig = request.param
    generator = Generator(GeneratorConfig(network, "none"))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return generator


def test_a_copy_in_float32_gives_the_generators_images(generator: Generator) -> None:
    encoding = encodings()["points"]
    zero_filled = measure(smooth_images().to(torch.complex64), encoding)
    ready = ready_for_use(generator, torch.float32, "cpu")
    found = ready(zero_filled, encoding.sampled).output
    assert not (found.requires_grad or ready.training)
    expected = generator.eval()(zero_filled, encoding.sampled).output
    # Sums of a few hundred products in another order, through about 20 layers.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e3 * torch.finfo(found.dtype).eps)


def test_a_copy_in_bfloat16_gives_what_autocast_gives(generator: Generator) -> None:
    """Weights are rounded once, where autocast rounds them at every call."""
    encoding = encodings()["points"]
    zero_filled = measure(smooth_images().to(torch.complex64), encoding)
    ready = ready_for_use(generator, torch.bfloat16, "cpu")
    with torch.no_grad():
        found = ready(zero_filled, encoding.sampled)
        channels_last = ready_for_use(generator, torch.float32, "cpu")
        with torch.autocast("cpu", torch.bfloat16):
            expected = channels_last(zero_filled, encoding.sampled)
        exact = channels_last(zero_filled, encoding.sampled)
    assert found.network.dtype == torch.float32
    torch.testing.assert_close(found.network, expected.network, rtol=0, atol=0)
    assert not torch.equal(found.network, exact.network)


def test_the_generator_keeps_its_weights(generator: Generator) -> None:
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    ready = ready_for_use(generator, torch.bfloat16, "cpu")
    convolutions = [m for m in ready.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert {m.weight.dtype for m in convolutions} == {torch.bfloat16}
    assert generator.training
    for name, tensor in generator.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
