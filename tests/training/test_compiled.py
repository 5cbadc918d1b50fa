"""One step of the generator is one graph for torch.compile, with eager execution's numbers."""

import pytest
import torch
from small_run import PLAIN_GENERATOR
from torch import Tensor

from mrirecon.losses import image_terms
from mrirecon.losses.config import LossConfig
from mrirecon.models import CnnConfig, Generator, GeneratorConfig, UnrolledConfig
from mrirecon.nufft import Nufft
from mrirecon.sampling import TrajectoryConfig, plan_trajectory

SHAPE = (24, 20)
LOSSES = LossConfig(l1=1.0, ssim=1.0, adversarial=0.0)
EPS = torch.finfo(torch.float32).eps


def sampled(kind: str) -> Tensor | Nufft:
    if kind == "mask":
        return torch.rand(2, 1, SHAPE[1]) < 0.4
    return plan_trajectory(
        TrajectoryConfig(n_readouts=16, n_samples=48), SHAPE, torch.device("cpu")
    )


@pytest.mark.filterwarnings("default::DeprecationWarning")  # torch.compile uses torch.jit inside
@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a .functools.lru_cache")  # pure
@pytest.mark.parametrize("kind", ["mask", "nufft"])
@pytest.mark.parametrize("network", ["reconresnet", "unrolled"])
def test_a_step_with_consistency_is_one_graph(kind: str, network: str) -> None:
    torch.manual_seed(0)
    unrolled = UnrolledConfig(n_cascades=2, refinement=CnnConfig(width=4, n_layers=2))
    config = PLAIN_GENERATOR if network == "reconresnet" else GeneratorConfig(unrolled, "inside")
    generator = Generator(config)
    for parameter in generator.parameters():  # the last layer starts at 0
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    where = sampled(kind)
    target = torch.rand(2, 1, *SHAPE)
    zero_filled = torch.polar(torch.rand(2, 1, *SHAPE), torch.rand(2, 1, *SHAPE))

    def loss(zero_filled: Tensor) -> Tensor:
        image = generator(zero_filled, where).trained
        return torch.stack(list(image_terms(image, target, LOSSES, None).values())).sum()

    found = []
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    for step in (loss, compiled):
        generator.zero_grad()
        value = step(zero_filled)
        value.backward()
        gradients = [p.grad.clone() for p in generator.parameters() if p.grad is not None]
        found.append((value.detach(), gradients))
    (expected, wanted), (value, got) = found
    torch.testing.assert_close(value, expected, rtol=32 * EPS, atol=0)
    assert len(wanted) == len(got) > 2
    # The same operators in another order of sums. What cancels counts by the largest of all: a bias
    # before an instance norm has no gradient but rounding.
    tolerance = 1000 * EPS * max(float(gradient.abs().max()) for gradient in wanted)
    for gradient, other in zip(wanted, got, strict=True):
        torch.testing.assert_close(other, gradient, rtol=0, atol=tolerance)
