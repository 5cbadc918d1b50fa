from collections.abc import Callable
from typing import Any

import pytest
import torch
from properties import (
    assert_adjoint,
    assert_gradient_is_adjoint,
    assert_linear,
    assert_same_for_any_number_of_threads,
)
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import coils as reference

COMPLEX = [torch.complex64, torch.complex128]
# batch, batch of the maps, coils, spatial shape: one and several coils beside the four that are
# handled together, odd and even sizes, 1 to 3 axes, more pixels than the CPU's tile of 1024 and
# CUDA's of 128, an empty batch, no coils, no pixels
CASES = [
    (2, 2, 3, (16, 20)),
    (2, 1, 4, (17, 19)),
    (1, 1, 1, (1, 1)),
    (3, 1, 5, (40, 30)),
    (3, 3, 9, (33, 63)),
    (2, 1, 6, (3, 5, 7)),
    (4, 4, 2, (11,)),
    (2, 1, 2, (16, 16)),  # whole tiles of CUDA's
    (0, 1, 5, (5, 7)),
    (0, 0, 3, (5, 7)),
    (2, 1, 0, (4, 5)),
    (2, 2, 3, (0, 5)),
]
Case = tuple[int, int, int, tuple[int, ...]]


def make(case: Case, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Return image, coil maps and coil images."""
    batch, map_batch, coils, spatial = case
    shapes = ((batch, 1), (map_batch, coils), (batch, coils))
    image, coil_maps, coil_images = (torch.randn(*s, *spatial, dtype=dtype) for s in shapes)
    return image, coil_maps, coil_images


def grad_coil_maps(image: Tensor, coil_images: Tensor, map_batch: int) -> Tensor:
    """The sum over those that share a map, from the definition."""
    products = image.conj() * coil_images
    return products.sum(0, keepdim=True) if map_batch == 1 else products


def assert_close(result: Tensor, expected: Tensor, n_terms: int) -> None:
    """Agree to the rounding of sums of products of numbers below 4, parts below 16 each."""
    assert result.shape == expected.shape
    assert result.is_contiguous()
    bound = 16 * 4 * (1 + n_terms) * torch.finfo(result.dtype).eps
    torch.testing.assert_close(result, expected.to(result.dtype), rtol=0, atol=bound)


def check_against_reference(native: Any, case: Case, dtype: torch.dtype) -> None:
    image, coil_maps, coil_images = make(case, dtype)
    exact = [x.to(torch.complex128) for x in (image, coil_maps, coil_images)]
    batch, map_batch, coils, _ = case
    result = native.expand_coils(image, coil_maps)
    assert_close(result, reference.expand_coils(exact[0], exact[1]), 1)
    result = native.combine_coils(coil_images, coil_maps)
    assert_close(result, reference.combine_coils(exact[2], exact[1]), coils)
    result = native.grad_coil_maps(image, coil_images, map_batch)
    assert_close(result, grad_coil_maps(exact[0], exact[2], map_batch), batch)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("case", CASES)
def test_equals_reference(case: Case, dtype: torch.dtype, simd_level: str) -> None:
    check_against_reference(torch.ops.mrirecon, case, dtype)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("case", CASES)
def test_cuda_kernels_equal_reference(case: Case, dtype: torch.dtype, emulated_ops: Any) -> None:
    check_against_reference(emulated_ops, case, dtype)


@pytest.mark.parametrize("map_batch", [1, 3])
def test_combine_is_the_adjoint_of_expand(map_batch: int) -> None:
    image, coil_maps, coil_images = make((3, map_batch, 5, (33, 40)), torch.complex128)

    def expand(x: Tensor) -> Tensor:
        return ops.expand_coils(x, coil_maps)

    def combine(y: Tensor) -> Tensor:
        return ops.combine_coils(y, coil_maps)

    assert_adjoint(expand, combine, image, coil_images)
    assert_linear(expand, image, torch.randn_like(image))
    assert_linear(combine, coil_images, torch.randn_like(coil_images))
    assert_gradient_is_adjoint(expand, combine, image, coil_images)
    assert_gradient_is_adjoint(combine, expand, coil_images, image)


def test_maps_of_unit_norm_are_undone_by_combining() -> None:
    image, coil_maps, _ = make((2, 1, 6, (8, 9)), torch.complex128)
    coil_maps /= torch.linalg.vector_norm(coil_maps, dim=1, keepdim=True)
    combined = ops.combine_coils(ops.expand_coils(image, coil_maps), coil_maps)
    assert_close(combined, image, 6)


def scalar_of(result: Tensor, seed: Tensor) -> Tensor:
    return torch.vdot(seed.flatten(), result.flatten()).real


@pytest.mark.parametrize("map_batch", [1, 2])
def test_gradients_of_any_order_pass_gradcheck(map_batch: int) -> None:
    image, coil_maps, coil_images = make((2, map_batch, 3, (2, 3)), torch.complex128)
    operands = [x.requires_grad_() for x in (image, coil_maps, coil_images)]
    x, m, y = operands
    for function, arguments in (
        (ops.expand_coils, (x, m)),
        (ops.combine_coils, (y, m)),
        (lambda a, b: torch.ops.mrirecon.grad_coil_maps(a, b, map_batch), (x, y)),
    ):
        assert torch.autograd.gradcheck(function, arguments)
        assert torch.autograd.gradgradcheck(function, arguments)


@pytest.mark.parametrize("needs", [(True, False), (False, True)])
@pytest.mark.parametrize("function", [ops.expand_coils, ops.combine_coils])
def test_only_the_gradient_that_is_asked_for_is_computed(
    function: Callable[[Tensor, Tensor], Tensor], needs: tuple[bool, bool]
) -> None:
    image, coil_maps, coil_images = make((2, 1, 3, (4, 5)), torch.complex64)
    first = image if function is ops.expand_coils else coil_images
    plain = getattr(reference, function.__name__)
    leaves = [x.requires_grad_(n) for x, n in zip((first, coil_maps), needs, strict=True)]
    asked = [x for x in leaves if x.requires_grad]
    result = function(*leaves)
    seed = torch.randn_like(result)
    (gradient,) = torch.autograd.grad(scalar_of(result, seed), asked)
    (expected,) = torch.autograd.grad(scalar_of(plain(*leaves), seed), asked)
    assert_close(gradient, expected, 3)


def test_passes_opcheck() -> None:
    operands = make((2, 1, 3, (4, 5)), torch.complex128)
    x, m, y = (z.mT.requires_grad_() for z in operands)  # strides of a view
    library = torch.ops.mrirecon
    torch.library.opcheck(library.expand_coils.default, (x, m))
    torch.library.opcheck(library.combine_coils.default, (y, m))
    torch.library.opcheck(library.grad_coil_maps.default, (x, y, 1))


def test_compiles_without_a_graph_break() -> None:
    image, coil_maps, coil_images = make((2, 1, 3, (4, 5)), torch.complex64)

    def energy(x: Tensor, m: Tensor) -> Tensor:
        difference = ops.expand_coils(2 * x, m) - coil_images
        return ops.combine_coils(difference, m).abs().square().sum()

    compiled = torch.compile(energy, fullgraph=True, backend="aot_eager")
    leaves = [x.requires_grad_() for x in (image, coil_maps)]
    expected, result = energy(*leaves), compiled(*leaves)
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(
        torch.autograd.grad(result, leaves), torch.autograd.grad(expected, leaves)
    )


def test_same_for_any_number_of_threads() -> None:
    image, coil_maps, coil_images = make((3, 1, 5, (65, 129)), torch.complex64)

    def compute() -> Tensor:
        expanded = ops.expand_coils(image, coil_maps)
        combined = ops.combine_coils(coil_images, coil_maps)
        gradient = torch.ops.mrirecon.grad_coil_maps(image, coil_images, 1)
        return torch.cat([x.flatten() for x in (expanded, combined, gradient)])

    assert_same_for_any_number_of_threads(compute)


def test_accepts_conjugate_and_non_contiguous_views() -> None:
    image, coil_maps, coil_images = make((3, 1, 2, (10, 12)), torch.complex128)
    swapped, conjugate = coil_maps.mT.contiguous().mT, coil_maps.conj()
    for maps, plain in ((swapped, coil_maps), (conjugate, conjugate.resolve_conj())):
        assert torch.equal(ops.expand_coils(image, maps), ops.expand_coils(image, plain))
        combined = ops.combine_coils(coil_images, plain)
        assert torch.equal(ops.combine_coils(coil_images, maps), combined)
    part = torch.randn(3, 2, 10, 12, dtype=torch.complex128)[:, 1:]
    expected = ops.expand_coils(part.contiguous(), coil_maps)
    assert torch.equal(ops.expand_coils(part, coil_maps), expected)


IMAGE = torch.zeros(2, 1, 4, 5, dtype=torch.complex64)
MAPS = torch.zeros(2, 3, 4, 5, dtype=torch.complex64)
LIKE_IMAGE = "coil_maps: expected (2 or 1, coils, ...) with the spatial axes of the image"
LIKE_COILS = "coil_maps: expected the shape of coil_images (2, 3, 4, 5), or 1 for its batch, got"
gradient = torch.ops.mrirecon.grad_coil_maps


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.expand_coils(IMAGE.real, MAPS), "image: expected complex64 or complex128"),
        (lambda: ops.expand_coils(MAPS, MAPS), "image: expected (batch, 1, ..., rows, cols), got"),
        (lambda: ops.expand_coils(IMAGE[0], MAPS), "image: expected (batch, 1, ..., rows, cols)"),
        (lambda: ops.expand_coils(IMAGE, MAPS.real), "coil_maps: expected ComplexFloat, the dtype"),
        (lambda: ops.expand_coils(IMAGE, MAPS[..., :4]), LIKE_IMAGE),
        (lambda: ops.expand_coils(IMAGE, MAPS[0]), LIKE_IMAGE),
        (lambda: ops.expand_coils(IMAGE, torch.cat((MAPS, MAPS))), LIKE_IMAGE),
        (lambda: ops.combine_coils(MAPS.real, MAPS), "coil_images: expected complex64 or"),
        (lambda: ops.combine_coils(MAPS[0, 0], MAPS), "coil_images: expected (batch, coils, ..."),
        (lambda: ops.combine_coils(MAPS, MAPS[:, :2]), f"{LIKE_COILS} (2, 2, 4, 5)"),
        (lambda: ops.combine_coils(MAPS, MAPS.to(torch.complex128)), "got ComplexDouble"),
        (lambda: gradient(IMAGE, MAPS[:1], 1), "coil_images: expected the batch and the spatial"),
        (lambda: gradient(IMAGE, MAPS, 3), "map_batch: expected 2 or 1, got 3"),
    ],
)
def test_rejects_wrong_arguments_by_name(call: Callable[[], Tensor], text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)
    assert "\n" not in str(error.value)
