"""The unrolled network: what it is before training, and what its cascades share."""

import pytest
import torch
from network_cases import encodings, measure, smooth_images, smooth_phase
from torch import Tensor

from mrirecon.classical import Encoding
from mrirecon.models import (
    Cnn,
    CnnConfig,
    UNet,
    UNetConfig,
    Unrolled,
    UnrolledConfig,
    enforce_measurement,
    measurement_residual,
)

SMALL = CnnConfig(4, 2)


@pytest.fixture
def image() -> Tensor:
    magnitude = smooth_images()
    return magnitude * smooth_phase(magnitude)


@pytest.mark.parametrize("shared_weights", [False, True])
@pytest.mark.parametrize("refinement", [SMALL, UNetConfig(4, 1)])
def test_has_a_network_and_a_weight_for_each_cascade(
    shared_weights: bool, refinement: CnnConfig | UNetConfig
) -> None:
    network = Unrolled(UnrolledConfig(3, refinement, shared_weights))
    one = Cnn(refinement, 2) if isinstance(refinement, CnnConfig) else UNet(refinement, 2)
    of_one = sum(p.numel() for p in one.parameters())
    expected = (1 if shared_weights else 3) * of_one + 3
    assert sum(p.numel() for p in network.parameters()) == expected


def test_the_published_size_is_that_of_d5c5() -> None:
    """Schlemper 2018: 5 cascades of 5 layers of 64 channels."""
    layers = 2 * 9 * 64 + 64 + 3 * (9 * 64 * 64 + 64) + 9 * 64 * 2 + 2
    network = Unrolled(UnrolledConfig())
    assert sum(p.numel() for p in network.parameters()) == 5 * (layers + 1)


@pytest.mark.parametrize("step", ["proximal", "gradient"])
@pytest.mark.parametrize("name", ["coils", "trajectory", "trajectory with coils"])
def test_an_untrained_network_steps_towards_the_measurement(
    step: str, name: str, image: Tensor
) -> None:
    encoding = encodings()[name]
    zero_filled = measure(image, encoding)
    last = measurement_residual(zero_filled, zero_filled, encoding)
    for n_cascades in (1, 2, 4):
        config = UnrolledConfig(n_cascades, SMALL, step=step)  # type: ignore[arg-type]
        image = Unrolled(config)(zero_filled, encoding)
        residual = measurement_residual(image, zero_filled, encoding)
        assert (residual < last).all()
        last = residual


def test_reconstructs_the_phase_of_the_measurement(image: Tensor) -> None:
    """A network on magnitudes would need it from somewhere else."""
    encoding = Encoding(torch.ones(17, dtype=torch.bool))
    result = Unrolled(UnrolledConfig(2, SMALL))(measure(image, encoding), encoding)
    torch.testing.assert_close(result, image, rtol=0, atol=1e-5)


def test_a_heavy_weight_is_hard_consistency(image: Tensor) -> None:
    encoding = encodings()["points"]
    zero_filled = measure(image, encoding)
    network = Unrolled(UnrolledConfig(1, SMALL))
    with torch.no_grad():
        network.log_weights[0].fill_(20.0)  # e^20, beyond the precision of float32
        for parameter in network.refinements.parameters():
            parameter.normal_()
        result = network(zero_filled, encoding)
    hard = enforce_measurement(result, zero_filled, encoding)
    scale = hard.abs().max()
    torch.testing.assert_close(result / scale, hard / scale, rtol=0, atol=1e-5)


def test_shared_weights_are_those_of_every_cascade(image: Tensor) -> None:
    encoding = encodings()["lines"]
    shared = Unrolled(UnrolledConfig(2, SMALL, shared_weights=True))
    separate = Unrolled(UnrolledConfig(2, SMALL))
    with torch.no_grad():
        for parameter in shared.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
        for name, tensor in separate.state_dict().items():
            tensor.copy_(shared.state_dict()[name.replace("refinements.1", "refinements.0")])
    zero_filled = measure(image, encoding)
    assert torch.equal(shared(zero_filled, encoding), separate(zero_filled, encoding))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_cascades": 0}, "n_cascades: expected at least 1, got 0"),
        ({"n_iterations": 0}, "n_iterations: expected at least 1, got 0"),
        ({"step": "newton"}, "step: expected 'proximal' or 'gradient', got 'newton'"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UnrolledConfig(**options)  # type: ignore[arg-type]
