"""Values of SSIM: against the definition, scikit-image, and their own laws."""

import math

import pytest
import torch
from properties import assert_same_for_any_number_of_threads
from skimage.metrics import structural_similarity
from ssim_cases import DTYPES, SHAPES, SIZES, WINDOWS, make_pair, tolerance_of
from torch import Tensor

from mrirecon import ops
from mrirecon.ops.ssim import WindowName
from mrirecon.reference import ssim as reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_reference(
    shape: tuple[int, ...], window: WindowName, dtype: torch.dtype, simd_level: str
) -> None:
    prediction, target = make_pair(shape, dtype)
    data_range = 0.5 + torch.rand(shape[:-2], dtype=dtype)
    for name in ("ssim", "ssim_map"):
        found = getattr(ops, name)(prediction, target, data_range=data_range, window=window)
        expected = getattr(reference, name)(
            prediction.double(), target.double(), data_range=data_range.double(), window=window
        )
        assert found.dtype == dtype
        assert found.shape == expected.shape
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance_of(dtype))


@pytest.mark.parametrize("shape", [(7, 7), (7, 8), (9, 7)])
def test_smallest_images_of_the_uniform_window(shape: tuple[int, int]) -> None:
    prediction, target = make_pair(shape)
    found = ops.ssim_map(prediction, target, data_range=1.0, window="uniform")
    expected = reference.ssim_map(prediction, target, data_range=1.0, window="uniform")
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("window", WINDOWS)
def test_equals_scikit_image(window: WindowName, dtype: torch.dtype, tolerance: float) -> None:
    options = {
        "uniform": {"win_size": 7},
        "gaussian": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
    }[window]
    prediction, target = make_pair((3, 37, 50), dtype)
    found = ops.ssim(prediction, target, data_range=1.2, window=window)
    for i in range(3):
        expected = structural_similarity(
            target[i].double().numpy(), prediction[i].double().numpy(), data_range=1.2, **options
        )
        assert abs(found[i].item() - expected) < tolerance


@pytest.mark.parametrize("window", WINDOWS)
def test_equal_images_score_exactly_one(window: WindowName, simd_level: str) -> None:
    for image in (torch.rand(2, 20, 21), torch.zeros(20, 20), torch.full((20, 20), 1e-3)):
        prediction = image.clone().requires_grad_()
        mean = ops.ssim(prediction, image, data_range=1.0, window=window)
        assert torch.equal(mean.detach(), torch.ones(image.shape[:-2]))
        (grad,) = torch.autograd.grad(mean.sum(), prediction)
        assert grad.abs().max() < 1e-7  # the highest score, so a stationary point


@pytest.mark.parametrize("window", WINDOWS)
def test_is_symmetric_and_invariant_to_scale(window: WindowName) -> None:
    prediction, target = make_pair((2, 23, 31))
    map_ = ops.ssim_map(prediction, target, data_range=1.0, window=window)
    swapped = ops.ssim_map(target, prediction, data_range=1.0, window=window)
    assert torch.equal(map_, swapped)
    scaled = ops.ssim_map(1024 * prediction, 1024 * target, data_range=1024.0, window=window)
    torch.testing.assert_close(map_, scaled, rtol=0, atol=1e-13)


@pytest.mark.parametrize("window", WINDOWS)
def test_mean_is_the_mean_of_the_map(window: WindowName) -> None:
    prediction, target = make_pair((2, 33, 47))
    options = {"data_range": 1.0, "window": window}
    mean = ops.ssim_map(prediction, target, **options).mean((-2, -1))
    torch.testing.assert_close(ops.ssim(prediction, target, **options), mean, rtol=0, atol=1e-14)


@pytest.mark.parametrize("window", WINDOWS)
def test_nan_spreads_to_its_windows_and_no_further(window: WindowName, simd_level: str) -> None:
    prediction, target = make_pair((2, 40, 41))
    prediction[1, 20, 25] = math.nan
    map_ = ops.ssim_map(prediction, target, data_range=1.0, window=window)
    size = SIZES[window]
    expected = torch.zeros(map_.shape, dtype=torch.bool)
    expected[1, 20 - size + 1 : 21, 25 - size + 1 : 26] = True
    assert torch.equal(map_.isnan(), expected)
    mean = ops.ssim(prediction, target, data_range=1.0, window=window)
    assert mean.isnan().tolist() == [False, True]


