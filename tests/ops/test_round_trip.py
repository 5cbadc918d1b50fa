import math
from typing import Any

import pytest
import torch
from mask_cases import CASES
from properties import (
    assert_adjoint,
    assert_linear,
    assert_same_for_any_number_of_threads,
)
from torch import Tensor

from mrirecon import ops
from mrirecon.ops import round_trip
from mrirecon.reference import masking as masking_reference
from mrirecon.reference import round_trip as reference

COMPLEX = [torch.complex64, torch.complex128]
# image shape, mask shape: each radix alone and with others, one row or column, tiles that are not
# full, sizes of which one or both have another factor (11, 13), and so are composed of torch's own
SIZES = [
    ((2, 1, 9, 64), (64,)),
    ((2, 1, 3, 1), (2, 3, 1)),
    ((1, 2, 8, 210), (210,)),
    ((2, 1, 49, 5), (49, 1)),
    ((1, 1, 30, 7), (2, 30, 7)[1:]),
    ((3, 1, 16, 24), (3, 16, 24)),
    ((2, 3, 12, 18), (1, 12, 18)),
    ((3, 125, 9), (125, 9)),
    ((1, 1, 1, 8), (8,)),
    ((2, 2, 11, 16), (16,)),
    ((2, 2, 16, 11), (16, 1)),
    ((2, 2, 11, 16), (2, 11, 1)),
    ((2, 1, 11, 13), (11, 13)),
    ((2, 1, 16, 13), (2, 16, 13)),
]
SHARES = [(0.0, 1.0), (1.0, 0.0), (0.7, -1.3)]


