"""The plain networks of the benchmarks are the package's, and what is timed is what was meant."""

import pytest
import torch
from torch import nn

from mrirecon.bench import Setup
from mrirecon.bench.suites.inference import convolutions_of
from mrirecon.bench.suites.models import PLAIN, make_generator, models, undersampled
from mrirecon.bench.suites.plain_models import plain_of
from mrirecon.bench.suites.training import our_step
from mrirecon.bench.suites.training_ways import PlainStep
from mrirecon.models import DeblurGanConfig, Generator, GeneratorConfig

CPU = torch.device("cpu")
MODELS = models(Setup(small=True))


@torch.no_grad()
@pytest.mark.parametrize("name", MODELS)
def test_a_plain_network_equals_the_packages(name: str) -> None:
    generator = make_generator(MODELS[name], CPU).eval()
    plain = plain_of(generator).eval()
    measured = undersampled(2, 32, CPU)
    ours = generator(measured.zero_filled, measured.mask).output
    image = plain(measured.zero_filled, measured.mask)
    eps = torch.finfo(torch.float32).eps
    # some 20 layers, each of which rounds sums of up to 300 products
    torch.testing.assert_close(image, ours, rtol=0, atol=200 * eps * float(ours.abs().max()))


def test_a_network_without_a_plain_form_is_refused() -> None:
    generator = Generator(GeneratorConfig(DeblurGanConfig(4, 1)))
    with pytest.raises(TypeError, match="network: expected one with a plain form, got DeblurGan"):
        plain_of(generator)


@pytest.mark.parametrize("name", ["unrolled", "U-Net"])
def test_both_steps_go_the_same_way(name: str) -> None:
    measured = undersampled(2, 32, CPU)
    steps = our_step(MODELS[name], measured), PlainStep(MODELS[name], measured, PLAIN)
    ours, plain = ([float(step()) for _ in range(4)] for step in steps)
    assert ours[-1] < ours[0]  # it learns
    falls = ours[0] - ours[-1], plain[0] - plain[-1]
    # Adam steps by the sign of each gradient, which bfloat16 tells for all but the smallest
    assert falls[0] == pytest.approx(falls[1], rel=0.1)


def test_the_convolutions_alone_are_those_of_the_network() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.ConvTranspose2d(3, 2, 2)).eval()
    image = torch.rand(1, 1, 8, 8)
    shapes = []
    convolve = convolutions_of(network, lambda: network(image))
    for module in network:
        module.register_forward_hook(lambda _m, _i, output: shapes.append(output.shape))
    convolve()
    assert shapes == [(1, 3, 6, 6), (1, 2, 7, 7)]
