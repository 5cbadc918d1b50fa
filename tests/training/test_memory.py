"""The largest batch under a limit of memory, by a few trials of growing size."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_run import CONFIG, DISCRIMINATOR, GENERATOR, SAMPLING

from mrirecon.data import SliceDataset, SliceStore
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.training import find_batch_size
from mrirecon.training.memory import largest_fitting


def grows(per_slice: int, tried: list[int]) -> Callable[[int], int]:
    def peak_of(size: int) -> int:
        tried.append(size)
        return 1000 + per_slice * size

    return peak_of


@pytest.mark.parametrize(("limit", "size"), [(1100, 1), (1290, 2), (2050, 10), (20_999, 195)])
def test_the_largest_size_that_fits_is_found_without_exceeding_the_limit(
    limit: int, size: int
) -> None:
    tried: list[int] = []
    found = largest_fitting(grows(100, tried), limit, n_most=1000)
    assert found.size == size
    assert 0.98 * limit - 200 < found.peak == 1000 + 100 * size <= limit  # aims 2 % below
    assert tried == sorted(tried)
    assert max(tried) <= max(2, size)  # two sizes are needed to foretell a third
    assert len(tried) <= 10


def test_no_more_than_an_epoch_is_tried() -> None:
    found = largest_fitting(grows(1, []), 10**9, n_most=7)
    assert found.size == 7


def test_a_limit_below_one_slice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^--max-memory: expected 1.00 GiB or more, which a"):
        largest_fitting(lambda _size: 2**30, 2**29, n_most=7)


def test_steps_are_taken_on_a_copy(store: Path) -> None:
    torch.manual_seed(0)
    generator = Generator(GENERATOR)
    before = {name: weight.clone() for name, weight in generator.state_dict().items()}
    with SliceStore(store) as opened:
        found = find_batch_size(
            generator,
            PatchDiscriminator(DISCRIMINATOR),
            SliceDataset(opened, "train"),
            SAMPLING,
            replace(CONFIG, batch_size=99),
            device=torch.device("cpu"),
            max_memory=2**40,
        )
    assert found.size == 7
    assert 2**20 < found.peak < 2**40
    assert list(found.trials) == sorted(found.trials)
    assert all(torch.equal(before[n], weight) for n, weight in generator.state_dict().items())
