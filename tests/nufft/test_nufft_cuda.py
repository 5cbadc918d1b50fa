"""The parts of the NUFFT on a GPU, run by the emulator, against the CPU's and the direct sum."""

from types import ModuleType
from typing import Any

import pytest
import torch
from properties import assert_adjoint, rounding
from torch import Tensor

from mrirecon.nufft import Gridding, Nufft
from mrirecon.nufft.gridding import gridding_error
from mrirecon.nufft.plan import make_plan
from mrirecon.ops import nufft as public
from mrirecon.ops.gridding import nufft_adjoint_by_parts, nufft_by_parts
from mrirecon.reference import nufft as direct

DTYPES = [torch.float32, torch.float64]
# Shape, samples and accuracy: one and several tiles of a grid, the last of them whole or not; one
# pixel along an axis; more samples in a bin than shared memory holds.
CASES = [
    ((9,), 60, 1e-3),
    ((300,), 700, 1e-4),
    ((1, 5), 20, 1e-2),
    ((33, 40), 300, 1e-3),
    ((24, 30), 120, 1e-6),
    ((5, 6, 7), 90, 1e-2),
]
WIDE = [((40,), 200, 1e-9), ((7, 12), 60, 1e-9), ((5, 1, 7), 30, 1e-9)]  # more than eight taps
# Grids in which a tile's points and those below go round more than once, with partial tiles; the
# last is deep, and its taps begin two slabs below a tile.
SMALL_GRIDS = [
    ((9,), Gridding((18,), 16, 1)),
    ((9,), Gridding((260,), 6, 1)),
    ((8, 9), Gridding((20, 18), 16, 1)),
    ((7, 12), Gridding((35, 46), 7, 1)),
    ((3, 5, 6), Gridding((6, 17, 13), 6, 1)),
    ((12, 3, 5), Gridding((24, 8, 10), 6, 1)),
]
Case = tuple[tuple[int, ...], int, float]