def compute_everything(window: WindowName, shape: tuple[int, ...]) -> Tensor:
    prediction, target = make_pair(shape, torch.float32)
    ranges = torch.ones(shape[:-2])
    map_ = torch.ops.mrirecon.ssim_map(prediction, target, ranges, window)
    mean, grad = torch.ops.mrirecon.ssim_mean_with_grad(prediction, target, ranges, window)
    grad_map = torch.ops.mrirecon.grad_ssim_map(map_, prediction, target, ranges, window)
    return torch.cat([values.flatten() for values in (map_, mean, grad, grad_map)])


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", [(1, 130, 65), (3, 70, 65)])
def test_same_for_any_number_of_threads(window: WindowName, shape: tuple[int, ...]) -> None:
    def compute() -> Tensor:
        torch.manual_seed(1)
        return compute_everything(window, shape)

    assert_same_for_any_number_of_threads(compute)


@pytest.mark.parametrize("window", WINDOWS)
def test_accepts_non_contiguous_views_and_broadcast_ranges(window: WindowName) -> None:
    prediction, target = make_pair((2, 3, 20, 26))
    ranges = torch.tensor([0.7, 1.0, 1.3])
    expected = reference.ssim(prediction, target, data_range=ranges.double(), window=window)
    swapped = prediction.mT.contiguous().mT
    spread = torch.stack([target, target], -1)[..., 0]
    found = ops.ssim(swapped, spread, data_range=ranges.double(), window=window)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


IMAGE = torch.zeros(2, 12, 13)


@pytest.mark.parametrize(
    ("prediction", "target", "data_range", "window", "text"),
    [
        (IMAGE, IMAGE, 1.0, "box", "window: expected 'uniform' or 'gaussian', got 'box'"),
        (IMAGE.half(), IMAGE, 1.0, "uniform", "prediction: expected float32 or float64, got Half"),
        (IMAGE, IMAGE.double(), 1.0, "uniform", "target: expected Float, the prediction's dtype"),
        (IMAGE, IMAGE[:1], 1.0, "uniform", "target: expected the prediction's shape (2, 12, 13)"),
        (IMAGE[0, 0], IMAGE[0, 0], 1.0, "uniform", "(..., rows, cols) of at least 7 x 7"),
        (
            IMAGE[..., :6],
            IMAGE[..., :6],
            1.0,
            "uniform",
            "at least 7 x 7, the window, got (2, 12, 6)",
        ),
        (IMAGE[:, :10], IMAGE[:, :10], 1.0, "gaussian", "at least 11 x 11, the window, got (2, 10"),
        (IMAGE, IMAGE, 0.0, "uniform", "data_range: expected more than 0, got 0.0"),
        (IMAGE, IMAGE, math.nan, "uniform", "data_range: expected more than 0, got nan"),
        (IMAGE, IMAGE, torch.ones(3), "uniform", "broadcasts to (2,), got (3,)"),
    ],
)
def test_rejects_wrong_arguments_by_name(
    prediction: Tensor, target: Tensor, data_range: float | Tensor, window: str, text: str
) -> None:
    for measure in (ops.ssim, ops.ssim_map):
        with pytest.raises(ValueError) as error:
            measure(prediction, target, data_range=data_range, window=window)  # type: ignore[arg-type]
        assert text in str(error.value)
        assert "\n" not in str(error.value)


def test_operators_reject_what_only_they_are_given() -> None:
    with pytest.raises(ValueError, match=r"data_range: expected one for each image of \(2, 12, 13"):
        torch.ops.mrirecon.ssim_mean(IMAGE, IMAGE, torch.ones(()), "uniform")
    with pytest.raises(ValueError, match=r"grad_map: expected the map's shape, got \(2, 12, 13\)"):
        torch.ops.mrirecon.grad_ssim_map(IMAGE, IMAGE, IMAGE, torch.ones(2), "uniform")
    with pytest.raises(ValueError, match="grad_map: expected Float, the prediction's dtype"):
        torch.ops.mrirecon.grad_ssim_map(IMAGE.double(), IMAGE, IMAGE, torch.ones(2), "uniform")
