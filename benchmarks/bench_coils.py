"""expand_coils and combine_coils against the plain PyTorch ways.

Floor: each operand read once, the result written once. Maps that the batch shares count once.
Command: pytest benchmarks/bench_coils.py --benchmark-only --benchmark-group-by=group
"""

from collections.abc import Callable

import pytest
import torch
from cases import time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import coils as reference

# torch.compile warns that it makes no code for complex numbers, and of its own deprecated imports.
pytestmark = pytest.mark.filterwarnings("ignore")

Combine = Callable[[Tensor, Tensor], Tensor]
# batch, batch of the maps, coils, rows, cols
CASES = {
    "1x16x320x320": (1, 1, 16, 320, 320),
    "4x8x320x320": (4, 4, 8, 320, 320),
    "4x8x320x320, shared maps": (4, 1, 8, 320, 320),
}
EXPAND: dict[str, Combine] = {
    "mrirecon": ops.expand_coils,
    "product": reference.expand_coils,
}
COMBINE: dict[str, Combine] = {
    "mrirecon": ops.combine_coils,
    "sum of products": reference.combine_coils,
    "einsum": lambda y, m: torch.einsum("bc...,bc...->b...", m.conj().expand_as(y), y)[:, None],
}


def named(ways: dict[str, Combine], way: str) -> Combine:
    """Look a way up; "compiled x" is x after torch.compile."""
    name = way.removeprefix("compiled ")
    return ways[name] if name == way else torch.compile(ways[name])


def make(case: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return image, coil maps and coil images."""
    torch.manual_seed(0)
    batch, map_batch, coils, *plane = CASES[case]
    sizes = ((batch, 1), (map_batch, coils), (batch, coils))
    image, coil_maps, coil_images = (torch.randn(*s, *plane, dtype=torch.complex64) for s in sizes)
    return image, coil_maps, coil_images


def bytes_of(*tensors: Tensor) -> int:
    return sum(8 * x.numel() for x in tensors)


def doubled(x: Tensor) -> Tensor:
    return x.to(torch.complex128)


@pytest.mark.parametrize("way", [*EXPAND, "compiled product"])
@pytest.mark.parametrize("case", CASES)
def test_expand(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    image, coil_maps, coil_images = make(case)
    expand = named(EXPAND, way)
    benchmark.group = f"expand {case}"
    time_checked(
        benchmark,
        lambda: expand(image, coil_maps),
        reference.expand_coils(doubled(image), doubled(coil_maps)),
        tolerance=1e-6,
        n_bytes=bytes_of(image, coil_maps, coil_images),
    )


@pytest.mark.parametrize("way", [*COMBINE, "compiled sum of products"])
@pytest.mark.parametrize("case", CASES)
def test_combine(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    image, coil_maps, coil_images = make(case)
    combine = named(COMBINE, way)
    benchmark.group = f"combine {case}"
    time_checked(
        benchmark,
        lambda: combine(coil_images, coil_maps),
        reference.combine_coils(doubled(coil_images), doubled(coil_maps)),
        tolerance=1e-6,
        n_bytes=bytes_of(image, coil_maps, coil_images),
    )


@pytest.mark.parametrize("way", ["mrirecon", "sum of products"])
@pytest.mark.parametrize("case", CASES)
def test_combine_forward_and_backward(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    """Gradients to coil images and maps, as a network that refines the maps needs them."""
    image, coil_maps, coil_images = make(case)
    benchmark.group = f"combine, forward and backward {case}"

    def gradient(combine: Combine, image: Tensor, coil_images: Tensor, coil_maps: Tensor) -> Tensor:
        leaves = [x.detach().requires_grad_() for x in (coil_images, coil_maps)]
        grads = torch.autograd.grad(combine(*leaves), leaves, image)
        # The coil images' gradient is checked with the maps'; one element is written over.
        grads[1].view(-1)[0] = grads[0].view(-1)[1]
        return grads[1]

    time_checked(
        benchmark,
        lambda: gradient(COMBINE[way], image, coil_images, coil_maps),
        gradient(COMBINE["sum of products"], *map(doubled, (image, coil_images, coil_maps))),
        tolerance=1e-6,
        # forward; backward: image and maps to coil images, image and coil images to maps
        n_bytes=3 * bytes_of(image, coil_maps, coil_images),
    )
