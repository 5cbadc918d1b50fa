"""The generator: what of its result is measured, and what the losses see."""

import pytest
import torch
from torch import Tensor

from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.models import Generator, GeneratorConfig, ReconResNetConfig
from mrirecon.sampling import TrajectoryConfig, plan_trajectory

NETWORK = ReconResNetConfig(width=4, n_blocks=1, dropout=0.0)


def undersample(image: Tensor, mask: Tensor) -> Tensor:
    return ifft_centred(fft_centred(image) * mask)


@pytest.fixture
def image() -> Tensor:
    return 0.2 + 0.6 * torch.rand(2, 1, 20, 17)


@pytest.fixture(params=["lines", "points", "batch"])
def mask(request: pytest.FixtureRequest) -> Tensor:
    shape = {"lines": (17,), "points": (20, 17), "batch": (2, 20, 17)}[request.param]
    return torch.rand(shape) < 0.5


def with_coil_axis(mask: Tensor) -> Tensor:
    return mask[:, None] if mask.ndim == 3 else mask


def test_consistent_image_has_the_measured_kspace(image: Tensor) -> None:
    """A mask that is symmetric about the centre keeps a real image real, so nothing is lost."""
    half = torch.rand(9) < 0.5
    mask = torch.cat([half[1:].flip(0), half])  # 17 lines, symmetric about line 8
    generator = Generator(GeneratorConfig(NETWORK, "after"))
    result = generator(undersample(image.to(torch.complex64), mask), mask)
    unclamped = result.consistent[result.consistent > 0].numel() == image.numel()
    assert unclamped, "the check below needs an image without clamped pixels"
    measured = fft_centred(image)[..., mask]
    error = (fft_centred(result.consistent)[..., mask] - measured).abs().max()
    assert error < 50 * torch.finfo(torch.float32).eps * measured.abs().max()


def test_a_perfect_network_stays_perfect(image: Tensor, mask: Tensor) -> None:
    """An FFT that shifts or flips by one pixel would spoil even a perfect network."""
    generator = Generator(GeneratorConfig(NETWORK, "after"))
    generator.network.forward = lambda _: image  # type: ignore[method-assign]
    zero_filled = undersample(image.to(torch.complex64), with_coil_axis(mask))
    result = generator(zero_filled, mask)
    torch.testing.assert_close(result.consistent, image, rtol=0, atol=1e-5)


def test_a_perfect_network_stays_perfect_off_the_grid(image: Tensor) -> None:
    nufft = plan_trajectory(TrajectoryConfig(n_readouts=7), (20, 17), image.device)
    phase = torch.polar(torch.ones_like(image), 6 * torch.rand_like(image))
    generator = Generator(GeneratorConfig(NETWORK, "after"))
    generator.network.forward = lambda _: image  # type: ignore[method-assign]
    for known in (None, phase):
        seen = image.to(torch.complex64) if known is None else image * phase
        result = generator(nufft.grid(nufft(seen)), nufft, known)
        # The transform's 1e-5, grown where the measurement says little; a shift would give 0.6.
        torch.testing.assert_close(result.consistent, image, rtol=0, atol=2e-3)


def test_off_the_grid_the_measurement_corrects_the_network_inside_the_losses(
    image: Tensor,
) -> None:
    nufft = plan_trajectory(TrajectoryConfig(n_readouts=24, n_samples=40), (20, 17), image.device)
    gridded = nufft.grid(nufft(image.to(torch.complex64)))
    generator = Generator(GeneratorConfig(NETWORK, "inside"))
    result = generator(gridded, nufft)
    wrong, corrected = ((x - image).norm() for x in (result.network, result.consistent))
    assert corrected < 0.5 * wrong
    result.trained.sum().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())


def test_a_known_phase_is_applied_and_removed(image: Tensor, mask: Tensor) -> None:
    phase = torch.polar(torch.ones_like(image), 6 * torch.rand_like(image))
    generator = Generator(GeneratorConfig(NETWORK, "after"))
    generator.network.forward = lambda _: image  # type: ignore[method-assign]
    zero_filled = undersample(image * phase, with_coil_axis(mask))
    result = generator(zero_filled, mask, phase)
    torch.testing.assert_close(result.consistent, image, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("consistency", "output", "trained"),
    [
        ("none", "network", "network"),
        ("after", "consistent", "network"),
        ("inside", "consistent", "consistent"),
    ],
)
def test_consistency_decides_the_output_and_what_is_trained(
    consistency: str, output: str, trained: str, image: Tensor
) -> None:
    mask = torch.arange(17) % 3 == 0
    generator = Generator(GeneratorConfig(NETWORK, consistency))  # type: ignore[arg-type]
    result = generator(undersample(image.to(torch.complex64), mask), mask)
    assert result.output is getattr(result, output)
    assert result.trained is getattr(result, trained)
    assert not torch.equal(result.network, result.consistent)
    result.trained.mean().backward()
    assert all(p.grad is not None for p in generator.parameters())


def test_generator_configuration_survives_a_round_trip() -> None:
    config = GeneratorConfig(ReconResNetConfig(8, 3, 0.1, residual=True), "inside")
    assert GeneratorConfig.from_dict(config.to_dict()) == config


def test_generator_rejects_an_unknown_consistency() -> None:
    with pytest.raises(ValueError, match="consistency: expected 'none', 'after' or 'inside', got"):
        GeneratorConfig(consistency="outside")  # type: ignore[arg-type]
