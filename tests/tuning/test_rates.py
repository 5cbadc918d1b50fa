"""The search of a learning rate: rises, stops where it diverges, and suggests below the lowest."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_run import DISCRIMINATOR, PLAIN, PLAIN_GENERATOR, SAMPLING, make_store

from mrirecon.data import SliceDataset, SliceStore
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.tuning import RateSearch, draw_rates, search_rates
from mrirecon.tuning.rates import _judge, _smooth


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> RateSearch:
    store = make_store(tmp_path_factory.mktemp("store"))
    torch.manual_seed(0)
    with SliceStore(store) as opened:
        return search_rates(
            Generator(PLAIN_GENERATOR),
            PatchDiscriminator(DISCRIMINATOR),
            SliceDataset(opened, "train"),
            SAMPLING,
            replace(PLAIN, batch_size=3),
            device=torch.device("cpu"),
            low=1e-6,
            high=10.0,
            n_steps=40,
        )


def test_rates_rise_from_low_until_the_loss_is_far_above_its_lowest(search: RateSearch) -> None:
    assert search.rates[0] == pytest.approx(1e-6)
    factors = search.rates[1:] / search.rates[:-1]
    np.testing.assert_allclose(factors, 1e7 ** (1 / 39), rtol=1e-12)
    assert len(search.rates) == len(search.losses) == len(search.smoothed)
    assert search.suggested == pytest.approx(search.lowest / 10)
    assert search.smoothed.min() < search.smoothed[0]  # it learnt
    assert search.rates[0] < search.lowest < search.rates[-1]


def test_the_suggestion_is_a_tenth_of_the_lowest_losss_rate() -> None:
    """A valley whose bottom is at 1e-2."""
    rates = np.geomspace(1e-6, 1, 121)
    losses = (np.log10(rates) + 2) ** 2
    found = _judge(rates, losses, losses)
    assert found.lowest == pytest.approx(1e-2, rel=1e-9)
    assert found.suggested == pytest.approx(1e-3, rel=1e-9)


def test_the_running_mean_has_no_bias_at_its_start() -> None:
    np.testing.assert_allclose(_smooth([3.0] * 7, 100), 3.0, rtol=1e-12)


def test_the_picture_is_written(search: RateSearch, tmp_path: Path) -> None:
    draw_rates(search, tmp_path / "rates.png")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("low", "n_steps", "text"),
    [(0.0, 100, "low: expected above 0 and below high = 1, got 0"), (1e-3, 5, "n_steps: expected")],
)
def test_what_is_no_range_is_refused(low: float, n_steps: int, text: str, tmp_path: Path) -> None:
    with SliceStore(make_store(tmp_path)) as opened, pytest.raises(ValueError, match=f"^{text}"):
        search_rates(
            Generator(PLAIN_GENERATOR),
            None,
            SliceDataset(opened, "train"),
            SAMPLING,
            PLAIN,
            device=torch.device("cpu"),
            low=low,
            n_steps=n_steps,
        )