def make(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    return torch.randn(shape, dtype=dtype), torch.rand(mask_shape) < 0.4


def weights_of(shares: tuple[float, float], dtype: torch.dtype) -> Tensor:
    return torch.tensor(shares, dtype=dtype.to_real())


def double(*tensors: Tensor) -> list[Tensor]:
    return [x.to(torch.complex128 if x.is_complex() else torch.float64) for x in tensors]


def assert_close(result: Tensor, exact: Tensor, growth: float = 1.0) -> None:
    """Agree to the rounding of a transform and back, log2 n steps each, of values up to 5."""
    n = max(2, math.prod(result.shape[-2:]))
    bound = growth * 5 * 4 * torch.finfo(result.dtype).eps * math.log2(n)
    torch.testing.assert_close(result, exact.to(result.dtype), rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize(("shape", "mask_shape"), CASES + SIZES)
def test_equals_whole_transforms_by_their_definition(
    shape: tuple[int, ...],
    mask_shape: tuple[int, ...],
    shares: tuple[float, float],
    dtype: torch.dtype,
    simd_level: str,
) -> None:
    image, mask = make(shape, mask_shape, dtype)
    zero_filled, weights = torch.randn_like(image), weights_of(shares, dtype)
    assert_close(
        ops.weigh_kspace(image, mask, weights),
        reference.weigh_kspace(*double(image), mask, *double(weights)),
    )
    consistent = round_trip.enforce_image_consistency(image, zero_filled, mask, weights)
    exact = reference.enforce_image_consistency(*double(image, zero_filled), mask, *double(weights))
    assert_close(consistent, exact, growth=2)


@pytest.mark.parametrize("n", [*range(1, 33), 35, 42, 49, 56, 96, 125, 160, 243, 343, 512, 640])
@pytest.mark.parametrize("dtype", COMPLEX)
def test_every_length_is_exact_along_both_axes(n: int, dtype: torch.dtype, simd_level: str) -> None:
    image, mask = make((1, 1, 3, n), (n,), dtype)
    weights = weights_of((1.0, 0.0), dtype)
    exact = reference.weigh_kspace(*double(image), mask, *double(weights))
    assert_close(ops.weigh_kspace(image, mask, weights), exact)
    turned = ops.weigh_kspace(image.mT.contiguous(), mask[:, None], weights)
    assert_close(turned.mT, exact)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("map_batch", [1, 3])
@pytest.mark.parametrize("mask_shape", [(20,), (18, 1), (3, 18, 20), (3, 1, 20)])
@pytest.mark.parametrize("size", [(18, 20), (22, 20), (18, 22)])
def test_coils_equal_a_sum_over_their_maps(
    size: tuple[int, int],
    mask_shape: tuple[int, ...],
    map_batch: int,
    dtype: torch.dtype,
    simd_level: str,
) -> None:
    sizes = {18: size[0], 20: size[1]}
    image, mask = make((3, 1, *size), tuple(sizes.get(n, n) for n in mask_shape), dtype)
    maps = torch.randn(map_batch, 4, *size, dtype=dtype)
    weights = weights_of((0.4, 1.0), dtype)
    exact = reference.weigh_kspace(
        *double(image), mask, *double(weights), coil_maps=maps.to(torch.complex128)
    )
    result = ops.weigh_kspace(image, mask, weights, coil_maps=maps)
    assert_close(result, exact, growth=4 * 3)  # of four coils, whose maps reach 3


@pytest.mark.parametrize("is_real", [False, True])
@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("std", [0.0, 0.5])
@pytest.mark.parametrize(
    ("shape", "mask_shape"),
    [
        ((3, 1, 9, 20), (20,)),
        ((3, 2, 12, 13), (3, 12, 1)),
        ((2, 2, 9, 10), (2, 9, 10)),
        ((2, 1, 9, 22), (2, 1, 22)),
        ((3, 2, 11, 20), (11, 20)),
        ((3, 8, 20), (3, 8, 20)),
        ((2, 1, 43, 28), (28,)),
        ((2, 2, 28, 43), (2, 28, 1)),
        ((2, 1, 5, 1), (2, 5, 1)),
    ],
)
def test_undersampling_adds_the_noise_of_a_masked_transform(  # noqa: PLR0917
    shape: tuple[int, ...],
    mask_shape: tuple[int, ...],
    std: float,
    dtype: torch.dtype,
    is_real: bool,
    simd_level: str,
) -> None:
    image, mask = make(shape, mask_shape, dtype)
    image = image.real.contiguous() if is_real else image
    dims = tuple(dim for dim in (-2, -1) if len(mask_shape) >= -dim and mask_shape[dim] > 1)
    stds = std * torch.arange(1, shape[0] + 1, dtype=dtype.to_real())
    seeds = torch.arange(shape[0]) + 40
    noise = {"noise_std": stds, "seeds": seeds} if std else {}

    result = ops.undersample_image(image, mask, **noise)

    spectrum = torch.fft.fftn(image, dim=dims, norm="ortho").to(dtype)  # the reference's noise
    measured = masking_reference.apply_mask(
        spectrum, torch.fft.ifftshift(mask, dim=dims), noise_std=stds, seed=seeds
    )
    exact = torch.fft.ifftn(measured.to(torch.complex128), dim=dims, norm="ortho")
    assert result.dtype == dtype
    assert_close(result, exact, growth=2 + 5 * std * shape[0])


@pytest.mark.parametrize("mask_shape", [(15,), (14, 1), (14, 15)])
def test_is_linear_and_its_own_adjoint(mask_shape: tuple[int, ...]) -> None:
    x, mask = make((2, 1, 14, 15), mask_shape, torch.complex128)
    y, maps = torch.randn_like(x), torch.randn(1, 3, 14, 15, dtype=torch.complex128)

    def weigh(image: Tensor) -> Tensor:
        return ops.weigh_kspace(image, mask, weights_of((0.3, 1.0), image.dtype), coil_maps=maps)

    assert_linear(weigh, x, y)
    assert_adjoint(weigh, weigh, x, y)


@pytest.mark.parametrize("mask_shape", [(20,), (16, 1), (2, 16, 20)])
def test_what_is_kept_is_a_projection(mask_shape: tuple[int, ...]) -> None:
    image, mask = make((2, 1, 16, 20), mask_shape, torch.complex64)
    once = ops.keep_measured(image, mask)
    assert_close(ops.keep_measured(once, mask), once)
    assert_close(once + ops.keep_measured(image, ~mask), image)


@pytest.mark.parametrize("size", [(6, 5), (6, 11)])
@pytest.mark.parametrize("axes", ["lines", "plane"])
def test_gradients_are_right(axes: str, size: tuple[int, int]) -> None:
    mask_shape = size[1:] if axes == "lines" else size
    image, mask = make((2, 1, *size), mask_shape, torch.complex128)
    zero_filled = torch.randn_like(image)
    maps = torch.randn(1, 2, *size, dtype=image.dtype)
    weights = weights_of((0.4, 1.2), image.dtype)
    for leaf in (image, zero_filled, maps, weights):
        leaf.requires_grad_()

    def weigh(image: Tensor, maps: Tensor, weights: Tensor) -> Tensor:
        return ops.weigh_kspace(image, mask, weights, coil_maps=maps)

    def consistent(image: Tensor, zero_filled: Tensor, weights: Tensor) -> Tensor:
        return round_trip.enforce_image_consistency(image, zero_filled, mask, weights)

    assert torch.autograd.gradcheck(weigh, (image, maps, weights))
    assert torch.autograd.gradcheck(consistent, (image, zero_filled, weights))
    assert torch.autograd.gradcheck(lambda x: ops.undersample_image(x, mask), (image,))
    real = image.detach().real.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: ops.undersample_image(x, mask), (real,))


def test_gradients_have_gradients() -> None:
    image, mask = make((1, 1, 4, 5), (5,), torch.complex128)
    maps = torch.randn(1, 2, 4, 5, dtype=image.dtype)
    weights = weights_of((0.4, 1.2), image.dtype)
    for leaf in (image, maps, weights):
        leaf.requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda x, s, w: ops.weigh_kspace(x, mask, w, coil_maps=s), (image, maps, weights)
    )
    zero_filled = torch.randn_like(image).requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda x, z, w: round_trip.enforce_image_consistency(x, z, mask, w),
        (image, zero_filled, weights),
    )


