"""The NUFFT against the direct sum, its laws, its gradients and its errors."""

import pickle
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import (
    assert_adjoint,
    assert_linear,
    assert_same_for_any_number_of_threads,
    rounding,
)
from torch import Tensor

from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.nufft import Gridding, Nufft
from mrirecon.nufft.toeplitz import make_convolution
from mrirecon.reference import nufft as direct

DTYPES = [torch.float32, torch.float64]
SHAPES = [(1,), (9,), (16,), (7, 12), (1, 5), (24, 30), (5, 6, 7), (12, 1, 9)]


def random_coords(n_samples: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return ((torch.rand(n_samples, len(shape)) - 0.5) * torch.tensor(shape)).to(dtype)


def radial_coords(n_spokes: int, n_samples: int, n: int) -> Tensor:
    angle = torch.arange(n_spokes, dtype=torch.float64)[:, None] * 1.9416
    radius = (torch.arange(n_samples) - n_samples // 2) / n_samples * n
    return torch.stack([radius * angle.sin(), radius * angle.cos()], -1).reshape(-1, 2)


def spiral_coords(n_samples: int, n: int) -> Tensor:
    t = torch.linspace(0, 1, n_samples, dtype=torch.float64).sqrt()
    return torch.stack([t * n / 2 * (40 * t).sin(), t * n / 2 * (40 * t).cos()], -1)


def images(shape: tuple[int, ...], dtype: torch.dtype, batch: int = 1, coils: int = 1) -> Tensor:
    return torch.randn(batch, coils, *shape, dtype=dtype.to_complex())


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def assert_accurate(op: Nufft, coords: Tensor, accuracy: float, coils: int = 1) -> None:
    """Both directions agree with the direct sum to the accuracy asked for."""
    image = images(op.image_shape, torch.float64, 1, coils)
    kspace = torch.randn(1, coils, len(coords), dtype=torch.complex128)
    dtype = coords.dtype.to_complex()
    exact, exact_adjoint = (
        direct.nufft(image, coords.double()),
        direct.nufft_adjoint(kspace, coords.double(), op.image_shape),
    )
    assert relative_error(op(image.to(dtype)), exact) <= accuracy
    # Against the norm that is to be expected, since a sum for one pixel may be small by chance.
    error = (op.adjoint(kspace.to(dtype)) - exact_adjoint).norm()
    assert error <= accuracy * max(exact_adjoint.norm(), kspace.norm())


@pytest.mark.parametrize("coils", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_agrees_with_the_direct_sum_in_every_layout(
    dtype: torch.dtype, shape: tuple[int, ...], coils: int, simd_level: str
) -> None:
    coords = random_coords(60, shape, dtype)
    assert_accurate(Nufft(coords, shape, 1e-4), coords, 1e-4, coils)


@pytest.mark.parametrize("accuracy", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize("shape", [(40,), (33, 40), (14, 17, 12)])
def test_single_precision_meets_every_accuracy(shape: tuple[int, ...], accuracy: float) -> None:
    coords = random_coords(2000, shape, torch.float32)
    assert_accurate(Nufft(coords, shape, accuracy), coords, accuracy)


@pytest.mark.parametrize("accuracy", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("shape", [(40,), (33, 40), (14, 17, 12)])
def test_double_precision_meets_every_accuracy(shape: tuple[int, ...], accuracy: float) -> None:
    coords = random_coords(2000, shape, torch.float64)
    assert_accurate(Nufft(coords, shape, accuracy), coords, accuracy)


@pytest.mark.parametrize("n", [64, 65])
@pytest.mark.parametrize("accuracy", [1e-3, 1e-5])
@pytest.mark.parametrize("kind", ["radial", "spiral"])
def test_trajectories_of_scanners_meet_the_accuracy(kind: str, accuracy: float, n: int) -> None:
    coords = radial_coords(21, 96, n) if kind == "radial" else spiral_coords(2000, n)
    coords = coords.float()
    assert_accurate(Nufft(coords, (n, n), accuracy), coords, accuracy)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    shape=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    n_samples=st.integers(200, 400),
    coils=st.integers(1, 5),
    exponent=st.integers(2, 6),
)
def test_random_sizes_meet_the_accuracy(
    shape: list[int], n_samples: int, coils: int, exponent: int
) -> None:
    coords = random_coords(n_samples, tuple(shape), torch.float32)
    accuracy = 10.0**-exponent
    assert_accurate(Nufft(coords, tuple(shape), accuracy), coords, accuracy, coils)


@pytest.mark.parametrize("accuracy", [1e-2, 1e-4, 1e-6])
def test_a_pixel_at_the_corner_has_at_most_three_times_the_error(accuracy: float) -> None:
    image = torch.zeros(1, 1, 32, 32, dtype=torch.complex128)
    image[..., 0, 0] = 1
    coords = random_coords(500, (32, 32), torch.float64)
    found = Nufft(coords, (32, 32), accuracy)(image)
    assert relative_error(found, direct.nufft(image, coords)) <= 3 * accuracy


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_cartesian_trajectory_gives_the_centred_orthonormal_transform(
    dtype: torch.dtype,
) -> None:
    rows, cols = 12, 15
    points = product(range(-rows // 2, rows // 2), range(-(cols // 2), cols // 2 + 1))
    coords = torch.tensor(list(points), dtype=dtype)
    accuracy = 1e-6 if dtype == torch.float32 else 1e-12
    op, image = Nufft(coords, (rows, cols), accuracy), images((rows, cols), dtype)
    kspace = op(image)
    assert relative_error(kspace.reshape(image.shape), fft_centred(image)) <= accuracy
    assert relative_error(op.adjoint(kspace), ifft_centred(fft_centred(image))) <= 2 * accuracy


@pytest.mark.parametrize("maps_batch", [None, 1, 2])
@pytest.mark.parametrize("own_trajectories", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_adjoint_is_the_adjoint(
    dtype: torch.dtype, own_trajectories: bool, maps_batch: int | None
) -> None:
    coords = random_coords(80, (18, 20), dtype)
    if own_trajectories:
        coords = torch.stack([coords, -coords])
    op = Nufft(coords, (18, 20))
    maps = None if maps_batch is None else images((18, 20), dtype, maps_batch, 6)
    image = images((18, 20), dtype, 2, 6 if maps is None else 1)
    kspace = torch.randn(2, 6, 80, dtype=image.dtype)
    assert_adjoint(lambda x: op(x, maps), lambda y: op.adjoint(y, maps), image, kspace)
    assert_linear(lambda x: op(x, maps), image, torch.randn_like(image))


def test_trajectories_of_a_batch_are_those_of_its_elements() -> None:
    coords = torch.stack([random_coords(50, (12, 14), torch.float64) for _ in range(3)])
    image = images((12, 14), torch.float64, 3, 2)
    together = Nufft(coords, (12, 14))(image)
    alone = [Nufft(coords[i], (12, 14))(image[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=rounding(image))


@pytest.mark.parametrize("maps_batch", [1, 2])
@pytest.mark.parametrize("coils", [1, 3, 4, 9])
def test_coil_maps_act_as_products(coils: int, maps_batch: int, simd_level: str) -> None:
    coords = random_coords(70, (13, 21), torch.float64)
    op, image = Nufft(coords, (13, 21)), images((13, 21), torch.float64, 2)
    maps = images((13, 21), torch.float64, maps_batch, coils)
    kspace = torch.randn(2, coils, 70, dtype=torch.complex128)
    atol = rounding(kspace)
    torch.testing.assert_close(op(image, maps), op(maps * image), rtol=0, atol=atol)
    combined = (maps.conj() * op.adjoint(kspace)).sum(1, keepdim=True)
    torch.testing.assert_close(op.adjoint(kspace, maps), combined, rtol=0, atol=atol)


@pytest.mark.parametrize(("batch", "shape"), [(1, (40, 44)), (5, (40, 44)), (1, (10, 12, 9))])
def test_same_bits_for_any_number_of_threads(batch: int, shape: tuple[int, ...]) -> None:
    coords = random_coords(3000, shape, torch.float32)
    op, image = Nufft(coords, shape), images(shape, torch.float32, batch)
    kspace = torch.randn(batch, 1, 3000, dtype=torch.complex64)
    assert_same_for_any_number_of_threads(lambda: op(image))
    assert_same_for_any_number_of_threads(lambda: op.adjoint(kspace))


@pytest.mark.parametrize("n_samples", [0, 1])
def test_none_and_one_sample(n_samples: int) -> None:
    coords = torch.full((n_samples, 2), 1.5, dtype=torch.float64)
    op, image = Nufft(coords, (8, 9)), images((8, 9), torch.float64, 2, 3)
    assert op(image).shape == (2, 3, n_samples)
    expected = direct.nufft_adjoint(op(image), coords, (8, 9))
    torch.testing.assert_close(op.adjoint(op(image)), expected, rtol=1e-2, atol=1e-12)


def test_an_empty_batch_stays_empty() -> None:
    op = Nufft(random_coords(10, (8, 9), torch.float32), (8, 9))
    assert op(images((8, 9), torch.float32, 0, 3)).shape == (0, 3, 10)
    assert op.adjoint(torch.zeros(0, 3, 10, dtype=torch.complex64)).shape == (0, 3, 8, 9)


def test_border_repeated_and_unsorted_samples_are_each_their_own() -> None:
    points = [[-4.0, 4.5], [4.0, -4.5], [0, 0], [0, 0], [3.9, 4.4], [-4.0, 4.5], [1, -2]]
    coords = torch.tensor(points, dtype=torch.float64)
    assert_accurate(Nufft(coords, (8, 9), 1e-10), coords, 1e-9)


def test_operands_need_not_be_contiguous() -> None:
    op = Nufft(random_coords(40, (10, 12), torch.float32), (10, 12))
    image = images((12, 10), torch.float32, 2, 3).transpose(-1, -2)
    torch.testing.assert_close(op(image), op(image.contiguous()), rtol=0, atol=0)


def test_a_plan_survives_pickling() -> None:
    op = Nufft(random_coords(40, (10, 12), torch.float32), (10, 12))
    image = images((10, 12), torch.float32)
    assert torch.equal(pickle.loads(pickle.dumps(op))(image), op(image))
    assert torch.equal(op.to("cpu")(image), op(image))


def test_a_gridding_of_ones_own_is_used() -> None:
    coords = random_coords(40, (10, 12), torch.float64)
    op = Nufft(coords, (10, 12), gridding=Gridding((32, 36), 10, 1e-7))
    assert (op.plan.grid, op.plan.width) == ((32, 36), 10)
    assert_accurate(op, coords, 1e-6)


class TestNormal:
    """The normal operator, by both routes."""

    @pytest.mark.parametrize("shape", [(15,), (12, 13), (6, 7, 5)])
    @pytest.mark.parametrize("with_maps", [False, True])
    def test_convolution_agrees_with_forward_and_adjoint(
        self, with_maps: bool, shape: tuple[int, ...]
    ) -> None:
        coords = random_coords(90, shape, torch.float64)
        op = Nufft(coords, shape, 1e-9, density=torch.rand(90, dtype=torch.float64))
        maps = images(shape, torch.float64, 1, 3) if with_maps else None
        image = images(shape, torch.float64, 2, 1 if with_maps else 3)
        pair = op.adjoint(op(image, maps) * op.density, maps)
        assert relative_error(op.normal_by_convolution(image, maps), pair) <= 1e-8
        assert relative_error(op.normal(image, maps), pair) <= 1e-8

    def test_each_trajectory_of_a_batch_has_its_own_kernel(self) -> None:
        coords = torch.stack([random_coords(60, (9, 8), torch.float64) for _ in range(2)])
        op, image = Nufft(coords, (9, 8), 1e-9), images((9, 8), torch.float64, 2)
        expected = op.adjoint(op(image))
        assert relative_error(op.normal_by_convolution(image), expected) <= 1e-8

    def test_convolution_has_exact_gradients(self) -> None:
        op = Nufft(random_coords(40, (5, 6), torch.float64), (5, 6))
        image = images((5, 6), torch.float64, 2).requires_grad_()
        maps = images((5, 6), torch.float64, 1, 3).requires_grad_()
        assert torch.autograd.gradcheck(op.normal_by_convolution, (image, maps))
        assert torch.autograd.gradgradcheck(op.normal_by_convolution, (image,))

    def test_convolution_is_a_well_formed_operator(self) -> None:
        op = Nufft(random_coords(40, (5, 6), torch.float64), (5, 6))
        convolution = make_convolution(op.coords, (5, 6), None, 1e-3)
        operands = (images((5, 6), torch.float64).requires_grad_(), None, *convolution)
        torch.library.opcheck(torch.ops.mrirecon.nufft_normal.default, operands)

    @pytest.mark.parametrize("shape", [(33, 40), (10, 12, 9)])
    def test_convolution_gives_the_same_bits_for_any_number_of_threads(
        self, shape: tuple[int, ...]
    ) -> None:
        op = Nufft(random_coords(300, shape, torch.float32), shape)
        image = images(shape, torch.float32, 3)
        assert_same_for_any_number_of_threads(lambda: op.normal_by_convolution(image))

    def test_weights_keep_their_gradient(self) -> None:
        density = torch.rand(60, dtype=torch.float64, requires_grad=True)
        op = Nufft(random_coords(60, (9, 8), torch.float64), (9, 8), density=density)
        op.normal(images((9, 8), torch.float64)).abs().sum().backward()
        assert density.grad is not None
        assert density.grad.abs().sum() > 0


class TestGradients:
    """Exact gradients, to everything that is continuous."""

    shape = (5, 6)

    def operands(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        coords = random_coords(7, self.shape, torch.float64).requires_grad_()
        image = images(self.shape, torch.float64, 2).requires_grad_()
        maps = images(self.shape, torch.float64, 1, 3).requires_grad_()
        kspace = torch.randn(2, 3, 7, dtype=torch.complex128, requires_grad=True)
        return coords, image, maps, kspace

    def test_forward(self) -> None:
        coords, image, maps, _ = self.operands()
        assert torch.autograd.gradcheck(
            lambda c, x, s: Nufft(c, self.shape, 1e-11)(x, s), (coords, image, maps)
        )

    def test_adjoint(self) -> None:
        coords, _, maps, kspace = self.operands()
        assert torch.autograd.gradcheck(
            lambda c, y, s: Nufft(c, self.shape, 1e-11).adjoint(y, s), (coords, kspace, maps)
        )

    def test_coordinates_of_each_batch_element(self) -> None:
        coords = torch.stack([random_coords(4, (5,), torch.float64) for _ in range(2)])
        image = images((5,), torch.float64, 2, 2)
        assert torch.autograd.gradcheck(
            lambda c: Nufft(c, (5,), 1e-11)(image), (coords.requires_grad_(),)
        )

    def test_density(self) -> None:
        coords, _, _, kspace = self.operands()
        density = torch.rand(7, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(
            lambda d: Nufft(coords.detach(), self.shape, density=d).grid(kspace.detach()),
            (density,),
        )

    def test_twice(self) -> None:
        coords, image, _, kspace = self.operands()
        op = Nufft(coords.detach(), self.shape)
        assert torch.autograd.gradgradcheck(op, (image,))
        assert torch.autograd.gradgradcheck(op.adjoint, (kspace,))

    def test_torch_finds_the_operators_well_formed(self) -> None:
        coords, image, maps, kspace = self.operands()
        op = Nufft(coords, self.shape)
        ops = torch.ops.mrirecon
        torch.library.opcheck(ops.nufft.default, (image, maps, coords, *op.plan))
        torch.library.opcheck(ops.nufft_adjoint.default, (kspace, None, coords, *op.plan))

    def test_compiles_whole(self) -> None:
        coords, image, _, _ = self.operands()
        op = Nufft(coords.detach(), self.shape)
        compiled = torch.compile(
            lambda x: op.adjoint(op(x)).abs().sum(), backend="aot_eager", fullgraph=True
        )
        found = torch.autograd.grad(compiled(image), image)[0]
        expected = torch.autograd.grad(op.adjoint(op(image)).abs().sum(), image)[0]
        torch.testing.assert_close(found, expected)


COORDS = torch.zeros(4, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((COORDS, (8, 9, 2, 2)), r"image_shape: expected 1 to 3 sizes .* got \(8, 9, 2, 2\)"),
        ((COORDS, (8, 0)), r"image_shape: expected 1 to 3 sizes of at least 1, got \(8, 0\)"),
        ((COORDS.long(), (8, 9)), "coords: expected float32 or float64, got torch.int64"),
        ((COORDS, (8,)), r"coords: expected \(samples, 1\) or .*, got \(4, 2\)"),
        ((COORDS + 4.1, (8, 9)), r"coords: expected values in \[-4, 4\] cycles per field .* 4.1"),
        ((COORDS * torch.nan, (8, 9)), r"coords: expected values in \[-4, 4\] .* axis 0, got nan"),
        ((COORDS, (8, 9), 1e-7), "accuracy: expected 1e-06 to 0.1 for torch.float32, got 1e-07"),
        ((COORDS, (8, 9), 0.2), "accuracy: expected 1e-06 to 0.1 for torch.float32, got 0.2"),
    ],
)
def test_rejects_what_cannot_be_planned(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Nufft(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gridding", "message"),
    [
        (Gridding((32, 32), 11, 0), r"gridding: expected a width of 2, .*, 10 for .*32, got 11"),
        (Gridding((32,), 6, 0), r"gridding: expected a grid of 2 sizes, .* got \(32,\)"),
        (Gridding((36, 32), 6, 0), "gridding: .* axis 0, a multiple of 8 and .*, got 36"),
        (Gridding((32, 44), 6, 0), "gridding: .* axis 1, .* product of 2, 3 and 5, got 44"),
        (Gridding((16, 32), 6, 0), "gridding: expected a grid size of at least 32 along axis 0"),
    ],
)
def test_rejects_a_gridding_that_kernels_cannot_use(gridding: Gridding, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Nufft(COORDS, (8, 9), gridding=gridding)


def test_rejects_a_density_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"density: expected torch.float32 \(4,\), got .* \(5,\)"):
        Nufft(COORDS, (8, 9), density=torch.ones(5))


def test_gridding_needs_a_density() -> None:
    with pytest.raises(ValueError, match="density: expected weights given to Nufft"):
        Nufft(COORDS, (8, 9)).grid(torch.zeros(1, 1, 4, dtype=torch.complex64))


ZEROS = torch.zeros(2, 3, 8, 9, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("image", "maps", "message"),
    [
        (ZEROS.real, None, "image: expected complex64 or complex128, got Float"),
        (ZEROS[0], None, r"image: expected \(batch, coils, 8, 9\), got \(3, 8, 9\)"),
        (ZEROS[..., :8], None, r"image: expected \(batch, coils, 8, 9\), got \(2, 3, 8, 8\)"),
        (ZEROS.to(torch.complex128), None, "offsets: expected a contiguous tensor of Double"),
        (ZEROS, ZEROS, r"image: expected \(batch, 1, 8, 9\), got \(2, 3, 8, 9\)"),
        (ZEROS[:, :1], ZEROS[..., :8], r"coil_maps: expected \(batch, coils, 8, 9\), got"),
        (ZEROS[:, :1], ZEROS.repeat(2, 1, 1, 1), "coil_maps: expected a batch of 1 or 2, got 4"),
        (ZEROS[:, :1], ZEROS.to(torch.complex128), "coil_maps: expected ComplexFloat, as the im"),
    ],
)
def test_rejects_images_and_maps_that_do_not_fit(
    image: Tensor, maps: Tensor | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Nufft(COORDS, (8, 9))(image, maps)


@pytest.mark.parametrize(
    ("kspace", "maps", "message"),
    [
        (torch.zeros(2, 3, 5, dtype=torch.complex64), None, r"kspace: expected .*coils, 4\), got"),
        (torch.zeros(2, 4, 4, dtype=torch.complex64), ZEROS, "coil_maps: expected 4 coils, as the"),
    ],
)
def test_rejects_kspace_that_does_not_fit(
    kspace: Tensor, maps: Tensor | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Nufft(COORDS, (8, 9)).adjoint(kspace, maps)


def test_rejects_a_batch_of_another_number_of_trajectories() -> None:
    op = Nufft(COORDS.expand(3, 4, 2).contiguous(), (8, 9))
    with pytest.raises(
        ValueError, match=r"image: expected a batch of 3, one for each traj.* got 2"
    ):
        op(ZEROS)
