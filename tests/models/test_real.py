"""Images known to be real: what half of k-space tells of the other half."""

import pytest
import torch
from network_cases import NETWORKS, encodings, measure, smooth_images, smooth_phase
from properties import rounding
from torch import Tensor

from mrirecon.classical import Encoding
from mrirecon.fourier import fft_centred
from mrirecon.models import (
    CnnConfig,
    Generator,
    GeneratorConfig,
    NetworkConfig,
    UnrolledConfig,
)
from mrirecon.models.real import as_real
from mrirecon.sampling import SamplingConfig, make_mask

COMPLEX = torch.complex64
UNROLLED = UnrolledConfig(n_cascades=2, refinement=CnnConfig(8, 3))


@pytest.mark.parametrize("shape", [(20, 17), (17, 20)])
@pytest.mark.parametrize("strategy", ["variable_density", "variable_density_2d"])
def test_mirrored_samples_are_those_of_the_real_image(
    strategy: str, shape: tuple[int, int]
) -> None:
    """Against the image's own k-space, also on an even axis, whose first line mirrors itself."""
    image = smooth_images(1, shape).to(COMPLEX)
    mask = make_mask(SamplingConfig(strategy, 3.0, calibration=2), shape, seed=1)  # type: ignore[arg-type]
    real, encoding = as_real(measure(image, Encoding(mask)), Encoding(mask), None)
    assert isinstance(encoding.sampled, Tensor)
    assert encoding.sampled.sum() > mask.sum()
    expected = fft_centred(image) * encoding.sampled
    torch.testing.assert_close(fft_centred(real), expected, rtol=0, atol=rounding(expected))
    assert not real.is_complex()


def test_what_was_measured_stays_measured() -> None:
    mask = torch.rand(20, 17) < 0.4
    _, encoding = as_real(torch.zeros(1, 1, 20, 17, dtype=COMPLEX), Encoding(mask), None)
    assert isinstance(encoding.sampled, Tensor)
    assert (encoding.sampled | ~mask).all()


def test_noise_of_both_sides_is_averaged() -> None:
    """Where both of a pair were measured, least squares takes their mean: half the variance."""
    every = torch.ones(64, 64, dtype=torch.bool)
    noise = torch.randn(1, 1, 64, 64, dtype=COMPLEX)
    real, _ = as_real(noise, Encoding(every), None)
    torch.testing.assert_close(real, noise.real, rtol=0, atol=rounding(noise))


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("has_phase", [False, True])
@pytest.mark.parametrize("name", ["lines", "points", "trajectory", "coils"])
def test_every_network_reconstructs_a_real_image(
    name: str, has_phase: bool, network: NetworkConfig
) -> None:
    """Untrained, with consistency, it is nearer to the image than one that takes it as complex."""
    if name == "coils" and has_phase:
        return  # the maps of coils hold their phase
    encoding, magnitude = encodings()[name], smooth_images()
    phase = smooth_phase(magnitude) if has_phase else None
    image = magnitude.to(COMPLEX) if phase is None else magnitude * phase
    zero_filled = measure(image, encoding)
    generator = Generator(GeneratorConfig(network, "inside", is_real=True)).eval()
    result = generator(zero_filled, encoding.sampled, phase, encoding.coil_maps)
    assert result.output.shape == magnitude.shape
    assert (result.output >= 0).all()
    along = result.image if phase is None else result.image * phase.conj()
    assert along.imag.abs().max() < rounding(image)
    result.trained.sum().backward()


def error(is_real: bool, encoding: Encoding, magnitude: Tensor, phase: Tensor | None) -> Tensor:
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(UNROLLED, "inside", is_real=is_real))
    image = magnitude.to(COMPLEX) if phase is None else magnitude * phase
    zero_filled = measure(image, encoding)
    output = generator(zero_filled, encoding.sampled, phase, encoding.coil_maps).output
    return (output - magnitude).norm()


@pytest.mark.parametrize("has_phase", [False, True])
def test_the_knowledge_brings_an_untrained_network_nearer(has_phase: bool) -> None:
    magnitude = smooth_images()
    phase = smooth_phase(magnitude) if has_phase else None
    points = encodings()["points"]
    with torch.no_grad():
        as_known, as_complex = (error(known, points, magnitude, phase) for known in (True, False))
    assert as_known < as_complex


def test_consistent_samples_are_measured_on_both_sides() -> None:
    image = smooth_images().to(COMPLEX)
    mask = torch.rand(20, 17) < 0.3
    generator = Generator(GeneratorConfig(UNROLLED, "inside", is_real=True))
    with torch.no_grad():
        for parameter in generator.network.refinements.parameters():
            parameter.normal_(std=0.1)
        result = generator(measure(image, Encoding(mask)), mask)
    _, both = as_real(image, Encoding(mask), None)
    got, expected = (fft_centred(x)[..., both.sampled] for x in (result.image, image))
    scale = fft_centred(result.image).abs().max()
    torch.testing.assert_close(got / scale, expected / scale, rtol=0, atol=rounding(image))