@pytest.mark.parametrize("mask_shape", [(20,), (3, 12, 20)])
def test_operators_are_registered_as_torch_expects(mask_shape: tuple[int, ...]) -> None:
    image, mask = make((3, 1, 12, 20), mask_shape, torch.complex128)
    maps = torch.randn(1, 2, 12, 20, dtype=image.dtype)
    weights = weights_of((0.4, 1.2), image.dtype)
    image, maps, weights = (x.requires_grad_() for x in (image, maps, weights))
    operators = torch.ops.mrirecon
    zero_filled = torch.randn_like(image)
    noise = (torch.ones(3, dtype=torch.float64), torch.arange(3))
    real = image.detach().real.clone()
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (operators.weigh_kspace, (image, maps, mask, weights)),
        (operators.weigh_kspace, (image, None, mask, weights)),
        (operators.enforce_image_consistency, (image, zero_filled, mask, weights)),
        (operators.undersample_image, (image, mask, *noise)),
        (operators.undersample_image, (real, mask, None, None)),
    ]
    for operator, operands in calls:
        torch.library.opcheck(operator, operands)


@pytest.mark.parametrize("cols", [20, 22])
def test_compiles_without_a_graph_break(cols: int) -> None:
    image, mask = make((2, 1, 12, cols), (cols,), torch.complex64)
    maps = torch.randn(1, 2, 12, cols, dtype=image.dtype)

    def normal(image: Tensor) -> Tensor:
        return ops.keep_measured(image, mask, coil_maps=maps) + ops.undersample_image(image, mask)

    compiled = torch.compile(normal, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(image), normal(image))


@pytest.mark.parametrize("mask_shape", [(40,), (33, 1), (33, 40), (5, 33, 40)])
@pytest.mark.parametrize("coils", [0, 3])
def test_same_for_any_number_of_threads(mask_shape: tuple[int, ...], coils: int) -> None:
    """Five images are no multiple of two threads, nor of three: some are shared by all."""
    rows = 33 if coils else 35
    mask_shape = tuple(rows if n == 33 else n for n in mask_shape)
    image, mask = make((5, 1, rows, 40), mask_shape, torch.complex64)
    maps = torch.randn(5, coils, rows, 40, dtype=image.dtype) if coils else None
    weights = weights_of((0.4, 1.2), image.dtype).requires_grad_()
    assert_same_for_any_number_of_threads(
        lambda: ops.weigh_kspace(image, mask, weights.detach(), coil_maps=maps)
    )

    def grad_weights() -> Tensor:
        out = ops.weigh_kspace(image, mask, weights, coil_maps=maps)
        return torch.autograd.grad(out, weights, torch.ones_like(out))[0]

    assert_same_for_any_number_of_threads(grad_weights)


@pytest.mark.parametrize("mask_shape", [(40,), (32, 40)])
def test_an_image_has_the_same_bits_in_any_batch(mask_shape: tuple[int, ...]) -> None:
    image, mask = make((5, 1, 32, 40), mask_shape, torch.complex64)
    together = ops.keep_measured(image, mask)
    assert torch.equal(ops.keep_measured(image[3:4], mask), together[3:4])