def random_coords(n_samples: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return ((torch.rand(n_samples, len(shape)) - 0.5) * torch.tensor(shape)).to(dtype)


def operands(op: Nufft, batch: int = 2, coils: int = 3) -> tuple[Tensor, Tensor]:
    """Return images and k-space."""
    dtype = op.coords.dtype.to_complex()
    image = torch.randn(batch, coils, *op.image_shape, dtype=dtype)
    return image, torch.randn(batch, coils, op.coords.shape[-2], dtype=dtype)


def assert_equal_to_cpu(operators: Any, op: Nufft, coils: int) -> None:
    """Both directions, to rounding: sums of a few hundred terms in another order."""
    image, kspace = operands(op, coils=coils)
    tolerance = 100 * torch.finfo(image.dtype).eps
    for found, expected in (
        (nufft_by_parts(operators, image, None, op.plan), op(image)),
        (nufft_adjoint_by_parts(operators, kspace, None, op.plan), op.adjoint(kspace)),
    ):
        assert found.shape == expected.shape
        assert (found - expected).norm() <= tolerance * expected.norm()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_cuda_equals_cpu(case: Case, dtype: torch.dtype, emulated_ops: Any) -> None:
    shape, n_samples, accuracy = case
    op = Nufft(random_coords(n_samples, shape, dtype), shape, accuracy)
    assert_equal_to_cpu(emulated_ops, op, coils=3)


@pytest.mark.parametrize("case", WIDE)
def test_cuda_equals_cpu_with_wide_kernels(case: Case, emulated_ops: Any) -> None:
    shape, n_samples, accuracy = case
    op = Nufft(random_coords(n_samples, shape, torch.float64), shape, accuracy)
    assert op.plan.width > 8
    assert_equal_to_cpu(emulated_ops, op, coils=3)


@pytest.mark.parametrize("coils", [1, 2, 4, 5, 9])  # beside chunks of 4 and 8 images, 2 of volumes
@pytest.mark.parametrize("shape", [(10, 12), (5, 4, 6)])
def test_cuda_handles_any_number_of_images(
    shape: tuple[int, ...], coils: int, emulated_ops: Any
) -> None:
    op = Nufft(random_coords(40, shape, torch.float32), shape, 1e-2)
    assert_equal_to_cpu(emulated_ops, op, coils)


@pytest.mark.parametrize(("shape", "gridding"), SMALL_GRIDS)
def test_cuda_agrees_with_the_direct_sum_on_small_grids(
    shape: tuple[int, ...], gridding: Gridding, emulated_ops: Any
) -> None:
    coords = random_coords(150, shape, torch.float64)
    plan = make_plan(coords[None], shape, gridding)
    image, kspace = operands(Nufft(coords, shape))
    accuracy = 2 * gridding_error(shape, gridding.grid, gridding.width, torch.float64)
    for found, exact in (
        (nufft_by_parts(emulated_ops, image, None, plan), direct.nufft(image, coords)),
        (
            nufft_adjoint_by_parts(emulated_ops, kspace, None, plan),
            direct.nufft_adjoint(kspace, coords, shape),
        ),
    ):
        assert (found - exact).norm() <= accuracy * exact.norm()


@pytest.mark.parametrize("maps_batch", [None, 1, 2])
@pytest.mark.parametrize("own_trajectories", [False, True])
def test_cuda_maps_and_trajectories_of_a_batch(
    own_trajectories: bool, maps_batch: int | None, emulated_ops: Any
) -> None:
    coords = random_coords(50, (11, 14), torch.float64)
    op = Nufft(torch.stack([coords, -coords / 2]) if own_trajectories else coords, (11, 14))
    image, kspace = operands(op, coils=5)
    maps = None if maps_batch is None else torch.randn(maps_batch, 5, 11, 14, dtype=image.dtype)
    image = image if maps is None else image[:, :1]

    def forward(x: Tensor) -> Tensor:
        return nufft_by_parts(emulated_ops, x, maps, op.plan)

    def adjoint(y: Tensor) -> Tensor:
        return nufft_adjoint_by_parts(emulated_ops, y, maps, op.plan)

    assert_adjoint(forward, adjoint, image, kspace)
    bound = {"rtol": 0, "atol": rounding(kspace)}
    torch.testing.assert_close(forward(image), op(image, maps), **bound)
    torch.testing.assert_close(adjoint(kspace), op.adjoint(kspace, maps), **bound)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cuda_adjoint_is_the_adjoint(dtype: torch.dtype, emulated_ops: Any) -> None:
    op = Nufft(random_coords(80, (18, 21), dtype), (18, 21))
    image, kspace = operands(op)
    assert_adjoint(
        lambda x: nufft_by_parts(emulated_ops, x, None, op.plan),
        lambda y: nufft_adjoint_by_parts(emulated_ops, y, None, op.plan),
        image,
        kspace,
    )


@pytest.mark.parametrize(("n_samples", "batch"), [(0, 2), (1, 2), (30, 0)])
def test_cuda_takes_no_sample_one_and_an_empty_batch(
    n_samples: int, batch: int, emulated_ops: Any
) -> None:
    op = Nufft(torch.full((n_samples, 2), 1.5), (8, 9))
    image, kspace = operands(op, batch)
    found = nufft_by_parts(emulated_ops, image, None, op.plan)
    torch.testing.assert_close(found, op(image))
    found = nufft_adjoint_by_parts(emulated_ops, kspace, None, op.plan)
    torch.testing.assert_close(found, op.adjoint(kspace))


def test_cuda_border_repeated_and_unsorted_samples_are_each_their_own(emulated_ops: Any) -> None:
    points = [[-4.0, 4.5], [4.0, -4.5], [0, 0], [0, 0], [3.9, 4.4], [-4.0, 4.5], [1, -2]]
    op = Nufft(torch.tensor(points, dtype=torch.float64), (8, 9), 1e-10)
    assert_equal_to_cpu(emulated_ops, op, coils=1)


def test_cuda_accepts_operands_that_are_not_contiguous(emulated_ops: Any) -> None:
    op = Nufft(random_coords(20, (6, 7), torch.float32), (6, 7))
    image, kspace = operands(op)
    swapped = image.mT.contiguous().mT
    assert torch.equal(
        nufft_by_parts(emulated_ops, swapped, None, op.plan),
        nufft_by_parts(emulated_ops, image, None, op.plan),
    )
    swapped = kspace.mT.contiguous().mT
    assert torch.equal(
        nufft_adjoint_by_parts(emulated_ops, swapped, None, op.plan),
        nufft_adjoint_by_parts(emulated_ops, kspace, None, op.plan),
    )


@pytest.mark.parametrize("shape", [(60,), (20, 24), (6, 5, 7)])
def test_cuda_result_does_not_depend_on_the_order_of_threads(
    shape: tuple[int, ...], emulator: ModuleType
) -> None:
    op = Nufft(random_coords(400, shape, torch.float32), shape, 1e-2)
    image, kspace = operands(op, batch=1)
    results = []
    for order in ("forward", "reverse", "random"):
        emulator.configure(order=order)
        operators = torch.ops.mrirecon_emulated
        results.append(
            (
                nufft_by_parts(operators, image, None, op.plan),
                nufft_adjoint_by_parts(operators, kspace, None, op.plan),
            )
        )
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


def test_cuda_nan_stays_within_its_taps(emulated_ops: Any) -> None:
    op = Nufft(torch.tensor([[2.3, -5.1], [-7.0, 6.0]]), (20, 24))
    kspace = torch.tensor([[[torch.nan, 1.0]]], dtype=torch.complex64)
    near = emulated_ops.spread(kspace, *op.plan).isnan()  # the first sample's taps
    assert near.sum() == op.plan.width**2
    points = torch.where(near, 1.0 + 0j, torch.nan).to(torch.complex64)
    found = emulated_ops.interpolate(points, *op.plan)
    assert found.isnan().flatten().tolist() == [False, True]


def test_cuda_gradients_are_those_of_the_cpu(
    emulator: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = Nufft(random_coords(30, (8, 9), torch.float64).requires_grad_(), (8, 9), 1e-9)
    maps = torch.randn(1, 3, 8, 9, dtype=torch.complex128, requires_grad=True)
    image = torch.randn(2, 1, 8, 9, dtype=torch.complex128, requires_grad=True)
    kspace = torch.randn(2, 3, 30, dtype=torch.complex128, requires_grad=True)
    by_image, by_kspace = (op.coords, maps, image), (op.coords, maps, kspace)

    def gradients() -> tuple[Tensor, ...]:
        forward, adjoint = op(image, maps).abs().sum(), op.adjoint(kspace, maps).abs().sum()
        return torch.autograd.grad(forward, by_image) + torch.autograd.grad(adjoint, by_kspace)

    expected = gradients()
    operators, n_calls = torch.ops.mrirecon_emulated, 0

    def count(function: Any) -> Any:
        def call(operand: Tensor, coil_maps: Tensor | None, coords: Tensor, plan: Any) -> Tensor:
            nonlocal n_calls
            n_calls += 1
            return function(operators, operand, coil_maps, plan)

        return call

    monkeypatch.setattr(public, "nufft", count(nufft_by_parts))
    monkeypatch.setattr(public, "nufft_adjoint", count(nufft_adjoint_by_parts))
    found = gradients()
    assert n_calls == 8  # each direction: operand, maps, and two axes of coords
    for of_found, of_expected in zip(found, expected, strict=True):
        torch.testing.assert_close(of_found, of_expected)


COORDS = torch.zeros(4, 2)
OP = Nufft(COORDS, (8, 9))
IMAGE = torch.zeros(2, 3, 8, 9, dtype=torch.complex64)
POINTS = torch.zeros(2, 3, *OP.plan.grid, dtype=torch.complex64)
FRAMES = Nufft(COORDS.expand(3, 4, 2).contiguous(), (8, 9))
TINY = make_plan(COORDS[None], (8, 9), Gridding((8, 40), 9, 1))
PADDING = (OP.plan.apodisation, OP.plan.shape, OP.plan.grid)
SIZES = ", ".join(map(str, OP.plan.grid))


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        (
            "pad_image",
            (IMAGE[..., :8], None, *PADDING),
            "image: expected (batch, coils, 8, 9), got",
        ),
        (
            "pad_image",
            (IMAGE, IMAGE, *PADDING),
            "image: expected (batch, 1, 8, 9), got (2, 3, 8, 9)",
        ),
        (
            "pad_image",
            (IMAGE, None, *PADDING[:2], (7, 40)),
            "grid: expected at least the image's 8 points, got 7",
        ),
        ("pad_image", (IMAGE, None, *PADDING[:2], (40,)), "grid: expected 1 to 3 sizes, as the im"),
        (
            "pad_image",
            (IMAGE, None, PADDING[0][1:], *PADDING[1:]),
            "apodisation: expected (18,), got (17,)",
        ),
        (
            "spread",
            (IMAGE[:, :, 0, :4], *TINY),
            "grid: expected at least the width of 9, got 8",
        ),
        ("interpolate", (IMAGE, *OP.plan), f"points: expected (batch, coils, {SIZES}), got (2, 3"),
        ("interpolate", (POINTS.real, *OP.plan), "points: expected complex64 or complex128, got"),
        ("interpolate", (POINTS.cdouble(), *OP.plan), "offsets: expected a contiguous tensor of D"),
        ("interpolate", (POINTS, *FRAMES.plan), "image: expected a batch of 3, one for each traj"),
        ("spread", (IMAGE[..., 0], *OP.plan), "kspace: expected (batch, coils, 4), got (2, 3, 8)"),
        ("spread", (IMAGE[:, :, 0, :4], *FRAMES.plan), "kspace: expected a batch of 3, one for ea"),
        ("crop_image", (IMAGE, None, *PADDING), f"points: expected (batch, coils, {SIZES}), got"),
        ("crop_image", (POINTS, IMAGE[:, :2], *PADDING), "coil_maps: expected 3 coils, as the po"),
        (
            "crop_image",
            (POINTS, IMAGE[..., 0], *PADDING),
            "coil_maps: expected (batch, coils, 8, 9",
        ),
    ],
)
def test_cuda_rejects_wrong_arguments_by_name(
    name: str, arguments: tuple[Any, ...], text: str, emulator: ModuleType
) -> None:
    with pytest.raises(ValueError) as error:
        getattr(torch.ops.mrirecon_emulated, name)(*arguments)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["nufft", "nufft_adjoint", "nufft_normal", "pad_image", "apply_transfer"]
)
def test_torch_finds_the_operators_for_cuda(name: str) -> None:
    assert torch._C._dispatch_has_kernel_for_dispatch_key(f"mrirecon::{name}", "CUDA")


@pytest.mark.requires_cuda
@pytest.mark.parametrize("way", ["both directions", "convolution"])
def test_cuda_nufft_is_captured_in_a_graph_and_equals_cpu(way: str) -> None:
    op = Nufft(random_coords(500, (40, 44), torch.float32), (40, 44), 1e-4)
    image, _ = operands(op, coils=6)
    on_gpu, operand = op.to("cuda"), image.cuda()
    ways = {
        "both directions": (lambda: on_gpu.adjoint(on_gpu(operand)), op.adjoint(op(image))),
        "convolution": (
            lambda: on_gpu.normal_by_convolution(operand),
            op.normal_by_convolution(image),
        ),
    }
    compute, expected = ways[way]
    compute()  # plans the transforms
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = compute()
    graph.replay()
    tolerance = 200 * torch.finfo(torch.float32).eps
    assert (result.cpu() - expected).norm() <= tolerance * expected.norm()
