"""The convolution of a NUFFT on a GPU, run by the emulator, against plain PyTorch and the CPU's."""

from types import ModuleType
from typing import Any

import pytest
import torch
from properties import rounding
from torch import Tensor

from mrirecon.nufft.toeplitz import Convolution, apply_convolution, make_convolution
from mrirecon.ops.gridding import nufft_normal_by_parts

DTYPES = [torch.float32, torch.float64]
# One band and tile, and several, the last of them whole or not; one row; a volume.
GRIDS = [(32,), (2, 2), (8, 64), (12, 66), (33, 132), (3, 9, 34)]


def random_transfer(batch: int, grid: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return weights (batch, depth, rows, cols), and in bands; what no row has is NaN."""
    depth, rows, cols = (*[1] * (3 - len(grid)), *grid)
    weights = torch.randn(batch, depth, rows, cols, dtype=dtype)
    bands = torch.full((batch, depth, -(-rows // 8) * 8, cols), torch.nan, dtype=dtype)
    bands[:, :, :rows] = weights
    return weights, bands.reshape(batch, depth, -1, 8, cols).mT.contiguous()


def apply(operators: Any, points: Tensor, transfer: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Return what the operator leaves in `points`; a GPU's copy is not seen from here."""
    if operators is torch.ops.mrirecon_emulated:
        operators.apply_transfer(points, transfer, grid)
        return points
    moved = points.cuda()
    torch.ops.mrirecon.apply_transfer(moved, transfer.cuda(), grid)
    return moved.cpu()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grid", GRIDS)
def test_cuda_multiplies_each_point_by_its_weight(
    grid: tuple[int, ...], dtype: torch.dtype, emulated_ops: Any
) -> None:
    weights, transfer = random_transfer(1, grid, dtype)
    points = torch.randn(1, 1, *grid, dtype=dtype.to_complex())
    expected = points * weights.reshape(grid)
    assert torch.equal(apply(emulated_ops, points, transfer, grid), expected)


@pytest.mark.parametrize("coils", [1, 4, 5, 8, 13])  # beside chunks of 8 images, 4 together
@pytest.mark.parametrize("weights_batch", [1, 2])
def test_cuda_shares_weights_among_images(
    weights_batch: int, coils: int, emulated_ops: Any
) -> None:
    grid = (10, 70)
    weights, transfer = random_transfer(weights_batch, grid, torch.float32)
    points = torch.randn(2, coils, *grid, dtype=torch.complex64)
    expected = points * weights
    assert torch.equal(apply(emulated_ops, points, transfer, grid), expected)


def test_cuda_takes_an_empty_batch(emulated_ops: Any) -> None:
    points = torch.empty(0, 3, 8, 8, dtype=torch.complex64)
    _, transfer = random_transfer(1, (8, 8), torch.float32)
    assert apply(emulated_ops, points, transfer, (8, 8)).shape == points.shape


def test_cuda_result_does_not_depend_on_the_order_of_threads(emulator: ModuleType) -> None:
    _, transfer = random_transfer(1, (19, 90), torch.float32)
    points, results = torch.randn(3, 3, 19, 90, dtype=torch.complex64), []
    for order in ("forward", "reverse", "random"):
        emulator.configure(order=order)
        results.append(apply(torch.ops.mrirecon_emulated, points.clone(), transfer, (19, 90)))
    assert all(torch.equal(results[0], other) for other in results[1:])


def convolved(operators: Any, image: Tensor, maps: Tensor | None, by: Convolution) -> Tensor:
    return nufft_normal_by_parts(
        operators, image, maps, by.transfer, by.apodisation, by.shape, by.grid
    )


@pytest.mark.parametrize("shape", [(9,), (1, 5), (33, 40), (5, 6, 7)])
@pytest.mark.parametrize("maps_batch", [None, 1, 2])
@pytest.mark.parametrize("n_trajectories", [1, 2])
def test_cuda_convolution_equals_cpu(
    n_trajectories: int, maps_batch: int | None, shape: tuple[int, ...], emulator: ModuleType
) -> None:
    coords = (torch.rand(n_trajectories, 50, len(shape)) - 0.5) * torch.tensor(shape)
    convolution = make_convolution(coords.double(), shape, None, 1e-6)
    image = torch.randn(2, 3 if maps_batch is None else 1, *shape, dtype=torch.complex128)
    maps = maps_batch and torch.randn(maps_batch, 3, *shape, dtype=torch.complex128)
    found = convolved(torch.ops.mrirecon_emulated, image, maps, convolution)
    expected = apply_convolution(image, convolution, maps)
    torch.testing.assert_close(found, expected, rtol=0, atol=rounding(image))


def test_cuda_convolution_takes_an_empty_batch(emulator: ModuleType) -> None:
    convolution = make_convolution(torch.zeros(4, 2), (8, 9), None, 1e-3)
    image = torch.empty(0, 3, 8, 9, dtype=torch.complex64)
    assert convolved(torch.ops.mrirecon_emulated, image, None, convolution).shape == image.shape


POINTS = torch.zeros(2, 3, 8, 10, dtype=torch.complex64)
TRANSFER = torch.zeros(1, 1, 1, 10, 8)


@pytest.mark.parametrize(
    ("points", "transfer", "grid", "text"),
    [
        (POINTS.real, TRANSFER, (8, 10), "points: expected complex64 or complex128, got Float"),
        (POINTS[0], TRANSFER, (8, 10), "points: expected (batch, coils, 8, 10), got (3, 8, 10)"),
        (POINTS.mT, TRANSFER, (10, 8), "points: expected a contiguous tensor, since it is changed"),
        (
            POINTS[..., :9].contiguous(),
            TRANSFER[:, :, :, :9].contiguous(),
            (8, 9),
            "grid: expected an even number of columns, got 9",
        ),
        (
            POINTS,
            TRANSFER.double(),
            (8, 10),
            "transfer: expected a contiguous tensor of Float with 5 axes, got Double "
            "(1, 1, 1, 10, 8); a plan made for this dtype has it",
        ),
        (
            POINTS,
            TRANSFER.expand(3, 1, 1, 10, 8).contiguous(),
            (8, 10),
            "transfer: expected a batch of 1 or 2, got 3",
        ),
        (
            POINTS,
            torch.zeros(1, 1, 2, 10, 8),
            (8, 10),
            "transfer: expected (batch or 1, 1, 1, 10, 8), got (1, 1, 2, 10, 8)",
        ),
    ],
)
def test_cuda_rejects_wrong_arguments_by_name(
    points: Tensor, transfer: Tensor, grid: tuple[int, ...], text: str, emulator: ModuleType
) -> None:
    with pytest.raises(ValueError) as error:
        torch.ops.mrirecon_emulated.apply_transfer(points, transfer, grid)
    assert str(error.value) == text


def test_rejects_weights_of_another_grid() -> None:
    by = make_convolution(torch.zeros(4, 2), (8, 9), None, 1e-3)
    image = torch.zeros(1, 1, 8, 9, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"transfer: expected \(batch or 1, 1, 4, 32, 8\), got"):
        apply_convolution(image, by._replace(transfer=by.transfer[..., :4, :].contiguous()))
