import multiprocessing
import os
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mrirecon.data.workers import map_in_order


def slow_first(item: int) -> int:
    time.sleep(0.3 if item == 0 else 0)
    return -item


def leave_a_mark(folder: Path, item: int) -> int:
    (folder / str(item)).touch()
    return item


def refuse_two(item: int) -> int:
    if item == 2:
        raise ValueError("2.png: expected a picture")
    return item


def die_at_two(item: int) -> int:
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def views_of_one_array(item: int) -> list[np.ndarray]:
    volume = np.arange(24, dtype=np.uint16).reshape(2, 3, 4) + item
    return [*volume, volume[0].T, np.empty((0, 2), np.uint16)]


def test_results_come_in_the_order_of_items() -> None:
    assert list(map_in_order(slow_first, range(9), 3)) == [-n for n in range(9)]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_arrays_arrive_as_they_were_made(n_workers: int) -> None:
    for item, found in enumerate(map_in_order(views_of_one_array, range(3), n_workers)):
        for image, expected in zip(found, views_of_one_array(item), strict=True):
            np.testing.assert_array_equal(image, expected)
            assert image.dtype == expected.dtype


def test_as_many_as_there_are_processes_are_made_ahead_of_the_one_in_use(tmp_path: Path) -> None:
    results = map_in_order(partial(leave_a_mark, tmp_path), range(20), 2)
    next(results)
    deadline = time.monotonic() + 5
    while len(list(tmp_path.iterdir())) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)  # for one too many to show

    assert len(list(tmp_path.iterdir())) == 3
    results.close()


@pytest.mark.parametrize("n_workers", [1, 3])
def test_an_error_comes_at_the_turn_of_its_item(n_workers: int) -> None:
    results = map_in_order(refuse_two, range(6), n_workers)

    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match=r"2\.png") as caught:
        next(results)
    assert str(caught.value) == "2.png: expected a picture"
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_names_its_item() -> None:
    results = map_in_order(die_at_two, range(6), 2, name_of="slice {}".format)

    with pytest.raises(ChildProcessError, match=r"^slice 2: .* died \(exit code -9\); .*--workers"):
        list(results)
    assert multiprocessing.active_children() == []


def test_closing_ends_the_processes_whatever_they_are_at() -> None:
    results = map_in_order(time.sleep, [0, *[60] * 5], 2)
    next(results)
    assert len(multiprocessing.active_children()) == 2
    results.close()

    assert multiprocessing.active_children() == []
