from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mrirecon.data.orientation import find_halved_axes, find_turned, mean_digest


def head(seed: int, side: int = 64) -> NDArray:
    """Draw a head with a nose, noisy and a little moved, no turn of which looks like it."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j] + rng.normal(0, 0.02, (2, 1, 1))
    image = 1.0 * (np.hypot(rows, 1.3 * cols) < 0.7) + 2.0 * (np.hypot(rows + 0.5, cols) < 0.2)
    return image + 1.5 * (np.hypot(rows, cols - 0.3) < 0.15) + rng.normal(0, 0.05, image.shape)


@pytest.mark.parametrize(
    ("turn", "how"),
    [
        (lambda image: image[::-1], "turned upside down"),
        (lambda image: image[::-1, ::-1], "turned by 180 degrees"),
        (np.rot90, "turned by 90 degrees to the right"),
        (np.transpose, "with rows and columns exchanged"),
    ],
)
def test_a_subject_that_lies_otherwise_is_named(
    turn: Callable[[NDArray], NDArray], how: str
) -> None:
    subjects = [[head(seed)] * 3 for seed in range(5)]
    subjects[2] = [turn(image) for image in subjects[2]]
    digests = np.stack([mean_digest(images) for images in subjects])

    (found,) = find_turned(["a", "b", "c", "d", "e"], digests)

    undone = how.replace("right", "left") if "90" in how else how
    assert (found.name, found.how) in {("c", how), ("c", undone)}
    assert found.likeness > 0.9 > found.likeness_before


def test_subjects_alike_or_too_few_are_not_called_turned() -> None:
    digests = np.stack([mean_digest([head(seed)]) for seed in range(5)])
    assert find_turned(list("abcde"), digests) == []
    turned = np.stack([*digests[:2], mean_digest([head(9)[::-1]])])
    assert find_turned(list("abc"), turned) == []
    assert find_turned(list("abcd"), np.zeros((4, 1024), np.float32)) == []


@pytest.mark.parametrize("axes", [(), (0,), (1,), (0, 1)])
def test_an_object_at_the_edges_is_found_along_its_axes(axes: tuple[int, ...]) -> None:
    image = head(0)
    for axis in axes:
        image = np.fft.fftshift(image, axes=axis)
    assert find_halved_axes([image, image]) == tuple(("rows", "cols")[axis] for axis in axes)


def test_objects_off_the_middle_and_frames_of_noise_are_not_halved() -> None:
    noise = np.random.default_rng(0).random((64, 64))
    for image in (np.roll(head(0), 12, axis=0), noise, np.zeros((8, 8)), np.full((9, 9), np.nan)):
        assert find_halved_axes([image]) == ()