@pytest.mark.parametrize("size", [(256, 256), (256, 250)])
@pytest.mark.parametrize("axes", ["cols", "rows", "plane"])
def test_results_written_past_the_caches_have_the_same_bits(
    size: tuple[int, int], axes: str, simd_level: str
) -> None:
    """17 images are more than 8 MiB; of 250 columns no row ends with a line of the cache."""
    mask_shape = {"cols": size[1:], "rows": (size[0], 1), "plane": size}[axes]
    image, mask = make((17, 1, *size), mask_shape, torch.complex64)
    zero_filled, weights = torch.randn_like(image), weights_of((0.7, -1.3), image.dtype)
    real = image.real.contiguous()
    together = round_trip.enforce_image_consistency(image, zero_filled, mask, weights)
    undersampled = ops.undersample_image(real, mask)
    for i in (0, 8, 16):
        one = slice(i, i + 1)
        alone = round_trip.enforce_image_consistency(image[one], zero_filled[one], mask, weights)
        assert torch.equal(alone, together[one])
        assert torch.equal(ops.undersample_image(real[one], mask), undersampled[one])


@pytest.mark.parametrize("size", [(10, 12), (11, 13)])
def test_accepts_conjugate_and_non_contiguous_views(size: tuple[int, int]) -> None:
    image, mask = make((3, 1, *size), (3, *size), torch.complex128)
    expected = ops.keep_measured(image, mask)
    swapped = image.transpose(-1, -2).contiguous().transpose(-1, -2)
    assert_close(ops.keep_measured(swapped, mask), expected)
    assert_close(ops.keep_measured(image.conj().resolve_conj().conj(), mask), expected)
    sparse = torch.zeros(6, 2 * size[0], 2 * size[1], dtype=torch.bool)
    sparse[::2, ::2, ::2] = mask
    assert_close(ops.keep_measured(image, sparse[::2, ::2, ::2]), expected)
    maps = torch.randn(3, 2, *size[::-1], dtype=image.dtype)
    with_maps = ops.keep_measured(image, mask, coil_maps=maps.mT)
    assert_close(with_maps, ops.keep_measured(image, mask, coil_maps=maps.mT.contiguous()))
    real = torch.rand(3, 1, *size[::-1], dtype=torch.float64).mT
    assert_close(ops.undersample_image(real, mask), ops.keep_measured(real + 0j, mask))


@pytest.mark.parametrize("size", [(8, 10), (11, 13)])
@pytest.mark.parametrize("value", [True, False])
def test_a_mask_of_all_or_nothing_keeps_all_or_nothing(size: tuple[int, int], value: bool) -> None:
    image = torch.randn(2, 1, *size, dtype=torch.complex64)
    for mask_shape in (size[1:], size, (1,), (1, 1, 1)):
        kept = ops.keep_measured(image, torch.full(mask_shape, value))
        assert_close(kept, image if value else torch.zeros_like(image))


def test_rows_stay_apart_along_one_axis() -> None:
    """What is infinite spreads along the transformed axis alone."""
    image, mask = make((1, 1, 11, 16), (16,), torch.complex64)
    image[0, 0, 4, 3] = math.inf
    finite = ops.keep_measured(image, mask).isfinite()
    assert finite[0, 0, torch.arange(11) != 4].all()
    assert not finite[0, 0, 4].any()


