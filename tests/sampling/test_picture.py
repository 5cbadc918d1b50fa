from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mrirecon.sampling import MaskSummary, SamplingConfig, make_mask, summarise
from mrirecon.sampling.picture import FLOOR, draw_masks, point_spread

SHAPE = (64, 64)


def titled(strategy: str) -> tuple[str, torch.Tensor, MaskSummary]:
    config = SamplingConfig(strategy=strategy)  # type: ignore[arg-type]
    mask = make_mask(config, SHAPE, seed=1)
    return strategy, mask, summarise(config, mask, SHAPE)


def test_the_figure_is_a_picture_with_a_column_for_each_mask(tmp_path: Path) -> None:
    one, three = tmp_path / "one.png", tmp_path / "new" / "three.png"
    draw_masks([titled("random")], one)
    draw_masks([titled("random"), titled("radial"), titled("variable_density_2d")], three)
    with Image.open(one) as narrow, Image.open(three) as wide:
        assert narrow.width < wide.width < 3 * narrow.width
        assert narrow.height == wide.height
        thirds = np.array_split(np.asarray(wide.convert("L")), 3, axis=1)
        dark = [(third < 60).mean() for third in thirds]
        assert min(dark) > 0.2  # 0.22 to 0.42; at most 0.18 with an empty panel
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["one.png", "three.png"]


def test_many_masks_go_on_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrirecon.sampling.picture.MOST_COLUMNS", 2)
    two, three = tmp_path / "two.png", tmp_path / "three.png"
    draw_masks([titled("random"), titled("poisson_disc")], two)
    draw_masks([titled("random"), titled("poisson_disc"), titled("gaussian")], three)
    with Image.open(two) as one_band, Image.open(three) as two_bands:
        assert two_bands.width == one_band.width
        assert two_bands.height == 2 * one_band.height
        last = np.asarray(two_bands.convert("L"))[one_band.height :]
        assert (last[:, : last.shape[1] // 2] < 60).mean() > 0.2
        assert last[:, -150:].min() > 200  # no fourth mask, and no empty axes


def test_point_spread_of_full_sampling_is_one_point() -> None:
    spread = point_spread(torch.ones(SHAPE, dtype=torch.bool))
    expected = np.full(SHAPE, FLOOR)
    expected[32, 32] = 0
    np.testing.assert_allclose(spread, expected, atol=1e-9)


def test_point_spread_of_every_fourth_line_is_four_equal_copies() -> None:
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[:, ::4] = True
    spread = point_spread(mask)
    assert {(int(r), int(c)) for r, c in np.argwhere(spread > -1e-9)} == {
        (32, 0),
        (32, 16),
        (32, 32),
        (32, 48),
    }


def test_a_failed_drawing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        draw_masks([titled("random")], tmp_path / "masks.nonsense")
    assert list(tmp_path.iterdir()) == []


def test_no_masks_and_a_mask_that_does_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^masks: expected at least one, got none$"):
        draw_masks([], tmp_path / "masks.png")
    title, mask, summary = titled("random")
    with pytest.raises(ValueError, match=r"^mask: expected bool, .* got torch\.bool \(63,\)$"):
        draw_masks([(title, mask[1:], summary)], tmp_path / "masks.png")
