import math
from typing import Any

import pytest
import torch
from mask_cases import CASES
from properties import (
    assert_adjoint,
    assert_gradient_is_adjoint,
    assert_linear,
    assert_same_for_any_number_of_threads,
)
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import masking as reference

COMPLEX = [torch.complex64, torch.complex128]


def make(shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype) -> list[Tensor]:
    return [torch.randn(shape, dtype=dtype), torch.rand(mask_shape) < 0.4]


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_equals_reference(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype, simd_level: str
) -> None:
    kspace, mask = make(shape, mask_shape, dtype)
    assert torch.equal(ops.apply_mask(kspace, mask), reference.apply_mask(kspace, mask))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_noise_equals_reference(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype, simd_level: str
) -> None:
    kspace, mask = make(shape, mask_shape, dtype)
    seed = 7 + (5 << 40)  # both key words of the generator in use
    result = ops.apply_mask(kspace, mask, noise_std=0.5, seed=seed)
    expected = reference.apply_mask(kspace, mask, noise_std=0.5, seed=seed)
    # Largest deviate 6.7; the angle's error grows with its size, 2 pi.
    tolerance = 8 * 2 * math.pi * torch.finfo(dtype).eps
    torch.testing.assert_close(result, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_noise_of_long_rows_equals_reference(
    share: float, dtype: torch.dtype, simd_level: str
) -> None:
    """The CPU draws 64 measured samples at a time: rows of none, of a few and of several blocks."""
    kspace, mask = torch.randn(2, 1, 3, 333, dtype=dtype), torch.rand(333) < share
    result = ops.apply_mask(kspace, mask, noise_std=0.5, seed=3)
    expected = reference.apply_mask(kspace, mask, noise_std=0.5, seed=3)
    tolerance = 8 * 2 * math.pi * torch.finfo(dtype).eps
    torch.testing.assert_close(result, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_cuda_kernel_equals_reference(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype, emulated_ops: Any
) -> None:
    kspace, mask = make(shape, mask_shape, dtype)
    plain = emulated_ops.apply_mask(kspace, mask, None, None)
    assert torch.equal(plain, reference.apply_mask(kspace, mask))
    seed = 11 + (3 << 40)
    noise = torch.tensor([0.5], dtype=dtype.to_real()), torch.tensor([seed])
    noisy = emulated_ops.apply_mask(kspace, mask, *noise)
    expected = reference.apply_mask(kspace, mask, noise_std=0.5, seed=seed)
    tolerance = 8 * 2 * math.pi * torch.finfo(dtype).eps
    torch.testing.assert_close(noisy, expected, rtol=0, atol=tolerance)


def test_generator_gives_the_published_words() -> None:
    # Known answer of Philox4x32-10 for counter 0 and key 0 (Random123, kat_vectors).
    words = reference.philox(seed=0, n_counters=1)[0].tolist()
    assert words == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_noise_has_the_stated_standard_deviation_in_each_part() -> None:
    n = 512
    kspace = torch.zeros(n, n, dtype=torch.complex64)
    noise = ops.apply_mask(kspace, torch.ones(n, dtype=torch.bool), noise_std=2.0, seed=3)
    five_sigma = 5 * 2.0 / math.sqrt(2 * n * n)  # of the estimate of a standard deviation
    for part in (noise.real, noise.imag):
        assert abs(float(part.std()) - 2.0) < five_sigma
        assert abs(float(part.mean())) < 5 * 2.0 / n
    assert abs(float((noise.real * noise.imag).mean())) < 5 * 4.0 / n


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("shape", "mask_shape"), [c for c in CASES if len(c[0]) > 2 and c[0][0]])
def test_cuda_kernel_and_cpu_draw_the_noise_of_each_element(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype, emulated_ops: Any
) -> None:
    kspace, mask = make(shape, mask_shape, dtype)
    if len(shape) < 3:
        pytest.skip("no batch")
    seeds = torch.arange(shape[0]) + (5 << 40)
    stds = torch.arange(shape[0], dtype=dtype.to_real()) / 4
    expected = reference.apply_mask(kspace, mask, noise_std=stds, seed=seeds)
    largest = float(stds.max())
    tolerance = 16 * max(1.0, largest) * 2 * math.pi * torch.finfo(dtype).eps
    for result in (
        ops.apply_mask(kspace, mask, noise_std=stds, seed=seeds),
        emulated_ops.apply_mask(kspace, mask, stds, seeds),
    ):
        torch.testing.assert_close(result, expected, rtol=0, atol=tolerance)


def test_noise_by_element_is_the_same_in_any_batch() -> None:
    kspace, mask = make((4, 2, 8, 9), (4, 8, 9), torch.complex64)
    seeds = torch.tensor([3, 1, 4, 1])
    together = ops.apply_mask(kspace, mask, noise_std=0.5, seed=seeds)
    for place in range(4):
        one = slice(place, place + 1)
        alone = ops.apply_mask(kspace[one], mask[one], noise_std=0.5, seed=seeds[one])
        by_number = ops.apply_mask(kspace[one], mask[one], noise_std=0.5, seed=int(seeds[place]))
        assert torch.equal(together[one], alone)
        assert torch.equal(alone, by_number)


def test_noise_differs_between_seeds_and_repeats_for_one() -> None:
    kspace, mask = torch.zeros(8, 8, dtype=torch.complex64), torch.ones(8, dtype=torch.bool)
    first, again, other = (
        ops.apply_mask(kspace, mask, noise_std=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("noise_std", [0.0, 0.3])
def test_same_for_any_number_of_threads(noise_std: float) -> None:
    kspace, mask = make((8, 1, 65, 257), (8, 65, 257), torch.complex64)
    assert_same_for_any_number_of_threads(
        lambda: ops.apply_mask(kspace, mask, noise_std=noise_std, seed=1)
    )


@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_is_a_linear_projection(shape: tuple[int, ...], mask_shape: tuple[int, ...]) -> None:
    x, mask = make(shape, mask_shape, torch.complex128)
    y = torch.randn_like(x)

    def project(kspace: Tensor) -> Tensor:
        return ops.apply_mask(kspace, mask)

    assert_linear(project, x, y)
    assert_adjoint(project, project, x, y)
    assert_gradient_is_adjoint(project, project, x, y)
    assert torch.equal(project(project(x)), project(x))


def test_unmeasured_nan_does_not_spread() -> None:
    kspace = torch.full((4, 4), complex(math.nan, math.inf), dtype=torch.complex64)
    assert torch.equal(
        ops.apply_mask(kspace, torch.zeros(4, dtype=torch.bool)), 0 * kspace.isreal()
    )
    assert ops.apply_mask(kspace, torch.ones(4, dtype=torch.bool)).isnan().all()


def test_cuda_kernel_does_not_spread_unmeasured_nan(emulated_ops: Any) -> None:
    kspace = torch.full((4, 4), complex(math.nan, math.inf), dtype=torch.complex64)
    mask = torch.zeros(4, dtype=torch.bool)
    for noise in ((None, None), (torch.tensor([0.5]), torch.tensor([1]))):
        assert not emulated_ops.apply_mask(kspace, mask, *noise).any()


def test_accepts_conjugate_and_non_contiguous_views() -> None:
    kspace, mask = make((3, 2, 10, 12), (3, 10, 12), torch.complex128)
    swapped = kspace.transpose(-1, -2).contiguous().transpose(-1, -2)
    assert torch.equal(ops.apply_mask(swapped, mask), ops.apply_mask(kspace, mask))
    assert torch.equal(
        ops.apply_mask(kspace.conj(), mask), ops.apply_mask(kspace.conj().resolve_conj(), mask)
    )
    sparse = torch.rand(6, 20, 24)[::2, ::2, ::2] < 0.4
    assert torch.equal(ops.apply_mask(kspace, sparse), reference.apply_mask(kspace, sparse))


def test_passes_gradcheck_and_opcheck() -> None:
    kspace, mask = make((2, 2, 4, 5), (2, 4, 5), torch.complex128)
    kspace.requires_grad_()
    assert torch.autograd.gradcheck(lambda k: ops.apply_mask(k, mask), (kspace,))
    assert torch.autograd.gradgradcheck(lambda k: ops.apply_mask(k, mask), (kspace,))
    swapped = kspace.detach().transpose(2, 3).requires_grad_()
    noise = torch.tensor([0.1], dtype=torch.float64), torch.tensor([9])
    each = torch.tensor([0.1, 2.0], dtype=torch.float64), torch.tensor([9, 1])
    for arguments in [
        (kspace, mask, None, None),
        (swapped, mask.mT, *noise),
        (kspace, mask, *each),
    ]:
        torch.library.opcheck(torch.ops.mrirecon.apply_mask.default, arguments)


def test_compiles_without_a_graph_break() -> None:
    kspace, mask = make((2, 1, 8, 9), (9,), torch.complex64)

    def energy(k: Tensor) -> Tensor:
        return ops.apply_mask(2 * k, mask).abs().square().sum()

    compiled = torch.compile(energy, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(kspace), energy(kspace))


KSPACE = torch.zeros(2, 3, 4, 5, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("kspace", "mask", "noise_std", "text"),
    [
        (KSPACE.real, torch.ones(5, dtype=torch.bool), 0.0, "kspace: expected complex64 or"),
        (KSPACE[0, 0, 0], torch.ones(5, dtype=torch.bool), 0.0, "got (5,)"),
        (KSPACE, torch.ones(5), 0.0, "mask: expected bool, got Float"),
        (
            KSPACE,
            torch.ones(4, dtype=torch.bool),
            0.0,
            "= (2, 4, 5), an axis of 1 is repeated, got (4,",
        ),
        (KSPACE, torch.ones(3, 4, 5, dtype=torch.bool), 0.0, "got (3, 4, 5)"),
        (KSPACE, torch.ones(1, 2, 4, 5, dtype=torch.bool), 0.0, "got (1, 2, 4, 5)"),
        (KSPACE, torch.ones(5, dtype=torch.bool), -1.0, "noise_std: expected 0 or more, got -1"),
    ],
)
def test_rejects_wrong_arguments_by_name(
    kspace: Tensor, mask: Tensor, noise_std: float, text: str
) -> None:
    with pytest.raises(ValueError) as error:
        ops.apply_mask(kspace, mask, noise_std=noise_std)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("noise", "text"),
    [
        (
            {"noise_std": 1.0, "seed": torch.arange(3)},
            "seeds: expected (2,), 1 or the batch, got (3",
        ),
        ({"noise_std": torch.ones(3), "seed": 1}, "seeds: expected (2,), 1 or the batch, got (3,)"),
        ({"noise_std": torch.ones(2), "seed": torch.arange(1)}, "noise_std: expected (1,), 1 or"),
        ({"noise_std": torch.ones(2, dtype=torch.float64), "seed": 1}, "noise_std: expected Float"),
        ({"noise_std": 1.0, "seed": torch.ones(2)}, "seeds: expected Long, got Float"),
        ({"noise_std": math.nan}, "noise_std: expected 0 or more, got nan"),
    ],
)
def test_rejects_wrong_noise_by_name(noise: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as error:
        ops.apply_mask(KSPACE, torch.ones(5, dtype=torch.bool), **noise)
    assert text in str(error.value)
    with pytest.raises(ValueError, match="seeds: expected it beside noise_std or seeds, got none"):
        torch.ops.mrirecon.apply_mask(KSPACE, torch.ones(5, dtype=torch.bool), torch.ones(1), None)
