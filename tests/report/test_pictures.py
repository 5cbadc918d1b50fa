"""Pictures decoded again: scales, orientation, and the square of the largest error."""

import base64
import io
import math

import numpy as np
import pytest
import torch
from evaluation_cases import make_dataset, make_example
from evaluation_cases import make_evaluation as evaluate_small
from PIL import Image

from mrirecon.evaluation import Evaluation
from mrirecon.report.pictures import (
    error_limit,
    error_uri,
    grey_limit,
    grey_uri,
    largest_error_square,
    mask_uri,
    spread_picture_uri,
)
from mrirecon.sampling.picture import point_spread


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluate_small(make_dataset(tmp_path_factory.mktemp("store")))


def decode(uri: str, mode: str) -> np.ndarray:
    kind, _, text = uri.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert(mode))


def test_grey_runs_from_zero_to_the_upper_end_and_clips() -> None:
    image = torch.tensor([[0.0, 0.25, 0.5], [1.0, -0.2, 0.1]])
    pixels = decode(grey_uri(image, upper=0.5), "L")
    assert pixels.tolist() == [[0, 128, 255], [255, 0, 51]]


def test_error_is_absolute_and_brighter_where_larger() -> None:
    target = torch.zeros(1, 4)
    image = torch.tensor([[0.0, -0.1, 0.1, 0.3]])
    pixels = decode(error_uri(image, target, upper=0.2), "RGB").astype(int).sum(-1)[0]
    assert pixels[1] == pixels[2]
    assert pixels[0] < pixels[1] < pixels[3]


def test_a_mask_is_white_where_measured() -> None:
    mask = torch.tensor([[True, False], [False, False]])
    assert decode(mask_uri(mask), "L").tolist() == [[255, 0], [0, 0]]


def test_the_point_spread_picture_is_white_at_its_peak() -> None:
    mask = torch.ones(8, 8, dtype=torch.bool)
    pixels = decode(spread_picture_uri(point_spread(mask)), "L")
    assert pixels[4, 4] == 255
    assert int((pixels == 0).sum()) == 63


def test_scales_end_above_the_largest_value_at_two_digits(evaluation: Evaluation) -> None:
    small = make_example(evaluation, torch.full((20, 20), 0.0123))
    large = make_example(evaluation, torch.full((20, 20), -0.0456))
    assert error_limit([small, large]) == 0.046
    assert error_limit([small]) == 0.013
    assert grey_limit([small]) == 0.5


def test_equal_images_have_a_scale_too(evaluation: Evaluation) -> None:
    limit = error_limit([make_example(evaluation, torch.zeros(20, 20))])
    assert math.isfinite(limit)
    assert limit > 0


def test_the_square_of_the_largest_error_is_found(evaluation: Evaluation) -> None:
    error = torch.zeros(80, 72)
    error[37:55, 11:29] = -0.2
    error[3, 60] = 0.9  # one pixel is less than a region
    assert largest_error_square(make_example(evaluation, error)) == (37, 11, 18)


def test_an_image_smaller_than_the_square_is_shown_whole(evaluation: Evaluation) -> None:
    row, col, side = largest_error_square(make_example(evaluation, torch.rand(10, 12)))
    assert (row, side) == (0, 10)
    assert 0 <= col <= 2
