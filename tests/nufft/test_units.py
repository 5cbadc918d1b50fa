"""Units of coordinates against their definitions: the phase that a pixel has."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mrirecon.nufft import units
from mrirecon.reference import nufft as direct

SHAPES = [(8,), (6, 9), (4, 5, 6)]
Convert = Callable[[Tensor, tuple[int, ...]], Tensor]
FIELD_OF_VIEW = (0.2, 0.25, 0.3)


def from_per_metre(values: Tensor, shape: tuple[int, ...]) -> Tensor:
    return units.from_per_metre(values, shape, FIELD_OF_VIEW[: len(shape)])


def to_per_metre(coords: Tensor, shape: tuple[int, ...]) -> Tensor:
    return units.to_per_metre(coords, shape, FIELD_OF_VIEW[: len(shape)])


PAIRS: dict[str, tuple[Convert, Convert]] = {
    "torchkbnufft": (units.from_torchkbnufft, units.to_torchkbnufft),
    "sigpy": (units.from_sigpy, units.to_sigpy),
    "mri_nufft": (units.from_mri_nufft, units.to_mri_nufft),
    "bart": (units.from_bart, units.to_bart),
    "per_metre": (from_per_metre, to_per_metre),
}


def coords_for(shape: tuple[int, ...]) -> Tensor:
    return (torch.rand(2, 7, len(shape), dtype=torch.float64) - 0.5) * torch.tensor(shape)


@pytest.mark.parametrize("package", PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
def test_there_and_back_changes_nothing(shape: tuple[int, ...], package: str) -> None:
    there, back = PAIRS[package][1], PAIRS[package][0]
    coords = coords_for(shape)
    torch.testing.assert_close(back(there(coords, shape), shape), coords)


def cycles_of_pixels(package: str, values: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Cycles of a sample at each pixel, by the package's own definition: (samples, *shape)."""
    pixels = [torch.arange(n, dtype=torch.float64) - n // 2 for n in shape]
    grids = torch.stack(torch.meshgrid(*pixels, indexing="ij"))  # (ndim, *shape), in pixels
    sizes = torch.tensor(shape, dtype=torch.float64).reshape(-1, *[1] * len(shape))
    extents = torch.tensor(FIELD_OF_VIEW[: len(shape)], dtype=torch.float64)
    extents = extents.reshape(sizes.shape)
    match package:
        case "torchkbnufft":
            cycles = torch.tensordot(values.T, grids, 1) / (2 * math.pi)
        case "sigpy":
            cycles = torch.tensordot(values, grids / sizes, 1)
        case "mri_nufft":
            cycles = torch.tensordot(values, grids, 1)
        case "bart":  # x is the image's last axis
            cycles = torch.tensordot(values[:, : len(shape)], (grids / sizes).flip(0), 1)
        case "per_metre":
            cycles = torch.tensordot(values, grids * extents / sizes, 1)
    return cycles


@pytest.mark.parametrize("package", PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_converted_trajectory_has_the_phases_of_its_package(
    shape: tuple[int, ...], package: str
) -> None:
    coords = coords_for(shape)[0]
    image = torch.randn(shape, dtype=torch.complex128)
    values = PAIRS[package][1](coords, shape)
    waves = torch.exp(-2j * math.pi * cycles_of_pixels(package, values, shape))
    expected = (waves * image).flatten(1).sum(1) / math.sqrt(math.prod(shape))
    torch.testing.assert_close(direct.nufft(image, PAIRS[package][0](values, shape)), expected)


@pytest.mark.parametrize(
    ("convert", "values", "message"),
    [
        (units.from_torchkbnufft, [[0.0], [3.2]], r"omega: .* \[-3.14159, 3.14159\] radians per p"),
        (units.from_sigpy, [[0.0, 4.6]], r"coord: .* \[-4.5, 4.5\] cycles per field of view along"),
        (units.from_mri_nufft, [[0.6, 0.0]], r"samples: .* \[-0.5, 0.5\] cycles per pixel .* 0.6"),
        (units.from_bart, [[0.0, 4.2, 0]], r"trajectory: .* \[-4, 4\] 1 / field of view .* 0, got"),
        (from_per_metre, [[0.0, 18.1]], r"wavenumber: .* \[-18, 18\] 1/m along axis 1, got 18.1"),
        (units.to_mri_nufft, [[math.nan, 0]], r"coords: .* \[-4, 4\] cycles per field of view"),
        (units.from_bart, [[0.0, 1, 2]], r"trajectory: expected zeros in column z for an image"),
        (units.from_bart, [[0.0, 1]], r"trajectory: expected \(..., 3\), got \(1, 2\)"),
        (units.from_sigpy, [[0.0]], r"coord: expected 2 axes, as the image \(8, 9\), got .*\[1\]"),
    ],
)
def test_rejects_what_is_out_of_the_unit(
    convert: Convert, values: list[list[float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        convert(torch.tensor(values), (8, 9))


def test_rejects_whole_numbers() -> None:
    with pytest.raises(ValueError, match=r"coord: expected float32 or float64, got torch\.int64"):
        units.from_sigpy(torch.zeros(3, 2, dtype=torch.long), (8, 9))


def test_rejects_a_field_of_view_of_other_axes() -> None:
    with pytest.raises(ValueError, match=r"field_of_view: expected 2 positive extents in m, got"):
        units.from_per_metre(torch.zeros(3, 2), (8, 9), (0.2, 0.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pi_rounded_up_is_still_on_the_border(dtype: torch.dtype) -> None:
    border = torch.full((2, 3), math.pi, dtype=dtype)
    expected = torch.tensor([128, 127.5], dtype=dtype)
    coords = units.from_torchkbnufft(border, (256, 255))
    torch.testing.assert_close(coords[0], expected)
    assert bool((coords <= expected).all())


def test_gradients_reach_the_values() -> None:
    values = (torch.rand(4, 2, dtype=torch.float64) - 0.5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: units.from_mri_nufft(x, (8, 9)), (values,))