IMAGE = torch.zeros(2, 3, 4, 5, dtype=torch.complex64)
ONE = IMAGE[:, :1].contiguous()
MASK = torch.ones(5, dtype=torch.bool)
UNIT = torch.ones(2)
ELEVEN = torch.zeros(2, 3, 4, 11, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("image", "mask", "weights", "maps", "text"),
    [
        (IMAGE.real, MASK, UNIT, None, "image: expected complex64 or complex128"),
        (IMAGE.real.int(), MASK, UNIT, None, "image: expected complex64 or complex128"),
        (IMAGE[0, 0, 0], MASK, UNIT, None, "image: expected (..., rows, cols)"),
        (IMAGE, MASK.float(), UNIT, None, "mask: expected bool"),
        (IMAGE, MASK[:4], UNIT, None, "= (2, 4, 5), an axis of 1 is repeated, got"),
        (IMAGE, MASK.expand(3, 4, 5), UNIT, None, "= (2, 4, 5), an axis of 1 is repeated, got"),
        (IMAGE, MASK, UNIT.double(), None, "weights: expected"),
        (IMAGE, MASK, torch.ones(3), None, "weights: expected"),
        (IMAGE, MASK, UNIT, IMAGE, "image: expected (batch, 1, rows, cols)"),
        (ONE, MASK, UNIT, IMAGE.to(torch.complex128), "coil_maps: expected ComplexFloat"),
        (ONE, MASK, UNIT, IMAGE[..., :4], "coil_maps: expected ComplexFloat (1 or 2, coils, 4, 5)"),
        (ONE, MASK, UNIT, IMAGE[:, :0], "coil_maps: expected ComplexFloat (1 or 2, coils, 4, 5)"),
    ],
)
def test_rejects_wrong_arguments_by_name(
    image: Tensor, mask: Tensor, weights: Tensor, maps: Tensor | None, text: str
) -> None:
    with pytest.raises(ValueError) as error:
        ops.weigh_kspace(image, mask, weights, coil_maps=maps)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("image", "mask", "weights", "text"),
    [
        (ELEVEN.real, torch.ones(11).bool(), UNIT, "image: expected complex64 or complex128"),
        (ELEVEN, torch.ones(11), UNIT, "mask: expected bool"),
        (ELEVEN, torch.ones(10).bool(), UNIT, "= (2, 4, 11), an axis of 1 is repeated, got"),
        (ELEVEN, torch.ones(3, 1, 11).bool(), UNIT, "= (2, 4, 11), an axis of 1 is repeated"),
        (ELEVEN, torch.ones(1, 2, 4, 11).bool(), UNIT, "= (2, 4, 11), an axis of 1 is repeated"),
        (ELEVEN, torch.ones(11).bool(), UNIT.double(), "weights: expected torch.float32 (2,)"),
        (ELEVEN, torch.ones(11).bool(), torch.ones(3), "weights: expected torch.float32 (2,)"),
    ],
)
def test_rejects_the_same_of_sizes_that_are_composed(
    image: Tensor, mask: Tensor, weights: Tensor, text: str
) -> None:
    with pytest.raises(ValueError) as error:
        ops.weigh_kspace(image, mask, weights)
    assert text in str(error.value)


@pytest.mark.parametrize("cols", [5, 11])
def test_rejects_images_that_differ(cols: int) -> None:
    image = torch.zeros(2, 1, 4, cols, dtype=torch.complex64)
    mask = torch.ones(cols, dtype=torch.bool)
    for other in (image[:1], image.to(torch.complex128)):
        with pytest.raises(ValueError, match=r"^zero_filled: expected .*, as the image, got"):
            round_trip.enforce_image_consistency(image, other, mask, UNIT)


@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((9,), (-1,)),
        ((8, 1), (-2,)),
        ((8, 9), (-2, -1)),
        ((3, 1, 9), (-1,)),
        ((3, 8, 1), (-2,)),
        ((3, 8, 9), (-2, -1)),
        ((1, 1), ()),
    ],
)
def test_masked_dims_are_those_with_more_than_one_entry(
    shape: tuple[int, ...], dims: tuple[int, ...]
) -> None:
    assert round_trip.masked_dims(torch.ones(shape, dtype=torch.bool)) == dims


@pytest.mark.parametrize(
    ("image", "noise", "text"),
    [
        (IMAGE.real.int(), {}, "image: expected float32, float64, complex64 or complex128"),
        (IMAGE, {"noise_std": UNIT}, "seeds: expected it beside noise_std or seeds, got none"),
        (IMAGE, {"seeds": UNIT.long()}, "noise_std: expected it beside noise_std or seeds"),
        (IMAGE, {"noise_std": UNIT, "seeds": UNIT}, "seeds: expected Long (2,), got Float"),
        (IMAGE, {"noise_std": UNIT.double(), "seeds": UNIT.long()}, "noise_std: expected Float"),
        (IMAGE[:1], {"noise_std": UNIT, "seeds": UNIT.long()}, "noise_std: expected Float (1,)"),
    ],
)
def test_undersampling_rejects_wrong_arguments_by_name(
    image: Tensor, noise: dict[str, Tensor], text: str
) -> None:
    with pytest.raises(ValueError) as error:
        ops.undersample_image(image, MASK, **noise)
    assert text in str(error.value)


def test_the_native_operator_names_a_size_it_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"^cols: expected a size of factors 2, 3, 5 and 7, got"):
        torch.ops.mrirecon.weigh_kspace(ELEVEN, None, torch.ones(11).bool(), UNIT)
